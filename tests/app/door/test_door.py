"""A terminal is told the tickets of its venue's events; what it saw is kept, and what is doubtful is told."""

from __future__ import annotations

import base64
from uuid import UUID

import pytest

from app.door.service import HOUR_US, door_list
from app.events import orders, service
from app.events.paying import pay
from app.events.rules import Event, Price
from app.inbox import service as service_of_inbox
from app.platform.clock import now_us
from app.rules.door import Answer, Direction
from app.rules.ids import uuid7
from app.wire.door import DoorList, DoorPassages, PassageRow
from app.wire.snapshot import SIGNATURE_HEADER
from readers.sync.keys import signed_by
from tests.support.network import CARDS, Network, both
from tests.support.pages import look, words

pytestmark = pytest.mark.anyio


@pytest.fixture
def database_kind() -> str:
    """Where it makes a difference, a test is marked as one for both databases."""
    return "sqlite"


async def ball(network: Network, starts_us: int, places: int = 2, card: str = "awa") -> Event:
    """An event with tickets on a card."""
    price, venue = uuid7(), network.venues["raffinerie"].id
    new = Event(uuid7(), venue, "Bal", "Ball", "", "", starts_us, starts_us, starts_us + HOUR_US, 10)
    async with network.engine.begin() as connection:
        made = await service.create(connection, "test", new)
        await service.set_price(connection, "test", made.id, Price(price, "Plein tarif", "Full", "RAF", 0))
        await service.publish(connection, "test", made.id)
        at = await service.event_named(connection, made.id)
    ask = orders.Ask(uuid7(), at.id, network.cards[card], {price: places})
    await pay(network.ledger, await orders.hold(network.engine, ask))
    return at


def passage(at: Event, ticket: UUID, direction: Direction, result: Answer, at_us: int) -> PassageRow:
    told = {"direction": direction, "result": result, "means": "card", "at_us": at_us}
    return PassageRow.model_validate({"id": uuid7(), "ticket": ticket, "at_event": at.id, **told})


@both
async def test_what_terminals_see_reaches_each_other_and_the_venue(network: Network) -> None:
    now = now_us()
    at = await ball(network, now)
    await ball(network, now + 72 * HOUR_US)
    left, right = await network.terminal("raffinerie", "Porte A"), await network.terminal("raffinerie", "Porte B")
    answer = await network.client.get("/api/v1/terminals/door", headers=left.headers)
    found = DoorList.model_validate_json(answer.content)
    key = base64.b64encode(network.context.keys.signing.public_key().public_bytes_raw()).decode()
    assert signed_by(key, answer.content, answer.headers[SIGNATURE_HEADER])
    assert [it.id for it in found.events] == [at.id], "what is in three days is not told yet"
    assert [(it.serial, it.cards) for it in found.tickets] == [(1, (CARDS["awa"],)), (2, (CARDS["awa"],))]
    same = {**left.headers, "If-None-Match": answer.headers["ETag"]}
    assert (await network.client.get("/api/v1/terminals/door", headers=same)).status_code == 304

    first, second = (it.id for it in found.tickets)
    await left.deliver(passage(at, first, "in", "in", now + 1), passage(at, second, "in", "in", now + 2))
    # The other one stood alone and did not know.
    await right.deliver(
        passage(at, first, "in", "in", now + 5),
        passage(at, second, "in", "early", now + 3),
        passage(at, uuid7(), "in", "in", now + 4),
    )
    await right.sync(right.journal.batch())
    answer = await network.client.get("/api/v1/terminals/door/passages", headers=right.headers)
    told = DoorPassages.model_validate_json(answer.content)
    assert {(it.terminal, it.at_us - now) for it in told.passages} == {
        *(("Porte A", 1), ("Porte A", 2)),
        *(("Porte B", 5), ("Porte B", 4)),
    }
    later = f"/api/v1/terminals/door/passages?after_us={told.until_us + 2 * 60 * 1_000_000}"
    assert (await network.client.get(later, headers=right.headers)).json()["passages"] == []

    marie = await network.person("marie")
    case = f"/admin/exceptions/twice:{first}"
    assert "Le billet n° 1 de « Bal » est entré deux fois" in words(await look(marie, "/admin/exceptions"))
    told_of = words(await look(marie, case))
    assert "Porte A" in told_of
    assert "Porte B" in told_of
    assert (await look(await network.person("yann"), case)).status_code == 404
    page = words(await look(marie, "/admin/doors"))
    assert "Entrés deux fois" in page
    assert "Refusé : trop tôt" in page
    assert "pour cet événement : 1" in page
    assert "Porte B" in page
    assert "Bal" not in words(await look(await network.person("yann"), "/admin/doors"))


@both
async def test_a_ticket_let_in_twice_needs_somebody_until_a_way_out_comes_in(network: Network) -> None:
    now = now_us()
    at = await ball(network, now)
    left, right = await network.terminal("raffinerie", "Porte A"), await network.terminal("raffinerie", "Porte B")
    async with network.context.reader.connect() as connection:
        first, second = [it.id for it in (await door_list(connection, left.id, at.venue, now)).tickets]
    for ticket in (first, second):
        await left.deliver(passage(at, ticket, "in", "in", now + 1))
        await right.deliver(passage(at, ticket, "in", "in", now + 5))
    cases = {it.fault.key: it for it in await service_of_inbox.cases(network.ledger, None)}
    assert {(it.state, it.needs_reason, it.fault.venue) for it in cases.values()} == {("open", True, at.venue)}
    # Of one it turns out that its holder had gone out; the other is closed with what it was.
    await left.deliver(passage(at, first, "out", "out", now + 3))
    marie, key = await network.person("marie"), f"/admin/exceptions/twice:{second}"
    form = {"act": "done", "seen": "0", "text": ""}
    assert (await marie.post(key, data=form)).status_code == 422
    assert (await marie.post(key, data={**form, "text": "Une capture d’écran"})).status_code == 303
    await service_of_inbox.close_what_is_gone(network.ledger)
    (left_over,) = await service_of_inbox.cases(network.ledger, None)
    assert (left_over.fault.key, left_over.state) == (f"twice:{second}", "done")
    page = words(await look(marie, f"/admin/exceptions/twice:{first}"))
    assert "réglée d’elle-même" in page
    assert "Sortie" not in page
