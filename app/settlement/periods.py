"""What each venue took, gave out and was left with over a period: opening, movements, closing; to the cent.

Stocks (opening, closing) and flows are never mixed: opening + flows = closing, for each venue, money and kind of
account, because all of them come from one snapshot of the figures (app.ledger.figures).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Literal
from uuid import UUID

from app.currencies.service import Currency
from app.ledger.figures import reads
from app.ledger.figures.follow import catch_up
from app.ledger.figures.reads import Movement, Picture
from app.ledger.rules.kinds import BookKind
from app.ledger.service import Ledger
from app.venues.service import Venue

# Stretches that a page takes in itself before it shows what there is, and says as of when.
STRETCHES_MAX = 8

Name = Literal["sold", "taken_back", "settled", "other", "loaded", "refunded", "deposits", "cash", "handed_in"]


@dataclass(slots=True)
class Flow:
    """Minor units, and how many transfers they are."""

    amount: int = 0
    transfers: int = 0

    def add(self, amount: int, transfers: int) -> None:
        self.amount += amount
        self.transfers += transfers


def _flows(*names: Name) -> dict[Name, Flow]:
    return {name: Flow() for name in names}


CLAIM: tuple[Name, ...] = ("sold", "taken_back", "settled", "other")
ASIDE: tuple[Name, ...] = ("loaded", "refunded", "deposits")
DUE: tuple[Name, ...] = ("cash", "handed_in", "other")


@dataclass(slots=True)
class Taken:
    """One venue in one money. `flows` lead from `opening` to `closing`, what it has a claim to. `aside`: what was
    loaded onto cards, refunded from cards and left as deposits there, which is not the venue's."""

    opening: int = 0
    closing: int = 0
    flows: dict[Name, Flow] = field(default_factory=lambda: _flows(*CLAIM))
    aside: dict[Name, Flow] = field(default_factory=lambda: _flows(*ASIDE))

    @property
    def moved(self) -> bool:
        return bool(
            self.opening or self.closing or any(it.transfers for of in (self.flows, self.aside) for it in of.values())
        )


@dataclass(slots=True)
class Due:
    """Euro cents that a venue took for issuers and owes them. `flows` lead from `opening` to `closing`."""

    opening: int = 0
    closing: int = 0
    flows: dict[Name, Flow] = field(default_factory=lambda: _flows(*DUE))


@dataclass(frozen=True, slots=True)
class VenuePeriod:
    venue: Venue
    taken: Mapping[str, Taken]
    due: Due


@dataclass(frozen=True, slots=True)
class Matrix:
    """One money: minor units loaded at a row's venue (None: online) and spent at a column's, oldest load first."""

    origins: Sequence[UUID | None]
    venues: Sequence[UUID]
    amounts: Mapping[tuple[UUID | None, UUID], int]

    def loaded_at(self, origin: UUID | None) -> int:
        return sum(self.amounts.get((origin, it), 0) for it in self.venues)

    def spent_at(self, venue: UUID) -> int:
        return sum(self.amounts.get((it, venue), 0) for it in self.origins)

    @property
    def total(self) -> int:
        return sum(self.amounts.values())


@dataclass(frozen=True, slots=True)
class Periods:
    """`elsewhere`: by money, what was done for cards at no venue, as online. `booked_at_us`: when the last of what
    these figures hold was booked; `behind`: more was booked since."""

    venues: Sequence[VenuePeriod]
    elsewhere: Mapping[str, Taken]
    matrices: Mapping[str, Matrix]
    booked_at_us: int | None
    behind: bool


async def periods(
    ledger: Ledger, chosen: Iterable[Venue], known: Mapping[str, Currency], first: date, last: date
) -> Periods:
    """Business days `first` to `last`, both included; venues in the order given."""
    of = list(chosen)
    all_in = await catch_up(ledger.engine, stretches=STRETCHES_MAX)
    picture = await reads.picture(ledger.reader, first, last, [it.owner for it in of])
    return Periods(
        tabulate(picture, of, known),
        elsewhere(picture, known),
        {code: matrix(picture, it, [venue.id for venue in of]) for code, it in known.items() if it.kind != "mutual"},
        picture.booked_at_us,
        not all_in,
    )


def tabulate(picture: Picture, of: Sequence[Venue], known: Collection[str]) -> list[VenuePeriod]:
    """The picture's movements, each in its place."""
    by_owner = {it.owner: VenuePeriod(it, {code: Taken() for code in known}, Due()) for it in of}
    by_id = {it.venue.id: it for it in by_owner.values()}
    for (book, kind, owner), balance in reads.balances_at_end(picture.standings, picture.since).items():
        at = by_owner[owner]
        if kind == "claim" and book.currency in at.taken:
            at.taken[book.currency].closing += balance
        elif kind == "due_from":
            at.due.closing += balance
    for it in picture.movements:
        for (kind, owner), sign in ((it.debit, -1), (it.credit, 1)):
            if owner in by_owner:
                _book(by_owner[owner], it, kind, sign)
        if it.venue in by_id and it.book.kind == BookKind.CURRENCY and it.book.currency in known:
            put_aside(by_id[it.venue].taken[it.book.currency], it)
    for at in by_owner.values():
        for taken in at.taken.values():
            taken.opening = taken.closing - sum(it.amount for it in taken.flows.values())
        at.due.opening = at.due.closing - sum(it.amount for it in at.due.flows.values())
    return list(by_owner.values())


def elsewhere(picture: Picture, known: Collection[str]) -> dict[str, Taken]:
    """What was loaded, refunded and set aside at no venue."""
    found = {code: Taken() for code in known}
    for it in picture.movements:
        if it.venue is None and it.book.kind == BookKind.CURRENCY and it.book.currency in known:
            put_aside(found[it.book.currency], it)
    return {code: taken for code, taken in found.items() if taken.moved}


def _book(at: VenuePeriod, it: Movement, kind: str, sign: int) -> None:
    """A movement on one of the venue's own accounts."""
    if kind == "claim" and it.book.currency in at.taken:
        other = it.debit[0] if sign > 0 else it.credit[0]
        at.taken[it.book.currency].flows[claim_flow(it.kind, other)].add(sign * it.amount, it.transfers)
    elif kind == "due_from":
        # What is owed grows on the debit side.
        other = it.credit[0] if sign < 0 else it.debit[0]
        at.due.flows[due_flow(other, -sign)].add(-sign * it.amount, it.transfers)


def claim_flow(kind: str, other: str) -> Name:
    """Where an operation of `kind` between a claim and an account of kind `other` belongs."""
    if kind in {"sale", "ticket"}:
        return "sold"
    if kind in {"sale.reversal", "ticket.reversal"}:
        return "taken_back"
    return "settled" if other == "issuance" else "other"


def due_flow(other: str, sign: int) -> Name:
    if other == "liability":
        return "cash"
    return "handed_in" if other == "bank" and sign < 0 else "other"


def put_aside(taken: Taken, it: Movement) -> None:
    """What was done for cards at the venue, without being its own."""
    debit, credit = it.debit[0], it.credit[0]
    if debit == "issuance" and credit in {"wallet", "overdraft"}:
        taken.aside["loaded"].add(it.amount, it.transfers)
    elif credit == "issuance" and debit == "wallet":
        taken.aside["refunded"].add(it.amount, it.transfers)
    elif credit == "deposit":
        taken.aside["deposits"].add(it.amount, it.transfers)
    elif debit == "deposit":
        taken.aside["deposits"].add(-it.amount, it.transfers)


def all_taken(found: Iterable[Taken]) -> Taken:
    """Several venues in one money as one."""
    total = Taken()
    for it in found:
        total.opening += it.opening
        total.closing += it.closing
        for into, part in ((total.flows, it.flows), (total.aside, it.aside)):
            _add(into, part)
    return total


def all_due(found: Iterable[Due]) -> Due:
    """What several venues owe as one."""
    total = Due()
    for it in found:
        total.opening += it.opening
        total.closing += it.closing
        _add(total.flows, it.flows)
    return total


def _add(into: Mapping[Name, Flow], part: Mapping[Name, Flow]) -> None:
    for name, flow in part.items():
        into[name].add(flow.amount, flow.transfers)


def matrix(picture: Picture, currency: Currency, venues: Sequence[UUID]) -> Matrix:
    """Only what was spent at one of `venues`; money from elsewhere is in the row None."""
    known = set(venues)
    amounts: dict[tuple[UUID | None, UUID], int] = {}
    for it in picture.spent:
        if it.book.currency == currency.code and it.venue in known and it.venue is not None:
            pair = (it.origin if it.origin in known else None), it.venue
            amounts[pair] = amounts.get(pair, 0) + it.amount
    origins: list[UUID | None] = [it for it in venues if any(pair[0] == it for pair in amounts)]
    spent = [it for it in venues if any(pair[1] == it for pair in amounts)]
    return Matrix([*origins, *([None] if any(pair[0] is None for pair in amounts) else [])], spent, amounts)
