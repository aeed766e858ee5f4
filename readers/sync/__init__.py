"""The terminal's side of the line to the server: pairing, tokens, sales online, batches, snapshots.

Errors:

    SyncError
    ├── Unreachable      no answer that can be trusted: time out, no connection, 5xx, 429, or a captive portal's page
    ├── Rejected         the server understood and said no; `problem` says why
    └── SnapshotRefused  a snapshot that is not signed by our server, or not for this device
"""

from readers.sync.card_keys import CardKeys, KeyRing
from readers.sync.client import Acted, Answer, Booked, CodeAnswer, Declined, NoAnswer, Server
from readers.sync.errors import Rejected, SnapshotRefused, SyncError, Unreachable
from readers.sync.keys import DeviceKey
from readers.sync.link import Link
from readers.sync.reporter import Reporter
from readers.sync.snapshots import CardRecord, Received, SnapshotFile, read_snapshot
from readers.sync.worker import Pace, Shelf, Worker

__all__ = [
    "Acted",
    "Answer",
    "Booked",
    "CardKeys",
    "CardRecord",
    "CodeAnswer",
    "Declined",
    "DeviceKey",
    "KeyRing",
    "Link",
    "NoAnswer",
    "Pace",
    "Received",
    "Rejected",
    "Reporter",
    "Server",
    "Shelf",
    "SnapshotFile",
    "SnapshotRefused",
    "SyncError",
    "Unreachable",
    "Worker",
    "read_snapshot",
]
