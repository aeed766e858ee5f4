"""The smart card service of the system (PC/SC, pcscd), through pyscard: its readers, one of them, the card on it.

pyscard answers with result codes; here they are the faults that any driver raises. It is an extra of its own, for it is
built on the spot and most terminals need none: `pip install 'comptoir[pcsc]'` (docs/hardware.md says what that takes).
"""

from __future__ import annotations

import importlib
import time
from dataclasses import dataclass
from typing import Any, Final

from readers.taps import CardSilent, ReaderFault, Trouble

# GET DATA of the reader itself (PC/SC part 3, 3.2.2.1.3): the card's UID.
_GET_UID: Final = bytes.fromhex("ffca000000")
_OK: Final = bytes.fromhex("9000")
# "Function not supported": a kind of card that has none.
_NO_UID: Final = bytes.fromhex("6a81")
# Names of slots for the chips inside a reader, which no card is laid on.
_INSIDE: Final = ("SAM", "SIM")
# How long another program may hold the card before it is told: reading one takes none longer.
_BUSY_S: Final = 1.0
_BUSY_PAUSE_S: Final = 0.05


def scard() -> Any:
    """pyscard's module of plain PC/SC calls. Raises ReaderFault where it is not installed."""
    try:
        return importlib.import_module("smartcard.scard")
    except ImportError as error:
        raise ReaderFault("fault", "readers over PC/SC need an extra: pip install 'comptoir[pcsc]'") from error


@dataclass(frozen=True, slots=True)
class Seen:
    """What a reader says of its slot. `count` rises with each card that comes or goes."""

    present: bool
    mute: bool
    count: int


class Service:
    """One connection to pcscd."""

    def __init__(self) -> None:
        """Raises ReaderFault."""
        self._scard = scard()
        result, self._context = self._scard.SCardEstablishContext(self._scard.SCARD_SCOPE_SYSTEM)
        self._check(result, "the smart card service pcscd does not run")

    def readers(self) -> list[str]:
        """Names of the slots that a card is laid on. Raises ReaderFault."""
        result, names = self._scard.SCardListReaders(self._context, [])
        if result == self._scard.SCARD_E_NO_READERS_AVAILABLE:
            return []
        self._check(result, "the smart card service does not tell its readers")
        return [it for it in names if not any(word in it.upper().split() for word in _INSIDE)]

    def look(self, reader: str, known: int, timeout_s: float) -> tuple[int, Seen] | None:
        """What changed at the reader since `known` (0: anything), or None within the time. Raises ReaderFault."""
        s = self._scard
        result, states = s.SCardGetStatusChange(self._context, int(timeout_s * 1000), [(reader, known)])
        if result == s.SCARD_E_TIMEOUT:
            return None
        self._check(result, f"{reader} does not tell what lies on it")
        state = states[0][1]
        if state & (s.SCARD_STATE_UNKNOWN | s.SCARD_STATE_UNAVAILABLE | s.SCARD_STATE_IGNORE):
            raise ReaderFault("unplugged", f"{reader} is gone")
        present = bool(state & s.SCARD_STATE_PRESENT)
        return state & ~s.SCARD_STATE_CHANGED, Seen(present, bool(state & s.SCARD_STATE_MUTE), state >> 16)

    def connect(self, reader: str) -> Slot:
        """The card that lies on it, for us alone. Raises CardSilent, ReaderFault("busy")."""
        s = self._scard
        until = time.monotonic() + _BUSY_S
        while True:
            protocols = s.SCARD_PROTOCOL_T0 | s.SCARD_PROTOCOL_T1
            result, handle, protocol = s.SCardConnect(self._context, reader, s.SCARD_SHARE_EXCLUSIVE, protocols)
            if result != s.SCARD_E_SHARING_VIOLATION or time.monotonic() > until:
                break
            time.sleep(_BUSY_PAUSE_S)
        self._check(result, f"no connection to the card on {reader}")
        return Slot(self, handle, protocol)

    def close(self) -> None:
        self._scard.SCardReleaseContext(self._context)

    def _check(self, result: int, sentence: str) -> None:
        s = self._scard
        if result == s.SCARD_S_SUCCESS:
            return
        words = f"{sentence}: {s.SCardGetErrorMessage(result)}"
        if result in (
            s.SCARD_W_REMOVED_CARD,
            s.SCARD_W_RESET_CARD,
            s.SCARD_W_UNPOWERED_CARD,
            s.SCARD_W_UNRESPONSIVE_CARD,
            s.SCARD_E_NO_SMARTCARD,
            s.SCARD_E_NOT_TRANSACTED,
            s.SCARD_E_PROTO_MISMATCH,
        ):
            raise CardSilent(words)
        raise ReaderFault(_trouble(s, result), words)


class Slot:
    """The card that lies on a reader, held for us until `close`."""

    def __init__(self, service: Service, handle: Any, protocol: int) -> None:
        self._service = service
        self._scard = service._scard
        self._handle = handle
        self._pci = self._scard.SCARD_PCI_T0 if protocol == self._scard.SCARD_PROTOCOL_T0 else self._scard.SCARD_PCI_T1

    def uid(self) -> bytes:
        """As the reader tells it; empty where it tells none. Raises CardSilent, ReaderFault."""
        answer = self.transmit(_GET_UID)
        if answer[-2:] == _NO_UID:
            return b""
        if answer[-2:] != _OK:
            raise CardSilent(f"the reader does not tell the card's UID: {answer.hex()}")
        return answer[:-2]

    def atr(self) -> bytes:
        """What the reader makes of the card's first answer. Raises CardSilent, ReaderFault."""
        result, _, _, _, atr = self._scard.SCardStatus(self._handle)
        self._service._check(result, "the reader does not say what card it is")
        return bytes(atr)

    def transmit(self, command: bytes) -> bytes:
        """One command APDU, to the card or to its reader. Raises CardSilent, ReaderFault."""
        result, answer = self._scard.SCardTransmit(self._handle, self._pci, list(command))
        self._service._check(result, "the card gave no answer")
        if len(answer) < 2:
            # A card that was taken away in mid-answer looks like success without a status.
            raise CardSilent("the card gave no whole answer")
        return bytes(answer)

    def reset(self) -> None:
        """As if the card had left the field and come back. Raises CardSilent, ReaderFault."""
        s = self._scard
        protocols = s.SCARD_PROTOCOL_T0 | s.SCARD_PROTOCOL_T1
        result, _ = s.SCardReconnect(self._handle, s.SCARD_SHARE_EXCLUSIVE, protocols, s.SCARD_RESET_CARD)
        self._service._check(result, "the card does not come back")

    def close(self) -> None:
        """The card is left as it is: a reset of one that is away already makes the service blind for the next."""
        self._scard.SCardDisconnect(self._handle, self._scard.SCARD_LEAVE_CARD)


def _trouble(s: Any, result: int) -> Trouble:
    match result:
        case s.SCARD_E_SHARING_VIOLATION:
            return "busy"
        case s.SCARD_E_NO_ACCESS | s.SCARD_W_SECURITY_VIOLATION:
            return "no_permission"
        case s.SCARD_E_NO_SERVICE | s.SCARD_E_UNKNOWN_READER | s.SCARD_E_NO_READERS_AVAILABLE:
            return "no_device"
        case s.SCARD_E_SERVICE_STOPPED | s.SCARD_E_READER_UNAVAILABLE | s.SCARD_E_INVALID_HANDLE | s.SCARD_F_COMM_ERROR:
            return "unplugged"
        case s.SCARD_E_TIMEOUT:
            return "silent"
    return "fault"
