"""A currency or new rules while somebody is still writing them: typed, understood, shown as others will see them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import date
from hashlib import sha256

from app.currencies.policy_text import PolicyNotUnderstood, read_policy, write_policy
from app.currencies.service import UNITS, Currency, check
from app.moneys.form import Typed, understood
from app.moneys.problems import OF_CURRENCY, WORTH, sentence
from app.moneys.service import begin_of
from app.platform.errors import Invalid
from app.rules.policy import CurrencyKind, Policy
from app.rules.policy_check import problems
from app.web import Texts

TEXT_MAX = 2000


@dataclass(frozen=True, slots=True)
class Draft:
    """`wrong`: what is said at an input, by its name; `begins`: the day from which the rules hold, None for now."""

    currency: Currency
    policy: Policy
    begins: date | None
    accepted_by: tuple[str, ...] = ()
    wrong: Mapping[str, str] = field(default_factory=dict)

    @property
    def mark(self) -> str:
        """Of what was shown: what is saved is what somebody has seen."""
        about = [asdict(self.currency), write_policy(self.policy), str(self.begins), self.accepted_by]
        return sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()


def draft_rules(
    currency: Currency, before: Policy, typed: Typed, texts: Texts, today: date, accepted_by: tuple[str, ...] = ()
) -> Draft:
    """What is not asked for this kind of money stays as `before`."""
    plain, wrong = understood(currency, before, typed, texts)
    policy = before
    try:
        policy = read_policy(plain)
    except PolicyNotUnderstood as error:
        wrong.setdefault("rules", str(error))
    if not wrong:
        for problem in problems(currency.kind, policy):
            wrong.setdefault(problem.field, sentence(problem, texts))
    begins, told = _begins(first(typed, "begins"), today, texts)
    if told:
        wrong["begins"] = told
    return Draft(currency, policy, begins, accepted_by, wrong)


def draft_currency(kind: CurrencyKind, before: Policy, typed: Typed, texts: Texts, today: date, position: int) -> Draft:
    """A new currency; `issuer` is "network" or the owner of a venue."""
    euros = first(typed, "worth")
    new = Currency(
        first(typed, "code").upper(),
        first(typed, "issuer") or "network",
        kind,
        UNITS[kind],
        first(typed, "name_fr"),
        first(typed, "name_en"),
        first(typed, "symbol"),
        (int(euros) if euros.isascii() and euros.isdigit() and len(euros) < 4 else 0) if kind == "pegged" else None,
        position,
    )
    draft = draft_rules(new, before, typed, texts, today, tuple(sorted(typed.get("accepted_by", ()))))
    wrong = dict(draft.wrong)
    try:
        check(new)
    except Invalid as error:
        field_ = error.extra["field"]
        wrong[field_] = texts.gettext(OF_CURRENCY[field_])
    if new.cents_per_unit is not None and not 1 <= new.cents_per_unit <= 100:
        wrong["cents_per_unit"] = texts.gettext(WORTH)
    return Draft(new, draft.policy, draft.begins, draft.accepted_by, wrong)


def begins_us(draft: Draft, zone: str) -> int | None:
    return None if draft.begins is None else begin_of(draft.begins, zone)


def first(typed: Typed, name: str) -> str:
    values = typed.get(name, ())
    return values[0].strip()[:TEXT_MAX] if values else ""


def _begins(typed: str, today: date, texts: Texts) -> tuple[date | None, str]:
    if not typed:
        return None, ""
    try:
        day = date.fromisoformat(typed)
    except ValueError:
        return None, texts.gettext("Choose a day.")
    if day < today:
        return None, texts.gettext("This day is over: rules hold from today on at the earliest.")
    return (None if day == today else day), ""
