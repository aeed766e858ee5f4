"""Cards that come and go, from single looks: PROTOCOL.md, under CARD_SEEN. Runs on MicroPython.

A card at the edge of the field misses a look now and then, and must not be seen twice for it.
"""

from firmware_bridge import messages

EMPTY_LOOKS_UNTIL_GONE = 2
FOREIGN_LOOKS_UNTIL_SWAPPED = 4


class Field:
    """What is in the field. Feed it each look that worked; it gives the messages that are due."""

    def __init__(self) -> None:
        self._card: bytes | None = None
        self._rival: bytes | None = None
        self._rival_looks = 0
        self._empty_looks = 0
        self._two = False
        # In a new session the till has not been told anything yet, not even that nothing is there.
        self._told = False

    @property
    def occupied(self) -> bool:
        return self._card is not None

    def looked(self, cards: list[tuple[bytes, int]], age_ms: int) -> list[tuple[int, bytes]]:
        """`cards`: UID and SAK of what answered. Messages, in order."""
        if not cards:
            self._empty_looks += 1
            if self._empty_looks < EMPTY_LOOKS_UNTIL_GONE or (self._told and self._card is None):
                return []
            gone, self._card, self._rival, self._two, self._told = self._card or b"", None, None, False, True
            return [(messages.CARD_GONE, messages.card(gone, 0, age_ms))]
        self._empty_looks = 0
        self._told = True
        if self._two:
            return []
        if len(cards) > 1:
            return self._joined(cards[0][0], cards[1][0], age_ms)
        uid, sak = cards[0]
        if self._card is None:
            self._card = uid
            return [(messages.CARD_SEEN, messages.card(uid, sak, age_ms))]
        if _same(uid, self._card):
            return [] if self._rival is None else self._joined(self._card, self._rival, age_ms)
        return self._foreign(uid, sak, age_ms)

    def _joined(self, one: bytes, other: bytes, age_ms: int) -> list[tuple[int, bytes]]:
        self._two = True
        self._card = self._card or one
        return [(messages.TWO_CARDS, messages.two_cards(one, other, age_ms))]

    def _foreign(self, uid: bytes, sak: int, age_ms: int) -> list[tuple[int, bytes]]:
        if self._rival is None or not _same(uid, self._rival):
            self._rival, self._rival_looks = uid, 0
        self._rival_looks += 1
        if self._rival_looks < FOREIGN_LOOKS_UNTIL_SWAPPED:
            return []
        gone, self._card, self._rival = self._card or b"", uid, None
        return [
            (messages.CARD_GONE, messages.card(gone, 0, age_ms)),
            (messages.CARD_SEEN, messages.card(uid, sak, age_ms)),
        ]


def _same(uid: bytes, other: bytes) -> bool:
    # A single UID that begins with 08 is drawn anew whenever the field comes up (ISO/IEC 14443-3).
    return uid == other or (len(uid) == len(other) == 4 and uid[0] == other[0] == 8)
