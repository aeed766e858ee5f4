"""What the ledger says about venues at a cut-off: their standings, and offline sales that no money stands behind."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from app.currencies.policies import PolicyVersion
from app.currencies.service import Currency
from app.ledger.rules.kinds import BookKind
from app.ledger.service import AccountMove, Ledger, Moment, TrialRow
from app.rules.policy import Fee
from app.settlement.rules.amounts import NETWORK, Standing, Taken
from app.settlement.terms import WHOLE, VenueTerms
from app.venues.service import Venue


@dataclass(frozen=True, slots=True)
class Cover:
    """`units` that a card (`owner`) owes after sales at `venue` (None: into no venue's claim), of which the venue bears
    `venue_units`."""

    owner: str
    currency: str
    venue: UUID | None
    units: int
    venue_units: int


@dataclass(frozen=True, slots=True)
class Found:
    """All venues at the cut-off; `accounts` are theirs, as they stood then and at the moment before (`opening`)."""

    standings: list[Standing]
    covers: list[Cover]
    accounts: list[TrialRow]
    opening: Mapping[int, int]


async def look(
    ledger: Ledger,
    venues: Sequence[Venue],
    currencies: Mapping[str, Currency],
    policies: Mapping[str, PolicyVersion],
    terms: Mapping[str, VenueTerms],
    venue_bears: int,
    at: Moment,
    before: Moment,
) -> Found:
    """`policies`: the rules of each currency at the cut-off. `venue_bears`: basis points of what cards owe.

    What a standing says of fees, and whether it is the venue's turn, is for the caller to add.
    """
    owners = [it.owner for it in venues]
    kinds = ["claim", "due_from", "payable", "receivable"]
    accounts = await ledger.history.standing(at, kinds, owners=[*owners, NETWORK])
    opening = {it.id: it.balance for it in await ledger.history.standing(before, kinds, owners=[*owners, NETWORK])}
    covers, held = await uncovered(ledger, currencies, {it.owner: it.id for it in venues}, venue_bears, at)
    borne: dict[tuple[str, str], int] = {}
    for it in covers:
        if it.venue is not None:
            place = f"venue:{it.venue}", it.currency
            borne[place] = borne.get(place, 0) + it.venue_units
    by_owner: dict[str, list[TrialRow]] = {}
    for row in accounts:
        by_owner.setdefault(row.key.owner, []).append(row)
    issued = {
        row.key.book.issuer: row.balance
        for row in by_owner.get(NETWORK, ())
        if row.key.kind == "payable" and row.key.book.kind is BookKind.RESERVE
    }
    standings = []
    for owner in owners:
        rows = by_owner.get(owner, ())
        terms_of = terms.get(owner, VenueTerms())
        taken = tuple(
            Taken(
                code,
                row.key.book.issuer,
                cents,
                row.balance,
                held.get((owner, code), 0),
                borne.get((owner, code), 0),
                _fee(policies[code]),
            )
            for row in rows
            if row.key.kind == "claim"
            for code in [row.key.book.currency]
            if (cents := currencies[code].cents_per_unit) is not None and "venues" in policies[code].policy.redeem.who
        )
        standings.append(
            Standing(
                owner,
                taken,
                # Cash for its own money is between its till and its own reserve.
                due={it: cents for it, cents in _by_issuer(rows, "due_from").items() if it != owner},
                carried=_by_issuer(rows, "payable"),
                owed_fees=sum(r.balance for r in rows if r.key.kind == "receivable" and r.key.book.issuer == NETWORK),
                issued_before=issued.get(owner, 0),
                minimum=terms_of.minimum_cents,
                leaving=terms_of.leaving,
            )
        )
    return Found(standings, covers, accounts, opening)


def _by_issuer(rows: Iterable[TrialRow], kind: str) -> dict[str, int]:
    """Of the reserve books: what is owed from the issuers' own money is no part of a settlement."""
    return {
        row.key.book.issuer: row.balance
        for row in rows
        if row.key.kind == kind and row.key.book.kind is BookKind.RESERVE and row.balance
    }


def _fee(version: PolicyVersion) -> Fee:
    return version.policy.redeem.fee


async def uncovered(
    ledger: Ledger, currencies: Mapping[str, Currency], venues: Mapping[str, UUID], venue_bears: int, at: Moment
) -> tuple[list[Cover], dict[tuple[str, str], int]]:
    """(what cards owe, what unknown cards were to pay by (venue's owner, currency))."""
    covers: list[Cover] = []
    held: dict[tuple[str, str], int] = {}
    debts = [
        it
        for it in await ledger.history.standing(at, ["overdraft", "suspense"], below_zero=True)
        if currencies[it.key.book.currency].cents_per_unit is not None
    ]
    moved: dict[int, list[AccountMove]] = {}
    for one in await ledger.history.moves([it.id for it in debts], at) if debts else ():
        moved.setdefault(one.account, []).append(one)
    for row in debts:
        code = row.key.book.currency
        for owner, units in made_by(-row.balance, moved[row.id]).items():
            if row.key.kind == "suspense":
                held[owner, code] = held.get((owner, code), 0) + units
            else:
                venue = venues.get(owner)
                bears = units * venue_bears // WHOLE if venue is not None else 0
                covers.append(Cover(row.key.owner, code, venue, units, bears))
    return covers, held


def made_by(debt: int, newest_first: Iterable[AccountMove]) -> dict[str, int]:
    """Whose claims grew by what is owed, in minor units by owner ("": into no claim): the newest sales, for a repayment
    settles the oldest debt first. A sale that was taken back made none."""
    left, found, taken_back = debt, dict[str, int](), dict[str, int]()
    for it in newest_first:
        owner = it.other_owner if it.other_kind == "claim" else ""
        if it.credited > 0:
            if it.reverses is not None and it.other_kind == "claim":
                taken_back[owner] = taken_back.get(owner, 0) + it.credited
            continue
        undone = min(-it.credited, taken_back.get(owner, 0))
        taken_back[owner] = taken_back.get(owner, 0) - undone
        part = min(left, -it.credited - undone)
        if part:
            found[owner] = found.get(owner, 0) + part
            left -= part
    return found
