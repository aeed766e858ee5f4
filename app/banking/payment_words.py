"""Rows of payouts in people's words."""

from __future__ import annotations

from app.web import N_

# What a row of a provider's report was found to be (app.banking.payouts).
ROWS = {
    "topup": N_("Top-up"),
    "fee": N_("The provider’s fee"),
    "taken_back": N_("Taken back, in the books"),
    "refunded": N_("Refunded to its holder, in the books"),
    "given_back": N_("Given back, in the books"),
    "not_credited": N_("Paid, and not on the card"),
    "other_amount": N_("A top-up of another amount"),
    "not_booked": N_("Taken or given back, and not in the books"),
    "unknown": N_("No payment of ours is known by it"),
}
