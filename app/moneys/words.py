"""A currency's rules in plain sentences, each with whom it concerns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from babel.lists import format_list

from app.currencies.service import Currency
from app.money import Unit, format_amount
from app.rules.policy import CurrencyKind, Fee, Policy
from app.web import N_, Texts

Reader = Literal["holder", "venue"]

BOTH: frozenset[Reader] = frozenset({"holder", "venue"})
HOLDER: frozenset[Reader] = frozenset({"holder"})
VENUE: frozenset[Reader] = frozenset({"venue"})

KINDS: Mapping[CurrencyKind, str] = {
    "pegged": N_("At par with the euro"),
    "time": N_("Hours of volunteering"),
    "gift": N_("Gifts"),
    "points": N_("Points"),
    "mutual": N_("Mutual credit"),
}
ABOUT: Mapping[CurrencyKind, str] = {
    "pegged": N_("Bought with euros. For every unit in circulation its euros are kept in reserve."),
    "time": N_("Counts hours that volunteers gave. It is never worth euros."),
    "gift": N_("Given away, and priced like euros. It is never paid back in euros."),
    "points": N_("Earned by contributing, spent by borrowing. It is never turned into money."),
    "mutual": N_("Nobody issues it: members pay each other on credit, and all balances sum to zero."),
}
ROLES: Mapping[str, str] = {
    "network_admin": N_("the network’s team"),
    "venue_admin": N_("managers of venues"),
    "shift_manager": N_("shift managers"),
    "cashier": N_("staff at the counter"),
}
CADENCES: Mapping[str, str] = {
    "manual": N_("Venues exchange what they took for euros whenever they ask for it."),
    "weekly": N_("Venues exchange what they took for euros every week."),
    "monthly": N_("Venues exchange what they took for euros every month."),
    "event": N_("Venues exchange what they took for euros after each event."),
}
PAYERS: Mapping[str, str] = {
    "buyer": N_("paid by the buyer"),
    "seller": N_("paid by the seller"),
    "holder": N_("paid by the holder"),
    "venue": N_("paid by the venue"),
}
LAPSED: Mapping[str, str] = {
    "fund": N_("What lapses goes to the common fund."),
    "network": N_("What lapses goes to the network."),
    "venue": N_("What lapses goes to the venue that issued it."),
}


@dataclass(frozen=True, slots=True)
class Rule:
    """One sentence. `topic` is a heading; rules of one topic stand together."""

    topic: str
    text: str
    readers: frozenset[Reader]


@dataclass(frozen=True, slots=True)
class Speaker:
    """Says things about one currency in one language. `venues`: names by slug."""

    currency: Currency
    texts: Texts
    venues: Mapping[str, str]

    def amount(self, minor: int) -> str:
        return self.currency.text(minor, self.texts.language)

    def some(self, words: Iterable[str], style: Literal["standard", "or"] = "standard") -> str:
        return format_list(list(words), style=style, locale=self.texts.language)

    def rate(self, basis_points: int) -> str:
        """500 is "5 %", 315 "3,15 %"."""
        whole, part = divmod(basis_points, 100)
        french = self.texts.language == "fr"
        figures = f"{whole}{',' if french else '.'}{part:02d}".rstrip("0").rstrip(",.") if part else str(whole)
        return f"{figures}\N{NARROW NO-BREAK SPACE}%" if french else f"{figures}%"

    def fee(self, fee: Fee) -> str:
        """What a fee comes to: "5 %, at least 1,00 € and at most 50,00 €"."""
        _, values = self.texts.gettext, {"rate": self.rate(fee.basis_points)}
        if fee.maximum is not None and fee.minimum:
            bounds = {"minimum": self.amount(fee.minimum), "maximum": self.amount(fee.maximum)}
            return _("%(rate)s, at least %(minimum)s and at most %(maximum)s", **values, **bounds)
        if fee.maximum is not None:
            return _("%(rate)s, at most %(maximum)s", **values, maximum=self.amount(fee.maximum))
        if fee.minimum:
            return _("%(rate)s, at least %(minimum)s", **values, minimum=self.amount(fee.minimum))
        return values["rate"]


def rules(currency: Currency, policy: Policy, texts: Texts, venues: Mapping[str, str]) -> list[Rule]:
    """Everything that `policy` says, in the order in which it matters to people."""
    speaker = Speaker(currency, texts, venues)
    return [
        Rule(texts.gettext(topic), text, readers)
        for part in (_nature, _issue, _wallet, _spending, _euros, _bonus, _between, _lapse, _said)
        for topic, text, readers in part(speaker, policy)
    ]


def for_reader(all_rules: Iterable[Rule], reader: Reader) -> list[Rule]:
    return [it for it in all_rules if reader in it.readers]


Said = Iterator[tuple[str, str, frozenset[Reader]]]

WHAT, ISSUING, WALLET = N_("What it is"), N_("Who issues it"), N_("On a card")
SPENT, EUROS, BETWEEN, LAPSES = N_("How it is spent"), N_("Against euros"), N_("Between people"), N_("As time passes")
IN_WORDS = N_("In the network’s words")


def _nature(it: Speaker, policy: Policy) -> Said:
    _, kind = it.texts.gettext, it.currency.kind
    yield WHAT, _(ABOUT[kind]), BOTH
    if it.currency.cents_per_unit is not None:
        worth = format_amount(100 * it.currency.cents_per_unit, Unit.CENT, "€", it.texts.language)
        name = it.currency.names[it.texts.language]
        yield WHAT, _("One %(name)s is worth %(euros)s.", name=name, euros=worth), BOTH
    if kind == "gift" and policy.funding == "issuer":
        yield WHAT, _("Whoever issued it pays the venue in euros for what is spent there."), VENUE
    if kind == "gift" and policy.funding == "nobody":
        yield WHAT, _("It is a discount: nobody pays the venue for what is spent there."), VENUE


def _issue(it: Speaker, policy: Policy) -> Said:
    _, issue = it.texts.gettext, policy.issue
    if issue.roles:
        names = it.some(_(ROLES[role]) if role in ROLES else role for role in issue.roles)
        yield ISSUING, _("Issued by %(who)s.", who=names), VENUE
    if issue.per_operation is not None:
        yield ISSUING, _("At most %(amount)s at once.", amount=it.amount(issue.per_operation)), BOTH
    if issue.per_day is not None:
        yield ISSUING, _("At most %(amount)s onto one card a day.", amount=it.amount(issue.per_day)), BOTH


def _wallet(it: Speaker, policy: Policy) -> Said:
    _, limits, growth = it.texts.gettext, policy.limits, policy.growth
    if limits.floor < 0:
        yield WALLET, _("Every member may go down to %(amount)s.", amount=it.amount(limits.floor)), BOTH
    if growth.basis_points:
        values = {"rate": it.rate(growth.basis_points), "num": growth.every_days}
        if growth.maximum is None:
            text = _("A member’s credit grows by %(rate)s of what they sold in %(num)s days.", **values)
        else:
            values["maximum"] = it.amount(growth.maximum)
            text = _(
                "A member’s credit grows by %(rate)s of what they sold in %(num)s days, up to %(maximum)s.", **values
            )
        yield WALLET, text, BOTH
    for bound, message in (
        (limits.ceiling, N_("A card holds at most %(amount)s.")),
        (limits.per_payment, N_("One payment takes at most %(amount)s.")),
        (limits.per_day, N_("A card pays at most %(amount)s a day.")),
        (limits.per_week, N_("A card pays at most %(amount)s in seven days.")),
        (limits.per_month, N_("A card pays at most %(amount)s in thirty days.")),
    ):
        if bound is not None:
            yield WALLET, _(message, amount=it.amount(bound)), BOTH


def _spending(it: Speaker, policy: Policy) -> Said:
    _, spending = it.texts.gettext, policy.spending
    if spending.venues:
        names = it.some(it.venues.get(slug, slug) for slug in spending.venues)
        yield SPENT, _("Spent at %(venues)s only.", venues=names), BOTH
    else:
        yield SPENT, _("Spent in every venue that accepts it."), BOTH
    if spending.categories:
        yield SPENT, _("Pays for %(categories)s only.", categories=it.some(spending.categories)), BOTH
    if spending.priority is not None:
        yield (
            SPENT,
            _("Its place in the order of payment is %(number)s; the lowest goes first.", number=spending.priority),
            VENUE,
        )
    if spending.round_up is not None:
        text = _("A payment can be rounded up for %(who)s, if the holder wishes.", who=spending.round_up)
        yield SPENT, text, BOTH
    if spending.top_up_round_up is not None:
        text = _("An online top-up can be rounded up for %(who)s, if the holder wishes.", who=spending.top_up_round_up)
        yield SPENT, text, HOLDER


def _euros(it: Speaker, policy: Policy) -> Said:
    _, redeem = it.texts.gettext, policy.redeem
    if it.currency.kind not in {"pegged", "gift"}:
        return
    if "venues" in redeem.who:
        yield EUROS, _(CADENCES[redeem.cadence]), VENUE
    elif it.currency.kind == "pegged":
        yield EUROS, _("Venues do not exchange what they took for euros."), VENUE
    if "holders" in redeem.who:
        yield EUROS, _("Holders can have what is left on their card paid back in euros."), HOLDER
        yield from _refund(it, policy)
    elif it.currency.kind == "pegged":
        yield EUROS, _("What is on a card is not paid back in euros."), HOLDER
    if _charges(redeem.fee):
        text = _("Exchanging it costs %(fee)s, %(payer)s.", fee=it.fee(redeem.fee), payer=_(PAYERS[redeem.fee.payer]))
        yield EUROS, text, VENUE if redeem.fee.payer == "venue" else HOLDER


def _refund(it: Speaker, policy: Policy) -> Said:
    _, refund = it.texts.gettext, policy.refund
    if refund.fixed:
        yield EUROS, _("A refund costs %(amount)s.", amount=it.amount(refund.fixed)), HOLDER
    if refund.basis_points:
        yield EUROS, _("A refund costs %(rate)s of it.", rate=it.rate(refund.basis_points)), HOLDER
    if refund.minimum:
        yield EUROS, _("The smallest refund is %(amount)s.", amount=it.amount(refund.minimum)), HOLDER
    for day, message in (
        (refund.opens, N_("Refunds are asked for from %(day)s on.")),
        (refund.closes, N_("Refunds are asked for until %(day)s.")),
    ):
        if day:
            yield EUROS, _(message, day=day), HOLDER


def _bonus(it: Speaker, policy: Policy) -> Said:
    _, bonus = it.texts.gettext, policy.bonus
    if bonus.gift:
        values = {"reached": it.amount(bonus.reached), "amount": it.amount(bonus.amount), "gift": bonus.gift}
        yield EUROS, _("Who tops up %(reached)s or more online is given %(amount)s of %(gift)s.", **values), HOLDER
        yield EUROS, _("Who pays a venue for %(gift)s that is spent there, its own rules say.", gift=bonus.gift), VENUE


def _between(it: Speaker, policy: Policy) -> Said:
    _, transfer, commission = it.texts.gettext, policy.transfer, policy.commission
    if transfer.allowed:
        yield BETWEEN, _("Holders may give it to each other."), HOLDER
        if transfer.per_payment is not None:
            yield BETWEEN, _("At most %(amount)s given at once.", amount=it.amount(transfer.per_payment)), HOLDER
        if transfer.per_day is not None:
            yield BETWEEN, _("At most %(amount)s given a day.", amount=it.amount(transfer.per_day)), HOLDER
    elif it.currency.kind != "mutual":
        yield BETWEEN, _("It cannot be passed from one card to another."), HOLDER
    if _charges(commission):
        values = {"fee": it.fee(commission), "payer": _(PAYERS[commission.payer])}
        if commission.in_euros:
            yield BETWEEN, _("A trade costs %(fee)s in euros, %(payer)s.", **values), BOTH
        else:
            yield BETWEEN, _("A trade costs %(fee)s, %(payer)s.", **values), BOTH


def _lapse(it: Speaker, policy: Policy) -> Said:
    _, ngettext, lapse = it.texts.gettext, it.texts.ngettext, policy.lapse
    melts = lapse.demurrage_basis_points > 0
    if lapse.expires_after_days is None and lapse.dormant_after_days is None and not melts:
        yield LAPSES, _("It never lapses."), HOLDER
        return
    if lapse.expires_after_days is not None:
        text = ngettext(
            "What is on a card lapses %(num)s day after the card last received any.",
            "What is on a card lapses %(num)s days after the card last received any.",
            lapse.expires_after_days,
        )
        yield LAPSES, text, HOLDER
    if lapse.dormant_after_days is not None:
        text = ngettext(
            "What is on a card lapses after %(num)s day without any movement.",
            "What is on a card lapses after %(num)s days without any movement.",
            lapse.dormant_after_days,
        )
        yield LAPSES, text, HOLDER
    if melts:
        values = {"rate": it.rate(lapse.demurrage_basis_points), "free": it.amount(lapse.demurrage_free)}
        text = ngettext(
            "Every day, %(rate)s of what is above %(free)s melts away.",
            "Every %(num)s days, %(rate)s of what is above %(free)s melts away.",
            lapse.demurrage_every_days,
            **values,
        )
        yield LAPSES, text, HOLDER
        if lapse.grace_days:
            text = ngettext(
                "Nothing melts in the first %(num)s day.",
                "Nothing melts in the first %(num)s days.",
                lapse.grace_days,
            )
            yield LAPSES, text, HOLDER
    yield LAPSES, _(LAPSED[lapse.beneficiary]), HOLDER
    text = ngettext("Holders are told %(num)s day before.", "Holders are told %(num)s days before.", lapse.notice_days)
    yield LAPSES, text, HOLDER
    if lapse.legal_ground:
        yield LAPSES, _("Legal ground: %(text)s", text=lapse.legal_ground), HOLDER


def _said(it: Speaker, policy: Policy) -> Said:
    note = policy.notes.get(it.texts.language, "").strip()
    if note:
        yield IN_WORDS, note, BOTH


def _charges(fee: Fee) -> bool:
    return fee.basis_points > 0 or fee.minimum > 0
