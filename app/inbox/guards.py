"""The triggers by which the database itself keeps what was done about faults: each step once, in its turn."""

from __future__ import annotations

from app.platform.kept_rows import AppendOnly

GUARDS = AppendOnly(
    {"inbox_step": "fault = NEW.fault AND number = NEW.number"},
    "inbox_refuse",
    "what was done about a fault stays",
    {
        "inbox_step": (
            "NEW.number <> 1 + (SELECT count(*) FROM inbox_step s WHERE s.fault = NEW.fault)",
            "steps follow each other",
        )
    },
)
