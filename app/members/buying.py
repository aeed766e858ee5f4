"""A membership bought with the card, exactly once.

The row of the register is written first, as "pending": it holds the period that the price buys, and what the buyer
wrote of themselves. Then the price is booked under the row's id, and then the row is "held". A server that stops in
between leaves a pending row, and `finish` (at the wallet's next look, or by the daily job) asks the ledger what became
of it.

A venue takes the price as it takes a sale's. The network's own leaves circulation, and the euros held against it become
the network's: a part of them shares of the cooperative.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from hashlib import sha256
from typing import Final
from uuid import UUID, uuid5

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from app.cards.lifecycle import end_of
from app.cards.service import Card, wallet_key
from app.currencies.service import Currency, rates
from app.ledger.rules.kinds import AccountKey
from app.ledger.rules.operations import Operation, Posting, Tombstone
from app.ledger.service import Ledger, currency_book, operating_book, reserve_book
from app.members.plans import Plan
from app.members.tables import member_term
from app.members.terms import NAME_MAX, MemberTerm, terms_of_wallet
from app.platform.clock import now_us
from app.platform.errors import Conflict, DomainError, Forbidden, Invalid, Unavailable
from app.rules.business_day import business_day
from app.rules.membership import Period, next_period
from app.rules.vat import vat_within
from app.venues.service import Network, Venue, the_network, venues

KIND: Final = "membership"
# A purchase takes no longer: what is pending after this and not in the ledger never came to it.
ABANDONED_US: Final = 10 * 60 * 1_000_000
ISSUER: Final = "network"


@dataclass(frozen=True, slots=True)
class Offer:
    """A plan with what its price is booked by. `venue`: None for the network's own."""

    plan: Plan
    currency: Currency
    venue: Venue | None
    network: Network


@dataclass(frozen=True, slots=True)
class Buyer:
    """`email`: for the reminder before it ends, None where none is wanted. `name`: needed where shares are bought."""

    name: str = ""
    email: str | None = None
    language: str = "fr"


async def buy(ledger: Ledger, offer: Offer, card: Card, buyer: Buyer, id_: UUID, *, actor: str) -> Period:
    """The period that was bought. The same id again gives the same.

    Raises Forbidden("card-blocked"), Invalid(field="name"), Conflict("membership-over" or "membership-had"), and what
    Ledger.post_one raises (nothing is left of the row then)."""
    plan = offer.plan
    await finish(ledger, card.wallet)
    known = await _row(ledger, id_)
    if known is not None and (known.wallet, known.plan) != (card.wallet, plan.id):
        raise Conflict("This id was used for other content.", "idempotency-key-reused")
    if known is not None and known.state != "pending":
        return Period(known.first_day, known.last_day)
    await _check(ledger, offer, card, buyer)
    period = await _set_down(ledger, offer, card, buyer, id_, actor)
    operation = await _operation(ledger, offer, card, id_, actor)
    try:
        await ledger.post_one(operation)
    except DomainError as error:
        # Refused, and remembered: the row will never be anything. Of everything else nobody knows yet.
        if not isinstance(error, Unavailable):
            async with ledger.engine.begin() as connection:
                await connection.execute(sa.delete(member_term).where(*_pending(id_)))
        raise
    async with ledger.engine.begin() as connection:
        await connection.execute(sa.update(member_term).where(*_pending(id_)).values(state="held"))
    return period


async def give_back(ledger: Ledger, term: MemberTerm, *, actor: str) -> None:
    """The price of a cancelled membership, back to the wallet that paid it. Again changes nothing.

    Raises Conflict("membership-held") and what Ledger.post_one raises."""
    if term.state != "cancelled":
        raise Conflict("Cancel the membership first.", "membership-held")
    original = (await ledger.booked([term.id]))[term.id]
    async with ledger.reader.connect() as connection:
        network, at = await the_network(connection), await venues(connection)
    now = now_us()
    venue = at.get(original.venue) if original.venue is not None else None
    day = venue.day_of(now) if venue is not None else business_day(now, network.settings.zone)
    # One membership is given back once, whoever asks for it.
    id_ = uuid5(term.id, "given back")
    await ledger.post_one(await ledger.reversal(original, id_, actor=actor, occurred_at_us=now, business_day=day))


async def finish(ledger: Ledger, wallet: UUID | None = None) -> int:
    """Rows that a purchase left pending, of one wallet or of all: held where the ledger has the price; gone where it
    has not, and no purchase is under way any more. How many there were."""
    query = sa.select(member_term.c.id, member_term.c.asked_at_us).where(member_term.c.state == "pending")
    if wallet is not None:
        query = query.where(member_term.c.wallet == wallet)
    async with ledger.reader.connect() as connection:
        left = (await connection.execute(query)).all()
    if not left:
        return 0
    before = now_us() - ABANDONED_US
    given_up = {row.id for row in left if row.asked_at_us < before}
    # A process that slept through all this time and wakes up now books nothing any more.
    await ledger.post([Tombstone(id_, "server") for id_ in given_up])
    booked = await ledger.booked([row.id for row in left])
    async with ledger.engine.begin() as connection:
        for row in left:
            if row.id in booked:
                await connection.execute(sa.update(member_term).where(*_pending(row.id)).values(state="held"))
            elif row.id in given_up:
                await connection.execute(sa.delete(member_term).where(*_pending(row.id)))
    return len(left)


async def _check(ledger: Ledger, offer: Offer, card: Card, buyer: Buyer) -> None:
    async with ledger.reader.connect() as connection:
        ended = await end_of(connection, card.id)
    if card.status != "active" or ended is not None:
        raise Forbidden("This card is blocked.", "card-blocked")
    if len(buyer.name) > NAME_MAX or (offer.plan.shares and not buyer.name):
        raise Invalid("Shares of a cooperative are somebody's: write your name.", field="name")


async def _set_down(ledger: Ledger, offer: Offer, card: Card, buyer: Buyer, id_: UUID, actor: str) -> Period:
    plan, now = offer.plan, now_us()
    today = business_day(now, offer.network.settings.zone)
    async with ledger.engine.connect() as connection:
        before = await terms_of_wallet(connection, card.wallet)
    mine = [it for it in before if it.plan == plan.id and it.state != "cancelled"]
    again = next((it for it in mine if it.id == id_), None)
    if again is not None:
        return again.period
    if plan.over(today):
        raise Conflict("This membership is sold no more.", "membership-over")
    period = next_period(plan.term, today, mine[0].period if mine else None)
    if period is None:
        raise Conflict("This wallet has this membership already.", "membership-had")
    row = {
        "id": id_,
        "plan": plan.id,
        "wallet": card.wallet,
        "name": buyer.name,
        "email": buyer.email,
        "language": buyer.language,
        "price": plan.price,
        "shares": plan.shares,
        "first_day": period.first,
        "last_day": period.last,
        "state": "pending",
        "actor": actor,
        "asked_at_us": now,
    }
    try:
        async with ledger.engine.begin() as connection:
            await connection.execute(sa.insert(member_term).values(row))
    except IntegrityError:
        # The same form twice at once writes one row, and both post the one operation.
        if (found := await _row(ledger, id_)) is not None:
            return Period(found.first_day, found.last_day)
        raise Conflict("This wallet has this membership already.", "membership-had") from None
    return period


async def _operation(ledger: Ledger, offer: Offer, card: Card, id_: UUID, actor: str) -> Operation:
    now, venue, plan = now_us(), offer.venue, offer.plan
    day = venue.day_of(now) if venue is not None else business_day(now, offer.network.settings.zone)
    asked: dict[str, object] = {"plan": str(plan.id), "price": plan.price, "shares": plan.shares}
    asked |= {"currency": plan.currency}
    if plan.vat:
        asked["vat"] = plan.vat
    content = json.dumps([KIND, card.owner, asked], sort_keys=True).encode()
    return Operation(
        id=id_,
        kind=KIND,
        fingerprint=sha256(content).digest(),
        postings=await _postings(ledger, offer, card),
        actor=actor,
        occurred_at_us=now,
        business_day=day,
        venue=venue.id if venue is not None else None,
        details=json.dumps(asked, separators=(",", ":")),
    )


async def _postings(ledger: Ledger, offer: Offer, card: Card) -> tuple[Posting, ...]:
    plan, currency = offer.plan, offer.currency
    held = wallet_key(card.owner, currency)
    book = currency_book(currency.issuer, currency.code)
    if offer.venue is not None:
        wallet, claim = await ledger.accounts([held, AccountKey(book, "claim", offer.venue.owner)])
        return (Posting(wallet, claim, plan.price),)
    cents = currency.cents_per_unit or 0
    reserve, own = reserve_book(ISSUER), operating_book(ISSUER)
    keys = [
        held,
        AccountKey(book, "issuance"),
        AccountKey(reserve, "liability", currency.code),
        AccountKey(reserve, "payable", "operating"),
        AccountKey(own, "due_from_reserve"),
        AccountKey(own, "capital"),
        AccountKey(own, "membership_income"),
        AccountKey(own, "vat"),
    ]
    wallet, issuance, liability, owed, due, capital, income, state = await ledger.accounts(
        keys, rates({currency.code: currency})
    )
    fee = (plan.price - plan.shares) * cents
    tax = vat_within(fee, plan.vat)
    parts = ((capital, plan.shares * cents), (income, fee - tax), (state, tax))
    return (
        Posting(wallet, issuance, plan.price),
        Posting(liability, owed, plan.price * cents),
        *(Posting(due, account, part) for account, part in parts if part),
    )


async def _row(ledger: Ledger, id_: UUID) -> sa.Row[tuple[object, ...]] | None:
    async with ledger.engine.connect() as connection:
        return (await connection.execute(sa.select(member_term).where(member_term.c.id == id_))).one_or_none()


def _pending(id_: UUID) -> tuple[sa.ColumnElement[bool], ...]:
    return (member_term.c.id == id_, member_term.c.state == "pending")
