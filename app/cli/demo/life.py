"""What happened in the demo's network before somebody looks: who joined, what members are asked, who bought tickets.

Each card is topped up with what it spends, so that the evening finds all of them as empty as its paper says.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Final, NamedTuple
from uuid import UUID

import sqlalchemy as sa

from app.cards.service import Card, all_cards
from app.cli.demo.events import BLIND, CONCERT, FULL, MEMBER, REDUCED, event_id
from app.conditions.service import known_of
from app.currencies.service import currencies
from app.events import orders
from app.events.paying import pay
from app.events.service import events
from app.events.tables import ticket_order
from app.ledger.service import Ledger
from app.members import consultations
from app.members.buying import Buyer, Offer, buy
from app.members.consultations import Consultation
from app.members.plans import Plan, make_plan
from app.platform.clock import now_us
from app.platform.context import Context
from app.rules.ids import derived
from app.rules.membership import Rolling
from app.topups.service import at_the_counter
from app.venues.service import the_network, venues

_DAY_US: Final = 24 * 3_600_000_000
MONEY: Final = "RAF"


class _Plan(NamedTuple):
    """`venue`: its slug; None for the network's own. `members`: names, by the number of their card."""

    venue: str | None
    names: tuple[str, str]
    price: int
    shares: int
    members: Mapping[int, str]


_COOP = _Plan(
    None,
    ("Sociétaire", "Shareholder"),
    5000,
    3000,
    {1: "Awa Payet", 10: "Ines Morel", 11: "Jules Rivière", 12: "Kenza Amrani"},
)
_FRIENDS = _Plan(
    "raffinerie", ("Amis de la Raffinerie", "Friends of the Raffinerie"), 1500, 0, {1: "Awa Payet", 13: "Léo Técher"}
)
PLANS: Final = (_COOP, _FRIENDS)
# (event, price, card, places).
_TICKETS: Final = (
    (CONCERT, MEMBER, 1, 1),
    (CONCERT, FULL, 10, 2),
    (CONCERT, REDUCED, 14, 1),
    (BLIND, FULL, 11, 2),
    (BLIND, FULL, 12, 2),
)
TICKETS: Final = sum(places for *_, places in _TICKETS)


async def live(context: Context) -> None:
    """Once; stopped in between, it goes on where it stopped."""
    async with context.reader.connect() as connection:
        there = await events(connection, ids=[event_id(CONCERT), event_id(BLIND)])
        last = sa.select(ticket_order.c.id).where(ticket_order.c.id == _order_id(*_TICKETS[-1][:3]))
        done = (await connection.execute(last.where(ticket_order.c.state != "held"))).first()
    if len(there) < 2 or done:
        return
    async with _ledger(context) as ledger:
        for plan in PLANS:
            await _join(context, ledger, plan)
        await _ask(context)
        for bought in _TICKETS:
            await _buy(context, ledger, *bought)


async def _join(context: Context, ledger: Ledger, of: _Plan) -> None:
    id_ = derived("demo-plan", of.names[0])
    async with context.engine.begin() as connection:
        network, at, known = await the_network(connection), await venues(connection), await currencies(connection)
        venue = next((it for it in at.values() if it.slug == of.venue), None)
        plan = Plan(id_, venue.id if venue else None, *of.names, MONEY, of.price, Rolling(12), of.shares)
        await make_plan(connection, "demo", plan, known[MONEY], venue)
    for number, name in of.members.items():
        card, term = await _card(context, number), derived("demo-member", id_, number)
        await _top_up(context, ledger, card, of.price, term)
        await buy(ledger, Offer(plan, known[MONEY], venue, network), card, Buyer(name), term, actor="demo")


async def _ask(context: Context) -> None:
    """A vote that is on: some have voted, and card 001 may."""
    id_, plan, now = derived("demo-consultation"), derived("demo-plan", _COOP.names[0]), now_us()
    question = "Ouvrir un quatrième lieu l’an prochain ?"
    new = Consultation(id_, plan, question, anonymous=True, quorum=50, opens_at_us=now, closes_at_us=now + 7 * _DAY_US)
    async with context.engine.begin() as connection:
        known = await consultations.of_plans(connection, [plan])
        if known:
            return
        await consultations.ask(connection, "demo", new, ["Oui", "Non", "Plus tard"])
        await consultations.draw_up_rolls(connection)
        for number, choice in ((10, 0), (11, 2)):
            await consultations.vote(connection, new, (await _card(context, number)).wallet, choice)


async def _buy(context: Context, ledger: Ledger, title: str, price: str, number: int, places: int) -> None:
    card, id_ = await _card(context, number), _order_id(title, price, number)
    async with context.reader.connect() as connection:
        it = (await events(connection, ids=[event_id(title)]))[event_id(title)]
    at = next(one for one in it.prices if one.name_fr == price)
    known = await known_of(ledger, card, it)
    await _top_up(context, ledger, card, at.amount * places, id_)
    await pay(ledger, await orders.hold(ledger.engine, orders.Ask(id_, it.id, card, {at.id: places}, known=known)))


def _order_id(title: str, price: str, number: int) -> UUID:
    return derived("demo-order", title, price, number)


async def _top_up(context: Context, ledger: Ledger, card: Card, amount: int, of: UUID) -> None:
    """With what `of` costs, in cash at the first venue."""
    async with context.reader.connect() as connection:
        venue, known = next(iter((await venues(connection)).values())), await currencies(connection)
    await at_the_counter(ledger, venue, card, known[MONEY], amount, derived("demo-topup", of), actor="demo")


async def _card(context: Context, number: int) -> Card:
    async with context.reader.connect() as connection:
        return (await all_cards(connection))[number - 1]


@asynccontextmanager
async def _ledger(context: Context) -> AsyncIterator[Ledger]:
    ledger = Ledger.open(context.engine, context.settings.sqlalchemy_url, context.keys.signing)
    await ledger.start()
    try:
        yield ledger
    finally:
        await ledger.stop()
