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
    "second-factor-missing": ProblemKind(
        403, N_("This needs a second factor"), _NOTHING_CHANGED, N_("Set one up on your own page first.")
    ),
    "second-factor-needed": ProblemKind(
        403, N_("This needs a code of your authenticator"), _NOTHING_CHANGED, N_("Give one, then try again.")
    ),
    "second-factor-wrong": ProblemKind(
        422, N_("This code is not right, or was used already"), _NOTHING_CHANGED, N_("Wait for the next one.")
    ),
    "cross-site": ProblemKind(
        403, N_("This request came from another website"), _NOTHING_CHANGED, N_("Open Comptoir itself and start there.")
    ),
    "form-expired": ProblemKind(403, N_("This form is no longer valid"), _NOTHING_CHANGED, _START_OVER),
    "login-taken": ProblemKind(409, N_("Somebody already has this login"), advice=N_("Choose another one.")),
    "not-yours-to-grant": ProblemKind(
        403, N_("Nobody grants, or takes, more than they have"), _NOTHING_CHANGED, N_("Ask somebody of the network.")
    ),
    "last-network-admin": ProblemKind(
        409, N_("The network needs an admin"), _NOTHING_CHANGED, N_("Make somebody else network admin first.")
    ),
    "passkey-wrong": ProblemKind(422, N_("This passkey could not be checked"), _NOTHING_CHANGED, _START_OVER),
    "passkey-unknown": ProblemKind(404, N_("This passkey is not known here"), _NOTHING_CHANGED),
    "too-many": ProblemKind(409, N_("There are as many of these as anybody needs"), _NOTHING_CHANGED),
    "not-on-phone": ProblemKind(409, N_("This is a card already"), _NOTHING_CHANGED),
    "parcel-taken": ProblemKind(409, N_("Somebody has taken it already"), _NOTHING_CHANGED),
    "wallet-claimed": ProblemKind(409, N_("This card is in another account"), _NOTHING_CHANGED),
    "wallet-only-here": ProblemKind(409, N_("Nothing but the account opens it"), _NOTHING_CHANGED),
    "blocked-elsewhere": ProblemKind(
        403, N_("This card was not blocked from this account"), _NOTHING_CHANGED, N_("Go to a counter with it.")
    ),
    "link-void": ProblemKind(
        404, N_("This link is used or too old"), _NOTHING_CHANGED, N_("Ask whoever gave it to you for a new one.")
    ),
    "pairing-code-unknown": ProblemKind(
        404, N_("This pairing code is not valid"), advice=N_("Ask a manager for a new code.")
    ),
    "key-set-known": ProblemKind(
        409, N_("There is a set of keys with this name"), _NOTHING_CHANGED, N_("Choose another name.")
    ),
    "keys-half-written": ProblemKind(
        409,
        N_("Keys of another set are half written on this card"),
        _NOTHING_CHANGED,
        N_("Lay it down again with the set that was begun."),
    ),
    "keys-not-begun": ProblemKind(409, N_("These keys were not asked for"), _NOTHING_CHANGED),
    "keys-used-up": ProblemKind(
        409, N_("This card's keys were written too often"), _NOTHING_CHANGED, N_("Give its holder another card.")
    ),
    "chip-differs": ProblemKind(
        409,
        N_("Another chip has this card's number"),
        _NOTHING_CHANGED,
        N_("It may be a copy of the card: keep it, and look for the card itself."),
    ),
    "chip-not-genuine": ProblemKind(
        409,
        N_("The maker did not sign this chip"),
        _NOTHING_CHANGED,
        N_("The network writes on signed chips only: take a card of another delivery."),
    ),
    "quarantined": ProblemKind(
        403,
        N_("This terminal is set aside until its sales were reviewed"),
        N_("What it sold is kept and will be booked."),
        N_("Call the network's team before you sell."),
    ),
    "epoch-unknown": ProblemKind(422, N_("This terminal's journal was not begun here"), _NOTHING_CHANGED, _ASK_TO_PAIR),
    "review-full": ProblemKind(
        422,
        N_("Many rows of this terminal wait for a review already"),
        N_("What it sold stays in it."),
        N_("Decide about the rows that wait; the terminal sends the rest by itself."),
    ),
    "broken-chain": ProblemKind(422, N_("The terminal's journal has a gap"), _NOTHING_CHANGED),
    # Cards and sales
    "card-unknown": ProblemKind(404, N_("This card is not known here"), _NOTHING_TAKEN, N_("Check the card's code.")),
    "card-blocked": ProblemKind(
        403, N_("This card is blocked"), _NOTHING_TAKEN, N_("Staff of a venue can lift the block.")
    ),
    "tap-needed": ProblemKind(
        403,
        N_("Hold your card to your phone"),
        _NOTHING_CHANGED,
        N_("This page is shown to who holds the card. Hold it to your phone, then come back here."),
    ),
    "proof-needed": ProblemKind(
        403, N_("It has to be shown first that the card is yours"), _NOTHING_CHANGED, N_("Type its recovery code.")
    ),
    "card-not-proven": ProblemKind(
        403,
        N_("This venue takes only cards that prove themselves"),
        _NOTHING_TAKEN,
        N_("The card needs keys of its own: a card desk writes them on it, or gives its holder another."),
    ),
    "card-not-yet": ProblemKind(
        404, N_("This card is not in use yet"), advice=N_("Show it at a counter: it has to be added first.")
    ),
    "batch-known": ProblemKind(
        409, N_("There is a batch of this name, or with such labels"), _NOTHING_CHANGED, N_("Choose another name.")
    ),
    "labels-taken": ProblemKind(
        409, N_("Another card has one of these labels"), _NOTHING_CHANGED, N_("Begin with another number.")
    ),
    "list-wrong": ProblemKind(
        409, N_("This list cannot be taken in as it is"), _NOTHING_CHANGED, N_("Correct the list.")
    ),
    "label-taken": ProblemKind(409, N_("This label is another card's"), _NOTHING_CHANGED),
    "batch-used-up": ProblemKind(
        409, N_("Every label of this batch is a card's"), _NOTHING_CHANGED, N_("Make another batch.")
    ),
    "card-ended": ProblemKind(
        409, N_("This card is out of use for good"), _NOTHING_CHANGED, N_("Use the card that was given for it.")
    ),
    "recovery-code-there": ProblemKind(
        409,
        N_("This card’s wallet has a recovery code already"),
        _NOTHING_CHANGED,
        N_("A new one is made where the card is: held to the phone, or at a counter."),
    ),
    "card-in-use": ProblemKind(
        409, N_("The other card was used already"), _NOTHING_CHANGED, N_("Take a card that nobody has used yet.")
    ),
    "insufficient-funds": ProblemKind(
        402, N_("There is not enough on the card"), _NOTHING_TAKEN, N_("Top up the card, or take something off.")
    ),
    "currency-not-accepted": ProblemKind(
        422, N_("This currency is not accepted here"), _NOTHING_TAKEN, N_("Pay with another currency of the card.")
    ),
    "currency-invalid": ProblemKind(422, N_("This is no currency that can be defined"), _NOTHING_CHANGED),
    "currency-known": ProblemKind(409, N_("There is a currency with this code already"), _NOTHING_CHANGED),
    "policy-invalid": ProblemKind(422, N_("These rules contradict themselves"), _NOTHING_CHANGED),
    "policy-too-early": ProblemKind(
        409, N_("Newer rules hold from a later date"), _NOTHING_CHANGED, N_("Choose a date that is not before theirs.")
    ),
    "tender-not-allowed": ProblemKind(
        422,
        N_("This basket cannot be paid this way"),
        _NOTHING_TAKEN,
        N_("Pay part of it with another currency, in cash or by bank card."),
    ),
    "deposit-not-held": ProblemKind(
        409,
        N_("No deposit in this money is left to give back"),
        N_("Nothing was given to the card."),
        N_("Give the deposit back in the money that it was paid with."),
    ),
    "spending-limit": ProblemKind(
        409,
        N_("The card has paid as much as it may for now"),
        _NOTHING_TAKEN,
        N_("Pay the rest with another currency, in cash or by bank card."),
    ),
    "amount-out-of-range": ProblemKind(
        422, N_("This amount cannot be topped up"), N_("Nothing was charged."), N_("Choose another amount.")
    ),
    "price-changed": ProblemKind(
        409, N_("A price has changed meanwhile"), _NOTHING_TAKEN, N_("Look at the new prices and start over.")
    ),
    # Tabs
    "tab-over-hold": ProblemKind(
        409, N_("More was drunk than was set aside"), _NOTHING_TAKEN, N_("Present a card for what is missing.")
    ),
    "tab-closed": ProblemKind(409, N_("This tab is closed"), _NOTHING_CHANGED, N_("Look at the open tabs again.")),
    "tab-changed": ProblemKind(
        409, N_("This tab has changed meanwhile"), _NOTHING_TAKEN, N_("Look at the tab again, then pay it.")
    ),
    "not-on-tab": ProblemKind(422, N_("That is not on the tab"), _NOTHING_CHANGED),
    "hold-ended": ProblemKind(
        409, N_("What was set aside is free again"), _NOTHING_TAKEN, N_("Present a card for all of it.")
    ),
    "over-ceiling": ProblemKind(409, N_("The card cannot hold that much"), _NOTHING_CHANGED),
    "card-exists": ProblemKind(409, N_("This card is in the network already"), _NOTHING_CHANGED),
    "cancelled": ProblemKind(409, N_("This sale was cancelled"), _NOTHING_TAKEN, N_("Ring it up again.")),
    "daily-cap": ProblemKind(
        409, N_("More than one day allows"), N_("Nothing was credited."), N_("Credit less, or another day.")
    ),
    "too-much-at-once": ProblemKind(
        422, N_("More than may be given at once"), N_("Nothing was credited."), N_("Choose a smaller amount.")
    ),
    "cards-not-understood": ProblemKind(
        422, N_("Some of these cards cannot be credited"), N_("Nothing was credited."), N_("Correct the list.")
    ),
    "voucher-unknown": ProblemKind(
        404, N_("No voucher has this code"), _NOTHING_CHANGED, N_("Check each letter of the code.")
    ),
    "voucher-used": ProblemKind(409, N_("This voucher was used already"), _NOTHING_CHANGED),
    "voucher-own": ProblemKind(409, N_("This card bought the voucher itself"), _NOTHING_CHANGED),
    "voucher-cancelled": ProblemKind(
        409, N_("This voucher was cancelled"), _NOTHING_CHANGED, N_("Ask whoever gave it to you.")
    ),
    "voucher-lapsed": ProblemKind(
        409, N_("This voucher is no longer valid"), _NOTHING_CHANGED, N_("Ask whoever gave it to you.")
    ),
    "codes-shown": ProblemKind(
        409,
        N_("The codes of these vouchers were shown already"),
        _NOTHING_CHANGED,
        N_("If they are lost, cancel the vouchers and make new ones."),
    ),
    "same-person": ProblemKind(
        403, N_("Two people decide on this"), _NOTHING_CHANGED, N_("Ask somebody else to decide.")
    ),
    "bank-details-invalid": ProblemKind(
        422, N_("These bank details are not right"), _NOTHING_CHANGED, N_("Check them with a bank statement at hand.")
    ),
    "run-open": ProblemKind(
        409, N_("Another settlement run is open"), _NOTHING_CHANGED, N_("Finish or cancel it first.")
    ),
    "run-moved-on": ProblemKind(
        409, N_("The run is not where this step begins"), _NOTHING_CHANGED, N_("Look at the run again.")
    ),
    "cut-off-refused": ProblemKind(409, N_("Nothing can be frozen at this cut-off"), _NOTHING_CHANGED),
    "answers-missing": ProblemKind(
        409,
        N_("Some venues have not answered yet"),
        _NOTHING_CHANGED,
        N_("Wait for them, or leave them to the next run."),
    ),
    "no-bank-account": ProblemKind(
        409, N_("The network has no bank details yet"), _NOTHING_CHANGED, N_("Two people enter them first.")
    ),
    "code-not-enough": ProblemKind(
        403,
        N_("This code was made without showing the card"),
        _NOTHING_CHANGED,
        N_("Have one made at a counter, or hold the card to the phone."),
    ),
    "gift-invalid": ProblemKind(422, N_("This cannot be given, or not to them"), _NOTHING_CHANGED, _START_OVER),
    "refund-open": ProblemKind(409, N_("A refund of this card is under way already"), _NOTHING_CHANGED),
    "refund-moved-on": ProblemKind(409, N_("This refund has moved on meanwhile"), _NOTHING_CHANGED, _START_OVER),
    "refund-closed": ProblemKind(422, N_("What is left is not refunded now"), _NOTHING_CHANGED),
    "refund-too-small": ProblemKind(422, N_("There is nothing that can be refunded"), _NOTHING_CHANGED),
    "outgoing-released": ProblemKind(409, N_("Somebody released this file already"), _NOTHING_CHANGED),
    "outgoing-not-released": ProblemKind(
        409, N_("The bank has not got this file"), _NOTHING_CHANGED, N_("A second person releases it first.")
    ),
    "nothing-to-pay": ProblemKind(409, N_("Nobody is to be paid in this run"), _NOTHING_CHANGED, N_("Close the run.")),
    "bank-file-not-understood": ProblemKind(
        422, N_("This is not an answer of a bank"), _NOTHING_CHANGED, N_("Choose a pain.002 or camt.054 file.")
    ),
    "payment-unknown": ProblemKind(
        422, N_("This answer is not about payments of this run"), _NOTHING_CHANGED, N_("Choose the file of this run.")
    ),
    "bank-file-invalid": ProblemKind(
        422, N_("The bank's statement could not be taken in"), _NOTHING_CHANGED, N_("Export it from the bank again.")
    ),
    "bank-file-known": ProblemKind(409, N_("This statement was taken in already"), _NOTHING_CHANGED),
    "bank-line-invalid": ProblemKind(
        422, N_("This does not fit the line of the statement"), _NOTHING_CHANGED, N_("Look at the line again.")
    ),
    "payout-file-invalid": ProblemKind(422, N_("This is no payout report that can be read"), _NOTHING_CHANGED),
    "payout-file-known": ProblemKind(409, N_("This file was taken in already"), _NOTHING_CHANGED),
    "chargeback-known": ProblemKind(409, N_("This was told with another amount already"), _NOTHING_CHANGED),
    "chargeback-ended": ProblemKind(409, N_("This dispute ended already"), _NOTHING_CHANGED),
    "chargeback-invalid": ProblemKind(422, N_("So much cannot be taken back"), _NOTHING_CHANGED),
    "inbox-moved-on": ProblemKind(409, N_("Somebody did something about it meanwhile"), _NOTHING_CHANGED, _START_OVER),
    "inbox-needs-text": ProblemKind(422, N_("It has to be said why"), _NOTHING_CHANGED),
    "inbox-not-this": ProblemKind(422, N_("This is not done about such an exception"), _NOTHING_CHANGED),
    "cause-stands": ProblemKind(409, N_("What the exception is about still stands"), _NOTHING_CHANGED),
    "cause-gone": ProblemKind(409, N_("What the exception is about was put right already"), _NOTHING_CHANGED),
    "line-decided": ProblemKind(409, N_("This line was decided already"), _NOTHING_CHANGED),
    "payout-matched": ProblemKind(409, N_("This payout came with another line of the bank"), _NOTHING_CHANGED),
    "later-too-much": ProblemKind(422, N_("Not so much of this line can wait"), _NOTHING_CHANGED),
    "later-not-an-amount": ProblemKind(422, N_("This is not an amount"), _NOTHING_CHANGED),
    "later-needs-reason": ProblemKind(422, N_("It has to be said why it waits, and who sees to it"), _NOTHING_CHANGED),
    "line-open": ProblemKind(409, N_("This line is open already"), _NOTHING_CHANGED),
    "handover-invalid": ProblemKind(422, N_("This cash cannot be handed in so"), _NOTHING_CHANGED),
    "handover-ended": ProblemKind(409, N_("Somebody said already what became of this cash"), _NOTHING_CHANGED),
    "no-siren": ProblemKind(
        409,
        N_("The books do not say whose they are"),
        _NOTHING_CHANGED,
        N_("Enter the SIREN number of whoever keeps them first."),
    ),
    "bank-change-waits": ProblemKind(
        409, N_("A change of these bank details waits already"), _NOTHING_CHANGED, N_("Decide about it first.")
    ),
    "decided": ProblemKind(409, N_("This was decided already"), _NOTHING_CHANGED),
    "floor-above-balance": ProblemKind(
        409, N_("More than this is in use already"), _NOTHING_CHANGED, N_("Choose a higher limit.")
    ),
    # Purchases that a holder disputes
    "sale-taken-back": ProblemKind(409, N_("This sale was taken back already"), _NOTHING_CHANGED),
    "disputed-enough": ProblemKind(
        409, N_("This purchase was disputed and answered several times"), _NOTHING_CHANGED, N_("Speak to the venue.")
    ),
    "dispute-open": ProblemKind(
        409, N_("This purchase is disputed already"), _NOTHING_CHANGED, N_("The venue’s answer shows on its page.")
    ),
    "dispute-needs-words": ProblemKind(
        422, N_("A refusal needs a reason"), _NOTHING_CHANGED, N_("Write it down: the holder reads it.")
    ),
    "dispute-answered": ProblemKind(
        409, N_("Somebody answered this dispute meanwhile"), _NOTHING_CHANGED, N_("Load the page again to see how.")
    ),
    # Memberships and consultations
    "membership-over": ProblemKind(409, N_("This membership is no longer sold"), _NOTHING_TAKEN),
    "membership-had": ProblemKind(409, N_("This card has this membership already"), _NOTHING_TAKEN),
    "membership-held": ProblemKind(
        409, N_("This membership still holds"), _NOTHING_CHANGED, N_("Cancel it before you give its price back.")
    ),
    "consultation-open": ProblemKind(
        409, N_("This consultation is not over yet"), advice=N_("Its result shows once it is.")
    ),
    "consultation-closed": ProblemKind(409, N_("This consultation is not open"), N_("Your vote was not counted.")),
    "voted": ProblemKind(409, N_("You have voted already"), N_("Your first vote counts.")),
    "not-entitled": ProblemKind(
        403, N_("Who was a member when it opened votes"), advice=N_("Ask whoever keeps the register of members.")
    ),
    # What is kept about holders
    "money-left": ProblemKind(
        409,
        N_("There is money left on the card"),
        _NOTHING_CHANGED,
        N_("Spend it, have it refunded or give it away first; or choose to leave it on the card."),
    ),
    "not-allowed": ProblemKind(422, N_("The rules of this money do not allow it"), _NOTHING_CHANGED),
    "terminals-away": ProblemKind(
        409,
        N_("A terminal without network may have sold to this card"),
        _NOTHING_CHANGED,
        N_("Pay out when all terminals are back, or a day later."),
    ),
    "over-claim": ProblemKind(
        409, N_("The venue has not taken that much"), _NOTHING_CHANGED, N_("Choose a smaller amount.")
    ),
    "already-reversed": ProblemKind(409, N_("This was undone already"), N_("It is not given back twice.")),
    "name-taken": ProblemKind(
        409, N_("This venue sells something of this name already"), _NOTHING_CHANGED, N_("Choose another name.")
    ),
    # Events and their places
    "capacity-taken": ProblemKind(
        409, N_("More places are taken already"), _NOTHING_CHANGED, N_("Choose more places.")
    ),
    "sold-out": ProblemKind(
        409,
        N_("There are not that many places left"),
        N_("Nothing was paid."),
        N_("Choose fewer places, or another date."),
    ),
    "forward-over": ProblemKind(409, N_("This ticket is no longer offered"), _NOTHING_CHANGED, N_("Ask who sent it.")),
    "own-ticket": ProblemKind(
        409, N_("The ticket is on this card already."), _NOTHING_CHANGED, N_("Send the link to a friend.")
    ),
    "card-needed": ProblemKind(
        409, N_("This ticket goes on a card"), _NOTHING_CHANGED, N_("Put it on yours, by the number on it.")
    ),
    "quota-full": ProblemKind(
        409,
        N_("Your venue has sold its share of these"),
        N_("Nothing was paid."),
        N_("Ask the event’s venue for more."),
    ),
    "quota-sold": ProblemKind(
        409, N_("The partner has sold more already"), _NOTHING_CHANGED, N_("Choose as many as are sold, or more.")
    ),
    "not-undone": ProblemKind(
        409,
        N_("This sale stays"),
        _NOTHING_CHANGED,
        N_("The event is over, or a ticket of it was used, given back or handed on."),
    ),
    "ticket-not-leased": ProblemKind(
        409, N_("This terminal has no such ticket to sell"), N_("Nothing was paid."), N_("Start the sale again.")
    ),
    "not-on-sale": ProblemKind(409, N_("These places are not sold now"), N_("Nothing was paid.")),
    "price-for-others": ProblemKind(
        403, N_("This price is not for this card"), N_("Nothing was paid."), N_("Choose places at another price.")
    ),
    "price-had": ProblemKind(
        409,
        N_("This card has no more places at this price"),
        N_("Nothing was paid."),
        N_("Choose fewer places, or another price."),
    ),
    "pass-over": ProblemKind(409, N_("This pass is sold no more"), N_("Nothing was paid.")),
    "pass-used-up": ProblemKind(409, N_("All of its places are chosen"), _NOTHING_CHANGED),
    "places-free": ProblemKind(
        409, N_("There are places left"), N_("Nothing was paid."), N_("Buy them: nobody needs to wait.")
    ),
    "too-many-held": ProblemKind(409, N_("Places are kept for you already"), N_("Nothing was paid.")),
    "ticket-kept": ProblemKind(
        409, N_("This ticket is not given back"), N_("Its event has no such rule, or it no longer counts.")
    ),
    "refund-over": ProblemKind(409, N_("The time for giving it back is over."), N_("Nothing was changed.")),
    "not-exchanged-for": ProblemKind(
        409, N_("It is not exchanged for this"), N_("Choose another. You still have your ticket.")
    ),
    "ticket-used": ProblemKind(409, N_("It was used at the door already."), N_("Nothing was changed.")),
    "event-not-cancelled": ProblemKind(
        409,
        N_("This event was not cancelled"),
        N_("Only what was paid for a cancelled event is given back as a whole."),
    ),
    "order-over": ProblemKind(
        409,
        N_("The places are no longer kept for you"),
        N_("Nothing was paid."),
        N_("Choose your places again: there may be some left."),
    ),
    # Members, trades and loans
    "member-unknown": ProblemKind(
        404, N_("This is not a member"), _NOTHING_CHANGED, N_("Enter them as a member first.")
    ),
    "member-exists": ProblemKind(409, N_("This card belongs to a member already"), _NOTHING_CHANGED),
    "transfer-not-allowed": ProblemKind(403, N_("This currency is not passed on between cards"), _NOTHING_CHANGED),
    "role-missing": ProblemKind(403, N_("This member does not borrow"), _NOTHING_CHANGED),
    "loan-ended": ProblemKind(409, N_("This loan ended already"), _NOTHING_CHANGED),
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
    "provider-away": ProblemKind(
        503,
        N_("The payment provider does not answer"),
        N_("Nothing is charged twice."),
        N_("Try again in a moment, or top up at a counter."),
    ),
    "provider-refused": ProblemKind(
        502,
        N_("The payment provider refuses"),
        N_("Nothing was charged."),
        N_("Top up at a counter, and tell whoever runs the network."),
    ),
    "notice-not-genuine": ProblemKind(400, N_("This notice does not come from the payment provider"), _NOTHING_CHANGED),
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
