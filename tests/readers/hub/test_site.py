"""Terminals share signed rows through a real hub, each with a real journal; strangers get nothing."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from uuid import UUID, uuid4

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from app.rules.ids import uuid7
from app.wire import Batch, JournalRow, SeenFork, SnapshotPeer, VoidRow, batch_message, row_hash
from readers.hub import HubClient, Site, create_hub
from readers.hub.around import AROUND_S, Around
from readers.hub.client import greet
from readers.hub.messages import Exchange, seal, unseal
from readers.hub.server import BURST, DEVICE_HEADER
from readers.journal import Clock, Journal
from readers.sync import DeviceKey
from readers.terminal.book import Book, Entry, Mark
from readers.terminal.view import SiteShown
from tests.readers.journal.rows import CARD, intent, pairing, sale_row
from tests.readers.terminal.test_book import Known


@dataclass
class Member:
    site: Site
    journal: Journal
    got: list[Entry] = field(default_factory=list)


@dataclass(frozen=True)
class Heads:
    """What a site reads of a snapshot."""

    peers: tuple[SnapshotPeer, ...]
    applied_others: tuple[object, ...] = ()


@contextlib.asynccontextmanager
async def members(folder: Path, count: int) -> AsyncIterator[list[Member]]:
    async with contextlib.AsyncExitStack() as held:
        found: list[Member] = []
        folder.mkdir(exist_ok=True)
        for number in range(count):
            journal = await Journal.open(folder / f"{number}.db", Clock())
            held.push_async_callback(journal.close)
            await journal.pair(pairing(device=uuid4()), "code")
            member = Member(Site(DeviceKey(Ed25519PrivateKey.generate()), journal), journal)
            member.site.on_entry = member.got.append
            found.append(member)
        for one in found:
            peers = (SnapshotPeer(device=it.site.device, epoch=1, key=it.site.key.public) for it in found)
            one.site.learn(Heads(tuple(it for it in peers if it.device != one.site.device)))  # type: ignore[arg-type]
        yield found


@contextlib.asynccontextmanager
async def talking(hubs: list[Member], others: list[Member]) -> AsyncIterator[None]:
    work = [one.site.run() for one in {id(m): m for m in [*hubs, *others]}.values()]
    for hub in hubs:
        app = create_hub(hub.site)
        work += [HubClient("http://hub", m.site, transport=httpx.ASGITransport(app)).run() for m in others]
    tasks = [asyncio.create_task(one) for one in work]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


async def until(condition: object) -> None:
    async with asyncio.timeout(10):
        while not condition():  # type: ignore[operator]
            await asyncio.sleep(0.002)


def own_batch(member: Member) -> Batch:
    return member.site.since(0, own=True)[0][0]


@pytest.mark.parametrize("hubs", [1, 2])
async def test_a_sale_at_one_terminal_counts_at_all_others_once(tmp_path: Path, hubs: int) -> None:
    async with members(tmp_path, hubs + 2) as site, talking(site[:hubs], site[hubs:]):
        first, other = site[-2:]
        await first.journal.append(intent(), sale_row(450))
        await until(lambda: other.got and all(hub.got for hub in site[:hubs]))
        assert [entry.taken for entry in other.got] == [{CARD: {"RAF": 450}}]
        await other.journal.append(sale_row(300))
        await until(lambda: first.got)
        book = Book(1, Mark(1, 0, ()), {CARD: Known(CARD, {"RAF": 1000})}, site[0].site.entries())
        assert book.available(CARD) == {"RAF": 250}
        assert (view := book.card(CARD, "C")) is not None
        assert view.consecutive == 2
        assert other.site.around.devices == {one.site.device for one in site if one is not other}


async def test_a_row_counts_until_a_snapshot_contains_it(tmp_path: Path) -> None:
    async with members(tmp_path, 2) as (one, other):
        await one.journal.append(sale_row(450))
        await one.site.publish()
        assert other.site.take(own_batch(one))
        for through, left in ((0, 550), (1, 1000)):
            others = {one.site.device: Mark(1, through, ())}
            known = {CARD: Known(CARD, {"RAF": 1000})}
            assert Book(1, Mark(1, 0, ()), known, other.site.entries(), others).available(CARD) == {"RAF": left}


async def test_others_risk_is_no_risk_of_this_terminal() -> None:
    row = sale_row(450)
    entry = Entry.of(1, row)
    assert entry is not None
    theirs = Entry(1, entry.event, entry.sale, entry.taken, True, False, (uuid4(), 1))
    book = Book(1, Mark(1, 0, ()), {CARD: Known(CARD, {})}, [theirs])
    assert (view := book.card(CARD, "C")) is not None
    assert view.unbacked == {"RAF": 450}
    assert not +book.unbacked  # type: ignore[operator]


async def test_a_void_gives_back_what_the_sale_took(tmp_path: Path) -> None:
    async with members(tmp_path, 2) as (one, other):
        sale = sale_row(450)
        await one.journal.append(sale, VoidRow(id=uuid7(), sale=sale.sale.id, reason="typo", at_us=1))
        await one.site.publish()
        assert other.site.take(own_batch(one))
        known = {CARD: Known(CARD, {"RAF": 1000})}
        assert Book(1, Mark(1, 0, ()), known, other.site.entries()).available(CARD) == {"RAF": 1000}


async def test_rows_that_are_altered_or_signed_by_nobody_known_are_not_taken(tmp_path: Path) -> None:
    async with members(tmp_path, 2) as (one, other):
        await one.journal.append(sale_row(450))
        await one.site.publish()
        batch = own_batch(one)
        row = batch.rows[0]
        lowered = row.model_copy(update={"payload": row.payload.replace("450", "045")})
        assert not other.site.take(batch.model_copy(update={"rows": (lowered,)}))
        assert not other.site.take(batch.model_copy(update={"device": uuid4()}))
        assert not other.site.take(batch.model_copy(update={"signature": other.site.key.sign(batch.message())}))
        assert other.site.entries() == []


async def test_both_branches_of_a_forked_journal_count_and_it_is_told_once(tmp_path: Path) -> None:
    async with members(tmp_path, 2) as (one, other):
        told: list[SeenFork] = []
        other.site.on_fork = lambda: told.extend(other.site.forks)
        for amount in (450, 300):
            text, device = sale_row(amount).model_dump_json(), one.site.device
            digest = row_hash(device, 1, 1, "0" * 64, text)
            row = JournalRow(sequence=1, previous="0" * 64, hash=digest, payload=text)
            signature = one.site.key.sign(batch_message(device, 1, 1, 1, digest))
            assert other.site.take(Batch(device=device, epoch=1, rows=(row,), sent_at_us=0, signature=signature))
        assert sorted(entry.taken[CARD]["RAF"] for entry in other.site.entries()) == [300, 450]
        assert told == [SeenFork(device=one.site.device, epoch=1, sequence=1)] == list(other.site.forks)
        # Paired anew, it has a journal of its own again.
        peer = SnapshotPeer(device=one.site.device, epoch=2, key=one.site.key.public)
        other.site.learn(Heads((peer,)))  # type: ignore[arg-type]
        assert other.site.forks == ()


async def test_hubs_that_ask_each_other_do_not_pass_a_fork_back_and_forth(tmp_path: Path) -> None:
    async with members(tmp_path, 3) as (forked, one, other):
        text, device = sale_row(450).model_dump_json(), forked.site.device
        for branch in ("0", "1"):
            rows, previous = [], branch * 64
            for sequence in (1, 2):
                digest = row_hash(device, 1, sequence, previous, text)
                rows.append(JournalRow(sequence=sequence, previous=previous, hash=digest, payload=text))
                previous = digest
            signature = forked.site.key.sign(batch_message(device, 1, 1, 2, previous))
            one.site.take(Batch(device=device, epoch=1, rows=tuple(rows), sent_at_us=0, signature=signature))
        known, asked = {one.site.device: 0, other.site.device: 0}, 0
        while batches := [*one.site.since(known[one.site.device])[0], *other.site.since(known[other.site.device])[0]]:
            for giver, taker in ((one, other), (other, one)):
                found, known[giver.site.device] = giver.site.since(known[giver.site.device])
                for batch in found:
                    taker.site.take(batch)
            asked += 1
            assert asked < 5, f"still passing on: {len(batches)}"
        assert other.site.forks == one.site.forks != ()


async def test_after_a_start_a_till_tells_all_that_the_server_has_not_got(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And some rows more, for tills whose snapshot is older."""
    monkeypatch.setattr("readers.hub.site.TOLD_ANEW", 2)
    async with members(tmp_path, 1) as (one,):
        for acknowledged, first in ((1, 2), (5, 4)):
            while one.journal.head < 5:
                await one.journal.append(sale_row(450))
            await one.journal.acknowledge(acknowledged)
            started = Site(one.site.key, one.journal)
            await started.publish()
            assert [row.sequence for batch in started.since(0)[0] for row in batch.rows] == list(range(first, 6))


async def test_a_hub_that_begins_anew_is_told_again_by_tills_that_have_nothing_new(tmp_path: Path) -> None:
    async with members(tmp_path, 3) as (before, hub, till):
        served = create_hub(before.site)

        async def answer(request: httpx.Request) -> httpx.Response:
            return await httpx.ASGITransport(served).handle_async_request(request)

        await till.journal.append(sale_row(450))
        client = HubClient("http://hub", till.site, retry_s=0.01, transport=httpx.MockTransport(answer))
        tasks = [asyncio.create_task(it) for it in (till.site.run(), client.run())]
        await until(lambda: before.got)
        served = create_hub(hub.site)
        # As when a process ends: nobody's question is left open.
        before.site.wake()
        await until(lambda: hub.got)
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


async def test_a_stranger_learns_nothing_and_cannot_flood(tmp_path: Path) -> None:
    async with members(tmp_path, 1) as (hub,):
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(create_hub(hub.site)), base_url="http://hub"
        ) as line:
            asked = await line.post("/site/1/exchange", content=b"x" * 100, headers={DEVICE_HEADER: str(uuid4())})
            assert (asked.status_code, asked.content) == (403, b"")
            answers = [(await line.get("/site/1")).status_code for _ in range(int(BURST) * 2)]
        assert answers[0] == 200
        assert 429 in answers


def test_what_is_sealed_opens_for_the_other_device_and_its_request_only() -> None:
    one, other, third = (DeviceKey(Ed25519PrivateKey.generate()) for _ in range(3))
    a, b = UUID(int=1), UUID(int=2)
    assert one.agree(other.public) == other.agree(one.public)
    sealed = seal(one.agree(other.public), a, b, b"rows", b"request")
    assert unseal(other.agree(one.public), a, b, sealed, b"request") == b"rows"
    wrong = (third.agree(one.public), a, b, b"request"), (one.agree(other.public), b, a, b"request")
    for secret, sender, receiver, answers in (*wrong, (one.agree(other.public), a, b, b"other")):
        with pytest.raises(ValueError, match="not sealed"):
            unseal(secret, sender, receiver, sealed, answers)


async def test_a_request_that_is_played_back_changes_no_figure(tmp_path: Path) -> None:
    async with members(tmp_path, 2) as (hub, one):
        await one.journal.append(sale_row(450))
        await one.site.publish()
        secret = one.site.secret(hub.site.device)
        assert secret is not None
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(create_hub(hub.site)), base_url="http://hub"
        ) as line:
            session = (await line.get("/site/1")).json()["session"]
            asked = Exchange(session=session, batches=(own_batch(one),)).model_dump_json().encode()
            sealed = seal(secret, one.site.device, hub.site.device, asked)
            for _ in range(2):
                headers = {DEVICE_HEADER: str(one.site.device)}
                assert (await line.post("/site/1/exchange", content=sealed, headers=headers)).status_code == 200
                assert [entry.taken for entry in hub.site.entries()] == [{CARD: {"RAF": 450}}]
                assert len(hub.got) == 1


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 900), st.booleans(), st.booleans()), max_size=12))
def test_own_risk_is_what_a_book_from_the_start_would_say_and_no_more_than_own_sales(
    moves: list[tuple[bool, int, bool, bool]],
) -> None:
    theirs = (uuid4(), 1)
    book, own, total, online = Book(1, Mark(1, 0, ()), {CARD: Known(CARD, {"RAF": 1000})}), 0, 0, 0
    for number, (ours, amount, offline, undone) in enumerate(moves, 1):
        sale = Entry(number, uuid4(), uuid4(), {CARD: {"RAF": amount}}, offline, False, None if ours else theirs)
        sale = replace(sale, sale=sale.event)
        book.add(sale)
        if undone:
            book.add(replace(sale, sequence=100 + number, event=uuid4(), void=True))
        elif offline:
            own, total = own + amount * ours, total + amount
        else:
            online += amount
        risk = max(0, total - max(0, 1000 - online))
        assert book.unbacked.get("RAF", 0) == min(own, risk)


async def test_a_hub_of_another_network_is_told_once_and_stops_nobody(tmp_path: Path) -> None:
    """Asked again and again; and whenever the terminal stops, in the middle of a try or between two, it stops."""
    with capture_logs() as logs:
        async with members(tmp_path / "ours", 1) as (own,), members(tmp_path / "theirs", 1) as (foreign,):
            for tries in range(1, 12):
                asked = 0

                async def count(request: httpx.Request, app: object = create_hub(foreign.site)) -> httpx.Response:
                    nonlocal asked
                    asked += 1
                    return await httpx.ASGITransport(app).handle_async_request(request)  # type: ignore[arg-type]

                client = HubClient("http://hub", own.site, retry_s=0, transport=httpx.MockTransport(count))
                task = asyncio.create_task(client.run())
                await until(lambda: asked >= tries)  # noqa: B023
                task.cancel()
                done, _ = await asyncio.wait([task], timeout=10)
                assert done, "it stops"
                assert task.cancelled()
    # One that was stopped during its first try has nothing to tell.
    assert {it["event"] for it in logs} == {"hub_away"}
    assert len(logs) in {10, 11}


async def test_whoever_answers_at_an_address_may_not_send_more_than_a_hub_would(tmp_path: Path) -> None:
    sent = 0

    async def flood() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 1
            yield b"x" * 1000

    async with members(tmp_path, 1) as (own,):
        answers = httpx.MockTransport(lambda _: httpx.Response(200, content=flood()))
        async with httpx.AsyncClient(transport=answers, base_url="http://hub") as http:
            with pytest.raises(httpx.DecodingError):
                await greet(http, own.site)
    assert sent < 5


def test_a_till_tells_with_how_many_it_shares_and_when_it_has_lost_its_site(monkeypatch: pytest.MonkeyPatch) -> None:
    now, changes = 0.0, 0

    def changed() -> None:
        nonlocal changes
        changes += 1

    monkeypatch.setattr("readers.hub.around.time", SimpleNamespace(monotonic=lambda: now))
    around, hub, till = Around(), uuid4(), uuid4()
    around.on_change = changed
    around.heard(hub, [hub, till])
    around.heard(hub, [hub, till])
    assert (around.devices, changes) == ({hub, till}, 1)
    around.heard(till, [till])
    around.lost(hub)
    assert (around.devices, changes, around.ever) == ({till}, 2, True)
    now = AROUND_S
    around.look()
    assert (around.devices, changes, around.ever) == (frozenset(), 3, True)


async def test_a_hub_box_is_no_till_to_share_with(tmp_path: Path) -> None:
    async with members(tmp_path, 3) as (one, box, other):
        peers = [SnapshotPeer(device=it.site.device, epoch=1, key=it.site.key.public) for it in (box, other)]
        one.site.learn(Heads((peers[0].model_copy(update={"kind": "hub"}), peers[1])))  # type: ignore[arg-type]
        assert one.site.shown is None
        one.site.expected = True
        assert one.site.shown == SiteShown(0, lost=True)
        one.site.heard(box.site.device, [box.site.device])
        assert one.site.shown == SiteShown(0)
        one.site.heard(box.site.device, [box.site.device, other.site.device, uuid4()])
        assert one.site.shown == SiteShown(1)
