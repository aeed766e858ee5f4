"""What is special about a currency, as data: who may issue it, where and how it is spent, what becomes of it.

Server and terminal read the same policy and decide alike. Amounts are minor units of the policy's own currency unless
a name ends in `_cents` (euro cents); rates are in basis points (500 is 5 %), so that 3.15 % has an exact spelling.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

CurrencyKind = Literal["pegged", "time", "gift", "points", "mutual"]
Beneficiary = Literal["network", "venue", "fund"]

# Where money is spent first when the network says nothing else: what lapses before what lasts, near before far.
PRIORITY: Mapping[CurrencyKind, int] = {"gift": 10, "points": 20, "time": 30, "mutual": 40, "pegged": 50}
# A venue's own pegged money goes before the network's.
LOCAL_FIRST = 5


@dataclass(frozen=True, slots=True)
class Issue:
    """Who may issue (names of roles in app.identity.roles), and how much onto one card a business day."""

    roles: tuple[str, ...] = ()
    per_day: int | None = None
    per_operation: int | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one wallet: balance, and what it may pay at once, on one day, in seven days, in thirty days.

    `floor` is 0, or minus the credit that every member of a mutual currency has from the start.
    """

    floor: int = 0
    ceiling: int | None = None
    per_payment: int | None = None
    per_day: int | None = None
    per_week: int | None = None
    per_month: int | None = None


@dataclass(frozen=True, slots=True)
class Spending:
    """Where it is taken. Empty `venues` (slugs) and `categories` mean everywhere and everything."""

    venues: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    priority: int | None = None
    round_up: str | None = None  # beneficiary of an opt-in round-up to the next whole unit
    top_up_round_up: str | None = None  # the same, of what is paid for an online top-up


@dataclass(frozen=True, slots=True)
class Fee:
    """`basis_points` of an amount, at least `minimum` and at most `maximum`, in whole minor units, half away from zero.

    `payer` and `beneficiary` say between whom; `in_euros`: charged as a receivable in the operating book instead.
    """

    basis_points: int = 0
    minimum: int = 0
    maximum: int | None = None
    payer: Literal["buyer", "seller", "holder", "venue"] = "seller"
    beneficiary: Beneficiary = "network"
    in_euros: bool = False


@dataclass(frozen=True, slots=True)
class Redeem:
    """Who gets euros for it ("venues", "holders"), at what fee, and how often a venue's claims are settled."""

    who: tuple[Literal["venues", "holders"], ...] = ()
    fee: Fee = Fee(payer="venue")
    cadence: Literal["manual", "weekly", "monthly", "event"] = "manual"


@dataclass(frozen=True, slots=True)
class Refund:
    """How holders whom `Redeem.who` names get euros back for what is left, asked for online.

    `fixed` and `basis_points` of what is paid out are kept as the network's fee. Less than `minimum` is not paid out.
    `opens`, `closes`: the first and the last day on which it may be asked for (ISO, in the network's zone); "": no
    bound. `remind_days`: how long before the last day holders are reminded; 0: never.
    """

    fixed: int = 0
    basis_points: int = 0
    minimum: int = 0
    opens: str = ""
    closes: str = ""
    remind_days: int = 0


@dataclass(frozen=True, slots=True)
class Transfer:
    """Moving it between holders: off, or on within bounds."""

    allowed: bool = False
    per_payment: int | None = None
    per_day: int | None = None


@dataclass(frozen=True, slots=True)
class Lapse:
    """Time's effect on what is not spent. All off by default: a card is valid for life.

    `expires_after_days`: counted from the last time the wallet received any. `dormant_after_days`: since the wallet
    last moved. `demurrage_basis_points` of the balance above `demurrage_free` every `demurrage_every_days`, from
    `grace_days` after it was received. `beneficiary`: "fund" is the common fund, "network" is breakage (income).
    `notice_days`: how long before anything lapses its holder is told. `legal_ground`: without it pegged money never
    lapses (law.md).
    """

    expires_after_days: int | None = None
    dormant_after_days: int | None = None
    demurrage_basis_points: int = 0
    demurrage_every_days: int = 30
    demurrage_free: int = 0
    grace_days: int = 0
    beneficiary: Beneficiary = "fund"
    notice_days: int = 30
    legal_ground: str = ""


@dataclass(frozen=True, slots=True)
class Growth:
    """Mutual credit: a member's limit grows by `basis_points` of what they sold in `every_days`, up to `maximum`."""

    basis_points: int = 0
    every_days: int = 30
    maximum: int | None = None


@dataclass(frozen=True, slots=True)
class Bonus:
    """What an online top-up of at least `reached` earns besides, once: `amount` of the gift currency `gift`, each in
    its own minor units. Who pays a venue for it says the gift currency's `funding`."""

    gift: str = ""
    reached: int = 0
    amount: int = 0

    def of(self, topped_up: int) -> int:
        """Of the gift currency, for so much of the policy's own."""
        return self.amount if self.gift and topped_up >= self.reached else 0


@dataclass(frozen=True, slots=True)
class Policy:
    """One version of a currency's rules. `funding`: who pays a venue for gift money spent there."""

    issue: Issue = Issue()
    limits: Limits = Limits()
    spending: Spending = Spending()
    redeem: Redeem = Redeem()
    refund: Refund = Refund()
    transfer: Transfer = Transfer()
    commission: Fee = Fee()
    lapse: Lapse = Lapse()
    growth: Growth = Growth()
    bonus: Bonus = Bonus()
    funding: Literal["nobody", "issuer"] = "nobody"
    notes: Mapping[str, str] = field(default_factory=dict)  # by language: what holders are told in words
