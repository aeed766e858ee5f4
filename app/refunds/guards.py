"""The triggers by which the database itself keeps what happened to a refund."""

from __future__ import annotations

from app.platform.kept_rows import AppendOnly

GUARDS = AppendOnly(
    {"refund_event": "refund = NEW.refund AND number = NEW.number"},
    "refunds_refuse",
    "what happened to a refund stays",
)
