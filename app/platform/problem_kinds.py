"""The one table of problems: what each code of a DomainError means over HTTP, and to a person.

A code is the last part of a problem's `type` and is stable. Titles and the other texts are message ids: English for
the API, translated where a page shows them. `money` says what the problem means for the money, where there is any.
"""

from __future__ import annotations

from dataclasses import dataclass


def N_(message: str) -> str:  # noqa: N802 (gettext's own name for it)
    """Marks a message that a page translates later; the platform knows no language."""
    return message


@dataclass(frozen=True, slots=True)
class ProblemKind:
    """`status` is the HTTP status; the texts are message ids, empty where there is nothing to say."""

    status: int
    title: str
    money: str = ""
    advice: str = ""


_NOTHING_TAKEN = N_("Nothing was taken from the card.")
_NOTHING_CHANGED = N_("Nothing was changed.")
_START_OVER = N_("Go back, load the page again and start over.")
_TRY_AGAIN = N_("Try again in a moment.")
_ASK_TO_PAIR = N_("Ask a manager to pair this terminal again.")

KINDS: dict[str, ProblemKind] = {
    # The request itself
    "invalid": ProblemKind(422, N_("Something in the request is not right"), _NOTHING_CHANGED, _START_OVER),
    "malformed-json": ProblemKind(400, N_("The request is not valid JSON"), _NOTHING_CHANGED),
    "malformed-request": ProblemKind(400, N_("The request could not be read"), _NOTHING_CHANGED, _START_OVER),
    "body-too-large": ProblemKind(413, N_("The request is too large"), _NOTHING_CHANGED, N_("Send less at once.")),
    "not-found": ProblemKind(
        404, N_("This page does not exist"), advice=N_("Check the address, or scan the card's code again.")
    ),
    "method-not-allowed": ProblemKind(405, N_("This address does not take that kind of request"), _NOTHING_CHANGED),
    "unsupported-media-type": ProblemKind(415, N_("The request is of a kind that is not understood"), _NOTHING_CHANGED),
    "conflict": ProblemKind(409, N_("This cannot be done as things stand"), _NOTHING_CHANGED, _START_OVER),
    "idempotency-key-reused": ProblemKind(
        422, N_("This request's number was already used for something else"), _NOTHING_CHANGED, _START_OVER
    ),
    # Who is asking
    "not-signed-in": ProblemKind(401, N_("You are not signed in"), _NOTHING_CHANGED, N_("Sign in, then try again.")),
    "wrong-credentials": ProblemKind(401, N_("Login or password is not right"), advice=N_("Check both and try again.")),
    "token-expired": ProblemKind(401, N_("The terminal's pass has expired"), _NOTHING_CHANGED),
    "token-invalid": ProblemKind(401, N_("The terminal's pass is not valid"), _NOTHING_CHANGED, _ASK_TO_PAIR),
    "terminal-revoked": ProblemKind(401, N_("This terminal may no longer sell"), _NOTHING_TAKEN, _ASK_TO_PAIR),
    "wrong-signature": ProblemKind(401, N_("The terminal's signature is not right"), _NOTHING_CHANGED, _ASK_TO_PAIR),
    "forbidden": ProblemKind(
        403, N_("This is not among your rights"), _NOTHING_CHANGED, N_("Ask a manager of the venue or of the network.")
    ),
    "cross-site": ProblemKind(
        403, N_("This request came from another website"), _NOTHING_CHANGED, N_("Open Comptoir itself and start there.")
    ),
    "form-expired": ProblemKind(403, N_("This form is no longer valid"), _NOTHING_CHANGED, _START_OVER),
    "login-taken": ProblemKind(409, N_("Somebody already has this login"), advice=N_("Choose another one.")),
    "pairing-code-unknown": ProblemKind(
        404, N_("This pairing code is not valid"), advice=N_("Ask a manager for a new code.")
    ),
    "quarantined": ProblemKind(
        403,
        N_("This terminal is set aside until its sales were reviewed"),
        N_("What it sold is kept and will be booked."),
        N_("Call the network's team before you sell."),
    ),
    "epoch-unknown": ProblemKind(422, N_("This terminal's journal was not begun here"), _NOTHING_CHANGED, _ASK_TO_PAIR),
    "broken-chain": ProblemKind(422, N_("The terminal's journal has a gap"), _NOTHING_CHANGED),
    # Cards and sales
    "card-unknown": ProblemKind(404, N_("This card is not known here"), _NOTHING_TAKEN, N_("Check the card's code.")),
    "card-blocked": ProblemKind(
        403, N_("This card is blocked"), _NOTHING_TAKEN, N_("Staff of a venue can lift the block.")
    ),
    "insufficient-funds": ProblemKind(
        402, N_("There is not enough on the card"), _NOTHING_TAKEN, N_("Top up the card, or take something off.")
    ),
    "currency-not-accepted": ProblemKind(
        422, N_("This currency is not accepted here"), _NOTHING_TAKEN, N_("Pay with another currency of the card.")
    ),
    "amount-out-of-range": ProblemKind(
        422, N_("This amount cannot be topped up"), N_("Nothing was charged."), N_("Choose another amount.")
    ),
    "price-changed": ProblemKind(
        409, N_("A price has changed meanwhile"), _NOTHING_TAKEN, N_("Look at the new prices and start over.")
    ),
    "over-ceiling": ProblemKind(409, N_("The card cannot hold that much"), _NOTHING_CHANGED),
    "card-exists": ProblemKind(409, N_("This card is in the network already"), _NOTHING_CHANGED),
    "cancelled": ProblemKind(409, N_("This sale was cancelled"), _NOTHING_TAKEN, N_("Ring it up again.")),
    "daily-cap": ProblemKind(
        409, N_("More hours than one day allows"), N_("Nothing was credited."), N_("Credit less, or another day.")
    ),
    "already-reversed": ProblemKind(409, N_("This was undone already"), N_("It is not given back twice.")),
    # The server
    "too-many-requests": ProblemKind(429, N_("Too many tries"), advice=N_("Wait a minute, then try again.")),
    "outcome-unknown": ProblemKind(
        503,
        N_("It is not known yet whether this was booked"),
        N_("Trying again charges nothing twice."),
        _TRY_AGAIN,
    ),
    "busy": ProblemKind(503, N_("The server is very busy"), N_("Nothing is charged twice."), _TRY_AGAIN),
    "database-unavailable": ProblemKind(
        503,
        N_("The accounts cannot be reached just now"),
        N_("No money is lost, and trying again charges nothing twice."),
        _TRY_AGAIN,
    ),
    "unexpected": ProblemKind(
        500,
        N_("Something went wrong on our side"),
        N_("Look at the balance before you try again: it shows what was booked."),
        N_("If it happens again, tell us the reference."),
    ),
}

# What Starlette and FastAPI raise by status alone. Others of the client's fall to "malformed-request".
CODE_OF_STATUS: dict[int, str] = {
    401: "not-signed-in",
    403: "forbidden",
    404: "not-found",
    405: "method-not-allowed",
    409: "conflict",
    413: "body-too-large",
    415: "unsupported-media-type",
    422: "invalid",
    429: "too-many-requests",
    503: "busy",
}
