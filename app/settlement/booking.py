"""The operations of a run (docs/decisions, "What a settlement run books, and where").

An operation's id follows from the run, the step and whom it is about, and its fingerprint from that id: posted again,
it changes nothing. So a run that stopped anywhere is booked by booking it again.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from uuid import UUID

from app.currencies.service import Currency, currencies, rates
from app.identity.audit import audit
from app.ledger.rules.kinds import AccountKey
from app.ledger.rules.operations import Operation, Posting
from app.ledger.service import Ledger, currency_book, operating_book, posted, reserve_book
from app.platform.clock import now_us
from app.platform.errors import Conflict, DomainError
from app.rules.business_day import business_day
from app.rules.vat import vat_within
from app.settlement import store
from app.settlement.reading import Cover, uncovered
from app.settlement.rules.amounts import NETWORK, Figures, Part, issued_by
from app.settlement.store import Run
from app.venues.service import Network, the_network, venues

COVER, REDEMPTION, CLEARING = "settlement.cover", "settlement.redemption", "settlement.clearing"
NETTING, PAYMENT, TAKEN_BACK = "settlement.netting", "settlement.payment", "settlement.taken_back"
# A card that is topped up at every look is left to the next run.
LOOKS = 5
# The ledger's queue is bounded, and others book too.
POSTED_AT_ONCE = 200

Leg = tuple[AccountKey, AccountKey, int]


@dataclass(frozen=True, slots=True)
class Draft:
    """An operation before its accounts are looked up; legs of 0 are left out. `about`: whose, in its id and details."""

    kind: str
    about: str
    legs: tuple[Leg, ...]


def operation_id(run: UUID, kind: str, about: str) -> UUID:
    return UUID(bytes=sha256(b"comptoir-" + kind.encode() + run.bytes + about.encode()).digest()[:16])


async def book(ledger: Ledger, id_: UUID, *, actor: str) -> Run:
    """Post everything of an approved run but the payments, and say so. Again, where it stopped."""
    async with ledger.reader.connect() as connection:
        run = await store.run_named(connection, id_)
        if run.event("booked") is not None:
            return run
        if run.state != "approved":
            raise Conflict("The run is not approved.", "run-moved-on")
        network, known = await the_network(connection), await currencies(connection)
        kept = await store.statements(connection, id_)
        settled = {f"venue:{it.venue}": it.figures for it in kept.values() if it.settled and it.figures is not None}
        owed = await store.covers(connection, id_)
        places = {it.owner: it.id for it in (await venues(connection)).values()}
    await _cover(ledger, run, network, known, [it for it in owed if it.venue is None or f"venue:{it.venue}" in settled])
    for look in range(LOOKS):
        try:
            drafts = await _advances(ledger, run, settled, known, places)
            drafts += _redemptions(settled, known, network)
            await post(ledger, run, network, known, drafts, actor=actor)
            break
        except DomainError:
            # A sale was taken back between the look and the posting.
            if look == LOOKS - 1:
                raise
    drafts += [*_clearings(run, settled), *_nettings(settled, network)]
    await post(ledger, run, network, known, drafts, actor=actor)
    at = await ledger.history.moment()
    async with ledger.engine.begin() as connection:
        await store.step(connection, run, "booked", at, actor=actor)
        await audit(connection, actor, "settlement.book", f"run:{id_}", operations=len(drafts))
        return await store.run_named(connection, id_)


async def post(
    ledger: Ledger, run: Run, network: Network, known: Mapping[str, Currency], drafts: Sequence[Draft], *, actor: str
) -> None:
    """Post drafts in their order. Raises what the ledger refuses; what was posted before it stays."""
    drafts = [it for it in drafts if any(amount for *_, amount in it.legs)]
    keys = [key for it in drafts for debit, credit, amount in it.legs if amount for key in (debit, credit)]
    ids = dict(zip(keys, await ledger.accounts(keys, rates(known)), strict=True))
    now = now_us()
    operations = [
        Operation(
            id=(id_ := operation_id(run.id, it.kind, it.about)),
            kind=it.kind,
            fingerprint=sha256(b"settlement" + id_.bytes).digest(),
            postings=tuple(Posting(ids[debit], ids[credit], amount) for debit, credit, amount in it.legs if amount),
            actor=actor,
            occurred_at_us=now,
            business_day=business_day(now, network.settings.zone),
            details=json.dumps({"run": run.number, "run_id": str(run.id), "about": it.about}, separators=(",", ":")),
            # What stood in its way is put right, and the run goes on under the same id.
            overrides_refusal=True,
        )
        for it in drafts
    ]
    for start in range(0, len(operations), POSTED_AT_ONCE):
        for outcome in await ledger.post(operations[start : start + POSTED_AT_ONCE]):
            posted(outcome)


async def _advances(
    ledger: Ledger,
    run: Run,
    settled: Mapping[str, Figures],
    known: Mapping[str, Currency],
    places: Mapping[str, UUID],
) -> list[Draft]:
    """Sales that were taken back after they were frozen or paid: the venue owes them as it owes cash.

    A claim stands for what is redeemed of it now, for what unknown cards were to pay, and for what cards still owe.
    Behind what is missing to that nothing may stand, for a card without money may have got it back.
    """
    covers, needed = await uncovered(ledger, known, places, 0, await ledger.history.moment())
    for it in covers:
        if it.venue is not None:
            place = f"venue:{it.venue}", it.currency
            needed[place] = needed.get(place, 0) + it.units
    ids = {
        (owner, part.issuer): operation_id(run.id, REDEMPTION, f"{owner} {part.issuer}")
        for owner, of in settled.items()
        for part in of.parts
    }
    booked = await ledger.booked(ids.values())
    for owner, of in settled.items():
        for part in of.parts:
            for one in part.redeemed if ids[owner, part.issuer] not in booked else ():
                needed[owner, one.currency] = needed.get((owner, one.currency), 0) + one.units
    drafts = []
    for row in await ledger.balances(owners=list(places), kinds=["claim"]):
        owner, book = row.key.owner, row.key.book
        rate = known[book.currency].cents_per_unit
        short = needed.get((owner, book.currency), 0) - row.balance
        if rate is None or short <= 0:
            continue
        reserve = reserve_book(book.issuer)
        legs = (
            (AccountKey(reserve, "due_from", owner), AccountKey(reserve, "liability", book.currency), short * rate),
            (AccountKey(book, "issuance"), row.key, short),
        )
        drafts.append(Draft(TAKEN_BACK, f"{owner} {book.currency}", legs))
    return drafts


def _redemptions(settled: Mapping[str, Figures], known: Mapping[str, Currency], network: Network) -> Iterator[Draft]:
    for owner, of in settled.items():
        for part in of.parts:
            legs = tuple(_redemption(owner, part, known, network.settings.fee_vat_basis_points))
            yield Draft(REDEMPTION, f"{owner} {part.issuer}", legs)


def _redemption(owner: str, part: Part, known: Mapping[str, Currency], vat_bp: int) -> Iterator[Leg]:
    reserve, own = reserve_book(part.issuer), operating_book(part.issuer)
    payable, fees = AccountKey(reserve, "payable", owner), 0
    for it in part.redeemed:
        book = currency_book(part.issuer, known[it.currency].code)
        liability = AccountKey(reserve, "liability", it.currency)
        yield AccountKey(book, "claim", owner), AccountKey(book, "issuance"), it.units
        yield liability, payable, it.cents - it.fee
        yield liability, AccountKey(reserve, "payable", "operating"), it.fee
        fees += it.fee
    vat = vat_within(fees, vat_bp)
    yield AccountKey(own, "due_from_reserve"), AccountKey(own, "fee_income"), fees - vat
    yield AccountKey(own, "due_from_reserve"), AccountKey(own, "vat"), vat
    yield _either_way(payable, AccountKey(reserve, "due_from", owner), part.offset)


def _clearings(run: Run, settled: Mapping[str, Figures]) -> Iterator[Draft]:
    """The network stands between an issuer and the venues; the run's own account is 0 after each."""
    central = reserve_book(NETWORK)
    between = AccountKey(central, "payable", f"run:{run.id}")
    for issuer, total in issued_by(settled, settled).items():
        reserve = reserve_book(issuer)
        legs: list[Leg] = [(AccountKey(central, "due_from", issuer), between, total)]
        for owner, of in settled.items():
            paid = sum(it.paid for it in of.parts if it.issuer == issuer)
            legs.append((AccountKey(reserve, "payable", owner), AccountKey(reserve, "payable", NETWORK), paid))
            legs.append((between, AccountKey(central, "payable", owner), paid))
        yield Draft(CLEARING, issuer, tuple(legs))


def _nettings(settled: Mapping[str, Figures], network: Network) -> Iterator[Draft]:
    central, own = reserve_book(NETWORK), operating_book(NETWORK)
    issued = issued_by(settled, settled)
    for owner, of in settled.items():
        payable = AccountKey(central, "payable", owner)
        receivable, from_reserve = AccountKey(own, "receivable", owner), AccountKey(own, "due_from_reserve")
        vat = vat_within(of.new_fees, network.settings.fee_vat_basis_points)
        mine = reserve_book(owner)
        # What the network keeps back pays first for the venue's own money in others' hands: its reserve is free of it.
        freed = min(max(0, of.offset), of.issued_before + issued.get(owner, 0))
        legs = (
            _either_way(payable, AccountKey(central, "due_from", owner), of.offset),
            (AccountKey(mine, "payable", NETWORK), AccountKey(mine, "payable", "operating"), freed),
            (receivable, AccountKey(own, "fee_income"), of.new_fees - vat),
            (receivable, AccountKey(own, "vat"), vat),
            (payable, AccountKey(central, "payable", "operating"), of.fees_withheld),
            (from_reserve, receivable, of.fees_withheld),
        )
        yield Draft(NETTING, owner, legs)


def payment(owner: str, cents: int) -> Draft:
    central = reserve_book(NETWORK)
    return Draft(PAYMENT, owner, ((AccountKey(central, "payable", owner), AccountKey(central, "bank"), cents),))


def _either_way(debit: AccountKey, credit: AccountKey, amount: int) -> Leg:
    return (debit, credit, amount) if amount >= 0 else (credit, debit, -amount)


async def _cover(
    ledger: Ledger, run: Run, network: Network, known: Mapping[str, Currency], owed: Sequence[Cover]
) -> None:
    """What a holder has repaid since the cut-off needs no cover any more."""
    about = {f"{number} {it.owner} {it.currency} {it.venue or ''}": it for number, it in enumerate(owed, 1)}
    for look in range(LOOKS):
        booked = await ledger.booked([operation_id(run.id, COVER, it) for it in about])
        rows = await ledger.balances(owners={it.owner for it in owed}, kinds=["overdraft"])
        debts = {row.key: -row.balance for row in rows}
        drafts = [
            Draft(COVER, name, cover_legs(known[it.currency], it, debts))
            for name, it in about.items()
            if operation_id(run.id, COVER, name) not in booked
        ]
        try:
            await post(ledger, run, network, known, drafts, actor=f"run:{run.id}")
            return
        except DomainError:
            if look == LOOKS - 1:
                raise


def cover_legs(currency: Currency, of: Cover, debts: dict[AccountKey, int]) -> tuple[Leg, ...]:
    """What a card owes, borne by venue and network. Takes from `debts`, what cards still owe, what it covers."""
    book, reserve = currency_book(currency.issuer, currency.code), reserve_book(currency.issuer)
    own, rate = operating_book(currency.issuer), currency.cents_per_unit or 0
    liability = AccountKey(reserve, "liability", currency.code)
    overdraft = AccountKey(book, "overdraft", of.owner)
    debt = debts.get(overdraft, 0)
    borne = min(of.venue_units, debt)
    written_off = min(of.units - of.venue_units, debt - borne)
    debts[overdraft] = debt - borne - written_off
    return (
        (AccountKey(book, "claim", f"venue:{of.venue}"), overdraft, borne),
        (AccountKey(reserve, "due_from", "operating"), liability, written_off * rate),
        (AccountKey(book, "issuance"), overdraft, written_off),
        (AccountKey(own, "losses"), AccountKey(own, "due_to_reserve"), written_off * rate),
    )
