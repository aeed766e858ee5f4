"""Whether a notice comes from Stripe: docs.stripe.com/webhooks/signature ("Verify webhook signatures manually").

    Stripe-Signature: t=<seconds since the epoch>,v1=<hex HMAC-SHA256 of "<t>.<body>" under the endpoint's secret>

While a secret is being replaced Stripe signs with both, so there may be several v1; other schemes (v0) are fakes that
its test mode adds, and are not looked at.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence

HEADER = "stripe-signature"
# Stripe's libraries allow five minutes between a notice's time and ours.
TOLERANCE_S = 300


def genuine(header: str, body: bytes, secrets: Sequence[str], now_s: float) -> bool:
    items = [it.partition("=") for it in header.split(",")]
    times = [value.strip() for key, _, value in items if key.strip() == "t"]
    signed = [value.strip() for key, _, value in items if key.strip() == "v1"]
    if len(times) != 1 or not times[0].isascii() or not times[0].isdigit() or len(times[0]) > 12:
        return False
    if abs(now_s - int(times[0])) > TOLERANCE_S:
        return False
    message = times[0].encode() + b"." + body
    right = [hmac.new(it.encode(), message, "sha256").hexdigest() for it in secrets]
    return any(hmac.compare_digest(mine.encode(), theirs.encode()) for mine in right for theirs in signed)


def sign(body: bytes, secrets: Sequence[str], at_s: int) -> str:
    """The header's value, as Stripe makes it."""
    message = f"{at_s}.".encode() + body
    return ",".join([f"t={at_s}", *(f"v1={hmac.new(it.encode(), message, 'sha256').hexdigest()}" for it in secrets)])
