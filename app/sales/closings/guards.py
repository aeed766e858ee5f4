"""The triggers by which the database itself keeps closings: added once, never changed, replaced or taken away."""

from __future__ import annotations

from app.platform.kept_rows import AppendOnly

KEYS = {
    "closing": "id = NEW.id OR digest = NEW.digest"
    " OR (subject = NEW.subject AND period = NEW.period AND number = NEW.number)",
    "closing_part": "part = NEW.part",
}

_KEPT = AppendOnly(KEYS, "closing_refuse", "closings are never rewritten")

guards, install, missing = _KEPT.guards, _KEPT.install, _KEPT.missing

DRAWERS = AppendOnly(
    {"drawer_move": "id = NEW.id OR (closing = NEW.closing AND kind = NEW.kind AND venue = NEW.venue)"},
    "drawer_refuse",
    "what was in a drawer stays as it was",
)
