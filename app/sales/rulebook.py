"""What the currencies' policies say of sales at one venue, whatever the instant.

Built once, when a counter is looked up, with every version that is written. A version that begins later needs no new
look: the instant chooses.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import chain
from uuid import UUID

from app.currencies.policies import PolicyVersion, policy_at
from app.currencies.service import Currency
from app.ledger.rules.operations import Cap, Flow
from app.rules import paying
from app.rules.paying import GIFT_CENTS, Money
from app.rules.policy import Policy
from app.venues.service import Venue
from app.wire import Sale

# The operations that count for what a wallet may pay on one day, in a week, in a month.
PAYMENTS = ("sale",)


@dataclass(frozen=True, slots=True)
class Rules:
    """What holds at one instant, by currency. `plain`: currencies that pay anything of their own price, any amount."""

    moneys: Mapping[str, Money]
    labels: Mapping[str, str]
    plain: frozenset[str]

    def needs_no_look(self, sale: Sale) -> bool:
        """Whether there is nothing to check beyond the wire's own rules: one card, plain products, prices paid in their
        own money, no limits. That is nearly every sale."""
        return (
            not sale.rest
            and sale.plain
            and sale.round_up is None
            and all(it.covers is None and it.card is None and it.currency in self.plain for it in sale.tenders)
        )

    def label(self, sale: Sale) -> str:
        """The versions under which a sale is booked, as its operation keeps them."""
        used = [it.currency for it in sale.tenders]
        if sale.round_up is not None and sale.round_up.currency in self.labels:
            used.append(sale.round_up.currency)
        return self.label_of(used)

    def label_of(self, codes: Sequence[str]) -> str:
        """The same for these currencies."""
        if len(codes) == 1:
            return self.labels[codes[0]]
        return ",".join(dict.fromkeys(self.labels[code] for code in codes))

    def caps(self, code: str, wallet: int, day: date) -> list[Cap]:
        """What the ledger must see to when a wallet (account id) pays on a business day."""
        limits = self.moneys[code].policy.limits
        periods = ((limits.per_day, 1), (limits.per_week, 7), (limits.per_month, 30))
        return [
            Cap(Flow((wallet,), False, PAYMENTS, day - timedelta(days - 1), day), most, "spending-limit")
            for most, days in periods
            if most is not None
        ]

    def objections(self, sale: Sale, venue: Venue, categories: Mapping[UUID, str]) -> list[str]:
        """Every rule that the payment breaks, as app.rules.paying_check spells it; `categories` by product."""
        purses = {uid: place for place, uid in enumerate(sale.cards)}
        return paying.verify(
            [
                paying.PricedLine(
                    paying.Item(str(it.product), categories.get(it.product, ""), it.quantity, {}, it.kind),
                    it.currency,
                    it.unit_price,
                )
                for it in sale.lines
            ],
            [
                paying.Tender(it.currency, it.amount, it.price_currency, it.price_amount, purses[it.card or sale.card])
                for it in sale.tenders
            ],
            [paying.Rest(it.covers, it.amount) for it in sale.rest],
            self.moneys.values(),
            venue.slug,
            round_up=paying.RoundUp(sale.round_up.currency, sale.round_up.amount) if sale.round_up else None,
        )

    def beneficiary(self, code: str) -> str | None:
        """To whom a round-up in this currency goes; None: it takes none."""
        return self.moneys[code].policy.spending.round_up if code in self.moneys else None


class Rulebook:
    """The rules of all currencies at one venue, at any instant."""

    def __init__(
        self, venue: Venue, known: Mapping[str, Currency], versions: Mapping[str, Sequence[PolicyVersion]]
    ) -> None:
        of = {code: versions[code] for code in known}
        # Before the first version there is the unwritten one, which holds since ever.
        self._starts = sorted({0, *(it.valid_from_us for it in chain.from_iterable(of.values()))})
        self._rules = [_rules(venue, known, of, start) for start in self._starts]

    def at(self, at_us: int) -> Rules:
        return self._rules[bisect_right(self._starts, at_us) - 1]

    @property
    def beneficiaries(self) -> set[tuple[str, str]]:
        """(currency, beneficiary) of every round-up that any version speaks of."""
        return {(code, to) for rules in self._rules for code in rules.moneys if (to := rules.beneficiary(code))}


def issuer_at(venue: Venue, currency: Currency) -> str:
    """The issuer as app.rules.paying compares it: the venue's slug where it is the venue's own money."""
    return venue.slug if currency.issuer == venue.owner else currency.issuer


def cents_of(currency: Currency) -> int | None:
    """Euro cents per minor unit, as prices count them."""
    return GIFT_CENTS if currency.kind == "gift" else currency.cents_per_unit


def _rules(
    venue: Venue, known: Mapping[str, Currency], versions: Mapping[str, Sequence[PolicyVersion]], at_us: int
) -> Rules:
    now = {code: policy_at(versions[code], at_us) for code in known}
    return Rules(
        {
            code: Money(code, it.kind, cents_of(it), issuer_at(venue, it), now[code].policy, it.position)
            for code, it in known.items()
        },
        {code: it.label for code, it in now.items()},
        frozenset(code for code, it in now.items() if _is_plain(it.policy)),
    )


def _is_plain(policy: Policy) -> bool:
    limits = policy.limits
    bounds = (limits.per_payment, limits.per_day, limits.per_week, limits.per_month)
    return not policy.spending.venues and not policy.spending.categories and all(it is None for it in bounds)
