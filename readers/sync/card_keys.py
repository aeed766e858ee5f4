"""The keys of cards at this terminal: fetched, kept wrapped for the device, and wiped when its rights end.

The file holds what the server sent: bytes that only this device's key opens. That key lies on the same disk, so whoever
holds the disk holds the keys of these cards, and none other (docs/cards.md).
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import structlog

from app.rules.chips.keyring import CardKey, unpacked
from app.wire.card_keys import about_keys
from app.wire.snapshot import SIGNATURE_HEADER
from readers.journal import Clock, Halt, Journal
from readers.sync.client import NOT_ALLOWED, Server
from readers.sync.errors import Rejected, Unreachable
from readers.sync.keys import DeviceKey, signed_by

KEYS_S: Final = 60.0
_NO_KEYS: Final = ("revoked", "quarantined")

_log = structlog.get_logger(__name__)


class KeyRing(Mapping[bytes, CardKey]):
    """Keys by UID, those whose time is over left out; the reader's thread asks at each tap. Replaced as a whole."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._held: Mapping[bytes, tuple[CardKey, int | None]] = {}

    def hold(self, keys: Mapping[bytes, tuple[CardKey, int | None]]) -> None:
        """(key, until when) by UID, instead of those before."""
        self._held = keys

    def __getitem__(self, uid: bytes) -> CardKey:
        key, until_us = self._held[uid]
        if until_us is not None and self._clock.now_us() >= until_us:
            raise KeyError(uid)
        return key

    def __iter__(self) -> Iterator[bytes]:
        return (uid for uid in self._held if uid in self)

    def __len__(self) -> int:
        return sum(1 for _ in self)


class CardKeys:
    """Asks for the keys now and then, and keeps them in a file of mode 0600."""

    def __init__(
        self, path: Path, key: DeviceKey, server: Server, journal: Journal, clock: Clock, every_s: float = KEYS_S
    ) -> None:
        self.ring = KeyRing(clock)
        self._path = path
        self._key = key
        self._server = server
        self._journal = journal
        self._every_s = every_s
        self._etag: str | None = None

    def start_from_disk(self) -> None:
        """What was fetched before, if it is still ours to use."""
        if self._journal.pairing.halted in _NO_KEYS:
            self.wipe()
            return
        try:
            line, _, parcel = self._path.read_bytes().partition(b"\n")
            about = json.loads(line)
            self._open(parcel, about["signature"])
            self._etag = about["etag"]
        except FileNotFoundError:
            return
        except (OSError, ValueError, KeyError, TypeError) as error:
            # Another epoch's, or damaged: what it held is asked for again.
            _log.warning("card_keys_refused", why=str(error))
            self.wipe()

    async def run(self) -> None:
        """Rounds until cancelled."""
        while True:
            try:
                await self.round()
            except Exception:
                # Cards without keys still pay, at a lower level: the terminal goes on.
                _log.exception("card_keys_failed")
            await asyncio.sleep(self._every_s)

    async def round(self) -> None:
        """Ask once. What the server does not answer changes nothing."""
        pairing = self._journal.pairing
        if pairing.halted in _NO_KEYS:
            self.wipe()
            return
        try:
            reply = await self._server.card_keys(pairing.device, self._etag)
        except Unreachable:
            return
        except Rejected as error:
            if error.problem.status in NOT_ALLOWED:
                self.wipe()
            return
        if reply is None:
            return
        signature = reply.headers.get(SIGNATURE_HEADER, "")
        try:
            self._open(reply.body, signature)
        except ValueError as error:
            _log.warning("card_keys_refused", why=str(error))
            return
        self._etag = reply.headers.get("ETag")
        try:
            await asyncio.to_thread(self._save, reply.body, signature, self._etag)
        except OSError as error:
            # The next start asks for them again.
            _log.error("card_keys_not_kept", why=str(error))

    def heed(self, reason: Halt | None) -> None:
        """The terminal was halted, or goes on."""
        if reason in _NO_KEYS:
            self.wipe()

    def wipe(self) -> None:
        """No keys any more, here and on the disk."""
        self.ring.hold({})
        self._etag = None
        self._path.unlink(missing_ok=True)
        self._path.with_suffix(".new").unlink(missing_ok=True)

    def _open(self, parcel: bytes, signature: str) -> None:
        pairing = self._journal.pairing
        if not signed_by(pairing.server_key, parcel, signature):
            raise ValueError("the signature is not our server's")
        self.ring.hold(unpacked(self._key.unwrap(parcel, about_keys(pairing.device, pairing.epoch))))

    def _save(self, parcel: bytes, signature: str, etag: str | None) -> None:
        aside = self._path.with_suffix(".new")
        aside.unlink(missing_ok=True)
        file = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(file, "wb") as out:
            out.write(json.dumps({"signature": signature, "etag": etag}).encode() + b"\n" + parcel)
            out.flush()
            os.fsync(out.fileno())
        aside.replace(self._path)
