"""Readers that nfcpy knows (PN532 on a serial line, RC-S380, SCL3711, ACR122U, cards over UDP), driven by `sense()`.

nfcpy's own loop, `connect()`, looks at its `terminate` only every 2.5 s and turns a dead reader into a silent False, so
the loop is ours: each poll brings the field up, looks once for a Type A card, and mutes the field again. A card that
stays is found by the same look; that is the presence check.

How long one look takes is nfcpy's choice: about 15 ms on a PN532 at 115200 baud; over UDP as long as the other end
takes, one second if nothing listens there.

What nfcpy raises, and what it means here:
- OSError EIO, ETIMEDOUT: a damaged or missing frame on the wire. One is noise; a second of nothing else is a loss.
- other OSError (ENODEV, pyserial's SerialException, ...): the device is gone.
- its own CommunicationError: swallowed by `sense()`, which then returns None: no card.
- anything else (IndexError, ValueError, binascii.Error, ...): it stumbled over malformed bytes; counted as noise.
"""

from __future__ import annotations

import errno
import logging
import time
from collections import deque
from collections.abc import Mapping
from typing import Any

import nfc.clf

from app.rules.chips.keyring import CardKey
from readers.drivers.opening import cannot_open
from readers.drivers.ports import open_frontend
from readers.drivers.proofs import Proofs
from readers.taps import CardEvent, CardSilent, Garbled, Moment, Presence, ReaderFault, ReaderLost

# Between looks at an empty field the thread sleeps this long: a card is noticed 5 ms later on average.
PAUSE_S = 0.010
# While a card lies there only its leaving is news, and that may take a tenth of a second.
PAUSE_OCCUPIED_S = 0.040
# How long a reader may give nothing but errors before it is lost. A Raspberry Pi's USB can stall close to a second.
FAILING_S_MAX = 1.0
EXCHANGE_TIMEOUT_S = 0.25

_log = logging.getLogger(__name__)
_TYPE_A = nfc.clf.RemoteTarget("106A")
_NOISE = (errno.EIO, errno.ETIMEDOUT)


def open_nfcpy(path: str, presence: Presence, keys: Mapping[bytes, CardKey]) -> NfcpyDriver:
    """Open the reader at an nfcpy path. Raises ReaderFault."""
    # nfcpy logs each failed attempt as an error, several times a minute while a reader is unplugged; what matters of it
    # comes back as ReaderFault and ReaderLost. INFO is the level nfcpy sets itself; one that somebody who looks for a
    # fault has set is left alone.
    log = logging.getLogger("nfc")
    if log.level == logging.INFO:
        log.setLevel(logging.CRITICAL)
    try:
        frontend = open_frontend(path)
    except OSError as error:
        raise cannot_open(path, error) from error
    except Exception as error:
        raise ReaderFault("fault", f"no reader can be opened at {path!r}: {error!r}") from error
    return NfcpyDriver(frontend, path, presence, keys)


class NfcpyDriver:
    """One open nfcpy frontend; see `readers.taps.Driver`."""

    def __init__(
        self,
        frontend: Any,
        path: str,
        presence: Presence,
        keys: Mapping[bytes, CardKey] | None = None,
        *,
        failing_ns_max: int = int(FAILING_S_MAX * 1e9),
    ) -> None:
        self._frontend = frontend
        self._path = path
        self._presence = presence
        self._proofs = Proofs({} if keys is None else keys, presence)
        presence.errands.served = True
        self._failing_ns_max = failing_ns_max
        self._failing_since_ns: int | None = None
        self._pending: deque[CardEvent] = deque()

    @property
    def name(self) -> str:
        return self._path if self._frontend.device is None else str(self._frontend.device)

    def poll(self, timeout_s: float) -> CardEvent | ReaderLost | None:
        deadline = time.monotonic() + timeout_s
        while not self._pending:
            lost = self._look()
            if lost is not None:
                return lost
            if self._pending:
                break
            left_s = deadline - time.monotonic()
            if left_s <= 0:
                return None
            self._presence.errands.wait(min(PAUSE_OCCUPIED_S if self._presence.occupied else PAUSE_S, left_s))
        return self._pending.popleft()

    def exchange(self, data: bytes) -> bytes:
        try:
            answer = self._frontend.exchange(bytearray(data), EXCHANGE_TIMEOUT_S)
        except OSError as error:
            if error.errno in _NOISE:
                raise Garbled(f"{self.name}: {error}") from error
            raise ReaderFault("unplugged", f"{self.name}: {error}") from error
        except Exception as error:
            raise CardSilent(f"the card gave no answer that can be read: {error!r}") from error
        if answer is None:
            raise CardSilent("no card has been selected")
        return bytes(answer)

    def close(self) -> None:
        try:
            self._frontend.close()
        except Exception:
            # A device that was pulled out cannot be closed properly, and has nothing left to lose.
            _log.debug("closing %s failed", self._path, exc_info=True)

    def _look(self) -> ReaderLost | None:
        """One look at the field; what changed goes to `_pending`."""
        try:
            target = self._frontend.sense(_TYPE_A)
            # Type 1 tags have no NFCID1: they answer, but there is no UID to know them by.
            uid = None if target is None else bytes(target.sdd_res or b"")
            proven = None if uid is None else self._proofs.of(uid, self.exchange)
        except Garbled as error:
            return self._noise(error)
        except CardSilent:
            # It left before it had proved itself; if it is still there, the next look asks again.
            uid = proven = None
        except ReaderFault as error:
            return ReaderLost(error.reason, str(error))
        except OSError as error:
            if error.errno not in _NOISE:
                return ReaderLost("unplugged", f"{self._path}: {error}")
            return self._noise(error)
        except Exception as error:
            return self._noise(error)
        at = Moment.now()
        self._failing_since_ns = None
        self._pending.extend(self._presence.empty(at) if uid is None else self._presence.answered(uid, at, proven))
        return None

    def _noise(self, error: Exception) -> ReaderLost | None:
        now_ns = time.monotonic_ns()
        if self._failing_since_ns is None:
            self._failing_since_ns = now_ns
        if now_ns - self._failing_since_ns < self._failing_ns_max:
            return None
        return ReaderLost("silent", f"{self._path} gives nothing but errors: {error!r}")
