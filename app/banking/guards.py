"""The triggers by which the database itself keeps what the bank said, and what was said of it."""

from __future__ import annotations

from app.platform.kept_rows import AppendOnly

_KEYS = {
    "bank_statement": "id = NEW.id OR digest = NEW.digest",
    "bank_line": "id = NEW.id OR (iban = NEW.iban AND key = NEW.key)",
    "bank_match": "line = NEW.line AND number = NEW.number",
    "handover": "id = NEW.id OR reference = NEW.reference",
    "handover_end": "handover = NEW.handover",
}
_TURNS = {
    "handover_end": (
        "NEW.outcome = 'received' AND EXISTS "
        "(SELECT 1 FROM handover h WHERE h.id = NEW.handover AND h.declared_by = NEW.ended_by)",
        "whoever hands cash in does not count it",
    ),
    "bank_match": (
        "NEW.number <> 1 + (SELECT count(*) FROM bank_match m WHERE m.line = NEW.line) OR (NEW.kind = 'undone') = "
        "COALESCE((SELECT m.kind = 'undone' FROM bank_match m WHERE m.line = NEW.line "
        "ORDER BY m.number DESC LIMIT 1), TRUE)",
        "a line is matched once, until that is undone",
    ),
}

GUARDS = AppendOnly(_KEYS, "banking_refuse", "what the bank said stays", _TURNS)

_STANDS = (
    "EXISTS (SELECT 1 FROM payout_match p WHERE p.provider = NEW.provider AND p.payout = NEW.payout AND NOT EXISTS "
    "(SELECT 1 FROM bank_match u WHERE u.line = p.line AND u.number > p.number))"
)
PAYOUTS = AppendOnly(
    {
        "payout_report": "id = NEW.id OR digest = NEW.digest",
        "payout_line": "id = NEW.id OR (provider = NEW.provider AND key = NEW.key)",
        "payout_match": "line = NEW.line AND number = NEW.number",
    },
    "payouts_refuse",
    "what the provider said stays",
    {"payout_match": (_STANDS, "a payout comes to the bank once")},
    {"payout_match": "'payout ' || NEW.provider || ' ' || NEW.payout"},
)
