"""The bundle of logs: bounded, the newest lines, and nothing of people, PINs, tokens or keys in it."""

from __future__ import annotations

import base64
import gzip
import json
import logging
import random
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given
from hypothesis import strategies as st

from app.rules.ids import uuid7
from app.terminals.service import CODE_SIGNS
from readers.health.logs import BUNDLE_BYTES_MAX, FILE, FOLDER, bundle, keep_logs, redact

KEY = Ed25519PrivateKey.generate()
PEM = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
HASH = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash("4711")
TOKEN = base64.urlsafe_b64encode(bytes(range(60))).decode()

SECRETS = {
    "a card of 7 bytes": ("04A0000000A001", "card 04A0000000A001 seen"),
    "a card of 4 bytes": ("DEADBEEF", '{"uid": "DEADBEEF"}'),
    "a card of 10 bytes": ("04a0000000a001aabbcc", "uid=04a0000000a001aabbcc"),
    "a card in parts": ("04:A0:00:00:00:A0:01", "nfc: 04:A0:00:00:00:A0:01 106A"),
    "a PIN": ("4711", "sign_in pin=4711"),
    "a PIN in JSON": ("2468", '{"pin": "2468", "event": "x"}'),
    "a PIN's hash": (HASH[20:], f"staff {HASH}"),
    "a password": ("un-velo", "password='un-velo'"),
    "a pairing code": ("K7QM-3XPA", "paired with K7QM-3XPA"),
    "a bearer token": (TOKEN, f"Authorization: Bearer {TOKEN}"),
    "a token alone": (TOKEN, f"renewed {TOKEN} now"),
    "a signature": (base64.b64encode(KEY.sign(b"x")).decode(), f"sig {base64.b64encode(KEY.sign(b'x')).decode()}"),
    "a key file": (PEM.splitlines()[1], json.dumps({"event": PEM})),
    "an address": ("awa@example.org", "for awa@example.org"),
}


@pytest.mark.parametrize(("secret", "line"), SECRETS.values(), ids=SECRETS)
def test_no_secret_leaves_the_machine(tmp_path: Path, secret: str, line: str) -> None:
    (tmp_path / FOLDER).mkdir()
    (tmp_path / FOLDER / FILE).write_text(line + "\n")
    assert secret in line
    assert secret not in gzip.decompress(bundle(tmp_path, line)).decode()


@given(st.text(CODE_SIGNS, min_size=8, max_size=8), st.binary(min_size=7, max_size=7))
def test_every_code_and_every_card_is_taken_out(code: str, uid: bytes) -> None:
    written = f"{code[:4]}-{code[4:]}"
    assert written not in redact(f"code is {written}.")
    assert uid.hex() not in redact(f'{{"card": "{uid.hex()}"}}')
    assert uid.hex().upper() not in redact(f"card {uid.hex().upper()}")


def test_what_helps_stays() -> None:
    sale = str(uuid7())
    line = f'{{"sale": "{sale}", "reason": "card-unknown", "event": "tap", "timestamp": "2026-11-26T12:14:51.978776Z"}}'
    assert redact(line) == line
    assert (
        redact("500 GET /api/v1/terminals/snapshot: ConnectError") == "500 GET /api/v1/terminals/snapshot: ConnectError"
    )


def test_a_bundle_is_bounded_and_keeps_the_newest(tmp_path: Path) -> None:
    # Hardly to be compressed, as no log is.
    rng = random.Random(1)
    lines = [f"{number} " + " ".join(str(rng.random()) for _ in range(20)) for number in range(4000)]
    (tmp_path / FOLDER).mkdir()
    (tmp_path / FOLDER / f"{FILE}.1").write_text("\n".join(lines[:2000]))
    (tmp_path / FOLDER / FILE).write_text("\n".join(lines[2000:]))
    packed = bundle(tmp_path, "about")
    assert len(packed) <= BUNDLE_BYTES_MAX
    kept = gzip.decompress(packed).decode().splitlines()
    assert kept[0] == "about"
    assert [line.split()[0] for line in kept[1:]] == [str(number) for number in range(4001 - len(kept), 4000)]
    assert len(kept) > 100


def test_no_logs_are_a_bundle_too(tmp_path: Path) -> None:
    assert gzip.decompress(bundle(tmp_path / "gone", "about")) == b"about\n"


def test_a_folder_that_takes_no_logs_is_no_reason_not_to_sell(tmp_path: Path) -> None:
    (tmp_path / FOLDER).write_text("in the way")
    assert keep_logs(tmp_path, logging.Formatter()) is None
    kept = keep_logs(tmp_path / "other", logging.Formatter("%(message)s"))
    assert kept is not None
    kept.emit(logging.LogRecord("x", logging.INFO, "", 0, "sold", (), None))
    kept.close()
    assert (tmp_path / "other" / FOLDER / FILE).read_text() == "sold\n"
