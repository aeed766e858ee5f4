"""Free places that a venue gives out: onto a card at once, or by links, each good once and with a name on it.

An invitation is an order at a price of 0 by the channel `invitation`, and stands as the order does:

held      out: its places are counted, and whoever has the link may take them until the event ends
paying    being taken; the rounds finish what a server that died has left
paid      taken: the tickets are there, with the guest's name
released  withdrawn, or nobody came

A link has a wallet of its own, opened by an address and no chip (app/cards/rules.py), so that a guest without a card
has a ticket too. Taken onto a card, the order changes its wallet in the statement that ends its waiting.

Errors:
    Conflict("not-on-sale")             the event is no draft, cancelled or over
    Conflict("sold-out")                there are not that many places
    Conflict("order-over")              it was taken already, or withdrawn
    Forbidden("card-blocked")
    Invalid                             the price is not free; no name
    NotFound
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Final
from uuid import UUID, uuid5

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.cards import rules
from app.cards.service import Card, add_card
from app.events import orders
from app.events.orders import Ask, Order
from app.events.rules import Event, OrderState
from app.events.tables import ticket, ticket_order
from app.guests.tables import invitation
from app.guests.waiting import lock
from app.identity.audit import audit
from app.platform.clock import now_us
from app.platform.errors import Conflict, DomainError, Forbidden, Invalid, NotFound

NAME_MAX: Final = 80
# As many as a page of names: more is a list to write in two goes.
AT_ONCE_MAX: Final = 50


@dataclass(frozen=True, slots=True)
class Invitation:
    """`name`: the guest's; None once it was forgotten. `address`: the card that the link stands for; None: it was given
    onto a card at once."""

    id: UUID
    event: UUID
    price: UUID
    name: str | None
    address: UUID | None
    order_id: UUID
    made_at_us: int
    state: OrderState
    wallet: UUID
    card: UUID | None

    @property
    def on_card(self) -> bool:
        """Whether the place is, or is to be, on a card of the guest's."""
        return self.card != self.address


_NAMES: Final = ("id", "event", "price", "name", "address", "order_id", "made_at_us")
_OWN: Final = tuple(invitation.c[name] for name in _NAMES)
_SEEN: Final = (*_OWN, ticket_order.c.state, ticket_order.c.wallet, ticket_order.c.card)
_JOINED: Final = invitation.join(ticket_order, ticket_order.c.id == invitation.c.order_id)


@dataclass(frozen=True, slots=True)
class Guest:
    """Who is invited, at which price. `card`: theirs, which has the ticket at once; None: by a link. `id`: made by
    whoever asks, so that the same asked twice is one invitation."""

    id: UUID
    price: UUID
    name: str
    card: Card | None = None


async def invite(engine: AsyncEngine, actor: str, of: UUID, guest: Guest) -> Invitation:
    """One place for one guest."""
    name = " ".join(guest.name.split())
    if not name or len(name) > NAME_MAX:
        raise Invalid("A guest has a name.", field="name")
    async with engine.begin() as connection:
        at, _ = await lock(connection, of)
        known = await _named(connection, guest.id)
        if known is None:
            await _make(connection, actor, at, guest, name)
        elif (known.event, known.price, known.name) != (of, guest.price, name):
            raise Invalid("This id was used for other content.", "idempotency-key-reused")
        made = await invitation_named(connection, guest.id)
    return await _issued(engine, made)


async def invitations_of(connection: AsyncConnection, of: UUID) -> list[Invitation]:
    """By name."""
    query = sa.select(*_SEEN).select_from(_JOINED).where(invitation.c.event == of)
    rows = await connection.execute(query.order_by(sa.func.lower(invitation.c.name), invitation.c.id))
    return [Invitation(**row._mapping) for row in rows]


async def invitation_named(connection: AsyncConnection, id_: UUID) -> Invitation:
    found = await _named(connection, id_)
    if found is None:
        raise NotFound("There is no such invitation.")
    return found


async def take(engine: AsyncEngine, it: Invitation, at: Event, card: Card | None = None) -> Invitation:
    """By whoever has the link: onto a card, or onto the page of the link itself. The same again is the same."""
    if at.status != "published" or now_us() >= at.ends_at_us:
        raise Conflict("This event does not take place any more.", "not-on-sale")
    if card is not None and card.status != "active":
        raise Forbidden("This card is blocked.", "card-blocked")
    moved = {} if card is None else {"wallet": card.wallet, "card": card.id}
    async with engine.begin() as connection:
        held = (ticket_order.c.id == it.order_id, ticket_order.c.state == "held")
        change = sa.update(ticket_order).where(*held).values(state="paying", changed_at_us=now_us(), **moved)
        await connection.execute(change)
        now = await invitation_named(connection, it.id)
    if now.state in {"released", "refunded"} or (card is not None and now.wallet != card.wallet):
        raise Conflict("This invitation was taken or withdrawn.", "order-over")
    return await _issued(engine, now)


async def withdraw(engine: AsyncEngine, actor: str, it: Invitation) -> None:
    """As long as nobody has taken it; again changes nothing. Conflict("order-over"): it was taken."""
    async with engine.connect() as connection:
        order = await orders.order_named(connection, it.order_id)
    if await orders.release(engine, order):
        async with engine.begin() as connection:
            await audit(connection, actor, "event.uninvite", f"event:{it.event}")
        return
    async with engine.connect() as connection:
        if (await invitation_named(connection, it.id)).state != "released":
            raise Conflict("This invitation was taken.", "order-over")


async def listed(connection: AsyncConnection, of: UUID) -> list[tuple[str, UUID, int]]:
    """(name, price, serial) of the tickets that have a name and count, by name: the list of the door."""
    mine = (ticket.c.event == of, ticket.c.state == "valid", ticket.c.name.is_not(None))
    query = sa.select(ticket.c.name, ticket.c.price, ticket.c.serial).where(*mine)
    rows = await connection.execute(query.order_by(sa.func.lower(ticket.c.name), ticket.c.serial))
    return [(row.name, row.price, row.serial) for row in rows]


async def _make(connection: AsyncConnection, actor: str, at: Event, guest: Guest, name: str) -> None:
    price, now = at.price(guest.price), now_us()
    if price is None:
        raise NotFound("There is no such price.")
    if price.amount:
        raise Invalid("Only places that cost nothing are given out.", field="price")
    card = guest.card or await address_card(connection, "Invitation")
    # The venue's own guests do not stand in line, and the price is theirs if it says so.
    ask = Ask(
        uuid5(guest.id, "order"),
        at.id,
        card,
        {price.id: 1},
        "invitation",
        paying=guest.card is not None,
        entitled={price.condition},
        hold_us=max(0, at.ends_at_us - now),
        first=True,
        guest=name,
    )
    (made,) = await orders.hold_in(connection, [ask])
    if isinstance(made, DomainError):
        raise made
    row = {"id": guest.id, "event": at.id, "price": price.id, "name": name, "address": None if guest.card else card.id}
    await connection.execute(sa.insert(invitation).values(**row, order_id=made.id, made_at_us=now))
    await audit(connection, actor, "event.invite", f"event:{at.id}", title=at.title_fr)


async def address_card(connection: AsyncConnection, what: str) -> Card:
    """A wallet that no chip opens, labelled by what is on it."""
    random = secrets.token_bytes(32)
    return await add_card(connection, rules.phone_uid(random), f"{what} {rules.claim_code(random)}")


async def _issued(engine: AsyncEngine, it: Invitation) -> Invitation:
    """With its tickets, where it is being taken."""
    if it.state != "paying":
        return it
    async with engine.connect() as connection:
        order: Order = await orders.order_named(connection, it.order_id)
    await orders.issue(engine, order)
    async with engine.connect() as connection:
        return await invitation_named(connection, it.id)


async def _named(connection: AsyncConnection, id_: UUID) -> Invitation | None:
    row = (await connection.execute(sa.select(*_SEEN).select_from(_JOINED).where(invitation.c.id == id_))).one_or_none()
    return None if row is None else Invitation(**row._mapping)
