"""Readers of the system's smart card service (PC/SC): the ACR122U and other desk readers that nfcpy drives badly.

The service tells when a card comes or goes, and speaks the block protocol itself: what a driver is asked to say in
frames is put together to whole commands here. Cards without that protocol (NTAG21x, Ultralight) get their frames
through the reader's PN532, where it has one: the ACR122U; other readers pass none.
"""

from __future__ import annotations

import contextlib
import time
from collections import deque
from collections.abc import Mapping

from app.rules.chips.keyring import CardKey
from readers.cardauth.card_side import CardSide
from readers.drivers.pcsc_service import Seen, Service, Slot
from readers.drivers.proofs import Proofs
from readers.taps import CardEvent, CardSilent, Moment, Presence, ReaderFault, ReaderLost
from readers.taps.presence import EMPTY_POLLS_UNTIL_GONE, FOREIGN_POLLS_UNTIL_SWAPPED

# A card at the edge of the field is lost and found by the reader: it is gone once it stayed away this long.
AWAY_S = 0.25
# The service does not wake who waits for a card that came too quickly, but tells of it when it is asked anew.
LOOK_S = 0.2
# A card that left in the middle of its proof is asked again after this; then, woken anew, each time after that.
AGAIN_S, WOKEN_S = 0.05, 0.5
# While a card lies there that something may be wanted of, the service is waited for so long at a time.
WANTED_S = 0.04
# The reader's words for a card without block protocol begin with this name (PC/SC part 3, 3.1.3.2.3.2).
_STORAGE = bytes.fromhex("a000000306")
_RATS = b"\xe0"
# Direct transmit to the PN532 in an ACR122U (API document 2.04, 5.3), and its InCommunicateThru.
_THROUGH = ("ACR122",)
_TO_PN532 = bytes.fromhex("ff000000")
_THRU, _THRU_DONE = bytes.fromhex("d442"), bytes.fromhex("d543")


def open_pcsc(path: str, presence: Presence, keys: Mapping[bytes, CardKey]) -> PcscDriver:
    """`pcsc`: the first reader; `pcsc:ACR122`: the first whose name has this in it. Raises ReaderFault."""
    wanted = path.removeprefix("pcsc").removeprefix(":")
    service = Service()
    try:
        found = [it for it in service.readers() if wanted.upper() in it.upper()]
    except ReaderFault:
        service.close()
        raise
    if not found:
        service.close()
        raise ReaderFault("no_device", f"no reader found at {path}")
    return PcscDriver(service, found[0], presence, keys)


class PcscDriver:
    """One reader of the service; see `readers.taps.Driver`."""

    def __init__(self, service: Service, reader: str, presence: Presence, keys: Mapping[bytes, CardKey]) -> None:
        self._service = service
        self._reader = reader
        self._presence = presence
        self._proofs = Proofs(keys, presence)
        presence.errands.served = True
        self._pending: deque[CardEvent] = deque()
        self._known = 0
        self._slot: Slot | None = None
        self._blocks = CardSide(self._transmit)
        self._storage = self._asked = False
        # When the card that cannot be asked yet is asked again, or the one that is away counts as gone; monotonic.
        self._due_s: float | None = None
        self._there = False
        # The card that did not prove itself at the first try.
        self._doubted: bytes | None = None
        self._tries = 0

    @property
    def name(self) -> str:
        return self._reader

    def poll(self, timeout_s: float) -> CardEvent | ReaderLost | None:
        until = time.monotonic() + timeout_s
        try:
            while not self._pending:
                if self._presence.errands.wanted:
                    present = None if self._slot is None else self._presence.present
                    self._presence.errands.attend(present, self.exchange)
                now = time.monotonic()
                if self._due_s is not None and now >= self._due_s:
                    self._due_s = None
                    self._came() if self._there else self._left()
                    continue
                if now >= until:
                    return None
                look_s = WANTED_S if self._presence.occupied else LOOK_S
                wake = min(until, self._due_s or until, now + look_s)
                changed = self._service.look(self._reader, self._known, wake - now)
                if changed is not None:
                    self._known, seen = changed
                    self._change(seen)
        except ReaderFault as error:
            return ReaderLost(error.reason, str(error))
        return self._pending.popleft()

    def exchange(self, data: bytes) -> bytes:
        if self._slot is None:
            raise CardSilent("no card has been selected")
        if self._storage:
            if data[:1] == _RATS:
                # The reader has said that it speaks no blocks: asked for them, the chip would be deaf to all else.
                raise CardSilent("a card without blocks does not answer to this")
            return self._through(data)
        if data[:1] == _RATS and self._asked:
            self._slot.reset()
        self._asked = True
        try:
            answer = self._blocks.process(data)
        except CardSilent:
            # The service has asked as often as it makes sense: asking for the block again would not bring it.
            self._blocks.restart()
            raise
        if answer is None:
            raise CardSilent("a card does not answer to this")
        return answer

    def close(self) -> None:
        self._let_go()
        self._service.close()

    def _change(self, seen: Seen) -> None:
        self._there = seen.present and not seen.mute
        if not self._there:
            self._tries = 0
            self._let_go()
            self._due_s = time.monotonic() + AWAY_S
        # That we hold the card is a change too; one that went and came between two looks no longer answers.
        elif self._slot is None or not _answers(self._slot):
            self._came()

    def _came(self) -> None:
        """A card lies there: who it is and what it proves."""
        self._let_go()
        try:
            self._slot = self._service.connect(self._reader)
            if self._tries > 1:
                self._slot.reset()
            uid = self._slot.uid()
            self._storage = _STORAGE in self._slot.atr()
            proven = self._proofs.of(uid, self.exchange)
        except CardSilent:
            self._again()
            return
        if proven is None and self._doubted != uid:
            # A card that came too quickly for the service is woken a second time, maybe in the middle of its proof.
            self._doubted = uid
            self._again()
            return
        self._doubted, self._due_s, self._tries = None, None, 0
        # The service has one card at a time, and said that the one before had gone.
        polls = FOREIGN_POLLS_UNTIL_SWAPPED if self._presence.occupied and not self._presence.knows(uid) else 1
        at = Moment.now()
        for _ in range(polls):
            self._pending.extend(self._presence.answered(uid, at, proven))

    def _again(self) -> None:
        self._tries += 1
        self._due_s = time.monotonic() + (AGAIN_S if self._tries == 1 else WOKEN_S)

    def _left(self) -> None:
        at = Moment.now()
        for _ in range(EMPTY_POLLS_UNTIL_GONE):
            self._pending.extend(self._presence.empty(at))

    def _let_go(self) -> None:
        slot, self._slot, self._asked = self._slot, None, False
        self._blocks.restart()
        if slot is not None:
            with contextlib.suppress(CardSilent, ReaderFault):
                slot.close()

    def _transmit(self, command: bytes) -> bytes:
        if self._slot is None:
            raise CardSilent("no card has been selected")
        return self._slot.transmit(command)

    def _through(self, frame: bytes) -> bytes:
        if not any(name in self._reader.upper() for name in _THROUGH):
            raise CardSilent(f"{self._reader} passes no frames to such a card")
        told = _THRU + frame
        answer = self._transmit(_TO_PN532 + bytes([len(told)]) + told)
        if answer[:2] != _THRU_DONE or answer[2:3] != b"\x00" or answer[-2:] != b"\x90\x00":
            raise CardSilent("the card gave no answer")
        return answer[3:-2]


def _answers(slot: Slot) -> bool:
    try:
        slot.atr()
    except CardSilent:
        return False
    return True
