"""The triggers by which the database itself keeps a settlement: rows are only ever added, and only in their turn."""

from __future__ import annotations

from collections.abc import Mapping

from app.platform.kept_rows import AppendOnly

# Table: what makes a row the one that is there already (under REPLACE SQLite fires no delete trigger).
_BANK: Mapping[str, str] = {
    "settlement_terms": "id = NEW.id",
    "bank_account": "id = NEW.id",
    "bank_account_decision": "account = NEW.account",
}
# Table: what a new row must not be, in SQL that both databases read, and how that is told.
_BANK_TURNS: Mapping[str, tuple[str, str]] = {
    "bank_account_decision": (
        "EXISTS (SELECT 1 FROM bank_account a WHERE a.id = NEW.account AND a.asked_by = NEW.decided_by)",
        "two people change bank details",
    ),
}

# The steps of a run: after what may come what.
STEPS: Mapping[str, tuple[str, ...]] = {
    "created": ("frozen", "cancelled"),
    "frozen": ("approved", "cancelled"),
    "approved": ("booked",),
    "booked": ("sent", "closed"),
    "sent": ("executed", "partly_failed"),
    "executed": ("partly_failed", "closed"),
    "partly_failed": ("closed",),
}
# Once a run is past these, the next one may begin: nothing of it is still to be paid out of what is in the books.
OVER = ("sent", "closed", "cancelled")

_LISTED = ", ".join(repr(it) for it in OVER)
_STEP = " OR ".join(
    f"(e.kind = '{before}' AND NEW.kind IN ({', '.join(repr(it) for it in after)}))" for before, after in STEPS.items()
)


def _has(*kinds: str) -> str:
    listed = ", ".join(repr(it) for it in kinds)
    return f"EXISTS (SELECT 1 FROM settlement_event e WHERE e.run = NEW.run AND e.kind IN ({listed}))"


_FREEZING = (f"{_has('frozen', 'cancelled')} OR NOT {_has('created')}", "the run is frozen")
_APPROVING = (f"NOT {_has('frozen')} OR {_has('approved', 'cancelled')}", "the run is not to be approved")
_SENDING = (f"NOT {_has('booked')} OR {_has('sent', 'closed')}", "the run is not to be sent")

_RUNS: Mapping[str, str] = {
    "settlement_run": "id = NEW.id OR number = NEW.number",
    "settlement_event": "run = NEW.run AND number = NEW.number",
    "settlement_statement": "run = NEW.run AND venue = NEW.venue",
    "settlement_line": "run = NEW.run AND venue = NEW.venue AND number = NEW.number",
    "settlement_cover": "run = NEW.run AND number = NEW.number",
    "settlement_answer": "run = NEW.run AND venue = NEW.venue AND number = NEW.number",
    "settlement_left_out": "run = NEW.run AND venue = NEW.venue",
    "settlement_invoice": "(issuer = NEW.issuer AND year = NEW.year AND number = NEW.number)"
    " OR (run = NEW.run AND venue = NEW.venue AND issuer = NEW.issuer)",
    "settlement_payment": "(run = NEW.run AND venue = NEW.venue) OR end_to_end = NEW.end_to_end",
    "settlement_payment_event": "run = NEW.run AND venue = NEW.venue AND kind = NEW.kind",
    "settlement_file": "run = NEW.run OR message = NEW.message",
}
_RUNS_TURNS: Mapping[str, tuple[str, str]] = {
    "settlement_run": (
        "NEW.number <> (SELECT coalesce(max(r.number), 0) + 1 FROM settlement_run r)"
        " OR EXISTS (SELECT 1 FROM settlement_run r WHERE NOT EXISTS (SELECT 1 FROM settlement_event e"
        f" WHERE e.run = r.id AND e.kind IN ({_LISTED})))",
        "another run is open",
    ),
    "settlement_event": (
        "NOT ((NEW.number = 1 AND NEW.kind = 'created') OR EXISTS (SELECT 1 FROM settlement_event e"
        f" WHERE e.run = NEW.run AND e.number = NEW.number - 1 AND ({_STEP})))"
        " OR (NEW.kind = 'approved' AND EXISTS (SELECT 1 FROM settlement_event e"
        " WHERE e.run = NEW.run AND e.actor = NEW.actor))",
        "not the next step, or not by somebody else",
    ),
    "settlement_statement": _FREEZING,
    "settlement_line": _FREEZING,
    "settlement_cover": _FREEZING,
    "settlement_answer": _APPROVING,
    "settlement_left_out": _APPROVING,
    "settlement_invoice": (
        f"{_APPROVING[0]} OR NEW.number <> (SELECT coalesce(max(i.number), 0) + 1 FROM settlement_invoice i"
        " WHERE i.issuer = NEW.issuer AND i.year = NEW.year)",
        "not the next number, or the run is not to be approved",
    ),
    "settlement_payment": _SENDING,
    "settlement_file": _SENDING,
    "settlement_payment_event": (
        f"NOT {_has('sent')} OR NOT EXISTS (SELECT 1 FROM settlement_payment p"
        " WHERE p.run = NEW.run AND p.venue = NEW.venue)"
        " OR EXISTS (SELECT 1 FROM settlement_payment_event e WHERE e.run = NEW.run AND e.venue = NEW.venue"
        " AND e.kind <> 'executed')"
        " OR EXISTS (SELECT 1 FROM settlement_payment_event e WHERE e.run = NEW.run AND e.venue = NEW.venue"
        " AND e.kind = 'executed' AND NEW.kind <> 'returned')"
        " OR (NEW.kind = 'returned' AND NOT EXISTS (SELECT 1 FROM settlement_payment_event e"
        " WHERE e.run = NEW.run AND e.venue = NEW.venue AND e.kind = 'executed'))",
        "not what can become of this payment",
    ),
}

_SAID = "what was settled stays"
BANK = AppendOnly(_BANK, "settlement_refuse", _SAID, _BANK_TURNS)
RUNS = AppendOnly(_RUNS, "settlement_refuse", _SAID, _RUNS_TURNS)

# What of a line waits is no more than the line.
LATER = AppendOnly(
    {
        "settlement_later": "run = NEW.run AND venue = NEW.venue AND number = NEW.number",
        "settlement_agreed": "run = NEW.run AND venue = NEW.venue",
    },
    "settlement_later_refuse",
    _SAID,
    {
        "settlement_later": (
            f"{_APPROVING[0]} OR NOT EXISTS (SELECT 1 FROM settlement_line l WHERE l.run = NEW.run"
            " AND l.venue = NEW.venue AND l.number = NEW.line AND NEW.units <= l.units)",
            "not so much of this line can wait, or the run is not to be approved",
        ),
        "settlement_agreed": _APPROVING,
    },
)

# Transfers to others than venues: two people send them, and what the bank said stays.
OUTGOING = AppendOnly(
    {
        "outgoing_file": "id = NEW.id OR message = NEW.message",
        "outgoing_release": "file = NEW.file",
        "outgoing_transfer": "id = NEW.id OR end_to_end = NEW.end_to_end",
        "outgoing_answer": "transfer = NEW.transfer AND kind = NEW.kind",
    },
    "outgoing_refuse",
    _SAID,
    {
        "outgoing_release": (
            "EXISTS (SELECT 1 FROM outgoing_file f WHERE f.id = NEW.file AND f.made_by = NEW.released_by)",
            "two people send money",
        ),
        "outgoing_answer": (
            "NOT EXISTS (SELECT 1 FROM outgoing_transfer t JOIN outgoing_release r ON r.file = t.file"
            " WHERE t.id = NEW.transfer)",
            "the bank has not got it",
        ),
    },
)
