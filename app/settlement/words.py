"""A settlement in words: lines of statements, states of runs, and what a payment's end means."""

from __future__ import annotations

from collections.abc import Mapping

from app.settlement.store import Answered, Line, Step
from app.web import N_, Texts

LINES: Mapping[str, str] = {
    "claim": N_("Taken in %(money)s"),
    "cover": N_("Offline sales beyond the cards’ balance in %(money)s: your part"),
    "held_back": N_("Held back in %(money)s: cards that are not known or blocked"),
    "redemption_fee": N_("Fee for exchanging %(money)s"),
    "cash": N_("Cash that you hold for %(issuer)s"),
    "carried": N_("Owed by %(issuer)s since an earlier run"),
    "issued": N_("Your own money, spent at others’"),
    "fees_owed": N_("Fees owed since an earlier run"),
    "network_fee": N_("Network fee %(year)s"),
    "set_up": N_("Setting up"),
}
STATES: Mapping[Step, str] = {
    "created": N_("to freeze"),
    "frozen": N_("with the venues"),
    "approved": N_("being booked"),
    "booked": N_("ready to pay"),
    "sent": N_("at the bank"),
    "executed": N_("paid"),
    "partly_failed": N_("partly refused"),
    "closed": N_("closed"),
    "cancelled": N_("cancelled"),
}
TINTS: Mapping[Step, str] = {
    "created": "calm",
    "frozen": "calm",
    "approved": "warn",
    "booked": "warn",
    "sent": "calm",
    "executed": "good",
    "partly_failed": "bad",
    "closed": "good",
    "cancelled": "",
}
DONE: Mapping[Step, str] = {
    "created": N_("Begun by %(name)s"),
    "frozen": N_("Frozen by %(name)s"),
    "approved": N_("Approved by %(name)s"),
    "booked": N_("Put into the books"),
    "sent": N_("Bank file made by %(name)s"),
    "executed": N_("All payments executed"),
    "partly_failed": N_("Some payments refused or returned"),
    "closed": N_("Closed by %(name)s"),
    "cancelled": N_("Cancelled by %(name)s"),
}
ANSWERS: Mapping[Answered, tuple[str, str]] = {
    "open": (N_("no answer yet"), "calm"),
    "accepted": (N_("accepted"), "good"),
    "disputed": (N_("disputed"), "bad"),
}
LEFT_OUT: Mapping[str, str] = {
    "disputed": N_("left to the next run: disputed"),
    "chosen": N_("left to the next run"),
    "not_its_turn": N_("not its turn"),
    "under_minimum": N_("under its minimum"),
}
PAID: Mapping[str, tuple[str, str]] = {
    "executed": (N_("executed"), "good"),
    "rejected": (N_("refused by the bank"), "bad"),
    "returned": (N_("returned"), "bad"),
}


def line_in_words(it: Line, moneys: Mapping[str, str], issuers: Mapping[str, str], texts: Texts) -> str:
    """`moneys`: names by currency; `issuers`: names by issuer."""
    said = LINES[it.kind]
    values = {
        "money": moneys.get(it.currency, it.currency),
        "issuer": issuers.get(it.issuer, it.issuer),
        "year": str(it.year or ""),
    }
    return texts.gettext(said, **values)
