"""What Stripe's objects mean for us. Pure. Fields are named as in Stripe's API reference (docs.stripe.com/api: "The
Checkout Session object", "The Charge object", "The Balance Transaction object", "The Dispute object", "The Refund
object", "The Event object").
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from app.topups.provider import Back, BackStatus, Dispute, Notice, Payment, PaymentStatus

# Metadata that our payments carry: the top-up's id, and the server that opened it.
TOPUP, SERVER = "topup", "comptoir"
# And our refunds: their own id.
REFUND = "refund"


def payment_of(session: Mapping[str, Any]) -> Payment:
    """A Checkout Session, with payment_intent.latest_charge.balance_transaction expanded."""
    intent = _object(session.get("payment_intent"))
    charge = _object(intent.get("latest_charge"))
    euros = session.get("currency") == "eur" and isinstance(session.get("amount_total"), int)
    return Payment(
        str(session["id"]),
        _status(session, intent),
        session["amount_total"] if euros else None,
        _fee(_object(charge.get("balance_transaction"))),
        topup_of(session),
        int(charge.get("amount_refunded") or 0),
    )


def _status(session: Mapping[str, Any], intent: Mapping[str, Any]) -> PaymentStatus:
    """A session that is complete and unpaid waits for a slow means of payment, until its payment is over."""
    if session.get("payment_status") == "paid":
        return "paid"
    match session.get("status"):
        case "expired":
            return "cancelled"
        case "complete" if intent.get("status") == "canceled":
            return "cancelled"
        case "complete" if intent.get("status") == "requires_payment_method":
            return "failed"
    return "open"


def _fee(transaction: Mapping[str, Any]) -> int | None:
    """None as long as the charge has no balance transaction, and where it is settled in another currency."""
    fee = transaction.get("fee")
    return fee if transaction.get("currency") == "eur" and isinstance(fee, int) and fee >= 0 else None


def topup_of(it: Mapping[str, Any]) -> UUID | None:
    try:
        return UUID(str((it.get("metadata") or {}).get(TOPUP)))
    except ValueError:
        return None


def dispute_of(it: Mapping[str, Any]) -> Dispute | None:
    """A dispute with payment_intent expanded. None: nothing was taken (an inquiry, or not ours, or not in euros)."""
    topup = topup_of(_object(it.get("payment_intent")))
    moved = [_object(one) for one in it.get("balance_transactions") or []]
    taken = [one for one in moved if one.get("amount", 0) < 0]
    back = [one for one in moved if one.get("amount", 0) > 0]
    if topup is None or not taken or any(one.get("currency") != "eur" for one in moved):
        return None
    fee = sum(max(0, one.get("fee", 0)) for one in taken)
    return Dispute(
        str(it["id"]),
        str(topup),
        "dispute",
        -sum(one["amount"] for one in taken),
        fee,
        it.get("status") == "won" and bool(back),
        min(fee, sum(max(0, -one.get("fee", 0)) for one in back)),
    )


def refund_of(it: Mapping[str, Any]) -> Dispute | None:
    """A refund with payment_intent expanded; one that failed came back to us. None: not ours, or not in euros."""
    topup = topup_of(_object(it.get("payment_intent")))
    if topup is None or it.get("currency") != "eur" or it.get("amount", 0) <= 0:
        return None
    won = it.get("status") in {"failed", "canceled"}
    return Dispute(str(it["id"]), str(topup), "refund", it["amount"], won=won, asked=asked_of(it))


def asked_of(refund: Mapping[str, Any]) -> UUID | None:
    """Under which id we asked for it; None for one that somebody made on Stripe's own pages."""
    try:
        return UUID(str((refund.get("metadata") or {}).get(REFUND)))
    except ValueError:
        return None


_BACK: Mapping[str, BackStatus] = {"succeeded": "paid", "failed": "failed", "canceled": "failed"}


def back_of(refund: Mapping[str, Any]) -> Back:
    """The Refund object. One that is pending or waits for something else may still be either."""
    status = _BACK.get(str(refund.get("status")), "pending")
    return Back(str(refund["id"]), status, str(refund.get("failure_reason") or ""))


def notice_of(body: bytes) -> Notice | None:
    """An event's own id, and which payments it may be about. None: it is no event."""
    try:
        event = json.loads(body)
        about = event["data"]["object"]
        names = (about.get("id"), (about.get("metadata") or {}).get(TOPUP))
        taken_back = not str(event["type"]).startswith(("checkout.", "payment_intent."))
        return Notice(str(event["id"])[:200], tuple(str(it)[:200] for it in names if it), taken_back)
    except (ValueError, LookupError, TypeError, AttributeError):
        return None


def _object(it: Any) -> Mapping[str, Any]:
    """An expanded object; what was not expanded is only its id."""
    return it if isinstance(it, Mapping) else {}
