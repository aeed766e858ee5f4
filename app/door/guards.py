"""The triggers by which the database itself keeps what was seen at doors."""

from __future__ import annotations

from typing import Final

from app.platform.kept_rows import AppendOnly

PASSAGES: Final = AppendOnly({"passage": "id = NEW.id"}, "passage_refuse", "what was seen at a door stays")

install, missing = PASSAGES.install, PASSAGES.missing
