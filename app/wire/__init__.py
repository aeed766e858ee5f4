"""What terminals and the server say to each other. Version 1; unknown fields are refused on the way in."""

from app.wire.journal import (
    GENESIS,
    Batch,
    CancelRow,
    IntentRow,
    JournalRow,
    Payload,
    RefusedRow,
    SaleRow,
    SyncReply,
    VoidRow,
    batch_message,
    read_payload,
    row_hash,
)
from app.wire.pairing import PairingReply, PairingRequest, TokenReply, TokenRequest, token_message
from app.wire.problems import Problem
from app.wire.sale import Rest, RoundUp, Sale, SaleLine, SaleReply, Tender
from app.wire.snapshot import (
    SnapshotCard,
    SnapshotCurrency,
    SnapshotLimits,
    SnapshotProduct,
    SnapshotReceipts,
    SnapshotStaff,
    TerminalSnapshot,
)

__all__ = [
    "GENESIS",
    "Batch",
    "CancelRow",
    "IntentRow",
    "JournalRow",
    "PairingReply",
    "PairingRequest",
    "Payload",
    "Problem",
    "RefusedRow",
    "Rest",
    "RoundUp",
    "Sale",
    "SaleLine",
    "SaleReply",
    "SaleRow",
    "SnapshotCard",
    "SnapshotCurrency",
    "SnapshotLimits",
    "SnapshotProduct",
    "SnapshotReceipts",
    "SnapshotStaff",
    "SyncReply",
    "Tender",
    "TerminalSnapshot",
    "TokenReply",
    "TokenRequest",
    "VoidRow",
    "batch_message",
    "read_payload",
    "row_hash",
    "token_message",
]
