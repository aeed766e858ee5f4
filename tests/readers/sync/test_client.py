"""The line to the server: tokens, clocks, and answers that are not the server's."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app.rules.offline import Refusal
from app.wire import GENESIS, JournalRow, Sale, row_hash
from readers.journal import Clock
from readers.sync import Booked, Declined, DeviceKey, Rejected, Server, Unreachable
from tests.readers.journal.rows import intent, sale_row
from tests.readers.sync.fake_server import AWA, CODE, FakeServer, Line

TOKEN, SALES, SYNC = "/api/v1/terminals/token", "/api/v1/sales", "/api/v1/terminals/sync"


@pytest.fixture
def fake() -> FakeServer:
    return FakeServer()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def server(fake: FakeServer, clock: Clock, tmp_path: Path) -> AsyncIterator[Server]:
    key = DeviceKey.load_or_make(tmp_path / "device.key")
    async with Server("http://server", key, clock, transport=Line(fake)) as server:
        await server.pair(CODE, "1")
        yield server


def beer(total: int = 450) -> Sale:
    return sale_row(total, card=AWA).sale


async def test_one_token_serves_many_calls(server: Server, fake: FakeServer) -> None:
    for _ in range(3):
        assert isinstance(await server.sell(beer(), fake.device, 1), Booked)
    assert fake.calls[TOKEN] == 1


async def test_a_token_is_renewed_before_it_ends(server: Server, fake: FakeServer) -> None:
    fake.token_life_us = 59_000_000
    await server.renew_token(fake.device)
    await server.renew_token(fake.device)
    assert fake.calls[TOKEN] == 2


async def test_a_token_the_server_forgot_is_asked_for_anew(server: Server, fake: FakeServer) -> None:
    await server.renew_token(fake.device)
    fake.tokens.clear()
    assert isinstance(await server.sell(beer(), fake.device, 1), Booked)
    assert fake.calls[TOKEN] == 2


async def test_a_clock_a_day_off_is_noticed_and_does_not_lock_the_terminal_out(
    server: Server, fake: FakeServer, clock: Clock
) -> None:
    fake.clock_off_us = 86_400_000_000
    clock.note_server_time(clock.wall_us())
    assert isinstance(await server.sell(beer(), fake.device, 1), Booked)
    assert clock.skewed


async def test_a_revoked_device_is_told_so(server: Server, fake: FakeServer) -> None:
    fake.revoked = True
    with pytest.raises(Rejected) as refused:
        await server.renew_token(fake.device)
    assert refused.value.problem.status == 401
    assert await server.sell(beer(), fake.device, 1) == Declined(Refusal.TERMINAL_HALTED)


async def test_a_wrong_pairing_code_is_told_by_its_name(server: Server) -> None:
    with pytest.raises(Rejected) as refused:
        await server.pair("WRONG", "1")
    assert refused.value.problem.name == "pairing-code-unknown"


@pytest.mark.parametrize("fault", ["lost", "unanswered", "500", "429", "401", "portal"])
async def test_what_is_not_the_server_s_own_answer_is_no_answer(server: Server, fake: FakeServer, fault: str) -> None:
    await server.renew_token(fake.device)
    fake.fail(SYNC, fault)
    text = intent().model_dump_json()
    digest = row_hash(fake.device, 1, 1, GENESIS, text)
    with pytest.raises(Unreachable):
        await server.sync(fake.device, 1, (JournalRow(sequence=1, previous=GENESIS, hash=digest, payload=text),), 1)


async def test_the_same_id_with_another_content_is_refused(server: Server, fake: FakeServer) -> None:
    sale = beer()
    assert isinstance(await server.sell(sale, fake.device, 1), Booked)
    other = sale.model_copy(update={"occurred_at_us": 2})
    assert await server.sell(other, fake.device, 1) == Declined(Refusal.INVALID)


async def test_a_cancelled_sale_is_refused_when_it_comes_late(server: Server, fake: FakeServer) -> None:
    sale = beer()
    fake.tombstones.add(sale.id)
    assert await server.sell(sale, fake.device, 1) == Declined(Refusal.CANCELLED)


async def test_a_body_without_end_is_not_read_to_the_end(
    server: Server, fake: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("readers.sync.client.BODY_BYTES_MAX", 100)
    with pytest.raises(Unreachable, match="more than"):
        await server.snapshot(fake.device, None)
