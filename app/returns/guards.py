"""The triggers by which the database itself keeps who had what was paid for an event given back."""

from __future__ import annotations

from typing import Final

from app.platform.kept_rows import AppendOnly

RUNS: Final = AppendOnly({"event_return": "event = NEW.event"}, "event_return_refuse", "what was given back stays so")

install, missing = RUNS.install, RUNS.missing
