"""What a card that just came proves, for any driver, with patience for one that slips."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from app.rules.chips.keyring import CardKey
from readers.cardauth import NotProven
from readers.cardauth.errors import Exchange
from readers.cardauth.proving import level
from readers.taps import Assurance, CardSilent, Garbled, Presence

# A card that answers to its name and then never to a question is no card of ours; one that slips may try again.
SILENT_PROOFS_MAX = 3

_log = logging.getLogger(__name__)


class Proofs:
    """The keys of the cards that prove themselves, and how often in a row the last one was silent."""

    def __init__(self, keys: Mapping[bytes, CardKey], presence: Presence) -> None:
        self._keys = keys
        self._presence = presence
        self._silent: tuple[bytes, int] = (b"", 0)

    def of(self, uid: bytes, exchange: Exchange) -> Assurance | None:
        """How sure we are of it; None: it does not know its key. A card that is known already does what is wanted of
        it. Raises CardSilent (ask again), ReaderFault."""
        if self._presence.knows(uid):
            self._presence.errands.attend(uid, exchange)
            return "C"
        if uid not in self._keys:
            return "C"
        try:
            proven = level(self._keys, uid, exchange)
        except Garbled:
            raise
        except CardSilent as error:
            self._silent = (uid, self._silent[1] + 1 if self._silent[0] == uid else 1)
            if self._silent[1] < SILENT_PROOFS_MAX:
                raise
            _log.warning("card %s does not prove itself: %s", uid.hex(), error)
            proven = None
        except NotProven as error:
            _log.warning("card %s is not what it says: %s", uid.hex(), error)
            proven = None
        self._silent = (b"", 0)
        return proven
