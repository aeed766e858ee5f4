"""Memberships: what a year in the network costs, part of it shares of the cooperative, and the register of who paid.

A membership is paid to the network itself, so its euros never stay in the reserve: what came in there is owed to the
operating book from the same operation on.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.cards.service import wallet_key
from app.currencies.service import Currency, rates
from app.identity.audit import audit
from app.ledger.rules.kinds import AccountKey
from app.ledger.rules.operations import Posting
from app.ledger.service import Ledger, currency_book, operating_book, reserve_book
from app.mutual.ground import operation
from app.mutual.members import Member
from app.mutual.rules import Means
from app.mutual.tables import membership, membership_plan
from app.platform.clock import now_us
from app.platform.database import is_sqlite
from app.platform.errors import Forbidden, Invalid, NotFound
from app.rules.business_day import business_day
from app.venues.service import Network, Venue

KIND = "membership"
# Memberships are the network's own, whoever issues what they are paid with.
ISSUER, OPERATING = "network", "operating"


@dataclass(frozen=True, slots=True)
class Plan:
    """`price_cents` in all, `shares_cents` of it in shares; `days` of membership, the day of the payment included."""

    code: str
    name_fr: str
    name_en: str
    price_cents: int
    shares_cents: int = 0
    days: int = 365

    @property
    def names(self) -> dict[str, str]:
        return {"fr": self.name_fr, "en": self.name_en}


@dataclass(frozen=True, slots=True)
class Paid:
    """How a membership is paid. `reference`: the provider's, or the bank's; `provider`: who cleared an online payment;
    `venue`: where the cash was taken; `currency`: the pegged money that a card paid with."""

    means: Means
    reference: str = ""
    provider: str = ""
    venue: Venue | None = None
    currency: Currency | None = None


@dataclass(frozen=True, slots=True)
class Membership:
    """A row of the register. `id`: the operation's. Both days are included."""

    id: UUID
    member: UUID
    plan: str
    price_cents: int
    shares_cents: int
    means: Means
    first_day: date
    last_day: date
    author: str


async def plans(connection: AsyncConnection) -> dict[str, Plan]:
    rows = await connection.execute(sa.select(membership_plan).order_by(membership_plan.c.code))
    return {row.code: Plan(**row._mapping) for row in rows}


async def set_plan(connection: AsyncConnection, plan: Plan, actor: str) -> None:
    """A new plan, or new terms of one: what was paid before stays as it was paid. Raises Invalid."""
    if not 0 <= plan.shares_cents <= plan.price_cents or plan.price_cents <= 0 or plan.days <= 0:
        raise Invalid("A membership has a price, and no more of it is shares than there is.")
    insert = sqlite.insert if is_sqlite(connection) else postgresql.insert
    values = asdict(plan)
    kept = insert(membership_plan).values(values)
    await connection.execute(kept.on_conflict_do_update(index_elements=[membership_plan.c.code], set_=values))
    await audit(connection, actor, "membership.plan", f"plan:{plan.code}", **values)


async def join(
    engine: AsyncEngine, ledger: Ledger, network: Network, who: Member, plan: Plan, paid: Paid, id_: UUID, *, actor: str
) -> Membership:
    """Book the payment and write the register.

    Raises Forbidden("card-blocked"), Invalid("currency-not-accepted"), Invalid where `paid` lacks what its means need,
    and what `Ledger.post_one` raises.
    """
    known = await _named(engine, id_)
    if known is not None and (known.member, known.plan, known.means) != (who.id, plan.code, paid.means):
        raise Invalid("This id was used for other content.", "idempotency-key-reused")
    if known is not None:
        return known
    now = now_us()
    day = paid.venue.day_of(now) if paid.venue is not None else business_day(now, network.settings.zone)
    asked = {
        "member": str(who.id),
        "plan": plan.code,
        "means": paid.means,
        "reference": paid.reference,
        "currency": paid.currency.code if paid.currency else None,
    }
    found = {"price_cents": plan.price_cents, "shares_cents": plan.shares_cents}
    entry = operation(
        id_,
        KIND,
        (*await _received(ledger, who, plan.price_cents, paid), *await _earned(ledger, plan, paid)),
        actor=actor,
        at_us=now,
        day=day,
        asked=asked,
        found=found,
        venue=paid.venue.id if paid.venue is not None else None,
    )
    if (await ledger.post_one(entry)).replayed:
        # Booked by a server that stopped before it wrote the register: at the price and on the day of the booking.
        booked = (await ledger.booked([id_]))[id_]
        day, found = booked.business_day, json.loads(booked.details)
    row = Membership(
        id_,
        who.id,
        plan.code,
        found["price_cents"],
        found["shares_cents"],
        paid.means,
        day,
        day + timedelta(plan.days - 1),
        actor,
    )
    insert = sqlite.insert if is_sqlite(engine) else postgresql.insert
    async with engine.begin() as connection:
        await connection.execute(insert(membership).values(asdict(row)).on_conflict_do_nothing())
    return row


async def register(connection: AsyncConnection, member: UUID | None = None) -> list[Membership]:
    """Of a member, or all; the newest first."""
    query = sa.select(membership).order_by(membership.c.first_day.desc(), membership.c.id.desc())
    if member is not None:
        query = query.where(membership.c.member == member)
    return [_membership(row) for row in await connection.execute(query)]


async def _named(engine: AsyncEngine, id_: UUID) -> Membership | None:
    async with engine.connect() as connection:
        row = (await connection.execute(sa.select(membership).where(membership.c.id == id_))).one_or_none()
    return _membership(row) if row is not None else None


async def plan_named(connection: AsyncConnection, code: str) -> Plan:
    found = (await plans(connection)).get(code)
    if found is None:
        raise NotFound("There is no such membership.")
    return found


async def _received(ledger: Ledger, who: Member, cents: int, paid: Paid) -> tuple[Posting, ...]:
    """What came into the reserve is payable to the operating book. A bank transfer comes to the network's own bank."""
    reserve = reserve_book(ISSUER)
    payable = AccountKey(reserve, "payable", OPERATING)
    if paid.means == "transfer":
        return ()
    if paid.means == "card":
        return await _from_card(ledger, who, cents, paid, payable)
    if paid.means == "online":
        if not paid.provider or not paid.reference:
            raise Invalid("An online payment has a provider and a reference.")
        into = AccountKey(reserve, "clearing", paid.provider)
    else:
        if paid.venue is None:
            raise Invalid("Cash is taken at a venue.")
        into = AccountKey(reserve, "due_from", paid.venue.owner)
    debit, credit = await ledger.accounts([into, payable])
    return (Posting(debit, credit, cents),)


async def _from_card(ledger: Ledger, who: Member, cents: int, paid: Paid, payable: AccountKey) -> tuple[Posting, ...]:
    """The units leave circulation, and the euros held against them are the network's."""
    currency = paid.currency
    if currency is None or currency.cents_per_unit is None or currency.issuer != ISSUER:
        raise Invalid("A membership is paid in the network's own pegged money.", "currency-not-accepted")
    units, rest = divmod(cents, currency.cents_per_unit)
    if rest:
        raise Invalid(f"This price is no whole number of {currency.code}.", "currency-not-accepted")
    if who.card.status != "active":
        raise Forbidden("This card is blocked.", "card-blocked")
    keys = [
        wallet_key(who.owner, currency),
        AccountKey(currency_book(ISSUER, currency.code), "issuance"),
        AccountKey(reserve_book(ISSUER), "liability", currency.code),
        payable,
    ]
    wallet, issuance, liability, owed = await ledger.accounts(keys, rates({currency.code: currency}))
    return (Posting(wallet, issuance, units), Posting(liability, owed, cents))


async def _earned(ledger: Ledger, plan: Plan, paid: Paid) -> tuple[Posting, ...]:
    own = operating_book(ISSUER)
    into = AccountKey(own, "bank") if paid.means == "transfer" else AccountKey(own, "due_from_reserve")
    debit, capital, income = await ledger.accounts(
        [into, AccountKey(own, "capital"), AccountKey(own, "membership_income")]
    )
    rows = ((capital, plan.shares_cents), (income, plan.price_cents - plan.shares_cents))
    return tuple(Posting(debit, account, part) for account, part in rows if part)


def _membership(row: Any) -> Membership:
    return Membership(**row._mapping)
