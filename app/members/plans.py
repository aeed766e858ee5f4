"""What one may be a member of: made and ended by those who run the venue, or the network."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.currencies.service import Currency
from app.identity.audit import audit
from app.members.tables import member_plan
from app.platform.clock import now_us
from app.platform.errors import Invalid, NotFound
from app.rules.membership import Rolling, Season, Term
from app.venues.service import Venue

NAME_MAX: Final = 60
MONTHS_MAX: Final = 60
VAT_MAX: Final = 10_000


@dataclass(frozen=True, slots=True)
class Plan:
    """`venue`: None for the network's own. `price` and `shares` (a part of it): minor units of `currency`. `vat`: the
    rate in basis points that the rest of the price holds; 0: outside of VAT."""

    id: UUID
    venue: UUID | None
    name_fr: str
    name_en: str
    currency: str
    price: int
    term: Term
    shares: int = 0
    ended: bool = False
    vat: int = 0

    def name(self, language: str) -> str:
        return self.name_fr if language == "fr" else self.name_en

    @property
    def season(self) -> Season | None:
        return self.term if isinstance(self.term, Season) else None

    @property
    def months(self) -> int | None:
        return self.term.months if isinstance(self.term, Rolling) else None

    def over(self, today: date) -> bool:
        return self.ended or (self.season is not None and self.season.last < today)


async def plans(connection: AsyncConnection) -> dict[UUID, Plan]:
    """All of them, also those that are no longer sold; the network's first, then as they were made."""
    order = (member_plan.c.venue.is_not(None), member_plan.c.created_at_us, member_plan.c.id)
    return {row.id: _plan(row) for row in await connection.execute(sa.select(member_plan).order_by(*order))}


async def plan_named(connection: AsyncConnection, id_: UUID) -> Plan:
    row = (await connection.execute(sa.select(member_plan).where(member_plan.c.id == id_))).one_or_none()
    if row is None:
        raise NotFound("There is no such membership.")
    return _plan(row)


def payable(currency: Currency, venue: Venue | None) -> bool:
    """Whether a membership of the venue (None: the network) may be priced in it."""
    if venue is not None:
        return currency.code in venue.accepted
    # The network turns it into euros of its own, so it must be pegged and its own.
    return currency.issuer == "network" and currency.cents_per_unit is not None


async def make_plan(
    connection: AsyncConnection, actor: str, new: Plan, currency: Currency | None, venue: Venue | None
) -> None:
    """The same id again changes nothing. Raises Invalid with the `field` that is not right."""
    if not 0 < len(new.name_fr) <= NAME_MAX or not 0 < len(new.name_en) <= NAME_MAX:
        raise Invalid("A membership has a name in both languages.", field="name")
    if currency is None or not payable(currency, venue):
        raise Invalid("It is not paid in this currency.", "currency-not-accepted", field="currency")
    if new.price <= 0:
        raise Invalid("A membership has a price.", field="price")
    if not 0 <= new.shares <= (0 if venue else new.price):
        raise Invalid("No more of it is shares than there is, and only the network has shares.", field="shares")
    if not 0 <= new.vat <= VAT_MAX:
        raise Invalid("A rate is a share of the price.", field="vat")
    term = new.term
    if isinstance(term, Rolling) and not 0 < term.months <= MONTHS_MAX:
        raise Invalid("It lasts some months.", field="term")
    if isinstance(term, Season) and term.last < term.first:
        raise Invalid("A season ends after it begins.", field="term")
    if (await connection.execute(sa.select(member_plan.c.id).where(member_plan.c.id == new.id))).first():
        return
    lasts = {
        "months": new.months,
        "season_first": new.season.first if new.season else None,
        "season_last": new.season.last if new.season else None,
    }
    told: dict[str, Any] = {
        "name_fr": new.name_fr,
        "name_en": new.name_en,
        "currency": new.currency,
        "price": new.price,
        "shares": new.shares,
        "vat": new.vat,
    }
    values = {"id": new.id, "venue": new.venue, "created_at_us": now_us(), **told, **lasts}
    await connection.execute(sa.insert(member_plan).values(values))
    await audit(connection, actor, "membership.make", f"plan:{new.id}", venue=new.venue, **told, **lasts)


async def end_plan(connection: AsyncConnection, actor: str, plan: UUID) -> None:
    """It is sold no more; who is a member stays one until their time is over. Again changes nothing."""
    open_ = (member_plan.c.id == plan, member_plan.c.ended_at_us.is_(None))
    if (await connection.execute(sa.update(member_plan).where(*open_).values(ended_at_us=now_us()))).rowcount:
        await audit(connection, actor, "membership.plan-end", f"plan:{plan}")


def _plan(row: Any) -> Plan:
    term = Rolling(row.months) if row.months is not None else Season(row.season_first, row.season_last)
    ended = row.ended_at_us is not None
    return Plan(row.id, row.venue, row.name_fr, row.name_en, row.currency, row.price, term, row.shares, ended, row.vat)
