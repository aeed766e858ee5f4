"""A cancelled event gives everybody their money back: once, to the card it came from, whatever stops in between."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from app.events import orders, service
from app.events.orders import Ask
from app.events.paying import operations_of, pay, tend
from app.events.proof import wrong as wrong_orders
from app.events.rules import Event, Price
from app.events.tables import event_price, ticket, ticket_order
from app.ledger.rules.kinds import AccountKey
from app.ledger.rules.operations import Operation, Posting
from app.ledger.service import currency_book
from app.platform.clock import now_us
from app.returns import service as returns
from app.returns.proof import wrong
from app.returns.service import Run, confirm, give_back, tend_returns
from app.rules.ids import uuid7
from tests.support.network import TEMPS, Network, both, problem
from tests.support.pages import form_to, led_to, look, send, words

pytestmark = pytest.mark.anyio

HOUR_US = 3_600_000_000


async def concert(network: Network, money: str = "RAF") -> Event:
    """Published: full at 12.00, and free."""
    venue, starts = network.venues["raffinerie"], now_us() + 24 * HOUR_US
    new = Event(uuid7(), venue.id, "Bal", "Ball", "", "", starts, starts, starts + HOUR_US, 10)
    async with network.engine.begin() as connection:
        made = await service.create(connection, "test", new)
        for amount in (1200, 0):
            await service.set_price(connection, "test", made.id, Price(uuid7(), f"Tarif {amount}", "", money, amount))
        await service.publish(connection, "test", made.id)
        return await service.event_named(connection, made.id)


async def ordered(network: Network, at: Event, card: str, full: int, free: int = 0) -> orders.Order:
    wanted = {price.id: many for price, many in zip(at.prices, (full, free), strict=True)}
    return await orders.hold(network.engine, Ask(uuid7(), at.id, network.cards[card], wanted))


async def cancelled(network: Network, at: Event) -> Run:
    """And confirmed."""
    async with network.engine.begin() as connection:
        await service.cancel(connection, "test", at.id)
    return await confirm(network.engine, "test", at.id)


async def states(network: Network) -> tuple[list[str], list[str], list[int]]:
    """(orders', tickets', places sold by price)."""
    async with network.engine.connect() as connection:
        of = [sa.select(table.c.state).order_by(table.c.id) for table in (ticket_order, ticket)]
        made, issued = [list((await connection.execute(query)).scalars()) for query in of]
        sold = list((await connection.execute(sa.select(event_price.c.sold))).scalars())
    assert await wrong_orders(network.engine) + await wrong(network.engine) == []
    return made, issued, sold


@both
async def test_the_venue_looks_it_through_and_everybody_has_their_money(network: Network) -> None:
    at = await concert(network)
    for name in ("awa", "basile"):
        await network.top_up(name, 3000)
    await pay(network.ledger, await ordered(network, at, "awa", 2, 1))
    await pay(network.ledger, await ordered(network, at, "basile", 1))
    await pay(network.ledger, await ordered(network, at, "camille", 0, 1))
    marie = await network.person("marie")
    here = f"/admin/events/{at.id}/giving-back"
    assert "Cet événement a lieu" in words(await look(marie, here))
    refused = await network.client.post(here)
    assert refused.status_code in {303, 401, 403}
    async with network.engine.begin() as connection:
        await service.cancel(connection, "test", at.id)
    assert "n’aura pas lieu" in words(await look(network.client, f"/c/{network.cards['awa'].token}/tickets"))
    # A lost card still opens the wallet that the money is in.
    await network.block("basile")
    page = await look(marie, here)
    assert "36,00 €" in words(page)
    assert all(network.cards[name].label in words(page) for name in ("awa", "basile", "camille"))
    form = form_to(page, here)
    for _ in range(2):
        assert led_to(await send(marie, form)) == here
    said = words(await look(marie, here))
    assert "Tout ce qui a été payé est de retour sur les cartes" in said
    assert "Marie Montreuil" in said
    assert (await network.holds("awa"))["RAF"] == (await network.holds("basile"))["RAF"] == 3000
    assert await network.claims("raffinerie") == {}
    assert await states(network) == (["refunded"] * 3, ["refunded"] * 5, [0, 0])
    home = f"/c/{network.cards['awa'].token}"
    said = words(await look(network.client, f"{home}/tickets"))
    assert "24,00 € rendus sur votre carte" in said
    assert "Le faire renvoyer" not in said
    assert "Billets repris" in words(await look(network.client, home))


async def test_others_have_no_part_in_it(network: Network) -> None:
    at = await concert(network)
    here = f"/admin/events/{at.id}/giving-back"
    for login in ("yann", "lucas", "bea"):
        person = await network.person(login)
        assert (await look(person, here)).status_code == 403
        assert (await person.post(here)).status_code == 403
    refused = await (await network.person("marie")).post(here, headers={"Accept": "application/json"})
    assert problem(refused) == (409, "event-not-cancelled")
    # The network sees what goes back, and not to whom.
    await network.top_up("awa", 3000)
    await pay(network.ledger, await ordered(network, at, "awa", 1))
    await cancelled(network, at)
    said = words(await look(await network.person("nadia"), here))
    assert "12,00 €" in said
    assert network.cards["awa"].label not in said


@both
@pytest.mark.parametrize("dies", ["before", "after"])
async def test_who_dies_on_the_way_is_made_good_by_the_rounds(
    network: Network, monkeypatch: pytest.MonkeyPatch, dies: str
) -> None:
    """Before anything is booked, or between the booking and its rows."""
    at = await concert(network)
    await network.top_up("awa", 3000)
    await pay(network.ledger, await ordered(network, at, "awa", 2))
    run = await cancelled(network, at)

    async def dead(*_: Any) -> set[UUID]:
        raise ConnectionError

    name = {"before": "book_back", "after": "mark_refunded"}[dies]
    with monkeypatch.context() as patched:
        patched.setattr(returns, name, dead)
        with pytest.raises(ConnectionError):
            await give_back(network.ledger, run)
    assert (await network.holds("awa"))["RAF"] == (600 if dies == "before" else 3000)
    assert (await states(network))[0] == ["paid"]
    assert sum(await asyncio.gather(*(tend_returns(network.ledger) for _ in range(2)))) == 1
    assert await tend_returns(network.ledger) == 0
    assert (await network.holds("awa"))["RAF"] == 3000
    assert await states(network) == (["refunded"], ["refunded"] * 2, [0, 0])


async def test_what_was_being_paid_when_it_was_cancelled_comes_back_too(network: Network) -> None:
    at = await concert(network)
    await network.top_up("awa", 3000)
    held, paying = await ordered(network, at, "awa", 1), await ordered(network, at, "awa", 1)
    assert await orders.start_paying(network.engine, paying)
    await network.ledger.post(await operations_of(network.ledger, [paying]))
    run = await cancelled(network, at)
    assert await give_back(network.ledger, run) == 0
    await tend(network.ledger, now_us() + HOUR_US)
    assert await tend_returns(network.ledger) == 1
    assert (await network.holds("awa"))["RAF"] == 3000
    assert sorted((await states(network))[0]) == ["refunded", "released"]
    async with network.engine.connect() as connection:
        assert (await orders.order_named(connection, held.id)).state == "released"


async def test_what_was_paid_out_already_is_taken_off_the_next_settlement(network: Network) -> None:
    """The claim goes below zero, as it does when a sale is taken back after a settlement."""
    at = await concert(network, "TEMPS")
    await network.issue("awa", TEMPS, 3000)
    await pay(network.ledger, await ordered(network, at, "awa", 2))
    book = currency_book(TEMPS.issuer, TEMPS.code)
    venue = network.venues["raffinerie"]
    claim, issuance = await network.ledger.accounts(
        [AccountKey(book, "claim", venue.owner), AccountKey(book, "issuance")]
    )
    paid = (Posting(claim, issuance, 2400),)
    await network.ledger.post_one(Operation(uuid7(), "settled", b"x" * 32, paid, "test", 1, venue.day_of(now_us())))
    await cancelled(network, at)
    assert await tend_returns(network.ledger) == 1
    assert await network.claims("raffinerie") == {"TEMPS": -2400}
    assert (await network.holds("awa"))["TEMPS"] == 3000
