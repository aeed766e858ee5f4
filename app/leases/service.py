"""Lending places of an event to a terminal, and taking them back once the terminal has said that it will not sell them.

Locks are taken in one order, as in app/events/orders.py: the event, then tickets, then prices by id.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.events.rules import Event, Price, sellable
from app.events.service import event_named, events
from app.events.tables import event, event_price
from app.identity.audit import audit
from app.leases.tables import lease, lease_ticket
from app.platform.clock import now_us
from app.platform.database import is_sqlite
from app.platform.errors import Conflict, Invalid, NotFound
from app.rules.ids import uuid7
from app.rules.tickets import encode
from app.terminals.service import Terminal
from app.wire.tickets import LeasedPrice, LeasedTicket, TicketStock

# What a terminal keeps in its memory and on its screen.
LEASED_MAX: Final = 1000


@dataclass(frozen=True, slots=True)
class Leased:
    """Of one price at one terminal. `keep`: how many it may have unsold; `leased`: how many it has, as far as we heard;
    `sold`, `returned`: what became of the others."""

    price: UUID
    terminal: UUID
    keep: int
    leased: int
    sold: int
    returned: int


async def lend(
    connection: AsyncConnection, actor: str, of: UUID, to: Terminal, wanted: Mapping[UUID, int]
) -> list[Leased]:
    """Let the terminal have so many unsold tickets at each of these prices: what is missing is made now; what it has
    too many comes back by itself, once the terminal has said so. The same again changes nothing.

    Raises NotFound, Invalid, Conflict("not-on-sale", "sold-out").
    """
    await lock(connection, [of])
    at, now = await event_named(connection, of), now_us()
    if to.venue != at.venue:
        raise NotFound("There is no such terminal at the event's venue.")
    # Those of an epoch before are its journal's to tell of, should it still come in.
    mine = (lease_ticket.c.terminal == to.id, lease_ticket.c.epoch == to.epoch, lease_ticket.c.state == "leased")
    asked = sa.select(lease_ticket.c.price, sa.func.count()).where(lease_ticket.c.event == of, *mine)
    open_ = {id_: int(many) for id_, many in await connection.execute(asked.group_by(lease_ticket.c.price))}
    missing = {}
    for id_, keep in sorted(wanted.items()):
        price = at.price(id_)
        if price is None:
            raise NotFound("There is no such price.")
        if not 0 <= keep <= LEASED_MAX:
            raise Invalid(f"A terminal is lent at most {LEASED_MAX} tickets at one price.")
        if (more := keep - open_.get(id_, 0)) > 0:
            _require_lendable(at, price, now)
            missing[id_] = more
    if sum(missing.values()) > at.free or any(_short(at, id_, many) for id_, many in missing.items()):
        raise Conflict("There are not that many places left.", "sold-out", left=at.free)
    await _make(connection, at, to, missing, now)
    for id_, keep in sorted(wanted.items()):
        await _keep(connection, id_, to.id, keep, now)
    told = ", ".join(f"{it.name('fr')}: {wanted[it.id]}" for it in at.prices if it.id in wanted)
    await audit(connection, actor, "event.lease", f"event:{of}", venue=at.venue, terminal=to.name, keep=told)
    return [it for it in await leased_of(connection, of) if it.terminal == to.id]


async def give_back(engine: AsyncEngine, terminal: UUID, ids: Collection[UUID]) -> int:
    """The terminal said that it will not sell these: how many places this gave to others. As often as anyone likes."""
    async with engine.begin() as connection:
        mine = (lease_ticket.c.id.in_(ids), lease_ticket.c.terminal == terminal, lease_ticket.c.state == "leased")
        await lock(connection, (await connection.execute(sa.select(lease_ticket.c.event).where(*mine))).scalars())
        change = sa.update(lease_ticket).where(*mine).values(state="returned", changed_at_us=now_us())
        gone = list(await connection.execute(change.returning(lease_ticket.c.event, lease_ticket.c.price)))
        await count(connection, gone, leased=-1)
    return len(gone)


async def lock(connection: AsyncConnection, of: Iterable[UUID]) -> None:
    """From here to the end, nobody else counts places of these events."""
    held = sa.select(event.c.id).where(event.c.id.in_(set(of))).order_by(event.c.id)
    await connection.execute(held.with_for_update(key_share=True))


async def count(connection: AsyncConnection, rows: Iterable[Any], **by: int) -> None:
    """Change counters of each row's event and price by so many."""
    rows = list(rows)
    for table, counted in ((event, Counter(it.event for it in rows)), (event_price, Counter(it.price for it in rows))):
        for id_, many in sorted(counted.items()):
            values = {name: table.c[name] + each * many for name, each in by.items()}
            await connection.execute(sa.update(table).where(table.c.id == id_).values(values))


async def leased_of(connection: AsyncConnection, of: UUID) -> list[Leased]:
    """What terminals were lent of an event, by price and terminal."""
    own = sa.and_(lease_ticket.c.price == lease.c.price, lease_ticket.c.terminal == lease.c.terminal)

    def of_state(state: str) -> sa.Label[Any]:
        return sa.func.coalesce(sa.func.sum(sa.case((lease_ticket.c.state == state, 1), else_=0)), 0).label(state)

    query = (
        sa.select(
            lease.c.price, lease.c.terminal, lease.c.keep, of_state("leased"), of_state("sold"), of_state("returned")
        )
        .join(event_price, event_price.c.id == lease.c.price)
        .outerjoin(lease_ticket, own)
        .where(event_price.c.event == of)
        .group_by(lease.c.price, lease.c.terminal, lease.c.keep)
        .order_by(lease.c.price, lease.c.terminal)
    )
    return [
        Leased(it.price, it.terminal, it.keep, int(it.leased), int(it.sold), int(it.returned))
        for it in await connection.execute(query)
    ]


async def stock_of(connection: AsyncConnection, to: Terminal, key: Ed25519PrivateKey) -> TicketStock:
    """What a terminal may sell in its epoch. Of an event that is over, cancelled or no longer of its venue it keeps
    none."""
    mine = (lease_ticket.c.terminal == to.id, lease_ticket.c.epoch == to.epoch, lease_ticket.c.state == "leased")
    rows = await connection.execute(sa.select(lease_ticket).where(*mine).order_by(lease_ticket.c.id))
    lent: dict[tuple[UUID, UUID], list[UUID]] = {}
    for row in rows:
        lent.setdefault((row.event, row.price), []).append(row.id)
    asked = sa.select(lease.c.price, lease.c.keep).where(lease.c.terminal == to.id)
    keeps = {row.price: row.keep for row in await connection.execute(asked)}
    at, now = await events(connection, ids={of for of, _ in lent}), now_us()
    found = []
    for (of, id_), ids in lent.items():
        one = at[of]
        price = one.price(id_)
        if price is None:
            continue
        stays = one.venue == to.venue and one.standing(now) in {"open", "full"}
        found.append(
            LeasedPrice(
                id=id_,
                event=of,
                titles={"fr": one.title_fr, "en": one.title_en or one.title_fr},
                names={"fr": price.name("fr"), "en": price.name("en")},
                starts_at_us=one.starts_at_us,
                ends_at_us=one.ends_at_us,
                currency=price.currency,
                amount=price.amount,
                vat=price.vat,
                keep=keeps.get(id_, 0) if stays else 0,
                tickets=tuple(LeasedTicket(id=it, code=encode(of, it, key)) for it in ids),
            )
        )
    return TicketStock(device=to.id, epoch=to.epoch, prices=tuple(found))


def _require_lendable(at: Event, price: Price, now: int) -> None:
    if not sellable(at, price, "till", now):
        raise Conflict("These places are not sold now.", "not-on-sale")
    if price.amount == 0 or price.condition not in {"none", "reduced"} or price.per_wallet is not None:
        raise Invalid("Only what costs something, and is for everybody or for whoever shows why, is lent to terminals.")


def _short(at: Event, id_: UUID, many: int) -> bool:
    price = at.price(id_)
    # Nobody is overtaken who waits for a place.
    left = None if price is None else at.left_at(price)
    return left is not None and left < many


async def _make(connection: AsyncConnection, at: Event, to: Terminal, missing: Mapping[UUID, int], now: int) -> None:
    rows = []
    for id_, many in missing.items():
        common = {"event": at.id, "price": id_, "terminal": to.id, "epoch": to.epoch, "state": "leased"}
        common |= {"made_at_us": now, "changed_at_us": now}
        rows += [{"id": uuid7(), **common} for _ in range(many)]
        counted = sa.update(event).where(event.c.id == at.id).values(leased=event.c.leased + many)
        await connection.execute(counted)
        of = sa.update(event_price).where(event_price.c.id == id_)
        await connection.execute(of.values(leased=event_price.c.leased + many))
    if rows:
        await connection.execute(sa.insert(lease_ticket), rows)


async def _keep(connection: AsyncConnection, price: UUID, terminal: UUID, keep: int, now: int) -> None:
    insert = sqlite.insert if is_sqlite(connection) else postgresql.insert
    row = insert(lease).values(price=price, terminal=terminal, keep=keep, changed_at_us=now)
    own = [lease.c.price, lease.c.terminal]
    await connection.execute(row.on_conflict_do_update(index_elements=own, set_={"keep": keep, "changed_at_us": now}))
