"""Refunds in words: their states, why there are none, and what is wrong with what was typed."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date

from app.money import Unit, format_amount, format_rate
from app.platform.errors import DomainError
from app.refunds.rules import Status
from app.refunds.rules import closed as closed_by
from app.refunds.service import World
from app.web import N_, Texts, dates

STATES: Mapping[Status, str] = {
    "waiting": N_("asked for"),
    "setting": N_("being worked out"),
    "ready": N_("ready"),
    "sending": N_("being sent"),
    "sent": N_("sent"),
    "paid": N_("paid"),
    "failed": N_("came back"),
    "cancelling": N_("being cancelled"),
    "cancelled": N_("cancelled"),
    "nothing": N_("nothing was left"),
}
# As the holder reads what happened, in its order.
SAID: Mapping[Status, str] = {
    "waiting": N_("You asked for it; the card is blocked"),
    "setting": N_("Worked out"),
    "ready": N_("Set aside for you"),
    "sending": N_("Being sent"),
    "sent": N_("Sent to the bank"),
    "paid": N_("Paid"),
    "failed": N_("It came back"),
    "cancelling": N_("Cancelled"),
    "cancelled": N_("The card can be used again"),
    "nothing": N_("Nothing was left to refund"),
}
TINTS: Mapping[Status, str] = {
    "waiting": "calm",
    "setting": "calm",
    "ready": "calm",
    "sending": "calm",
    "sent": "calm",
    "paid": "good",
    "failed": "bad",
    "cancelling": "",
    "cancelled": "",
    "nothing": "warn",
}

PROBLEMS: Mapping[str, str] = {
    "proof-needed": N_("Hold the card to the phone, or type its recovery code."),
    "code-not-enough": N_("This code was made without showing the card: it only blocks it. A counter makes another."),
    "card-blocked": N_("This card is blocked. Show it at a counter."),
    "refund-open": N_("A refund of this card is under way already."),
    "refund-closed": N_("What is left is not refunded now."),
    "refund-too-small": N_("There is nothing that can be refunded."),
    "refund-moved-on": N_("This refund has moved on meanwhile: look at where it is now."),
}
FIELDS: Mapping[str, str] = {
    "code": N_("This is not the recovery code of this card. There is no 0, 1, I, L or O in it."),
    "holder": N_("Write the name of the account’s holder, at most 70 characters."),
    "iban": N_("This IBAN is not right: compare each group of four."),
}


def problem(error: DomainError, texts: Texts) -> dict[str, str]:
    """The sentence by the input it is about; "" for the whole form."""
    field = str(error.extra.get("field", ""))
    if field in FIELDS:
        return {field: texts.gettext(FIELDS[field])}
    if error.code in {"proof-needed", "code-not-enough"}:
        return {"code": texts.gettext(PROBLEMS[error.code])}
    return {"": texts.gettext(PROBLEMS[error.code]) if error.code in PROBLEMS else error.detail}


def closed(at: World, code: str, today: date, texts: Texts) -> str:
    """Why a currency is not refunded today."""
    name, terms = at.known[code].names[texts.language], at.rules[code].refund
    match closed_by(at.rules[code], today):
        case "early":
            day = dates.day_in_words(date.fromisoformat(terms.opens), today, texts)
            return texts.gettext("%(money)s is refunded from %(day)s on.", money=name, day=day)
        case "over":
            day = dates.day_in_words(date.fromisoformat(terms.closes), today, texts)
            return texts.gettext(
                "%(money)s was refunded until %(day)s. It can still be spent, or given.", money=name, day=day
            )
        case _:
            return texts.gettext("%(money)s is not refunded: it is spent at venues, or given.", money=name)


def notes(at: World, texts: Texts) -> list[str]:
    """What the network says of its money in its own words."""
    return [
        text
        for code, it in at.known.items()
        if it.cents_per_unit and (text := at.rules[code].notes.get(texts.language))
    ]


def terms(at: World, codes: Collection[str], texts: Texts) -> list[str]:
    """What it costs, before anything is asked for."""
    found = []
    for code in codes:
        it, of = at.known[code], at.rules[code].refund
        said = []
        if of.fixed:
            said.append(it.text(of.fixed, texts.language))
        if of.basis_points:
            said.append(f"{format_rate(of.basis_points, texts.language)} %")
        if said:
            values = {"money": it.names[texts.language], "fee": " + ".join(said)}
            found.append(texts.gettext("A refund of %(money)s costs %(fee)s.", **values))
        if of.minimum:
            values = {"money": it.names[texts.language], "amount": it.text(of.minimum, texts.language)}
            found.append(texts.gettext("Less than %(amount)s of %(money)s is not refunded.", **values))
    return found


def euros(cents: int, texts: Texts) -> str:
    return format_amount(cents, Unit.CENT, "€", texts.language)
