"""Which card lies on the reader: turns single polls into cards that come and go.

A reader polls many times a second and a card at the edge of the field misses a poll now and then. Were one miss enough,
a card that merely rests on the reader would be seen twice, and could pay twice. The rules:

- A card is seen at its first answer.
- It is gone after two polls in a row that nobody answered. Polls that failed because of the reader count for nothing.
- Where another card answers before it is gone, it was either swapped by a very quick hand or joined by a second card.
  Four answers from the other card: swapped. The first card answers again sooner: two cards lie in the field, and
  nothing more is seen until the field has been empty.

A reader that is lost and reopened keeps its Presence, so a card that lay on it all the while is not seen again.
"""

from __future__ import annotations

from readers.taps.errands import Errands
from readers.taps.events import Assurance, CardEvent, CardGone, CardSeen, Moment, TwoCards, Unusable, UnusableCard

EMPTY_POLLS_UNTIL_GONE = 2
FOREIGN_POLLS_UNTIL_SWAPPED = 4
UID_SIZES = (4, 7, 10)
_RANDOM_UID_MARK = 0x08


def is_random(uid: bytes) -> bool:
    """ISO/IEC 14443-3: a single-size UID whose first byte is 08 is drawn anew whenever the field comes up."""
    return len(uid) == 4 and uid[0] == _RANDOM_UID_MARK


class Presence:
    """The state of one reader's field. Feed it one call per poll; each returns what changed, in order.

    `errands`: what is wanted of the card that lies there.
    """

    def __init__(self, errands: Errands | None = None) -> None:
        self.errands = errands or Errands()
        self._present: bytes | None = None
        self._rival: bytes | None = None
        self._empty_polls = 0
        self._rival_polls = 0
        self._two_cards = False

    @property
    def occupied(self) -> bool:
        """A card was seen and is not yet known to be gone."""
        return self._present is not None

    @property
    def present(self) -> bytes | None:
        """The card that was seen and is not yet known to be gone, by its UID."""
        return self._present

    def knows(self, uid: bytes) -> bool:
        """Whether this is the card that was seen, so that it needs not prove itself once more."""
        return self._present is not None and _same(uid, self._present)

    def answered(self, uid: bytes, at: Moment, assurance: Assurance | None = "C") -> list[CardEvent]:
        """A card answered with `uid` (empty: a kind of card that has none we can read).

        `assurance` is what it proved; None: it should have proved something and could not.
        """
        self._empty_polls = 0
        if self._two_cards:
            return []
        if self._present is None:
            self._present = uid
            return [_seen(uid, at, assurance)]
        if _same(uid, self._present):
            return self._first_card_again(self._present, at)
        if self._rival is None or not _same(uid, self._rival):
            self._rival, self._rival_polls = uid, 0
        self._rival_polls += 1
        if self._rival_polls < FOREIGN_POLLS_UNTIL_SWAPPED:
            return []
        gone = CardGone(self._present, *at)
        self._forget()
        self._present = uid
        return [gone, _seen(uid, at, assurance)]

    def empty(self, at: Moment) -> list[CardEvent]:
        """A poll that worked, and that no card answered."""
        self._empty_polls += 1
        if self._present is None or self._empty_polls < EMPTY_POLLS_UNTIL_GONE:
            if self._present is None:
                self.errands.left()
            return []
        gone = CardGone(self._present, *at)
        self._forget()
        return [gone]

    def _first_card_again(self, present: bytes, at: Moment) -> list[CardEvent]:
        if self._rival is None:
            return []
        self._two_cards = True
        return [TwoCards((present, self._rival), *at)]

    def _forget(self) -> None:
        self.errands.left()
        self._present = self._rival = None
        self._empty_polls = self._rival_polls = 0
        self._two_cards = False


def _same(uid: bytes, other: bytes) -> bool:
    # A phone shows another random UID at each poll; to the field it stays one thing that lies there.
    return uid == other or (is_random(uid) and is_random(other))


def _seen(uid: bytes, at: Moment, assurance: Assurance | None) -> CardSeen | UnusableCard:
    unusable: Unusable | None = "random_uid" if is_random(uid) else None if len(uid) in UID_SIZES else "unsupported"
    if unusable is None and assurance is not None:
        return CardSeen(uid, assurance, *at)
    return UnusableCard(unusable or "not_proven", uid, *at)
