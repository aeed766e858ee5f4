"""The terminal's journal: one crash-safe SQLite file that holds every intent, sale, refusal, cancel and void.

Errors, all JournalError:

    JournalError
    ├── JournalUnsafe    the file can't promise durability (not WAL, not synchronous=FULL), or another agent has it
    ├── JournalTooNew    written by a newer version of Comptoir
    ├── JournalFailed    this append was not written: disk full or I/O error; nothing of it stands
    ├── ChainBroken      a row is missing, was altered, or stands out of order
    └── RowsWaiting      pairing anew would strand rows that the server does not have yet
"""

from readers.journal.clock import Clock, Stamp
from readers.journal.errors import ChainBroken, JournalError, JournalFailed, JournalTooNew, JournalUnsafe, RowsWaiting
from readers.journal.journal import Journal
from readers.journal.records import Halt, Made, OwnRow, PaidSale, Pairing
from readers.journal.store import JournalFile

__all__ = [
    "ChainBroken",
    "Clock",
    "Halt",
    "Journal",
    "JournalError",
    "JournalFailed",
    "JournalFile",
    "JournalTooNew",
    "JournalUnsafe",
    "Made",
    "OwnRow",
    "PaidSale",
    "Pairing",
    "RowsWaiting",
    "Stamp",
]
