"""Snapshots: only what our server signed for this device, kept whole or not at all."""

from __future__ import annotations

import gzip
import json
import os
import time
from pathlib import Path

import pytest

from app.rules.ids import uuid7
from readers.sync import SnapshotFile, SnapshotRefused, read_snapshot
from tests.readers.sync.fake_server import AWA, STRONG, FakeServer


@pytest.fixture
def fake() -> FakeServer:
    return FakeServer()


def test_a_snapshot_is_decoded_as_the_wire_says(fake: FakeServer) -> None:
    fake.blocked.add(AWA)
    body = fake.snapshot_bytes()
    received = read_snapshot(body, fake.sign(body), fake.public, fake.device)
    whole = fake.snapshot_now()
    assert received.head.model_copy(update={"at_us": 0}) == whole.model_copy(update={"at_us": 0, "cards": ()})
    assert {uid: (c.status, c.assurance, c.balances) for uid, c in received.cards.items()} == {
        c.uid: (c.status, c.assurance, c.balances) for c in whole.cards
    }
    assert (received.cards[AWA].status, received.cards[STRONG].assurance) == ("blocked", "A")


def test_a_changed_byte_is_refused(fake: FakeServer) -> None:
    body = fake.snapshot_bytes()
    changed = body.replace(b"2000", b"9000")
    assert changed != body
    with pytest.raises(SnapshotRefused, match="signature"):
        read_snapshot(changed, fake.sign(body), fake.public, fake.device)


def test_another_device_s_snapshot_is_refused(fake: FakeServer) -> None:
    body = fake.snapshot_bytes()
    with pytest.raises(SnapshotRefused, match="is for"):
        read_snapshot(body, fake.sign(body), fake.public, uuid7())


@pytest.mark.parametrize(
    "change",
    [
        {"cards": [{"uid": AWA, "status": "asleep", "assurance": "C", "balances": {}}]},
        {"cards": [{"uid": AWA, "status": "active", "assurance": "C", "balances": {"RAF": 1.5}}]},
        {"cards": [{"uid": AWA, "status": "active", "assurance": "C", "balances": {}, "holder": "Awa"}]},
        {"cards": 7},
        {"limits": {}},
        {"surprise": 1},
    ],
)
def test_a_shape_that_is_not_ours_is_refused_even_if_signed(fake: FakeServer, change: dict[str, object]) -> None:
    body = json.dumps({**json.loads(fake.snapshot_bytes()), **change}).encode()
    with pytest.raises(SnapshotRefused, match="read"):
        read_snapshot(body, fake.sign(body), fake.public, fake.device)


def test_it_is_kept_whole_with_its_age(fake: FakeServer, tmp_path: Path) -> None:
    file = SnapshotFile(tmp_path / "snapshot")
    assert file.load(fake.public, fake.device) is None
    file.touch()
    body = fake.snapshot_bytes()
    received = read_snapshot(body, fake.sign(body), fake.public, fake.device, etag='"x"')
    file.save(received)
    hour_ago = time.time() - 3600
    os.utime(tmp_path / "snapshot", (hour_ago, hour_ago))
    kept = file.load(fake.public, fake.device)
    assert kept is not None
    assert (kept.body, kept.etag) == (body, '"x"')
    assert 3590 < kept.age_s < 3700
    file.touch()
    confirmed = file.load(fake.public, fake.device)
    assert confirmed is not None
    assert confirmed.age_s < 60
    file.forget()
    assert file.load(fake.public, fake.device) is None


@pytest.mark.parametrize(
    "damage",
    [b"", b"{}", b"{}\n", b"nonsense\n" + gzip.compress(b"{}"), b"[]\n" + gzip.compress(b"{}")],
    ids=["empty", "cut-after-brace", "cut-after-line", "no-json", "no-object"],
)
def test_a_damaged_file_is_refused_and_not_believed(fake: FakeServer, tmp_path: Path, damage: bytes) -> None:
    (tmp_path / "snapshot").write_bytes(damage)
    with pytest.raises(SnapshotRefused):
        SnapshotFile(tmp_path / "snapshot").load(fake.public, fake.device)


def test_a_changed_file_is_refused_too(fake: FakeServer, tmp_path: Path) -> None:
    body = fake.snapshot_bytes()
    file = SnapshotFile(tmp_path / "snapshot")
    file.save(read_snapshot(body, fake.sign(body), fake.public, fake.device))
    line, _, packed = (tmp_path / "snapshot").read_bytes().partition(b"\n")
    forged = gzip.compress(gzip.decompress(packed).replace(b"2000", b"9000"))
    (tmp_path / "snapshot").write_bytes(line + b"\n" + forged)
    with pytest.raises(SnapshotRefused, match="signature"):
        file.load(fake.public, fake.device)
