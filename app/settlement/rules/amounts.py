"""What each venue is paid in a run, and what carries over. Pure; euro cents unless a name says `units` (minor units).

For each venue and issuer: what is redeemed less its fee, and what was left unpaid, less the cash that the venue holds
for the issuer. What other issuers owe comes to the venue through the network, where it also answers for what others
have taken of its own money, and for fees. Whatever the venue owes beyond that stays owed.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from app.rules.fees import fee
from app.rules.policy import Fee

NETWORK = "network"
NO_FEE = Fee()
State = Literal["included", "not_its_turn", "under_minimum"]


@dataclass(frozen=True, slots=True)
class Taken:
    """What a venue has taken of one pegged currency. `held_units`: what cards unknown to the network were to pay of it;
    `borne_units`: what it bears itself of offline sales beyond their cards' balance. `fee`: in units."""

    currency: str
    issuer: str
    cents_per_unit: int
    claim_units: int
    held_units: int = 0
    borne_units: int = 0
    fee: Fee = NO_FEE


@dataclass(frozen=True, slots=True)
class Standing:
    """One venue at the cut-off. `due`: cash that it holds, by issuer (negative: too much was handed in). `carried`:
    what was redeemed and could not be paid, by issuer. `owed_fees`: billed and not withheld yet; `new_fees`: of this
    run. `issued_before`: what the venue as an issuer owes the network since earlier runs."""

    owner: str
    taken: tuple[Taken, ...] = ()
    due: Mapping[str, int] = field(default_factory=dict)
    carried: Mapping[str, int] = field(default_factory=dict)
    owed_fees: int = 0
    new_fees: int = 0
    issued_before: int = 0
    minimum: int = 0
    its_turn: bool = True
    leaving: bool = False

    @property
    def empty(self) -> bool:
        amounts = [it.claim_units for it in self.taken] + [*self.due.values(), *self.carried.values()]
        return not any(amounts) and not self.owed_fees and not self.new_fees


@dataclass(frozen=True, slots=True)
class Redeemed:
    """`cents`: at par, of which `fee` is kept."""

    currency: str
    units: int
    cents: int
    fee: int


@dataclass(frozen=True, slots=True)
class Part:
    """One venue with one issuer. `offset`: of the cash it holds, what is kept back (negative: what is given back)."""

    issuer: str
    redeemed: tuple[Redeemed, ...]
    carried: int
    due: int
    offset: int

    @property
    def owed(self) -> int:
        """What the issuer owes the venue for this run, before cash."""
        return self.carried + sum(it.cents - it.fee for it in self.redeemed)

    @property
    def paid(self) -> int:
        return self.owed - self.offset

    @property
    def still_due(self) -> int:
        return self.due - self.offset


@dataclass(frozen=True, slots=True)
class Figures:
    """One venue in a run. `issued`: what others are paid for its own money in this run. `offset`: of its cash and of
    `issued`, what the network keeps back; `fees_withheld`: of the fees. `payment`: what goes to its bank account."""

    parts: tuple[Part, ...]
    issued: int
    issued_before: int
    offset: int
    owed_fees: int
    new_fees: int
    fees_withheld: int
    payment: int

    @property
    def still_due(self) -> int:
        """Cash and its own money that it still owes afterwards, whoever the issuer is; below 0: what it is owed."""
        own = sum(it.still_due for it in self.parts if it.issuer != NETWORK)
        return own + sum(it.due for it in self.parts if it.issuer == NETWORK) + self.issued - self.offset

    @property
    def fees_left(self) -> int:
        return self.owed_fees + self.new_fees - self.fees_withheld

    @property
    def net(self) -> int:
        """What the venue is owed on balance (negative: what it owes): the sum of its statement's lines."""
        return self.payment - self.still_due - self.fees_left

    @property
    def redeemed_cents(self) -> int:
        return sum(it.cents for part in self.parts for it in part.redeemed)

    def kept(self) -> dict[str, Any]:
        """As JSON keeps it."""
        return asdict(self)

    @classmethod
    def read(cls, kept: Mapping[str, Any]) -> Figures:
        parts = tuple(
            Part(**{**it, "redeemed": tuple(Redeemed(**one) for one in it["redeemed"])}) for it in kept["parts"]
        )
        return cls(**{**kept, "parts": parts})


def settle(standings: Sequence[Standing], percent: int = 100) -> tuple[dict[str, Figures], dict[str, State]]:
    """(figures of those that are settled, what becomes of each), by owner; `percent` of what can be redeemed is.

    A payment under a venue's minimum is not made, and nothing of the venue is settled. Leaving one out may change what
    the issuers among the others owe, so this is looked at until nothing changes.
    """
    states: dict[str, State] = {
        it.owner: "included" if it.its_turn or it.leaving else "not_its_turn" for it in standings
    }
    while True:
        found = _figures([it for it in standings if states[it.owner] == "included"], percent)
        small = [
            it.owner
            for it in standings
            if it.owner in found and not it.leaving and 0 < found[it.owner].payment < it.minimum
        ]
        if not small:
            return found, states
        states.update(dict.fromkeys(small, "under_minimum"))


def issued_by(figures: Mapping[str, Figures], among: Collection[str]) -> dict[str, int]:
    """What venues `among` are paid for the money of issuers other than the network, by issuer."""
    owed: dict[str, int] = {}
    for owner in among:
        for part in figures[owner].parts:
            if part.issuer != NETWORK and part.paid:
                owed[part.issuer] = owed.get(part.issuer, 0) + part.paid
    return owed


def _figures(standings: Sequence[Standing], percent: int) -> dict[str, Figures]:
    parts = {it.owner: _parts(it, percent) for it in standings}
    issued: dict[str, int] = {}
    for part in (part for of in parts.values() for part in of if part.issuer != NETWORK):
        issued[part.issuer] = issued.get(part.issuer, 0) + part.paid
    return {it.owner: _venue(it, parts[it.owner], issued.get(it.owner, 0)) for it in standings}


def _venue(of: Standing, parts: tuple[Part, ...], issued: int) -> Figures:
    return totals(parts, issued, of.issued_before, of.owed_fees, of.new_fees)


def totals(parts: tuple[Part, ...], issued: int, issued_before: int, owed_fees: int, new_fees: int) -> Figures:
    """What comes of a venue's parts: what is kept back, withheld, and paid."""
    payable = sum(it.owed if it.issuer == NETWORK else it.paid for it in parts)
    due = sum(it.due for it in parts if it.issuer == NETWORK) + issued
    offset = min(payable, due)
    withheld = min(payable - offset, owed_fees + new_fees)
    payment = payable - offset - withheld
    # With the network's own cash, what is kept back is one sum for cash and for issued money together.
    return Figures(parts, issued, issued_before, offset, owed_fees, new_fees, withheld, payment)


def _parts(of: Standing, percent: int) -> tuple[Part, ...]:
    issuers = dict.fromkeys([NETWORK, *(it.issuer for it in of.taken), *of.due, *of.carried])
    found = []
    for issuer in issuers:
        redeemed = tuple(
            one for it in of.taken if it.issuer == issuer for one in [redeem(it, of.owner, percent)] if one.units
        )
        carried, due = of.carried.get(issuer, 0), of.due.get(issuer, 0)
        owed = carried + sum(it.cents - it.fee for it in redeemed)
        # The network's own cash is kept back later, from everything that comes to the venue.
        offset = 0 if issuer == NETWORK else min(owed, due)
        if redeemed or carried or due or any(it.claim_units for it in of.taken if it.issuer == issuer):
            found.append(Part(issuer, redeemed, carried, due, offset))
    return tuple(found)


def redeem(of: Taken, owner: str, percent: int = 100) -> Redeemed:
    """What of a claim is redeemed, and the fee: never more than what is redeemed, and none on one's own money."""
    units = max(0, of.claim_units - of.held_units - of.borne_units) * percent // 100
    charged = of.fee.payer == "venue" and of.issuer != owner
    kept = min(units, fee(units, of.fee)) if charged else 0
    return Redeemed(of.currency, units, units * of.cents_per_unit, kept * of.cents_per_unit)


@dataclass(frozen=True, slots=True)
class Netting:
    """How many payments, and how much in all: each claim and each cash debt by itself; one for each pair; one for each
    venue."""

    gross: tuple[int, int]
    bilateral: tuple[int, int]
    multilateral: tuple[int, int]

    @property
    def saved(self) -> tuple[int, int]:
        return self.gross[0] - self.multilateral[0], self.gross[1] - self.multilateral[1]


def netting(figures: Mapping[str, Figures]) -> Netting:
    gross: list[int] = []
    pairs: dict[frozenset[str], int] = {}
    for owner, of in figures.items():
        for part in of.parts:
            debts = [it.cents - it.fee for it in part.redeemed] + [part.carried, -part.due]
            if part.issuer == NETWORK:
                debts += [-of.owed_fees, -of.new_fees]
            if part.issuer != owner:
                gross += [abs(it) for it in debts if it]
                pair = frozenset({owner, part.issuer})
                sign = 1 if owner == max(pair) else -1
                pairs[pair] = pairs.get(pair, 0) + sign * sum(debts)
    bilateral = [abs(it) for it in pairs.values() if it]
    multilateral = [abs(it.net) for it in figures.values() if it.net]
    return Netting((len(gross), sum(gross)), (len(bilateral), sum(bilateral)), (len(multilateral), sum(multilateral)))


def yearly_fee(redeemed: int, billed: int, terms: Fee, *, final: bool) -> int:
    """What of a year's network fee is billed now: the rate up to the cap, and at the year's end (`final`) at least the
    floor; never less than what was billed."""
    so_far = terms if final else Fee(terms.basis_points, 0, terms.maximum, payer="venue", in_euros=True)
    return max(0, fee(max(0, redeemed), so_far) - billed)
