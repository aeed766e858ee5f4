"""What is invalid or contradictory in a policy, in words.

A policy that passes can be applied as it stands: no number is impossible, no bound excludes another, and nothing in it
turns time, points, gifts or mutual credit into euros. Sources: law.md for pegged money, seeds.md for the rest.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

from app.rules.policy import Bonus, CurrencyKind, Fee, Policy, Refund

WHOLE = 10_000  # basis points


@dataclass(frozen=True, slots=True)
class Problem:
    """`code` is stable, `field` is the member of the policy ("limits.per_day"), `text` an English sentence."""

    code: str
    field: str
    text: str


def problems(kind: CurrencyKind, policy: Policy, *, known_venues: Collection[str] | None = None) -> list[Problem]:
    """All that speaks against `policy` for a currency of `kind`; empty when nothing does.

    `known_venues`: the slugs that exist; None leaves the names of venues unchecked.
    """
    return [
        *_numbers(policy),
        *_order(policy),
        *_fees(policy),
        *_spending(kind, policy, known_venues),
        *_kind(kind, policy),
        *_euros(kind, policy),
        *_refund(kind, policy),
        *_lapse(kind, policy),
    ]


def _numbers(policy: Policy) -> Iterator[Problem]:
    counted = {
        f"{part}.{name}": getattr(getattr(policy, part), name)
        for part, names in (
            ("issue", ("per_day", "per_operation")),
            ("limits", ("ceiling", "per_payment", "per_day", "per_week", "per_month")),
            ("transfer", ("per_payment", "per_day")),
            ("lapse", ("demurrage_basis_points", "demurrage_free", "grace_days", "notice_days")),
            ("growth", ("basis_points", "maximum")),
            ("refund", ("fixed", "basis_points", "minimum", "remind_days")),
            ("bonus", ("reached", "amount")),
        )
        for name in names
    }
    for where, fee in _every_fee(policy):
        counted |= {f"{where}.{name}": getattr(fee, name) for name in ("basis_points", "minimum", "maximum")}
    for field, number in counted.items():
        if number is not None and number < 0:
            yield Problem("negative", field, f"{field} cannot be below zero.")
        if field.endswith("basis_points") and number > WHOLE:
            yield Problem("above-everything", field, f"{field} cannot be above {WHOLE} (100 %).")
    periods = {
        "lapse.expires_after_days": policy.lapse.expires_after_days,
        "lapse.dormant_after_days": policy.lapse.dormant_after_days,
        "lapse.demurrage_every_days": policy.lapse.demurrage_every_days,
        "growth.every_days": policy.growth.every_days,
    }
    for field, days in periods.items():
        if days is not None and days < 1:
            yield Problem("no-period", field, f"{field} must be at least one day.")


def _order(policy: Policy) -> Iterator[Problem]:
    limits, issue = policy.limits, policy.issue
    if limits.floor > 0:
        yield Problem("floor-above-zero", "limits.floor", "A new wallet is empty, so the floor cannot be above zero.")
    if limits.ceiling is not None and limits.ceiling < limits.floor:
        yield Problem("ceiling-below-floor", "limits.ceiling", "The ceiling is below the floor.")
    yield from _rising(
        ("limits.per_payment", limits.per_payment),
        ("limits.per_day", limits.per_day),
        ("limits.per_week", limits.per_week),
        ("limits.per_month", limits.per_month),
    )
    yield from _rising(("issue.per_operation", issue.per_operation), ("issue.per_day", issue.per_day))
    yield from _rising(
        ("transfer.per_payment", policy.transfer.per_payment), ("transfer.per_day", policy.transfer.per_day)
    )
    if limits.ceiling is not None:
        # From the ceiling down to the floor: nobody can ever pay more at once.
        if limits.per_payment is not None and limits.per_payment > limits.ceiling - limits.floor:
            text = "One payment may take more than a wallet can ever hold."
            yield Problem("payment-above-ceiling", "limits.per_payment", text)
        if issue.per_operation is not None and issue.per_operation > limits.ceiling - limits.floor:
            text = "More may be issued at once than a wallet can ever hold."
            yield Problem("issue-above-ceiling", "issue.per_operation", text)
    if not policy.transfer.allowed and (policy.transfer.per_payment, policy.transfer.per_day) != (None, None):
        text = "Transfers between holders have limits but are not allowed."
        yield Problem("transfer-not-allowed", "transfer.allowed", text)


def _rising(*bounds: tuple[str, int | None]) -> Iterator[Problem]:
    known = [(field, bound) for field, bound in bounds if bound is not None]
    for (smaller, low), (larger, high) in pairwise(known):
        if low > high:
            yield Problem("bound-above-next", smaller, f"{smaller} is above {larger}, so it can never be reached.")


def _fees(policy: Policy) -> Iterator[Problem]:
    for where, fee in _every_fee(policy):
        if fee.maximum is not None and fee.minimum > fee.maximum:
            yield Problem("minimum-above-maximum", f"{where}.minimum", f"{where}: the minimum is above the maximum.")
    if _charges(policy.redeem.fee):
        if not policy.redeem.who:
            yield Problem("fee-for-nothing", "redeem.fee", "There is a fee for redeeming, but nobody may redeem.")
        if policy.redeem.fee.payer not in {"venue", "holder"}:
            text = "Who redeems pays the fee for it: the payer is the venue or the holder."
            yield Problem("wrong-payer", "redeem.fee.payer", text)
    if _charges(policy.commission) and policy.commission.payer not in {"buyer", "seller"}:
        text = "A commission is paid by the buyer or by the seller."
        yield Problem("wrong-payer", "commission.payer", text)


def _spending(kind: CurrencyKind, policy: Policy, known_venues: Collection[str] | None) -> Iterator[Problem]:
    if known_venues is not None and (strangers := sorted(set(policy.spending.venues) - set(known_venues))):
        text = f"There is no venue {', '.join(strangers)}."
        yield Problem("unknown-venue", "spending.venues", text)
    if "" in policy.spending.categories:
        yield Problem("empty-category", "spending.categories", "A category needs a name.")
    for member in ("round_up", "top_up_round_up"):
        beneficiary = getattr(policy.spending, member)
        if beneficiary is None:
            continue
        if kind != "pegged":
            text = "A round-up is given in euros, so only pegged money can be rounded up."
            yield Problem("round-up-without-euros", f"spending.{member}", text)
        if not beneficiary.strip():
            yield Problem("round-up-for-nobody", f"spending.{member}", "A round-up needs a beneficiary.")


def _kind(kind: CurrencyKind, policy: Policy) -> Iterator[Problem]:
    if kind != "mutual":
        if policy.limits.floor < 0:
            text = "Only members of a mutual currency have credit: the floor is zero."
            yield Problem("floor-outside-mutual", "limits.floor", text)
        if policy.growth.basis_points or policy.growth.maximum is not None:
            yield Problem("growth-outside-mutual", "growth", "Only the limits of a mutual currency grow.")
    else:
        if policy.issue.roles or policy.issue.per_day is not None or policy.issue.per_operation is not None:
            text = "Nobody issues a mutual currency: its members' balances sum to zero."
            yield Problem("issue-in-mutual", "issue", text)
        if policy.growth.maximum is not None and policy.growth.maximum < -policy.limits.floor:
            text = "A credit limit would have to grow down: its maximum is below what members have from the start."
            yield Problem("growth-below-start", "growth.maximum", text)
    yield from _bonus(kind, policy)
    if kind != "gift" and policy.funding != "nobody":
        yield Problem("funding-outside-gift", "funding", "Only gift money is funded when it is spent.")


def _bonus(kind: CurrencyKind, policy: Policy) -> Iterator[Problem]:
    bonus = policy.bonus
    if bonus == Bonus():
        return
    if kind != "pegged":
        text = "Only money that is topped up for euros earns a gift with it."
        yield Problem("bonus-outside-pegged", "bonus.gift", text)
    elif not bonus.gift:
        yield Problem("bonus-in-nothing", "bonus.gift", "Say in which gift currency the bonus is.")
    elif not bonus.amount or not bonus.reached:
        field = "bonus.reached" if bonus.amount else "bonus.amount"
        yield Problem("bonus-incomplete", field, "A bonus needs the top-up from which it is given, and an amount.")


def _euros(kind: CurrencyKind, policy: Policy) -> Iterator[Problem]:
    """What law.md and seeds.md keep apart from euros stays apart."""
    who = policy.redeem.who
    if kind in {"time", "points", "mutual"} and who:
        text = "Time, points and mutual credit are never converted into euros."
        yield Problem("not-convertible", "redeem.who", text)
    if kind in {"time", "points"} and _charges(policy.commission) and policy.commission.in_euros:
        yield Problem("fee-in-euros", "commission.in_euros", "What is never worth euros bears no fee in euros.")
    if kind == "gift" and "holders" in who:
        yield Problem("gift-refunded", "redeem.who", "A gift is not refunded to its holder.")
    if kind == "gift" and "venues" in who and policy.funding == "nobody":
        text = "Venues cannot redeem gifts that nobody funds."
        yield Problem("gift-without-funds", "redeem.who", text)


def _refund(kind: CurrencyKind, policy: Policy) -> Iterator[Problem]:
    refund = policy.refund
    if refund == Refund():
        return
    if kind != "pegged" or "holders" not in policy.redeem.who:
        text = "There are terms for refunds, but holders get no euros for it."
        yield Problem("refund-to-nobody", "redeem.who", text)
    days = {}
    for name in ("opens", "closes"):
        text = getattr(refund, name)
        try:
            days[name] = date.fromisoformat(text) if text else None
        except ValueError:
            yield Problem("no-day", f"refund.{name}", f"refund.{name} is a day like 2027-01-31.")
            return
    opens, closes = days["opens"], days["closes"]
    if opens is not None and closes is not None and opens > closes:
        yield Problem("closes-before-opening", "refund.closes", "Refunds would end before they begin.")
    if refund.remind_days and closes is None:
        text = "Holders are reminded of a last day, and there is none."
        yield Problem("reminder-of-nothing", "refund.remind_days", text)
    if refund.minimum and refund.minimum <= refund.fixed:
        text = "The smallest refund would be eaten up by its fee."
        yield Problem("fee-above-minimum", "refund.minimum", text)


def _lapse(kind: CurrencyKind, policy: Policy) -> Iterator[Problem]:
    lapse = policy.lapse
    if lapse.expires_after_days is None and lapse.dormant_after_days is None and not lapse.demurrage_basis_points:
        return
    if kind == "pegged" and not lapse.legal_ground.strip():
        text = "Pegged money lapses only with its legal ground written in the policy."
        yield Problem("no-legal-ground", "lapse.legal_ground", text)
    if kind == "mutual" and lapse.beneficiary != "fund":
        text = "What lapses in a mutual currency goes to the common fund, so that balances sum to zero."
        yield Problem("mutual-lapse", "lapse.beneficiary", text)
    if lapse.notice_days == 0:
        yield Problem("no-notice", "lapse.notice_days", "Nothing lapses without notice to its holder.")
    shortest = [days for days in (lapse.expires_after_days, lapse.dormant_after_days) if days is not None]
    if lapse.demurrage_basis_points:
        shortest.append(lapse.grace_days + lapse.demurrage_every_days)
    if 0 < min(shortest) <= lapse.notice_days:
        text = "The notice would have to be given before the money is received."
        yield Problem("notice-too-long", "lapse.notice_days", text)


def _every_fee(policy: Policy) -> Iterable[tuple[str, Fee]]:
    return (("redeem.fee", policy.redeem.fee), ("commission", policy.commission))


def _charges(fee: Fee) -> bool:
    return fee.basis_points > 0 or fee.minimum > 0
