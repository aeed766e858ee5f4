"""Faults in people's words: what happened in a line, and what it means for the money."""

from __future__ import annotations

from collections.abc import Mapping

from app.accounting.books.words import day_said
from app.banking.payment_words import ROWS
from app.currencies.service import Currency
from app.disputes.words import SAID
from app.inbox.rules import URGENCY, Act, Case, Fault, State
from app.money import Unit, format_amount
from app.web import N_, Texts

TITLES = {
    "offline-overdraft": N_("Card %(label)s owes for a sale made offline"),
    "unknown-card": N_("A sale with a card that is not in the network: %(label)s"),
    "blocked-card": N_("A sale with the blocked card %(label)s"),
    "against-policy": N_("A sale paid as the rules do not allow: %(label)s"),
    "currency-unknown": N_("A sale in a currency that is not in the network"),
    "void-of-unknown-sale": N_("A sale taken back that was never made here"),
    "ticket-not-leased": N_("A terminal sold a ticket that it had not been lent"),
    "unreadable": N_("A row of a terminal that cannot be read"),
    "not-booked": N_("Something a terminal did could not be booked"),
    "not-undone": N_("A sale could not be taken back"),
    "till-difference": N_("Closing no. %(number)s: the drawer does not hold what it should"),
    "closing-differs": N_("Closing no. %(number)s says something else than the sales before it"),
    "closing-number-taken": N_("Two closings bear the number %(number)s"),
    "late-sale": N_("A sale from before closing no. %(number)s came after it"),
    "no-session": N_("Closing no. %(number)s: sales while no session was open"),
    "forked-journal": N_("%(name)s is set aside: two copies of its journal disagree"),
    "late-rows": N_("%(name)s handed over what it had sold"),
    "paid-not-credited": N_("%(amount)s was paid online and is not on the card"),
    "payment-not-known": N_("Nobody knows whether %(amount)s was paid online"),
    "paid-otherwise": N_("%(amount)s were to be paid online, and %(paid)s were"),
    "payment-stray": N_("A payment of %(amount)s that no top-up here knows"),
    "chargeback": N_("%(amount)s paid online for %(label)s was taken back"),
    "payout-line": N_("A row of a payout that is not in the books: %(amount)s"),
    "payout-late": N_("A payout of %(amount)s has not reached the bank"),
    "bank-line": N_("A line of the bank that nothing explains: %(amount)s"),
    "payment-failed": N_("The bank did not carry out a payment of %(amount)s"),
    "line-disputed": N_("A line of settlement %(number)s is disputed: %(amount)s"),
    "put-off": N_("%(amount)s of settlement %(number)s wait for the next one"),
    "sale-disputed": N_("A holder disputes a sale: %(said)s"),
    "dispute-unanswered": N_("A venue has not answered a holder: %(said)s"),
    "let-in-twice": N_("Ticket no. %(number)s of “%(event)s” was let in twice"),
    "reserve-owed": N_("The network owes its reserve %(amount)s"),
    "reserve-short": N_("The reserve’s bank account is below zero"),
}
MEANINGS = {
    "offline-overdraft": N_("The venue has its claim. The next top-up of the card pays what it owes first."),
    "unknown-card": N_("The venue has its claim, and nobody has paid it yet: it stands in suspense."),
    "blocked-card": N_("The venue has its claim, and nobody has paid it yet: it stands in suspense."),
    "against-policy": N_("It is booked as the terminal sent it. Does the terminal know the newest rules?"),
    "not-booked": N_("No money moved. What the terminal sent is kept."),
    "currency-unknown": N_("No money moved. What the terminal sent is kept."),
    "void-of-unknown-sale": N_("No money moved."),
    "ticket-not-leased": N_(
        "The sale stands in the books, and there is no ticket for it. Give the money back by hand."
    ),
    "not-undone": N_("The sale stands in the books. What the terminal sent is kept."),
    "till-difference": N_("Difference in cash: %(amount)s. Reason given: %(reason)s"),
    "closing-differs": N_(
        "It is sealed as the terminal made it. Every sale is booked on its own, so no balance depends on it."
    ),
    "closing-number-taken": N_("The first one is sealed; the second is kept as the terminal sent it."),
    "late-sale": N_(
        "It is booked, counts in the next closing, and is settled in the next run. Is the terminal’s clock right?"
    ),
    "no-session": N_("The sales are booked and closed. Nobody counted what was in the drawer before them."),
    "paid-not-credited": N_("The provider has the holder’s money. Asking it again credits the card."),
    "payment-not-known": N_("The payment page is closed by now. If it was paid, asking the provider credits the card."),
    "paid-otherwise": N_(
        "Nothing was credited, for that is not what was asked for. Give the payment back on the provider’s pages, "
        "and close this with what was done."
    ),
    "payment-stray": N_(
        "%(provider)s says that it was paid for a top-up here, and none is waiting for it: a backup was restored, or "
        "it was paid twice. Give it back on the provider’s pages; this is done once that is seen here, within the hour."
    ),
    "chargeback": N_(
        "The card gave what it still held. What it owes, its next top-up pays first, or the network bears it. "
        "Winning the dispute undoes all of it."
    ),
    "payout-line": N_("The provider says it (%(category)s), and the books do not. %(what)s"),
    "payout-late": N_(
        "%(name)s says that it paid it out on %(day)s. Take in the bank’s newest statement, then ask the provider."
    ),
    "bank-line": N_("It is in no book yet: say on the bank’s page what it is."),
    "payment-failed": N_("The venue is owed it still, and the next run pays it. The bank said: %(reason)s"),
    "line-disputed": N_(
        "The venue is left to the next settlement, unless you agree or put the amount off. It says: %(reason)s"
    ),
    "sale-disputed": N_("Answer it on its page: take the sale back, or say why not. Nothing is booked before."),
    "dispute-unanswered": N_("It waits for more than a week. Ask the venue, or answer in its place."),
    "put-off": N_("It stays claimed, and is in the venue’s next statement. Why it waits: %(reason)s"),
    "let-in-twice": N_(
        "Each terminal let it in by what it knew. One of the two may be a copy, or somebody went out unseen: close it "
        "with what it was. Where another terminal delivers a way out in between, it is over by itself."
    ),
    "reserve-owed": N_(
        "Fees and losses were paid with holders’ euros. The network sends them back from its own account."
    ),
    "reserve-short": N_("More was paid out than it held. Look at the reserve, and at the bank’s statements."),
}
ACTS: Mapping[Act, str] = {
    "take": N_("Taken"),
    "give": N_("Given to %(name)s"),
    "wait": N_("Waiting"),
    "open": N_("Opened again"),
    "note": N_("Note"),
    "done": N_("Closed"),
    "book": N_("Written in the books"),
}
STATES: Mapping[State, str] = {"open": N_("To do"), "waiting": N_("Waiting"), "done": N_("Done")}


def title(fault: Fault, texts: Texts, known: Mapping[str, Currency]) -> str:
    said = TITLES.get(fault.kind)
    if said is None:
        return texts.gettext("Something else: %(kind)s", kind=fault.kind)
    return texts.gettext(said, **_values(fault, texts, known))


def meaning(fault: Fault, texts: Texts, known: Mapping[str, Currency]) -> str:
    if fault.kind in {"forked-journal", "late-rows"}:
        rows = int(fault.facts["rows"])
        return texts.ngettext(
            "%(num)s row is kept, and not booked before you decide.",
            "%(num)s rows are kept, and not booked before you decide.",
            rows,
        )
    said = MEANINGS.get(fault.kind, N_("What the terminal sent is kept."))
    return texts.gettext(said, **_values(fault, texts, known))


def amounts(units: Mapping[str, int], texts: Texts, known: Mapping[str, Currency]) -> str:
    """Amounts of several currencies, in minor units by code."""
    return " + ".join(known[code].text(abs(it), texts.language) for code, it in units.items() if it and code in known)


def urgent(case: Case) -> bool:
    return case.state == "open" and case.fault.urgency <= URGENCY["payment-failed"]


def _values(fault: Fault, texts: Texts, known: Mapping[str, Currency]) -> dict[str, str]:
    facts = fault.facts
    if fault.key.startswith("topup:"):
        amount = known[facts["currency"]].text(facts["amount"], texts.language)
    else:
        cents = facts.get("cents", facts.get("difference_cents", 0))
        amount = format_amount(int(cents), Unit.CENT, "€", texts.language)
    paid = facts.get("paid_cents")
    return {
        "paid": format_amount(paid, Unit.CENT, "€", texts.language) if paid else texts.gettext("another currency"),
        "provider": str(facts.get("provider", "")).capitalize(),
        "label": str(facts.get("label", "")),
        "number": str(facts.get("number", "")),
        "name": str(facts.get("name", "")),
        "reason": str(facts.get("reason", "") or "–"),
        "amount": amount,
        "event": facts["titles"][texts.language] if "titles" in facts else "",
        "day": day_said(facts["day"], texts) if "day" in facts else "",
        "said": texts.gettext(SAID[said]) if (said := facts.get("said")) else "",
        "category": str(facts.get("category", "")),
        "what": f"{texts.gettext(ROWS[facts['what']])}." if "what" in facts else "",
    }
