"""What the records are called where people read them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from app.web import N_

# Sections beside those of the registry.
SECTIONS: Final[Mapping[str, str]] = {
    "balances": N_("What is on the card"),
    "emails": N_("E-mails to you"),
    "acts": N_("What was done to the cards"),
}
FIELDS: Final[Mapping[str, str]] = {
    "at_us": N_("When"),
    "made_us": N_("Since"),
    "currency": N_("Currency"),
    "ended_us": N_("Ended"),
    "paid_us": N_("Paid"),
    "answered_us": N_("Answered"),
    "recovery_code_made_us": N_("Recovery code made"),
    "wallet": N_("Wallet"),
    "card": N_("Card"),
    "chip": N_("Chip’s number"),
    "status": N_("State"),
    "what": N_("What"),
    "thing": N_("What was lent"),
    "amount": N_("Amount"),
    "paid": N_("Paid"),
    "venue": N_("Venue"),
    "till": N_("Till"),
    "items": N_("What was bought"),
    "reason": N_("Reason"),
    "operation": N_("Operation"),
    "provider": N_("Provider"),
    "reference": N_("Reference"),
    "email": N_("E-mail address"),
    "text": N_("In your words"),
    "answer": N_("Answer"),
    "name": N_("Name"),
    "words": N_("Version of the words"),
    "device": N_("Signed in with"),
    "roles": N_("Roles"),
    "membership": N_("Membership"),
    "ticket": N_("Ticket"),
    "from": N_("From"),
    "until": N_("Until"),
    "until_us": N_("Until"),
    "by": N_("By"),
    "opened_us": N_("Opened on"),
    "question": N_("Question"),
    "chosen": N_("What you answered"),
}
# Values that are the code's own words.
VALUES: Final[Mapping[str, str]] = {
    "active": N_("In use"),
    "blocked": N_("Blocked"),
    "pending": N_("Waiting"),
    "credited": N_("On the card"),
    "failed": N_("Failed"),
    "cancelled": N_("Cancelled"),
    "valid": N_("Valid"),
    "passkey": N_("Passkey"),
    "parcel": N_("On its way to a friend"),
    "limit": N_("Limit for one day"),
    "door.in": N_("Let in"),
    "door.out": N_("Gone out"),
    "void": N_("Void"),
    "waiting": N_("Waiting"),
    "sent": N_("Sent"),
    "reminders": N_("Reminders of what will lapse"),
    "staff": N_("Staff"),
    "holder": N_("Whoever had the card’s address"),
}
# A venue of its own, and who runs what of it.
PROVIDERS: Final[Mapping[str, str]] = {
    "stripe": N_(
        "Stripe: you pay on its page, and it knows how you paid. "
        "It is given the amount, a number, and what your card says."
    ),
    "mollie": N_(
        "Mollie: you pay on its page, and it knows how you paid. "
        "It is given the amount, a number, and what your card says."
    ),
    "sandbox": N_("A sandbox: a demonstration, without real payments."),
}
