"""Taps: the vocabulary between readers and everything that acts on a card. Standard library only."""

from readers.taps.errands import Errands
from readers.taps.events import (
    Assurance,
    CardEvent,
    CardGone,
    CardSeen,
    CardSilent,
    Driver,
    Garbled,
    Moment,
    ReaderEvent,
    ReaderFault,
    ReaderFound,
    ReaderLost,
    Trouble,
    TwoCards,
    Unusable,
    UnusableCard,
)
from readers.taps.presence import Presence
from readers.taps.reader import Reader
from readers.taps.signals import Light, Showing, Signal

__all__ = [
    "Assurance",
    "CardEvent",
    "CardGone",
    "CardSeen",
    "CardSilent",
    "Driver",
    "Errands",
    "Garbled",
    "Light",
    "Moment",
    "Presence",
    "Reader",
    "ReaderEvent",
    "ReaderFault",
    "ReaderFound",
    "ReaderLost",
    "Showing",
    "Signal",
    "Trouble",
    "TwoCards",
    "Unusable",
    "UnusableCard",
]
