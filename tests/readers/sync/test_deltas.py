"""Deltas on the terminal: applied on what they start from and on nothing else, kept, and gone on with when cut off."""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from app.wire import SUMS, SnapshotDelta, TerminalSnapshot, card_hash, content_of
from readers.sync import SnapshotFile, SnapshotRefused, read_snapshot
from readers.sync.download import Download
from readers.sync.snapshots import Received, apply_delta
from tests.readers.sync.fake_server import AWA, FakeServer


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def fake() -> FakeServer:
    return FakeServer()


def named(whole: TerminalSnapshot) -> TerminalSnapshot:
    total = sum(card_hash(card.model_dump_json().encode()) for card in whole.cards) % SUMS
    return whole.model_copy(update={"content": content_of(whole, total)})


def whole_of(fake: FakeServer) -> TerminalSnapshot:
    return named(fake.snapshot_now())


def received(fake: FakeServer, whole: TerminalSnapshot) -> Received:
    body = whole.model_dump_json().encode()
    return read_snapshot(body, fake.sign(body), fake.public, fake.device)


def delta(before: TerminalSnapshot, after: TerminalSnapshot) -> SnapshotDelta:
    held = {card.uid: card for card in before.cards}
    return SnapshotDelta(
        at_us=after.at_us,
        device=after.device,
        base=before.content,
        content=after.content,
        head={"applied_through": after.applied_through},
        cards=tuple(card for card in after.cards if held.get(card.uid) != card),
        gone=tuple(held.keys() - {card.uid for card in after.cards}),
    )


def test_it_makes_the_whole_and_is_kept(fake: FakeServer, tmp_path: Path) -> None:
    before = whole_of(fake)
    fake.balances[AWA]["RAF"] += 1
    after = named(whole_of(fake).model_copy(update={"applied_through": 7}))
    body = delta(before, after).model_dump_json().encode()
    made = apply_delta(received(fake, before), body, fake.sign(body), fake.public, etag='"d"')
    fresh = received(fake, after)
    assert (made.head, dict(made.cards), made.total, made.base) == (fresh.head, fresh.cards, fresh.total, after.content)
    file = SnapshotFile(tmp_path / "snapshot")
    file.save(made)
    kept = file.load(fake.public, fake.device)
    assert kept is not None
    assert (kept.head, kept.cards, kept.base, kept.etag) == (made.head, made.cards, made.base, '"d"')
    line, _, packed = (tmp_path / "snapshot").read_bytes().partition(b"\n")
    forged = gzip.compress(gzip.decompress(packed).replace(b"2001", b"9001"))
    (tmp_path / "snapshot").write_bytes(line + b"\n" + forged)
    with pytest.raises(SnapshotRefused, match="what the server signed"):
        file.load(fake.public, fake.device)


@pytest.mark.parametrize("wrong", ["base", "content", "card", "signature", "field"])
def test_whatever_does_not_make_what_the_server_says_is_refused(fake: FakeServer, wrong: str) -> None:
    before = whole_of(fake)
    held = received(fake, before)
    fake.balances[AWA]["RAF"] += 1
    after = whole_of(fake)
    right = delta(before, after)
    changes: dict[str, dict[str, object]] = {
        "base": {"base": after.content},
        "content": {"content": before.content},
        "card": {"cards": ()},
        "field": {"head": {"surprise": 1}},
    }
    body = right.model_copy(update=changes.get(wrong, {})).model_dump_json().encode()
    signature = fake.sign(b"something else" if wrong == "signature" else body)
    with pytest.raises(SnapshotRefused):
        apply_delta(held, body, signature, fake.public)
    assert held.cards == received(fake, before).cards


def test_a_server_that_names_content_otherwise_gets_no_base(fake: FakeServer) -> None:
    assert received(fake, whole_of(fake).model_copy(update={"content": "0" * 64})).base == ""


@pytest.mark.anyio
async def test_a_download_that_breaks_off_goes_on() -> None:
    packed, asked = gzip.compress(b"whole" * 100), list[str]()

    async def half() -> AsyncIterator[bytes]:
        yield packed[:10]
        raise httpx.ReadError("the line broke")

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.headers.get("Range", ""))
        headers = {"ETag": '"x"', "Content-Encoding": "gzip"}
        if "Range" in request.headers:
            headers["Content-Range"] = f"bytes 10-{len(packed) - 1}/{len(packed)}"
            return httpx.Response(206, headers=headers, stream=httpx.ByteStream(packed[10:]))
        return httpx.Response(200, headers=headers, content=half())

    download = Download()
    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as http:
        async with http.stream("GET", "http://server/", headers=download.asking()) as response:
            with pytest.raises(httpx.ReadError):
                await download.read(response, 10_000)
        async with http.stream("GET", "http://server/", headers=download.asking()) as response:
            _, body = await download.read(response, 10_000)
    assert (body, asked) == (b"whole" * 100, ["", "bytes=10-"])
    assert download.asking() == {}
