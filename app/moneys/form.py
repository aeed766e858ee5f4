"""A currency's rules as a form: which questions there are for which kind of money, what was typed, what it means.

An input's name is the member of the policy that it sets ("limits.ceiling"). Amounts, rates and lists are typed as
people write them; what is left empty is as usual, which mostly is no bound.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from app.currencies.policy_text import write_whole
from app.currencies.service import Currency
from app.money import Unit, format_amount, format_rate, parse_amount, parse_rate
from app.moneys.words import LAPSED, PAYERS, ROLES
from app.rules.policy import CurrencyKind, Policy
from app.web import N_, Texts

Input = Literal["amount", "credit", "rate", "number", "yes", "one", "many", "list", "text"]

ANY: frozenset[CurrencyKind] = frozenset({"pegged", "time", "gift", "points", "mutual"})
ISSUED = ANY - {"mutual"}
MUTUAL: frozenset[CurrencyKind] = frozenset({"mutual"})
PEGGED: frozenset[CurrencyKind] = frozenset({"pegged"})
GIFT: frozenset[CurrencyKind] = frozenset({"gift"})

NUMBER_MAX = 100_000
VENUES = "spending.venues"


@dataclass(frozen=True, slots=True)
class Question:
    """One input. `options`: value and message id of what can be chosen, empty for what the network itself knows."""

    path: str
    label: str
    input: Input
    kinds: frozenset[CurrencyKind] = ANY
    hint: str = ""
    options: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Topic:
    title: str
    questions: tuple[Question, ...]


def _of(options: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple(options.items())


_EMPTY = N_("Empty: no bound")

TOPICS: tuple[Topic, ...] = (
    Topic(
        N_("Who issues it"),
        (
            Question("issue.roles", N_("Issued by"), "many", ISSUED, options=_of(ROLES)),
            Question("issue.per_operation", N_("At most at once"), "amount", ISSUED, _EMPTY),
            Question("issue.per_day", N_("At most onto one card a day"), "amount", ISSUED, _EMPTY),
            Question(
                "funding",
                N_("When it is spent, the venue gets"),
                "one",
                GIFT,
                options=(("nobody", N_("nothing: it is a discount")), ("issuer", N_("euros from whoever issued it"))),
            ),
        ),
    ),
    Topic(
        N_("On a card"),
        (
            Question("limits.floor", N_("Credit from the start"), "credit", MUTUAL),
            Question("growth.basis_points", N_("Credit grows by this rate of what was sold"), "rate", MUTUAL),
            Question("growth.every_days", N_("…every so many days"), "number", MUTUAL),
            Question("growth.maximum", N_("…up to a credit of"), "amount", MUTUAL, _EMPTY),
            Question("limits.ceiling", N_("A card holds at most"), "amount", hint=_EMPTY),
            Question("limits.per_payment", N_("One payment takes at most"), "amount", hint=_EMPTY),
            Question("limits.per_day", N_("At most a day"), "amount", hint=_EMPTY),
            Question("limits.per_week", N_("At most in seven days"), "amount", hint=_EMPTY),
            Question("limits.per_month", N_("At most in thirty days"), "amount", hint=_EMPTY),
        ),
    ),
    Topic(
        N_("How it is spent"),
        (
            Question(VENUES, N_("Only at these venues"), "many", hint=N_("None chosen: wherever it is accepted")),
            Question(
                "spending.categories",
                N_("Only for these categories"),
                "list",
                hint=N_("Separated by commas, for instance: Beers, Food. Empty: for everything"),
            ),
            Question(
                "spending.priority",
                N_("Place in the order of payment"),
                "number",
                hint=N_("The lowest goes first. Empty: gifts, then points, hours, local money, the network’s money"),
            ),
            Question(
                "spending.round_up",
                N_("Rounding up is for"),
                "text",
                PEGGED,
                N_("The name of an association. Empty: nothing is rounded up"),
            ),
            Question(
                "spending.top_up_round_up",
                N_("Rounding up an online top-up is for"),
                "text",
                PEGGED,
                N_("The name of an association. Empty: nothing is rounded up"),
            ),
        ),
    ),
    Topic(
        N_("Against euros"),
        (
            Question(
                "redeem.who",
                N_("Who gets euros for it"),
                "many",
                PEGGED,
                options=(("venues", N_("venues")), ("holders", N_("holders"))),
            ),
            Question(
                "redeem.cadence",
                N_("Venues are paid"),
                "one",
                PEGGED,
                options=(
                    ("manual", N_("when they ask")),
                    ("weekly", N_("every week")),
                    ("monthly", N_("every month")),
                    ("event", N_("after each event")),
                ),
            ),
            Question("redeem.fee.basis_points", N_("Fee for exchanging it"), "rate", PEGGED),
            Question("redeem.fee.minimum", N_("The fee is at least"), "amount", PEGGED),
            Question("redeem.fee.maximum", N_("The fee is at most"), "amount", PEGGED, _EMPTY),
        ),
    ),
    Topic(
        N_("Refunds that holders ask for online"),
        (
            Question("refund.fixed", N_("The fee for one refund"), "amount", PEGGED, N_("Empty: none")),
            Question("refund.basis_points", N_("…and of what is refunded"), "rate", PEGGED),
            Question("refund.minimum", N_("The smallest refund"), "amount", PEGGED, N_("Empty: any")),
            Question("refund.opens", N_("From the day"), "text", PEGGED, N_("Like 2027-01-31. Empty: at any time")),
            Question("refund.closes", N_("Until the day"), "text", PEGGED, N_("Like 2027-01-31. Empty: at any time")),
            Question(
                "refund.remind_days",
                N_("Holders are reminded so many days before the last"),
                "number",
                PEGGED,
                N_("Empty: never"),
            ),
        ),
    ),
    Topic(
        N_("For topping up online"),
        (
            Question("bonus.reached", N_("From a top-up of"), "amount", PEGGED, N_("Empty: no gift")),
            Question("bonus.amount", N_("…the holder is given"), "amount", PEGGED),
            Question(
                "bonus.gift",
                N_("…of the gifts with this code"),
                "text",
                PEGGED,
                N_("Who pays for it, its own rules say"),
            ),
        ),
    ),
    Topic(
        N_("Between people"),
        (
            Question("transfer.allowed", N_("Holders may give it to each other"), "yes"),
            Question("transfer.per_payment", N_("At most given at once"), "amount", hint=_EMPTY),
            Question("transfer.per_day", N_("At most given a day"), "amount", hint=_EMPTY),
            Question("commission.basis_points", N_("Commission on a trade"), "rate", MUTUAL),
            Question("commission.minimum", N_("The commission is at least"), "amount", MUTUAL),
            Question("commission.maximum", N_("The commission is at most"), "amount", MUTUAL, _EMPTY),
            Question(
                "commission.payer",
                N_("The commission is"),
                "one",
                MUTUAL,
                options=tuple((who, PAYERS[who]) for who in ("buyer", "seller")),
            ),
            Question("commission.in_euros", N_("The commission is charged in euros"), "yes", MUTUAL),
        ),
    ),
    Topic(
        N_("As time passes"),
        (
            Question(
                "lapse.expires_after_days",
                N_("Lapses so many days after the card last received any"),
                "number",
                hint=N_("Empty: never"),
            ),
            Question(
                "lapse.dormant_after_days",
                N_("Lapses after so many days without any movement"),
                "number",
                hint=N_("Empty: never"),
            ),
            Question("lapse.demurrage_basis_points", N_("Melts by this rate"), "rate", hint=N_("0: it does not melt")),
            Question("lapse.demurrage_every_days", N_("…every so many days"), "number"),
            Question("lapse.demurrage_free", N_("Does not melt up to"), "amount"),
            Question("lapse.grace_days", N_("Does not melt in the first days"), "number"),
            Question("lapse.beneficiary", N_("What becomes of it"), "one", options=_of(LAPSED)),
            Question("lapse.notice_days", N_("Holders are told so many days before"), "number"),
            Question(
                "lapse.legal_ground",
                N_("Legal ground"),
                "text",
                hint=N_("Money at par with the euro never lapses without one"),
            ),
        ),
    ),
    Topic(
        N_("In the network’s words"),
        (Question("notes.fr", N_("In French"), "text"), Question("notes.en", N_("In English"), "text")),
    ),
)

_USUAL = write_whole(Policy())

Typed = Mapping[str, Sequence[str]]


def asked(kind: CurrencyKind) -> list[tuple[str, list[Question]]]:
    """The topics and questions for one kind of money, none of them empty."""
    topics = ((it.title, [q for q in it.questions if kind in q.kinds]) for it in TOPICS)
    return [(title, questions) for title, questions in topics if questions]


def filled(currency: Currency, policy: Policy, language: str) -> dict[str, list[str]]:
    """A policy as it would be typed."""
    whole = write_whole(policy)
    return {
        question.path: _typed(question, _at(whole, question.path), currency.unit, language)
        for _, questions in asked(currency.kind)
        for question in questions
    }


def understood(currency: Currency, before: Policy, typed: Typed, texts: Texts) -> tuple[dict[str, Any], dict[str, str]]:
    """(the rules as plain data, what is not understood by input). What the form does not ask stays as `before`."""
    whole, wrong = write_whole(before), {}
    for _, questions in asked(currency.kind):
        for question in questions:
            values = [text.strip() for text in typed.get(question.path, ()) if text.strip()]
            try:
                _put(whole, question.path, _meant(question, values, currency.unit))
            except ValueError:
                wrong[question.path] = _told(question, currency.unit, texts)
    whole["notes"] = {language: text for language, text in whole["notes"].items() if text}
    return whole, wrong


def _at(whole: Mapping[str, Any], path: str) -> Any:
    value: Any = whole
    for name in path.split("."):
        value = value.get(name)
    return value


def _put(whole: dict[str, Any], path: str, value: Any) -> None:
    *above, last = path.split(".")
    for name in above:
        whole[name] = dict(whole[name])
        whole = whole[name]
    whole[last] = value


def _typed(question: Question, value: Any, unit: Unit, language: str) -> list[str]:
    """What is usual and says nothing (no bound, zero) is shown as an empty input, which is read as what is usual."""
    if value is None or (value == 0 and _at(_USUAL, question.path) == 0):
        return []
    match question.input:
        case "amount" | "credit":
            text = format_amount(abs(value), unit, "", language).strip()
            # English groups thousands with commas, which are read as decimal ones.
            return [text.replace(",", "") if language == "en" else text]
        case "rate":
            return [format_rate(value, language)]
        case "yes":
            return ["yes"]
        case "many":
            return list(value)
        case "list":
            return [", ".join(value)]
        case _:
            return [str(value)]


def _meant(question: Question, values: list[str], unit: Unit) -> Any:
    """Raises ValueError (AmountNotUnderstood is one) where it cannot be read."""
    match question.input:
        case "yes":
            return bool(values)
        case "many":
            return values
        case "list":
            return [part.strip() for part in ",".join(values).split(",") if part.strip()]
    if not values:
        return _at(_USUAL, question.path)
    match question.input:
        case "amount":
            return parse_amount(values[0], unit)
        case "credit":
            return -parse_amount(values[0], unit)
        case "rate":
            return parse_rate(values[0])
        case "number":
            return _number(values[0])
        case _:
            return values[0]


def _number(typed: str) -> int:
    if not re.fullmatch(r"[0-9]{1,6}", typed) or int(typed) > NUMBER_MAX:
        raise ValueError(typed)
    return int(typed)


def _told(question: Question, unit: Unit, texts: Texts) -> str:
    if question.input == "rate":
        return texts.gettext("Write a rate such as 5 or 3.15.")
    if question.input == "number":
        return texts.gettext("Write a whole number.")
    return {
        Unit.CENT: texts.gettext("Write an amount such as 12.50."),
        Unit.MINUTE: texts.gettext("Write a time such as 3 h, 2 h 30 or 45 min."),
        Unit.POINT: texts.gettext("Write a whole number of points."),
    }[unit]
