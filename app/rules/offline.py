"""Whether a terminal without network may sell: the same bounded risk wherever it is computed.

A card's balance lives on the server, so what an isolated terminal can lose is bounded here and nowhere else. What
counts is risk that the last snapshot does not back. A sale within the snapshot's balance may still have been spent
at another isolated terminal, so it counts too, at a lower weight.

Default numbers: terminal.md, "Deciding offline"; each is a network setting.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Literal

Assurance = Literal["A", "B", "C"]

# Percent of a limit when it is not lowered.
WHOLE = 100


class Refusal(StrEnum):
    """Why a sale is refused. The values are stable: they travel, are translated on screen, and are kept."""

    CARD_UNKNOWN = "card-unknown"
    CARD_BLOCKED = "card-blocked"
    CARD_NOT_PROVEN = "card-not-proven"
    INSUFFICIENT_FUNDS = "insufficient-funds"
    CURRENCY_NOT_ACCEPTED = "currency-not-accepted"
    SPENDING_LIMIT = "spending-limit"
    TENDER_NOT_ALLOWED = "tender-not-allowed"
    DEPOSIT_NOT_HELD = "deposit-not-held"
    PRICE_CHANGED = "price-changed"
    OVER_SALE_LIMIT = "over-sale-limit"
    OVER_CARD_LIMIT = "over-card-limit"
    TOO_MANY_OFFLINE = "too-many-offline"
    OVER_TERMINAL_LIMIT = "over-terminal-limit"
    SNAPSHOT_TOO_OLD = "snapshot-too-old"
    JOURNAL_FULL = "journal-full"
    CANCELLED = "cancelled"
    UNUSABLE_CARD = "unusable-card"
    INVALID = "invalid"
    JOURNAL_FAILED = "journal-failed"
    TERMINAL_HALTED = "terminal-halted"
    AMOUNT_OUT_OF_RANGE = "amount-out-of-range"
    TOO_MUCH_AT_ONCE = "too-much-at-once"
    DAILY_CAP = "daily-cap"
    OVER_CEILING = "over-ceiling"
    FORBIDDEN = "forbidden"
    NOT_ALLOWED = "not-allowed"
    TERMINALS_AWAY = "terminals-away"
    NO_ANSWER = "no-answer"
    CARD_LEFT = "card-left"


@dataclass(frozen=True, slots=True)
class CardLimits:
    """For one assurance level and one currency: minor units per sale and per card, and a number of sales."""

    per_sale: int
    per_card: int
    consecutive: int


@dataclass(frozen=True, slots=True)
class OfflineLimits:
    """One network's limits: by currency, then by assurance level; a card of a level that is left out does not pay.

    Beyond `snapshot_stop_s` a terminal sells within `lowered_percent` of every limit, or not at all (None).
    `unknown_cards`: a card that the snapshot does not know may pay, as one of level C that holds nothing.
    `top_ups`: the least and the most of a currency that may be put on a card for cash; what is left out is not.
    """

    cards: Mapping[str, Mapping[Assurance, CardLimits]]
    per_terminal: Mapping[str, int]
    backed_weight_percent: int = 25
    journal_rows: int = 25_000
    snapshot_warn_s: int = 3600
    snapshot_stop_s: int = 12 * 3600
    lowered_percent: int | None = None
    unknown_cards: bool = False
    top_ups: Mapping[str, tuple[int, int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CardView:
    """A card as this terminal knows it: the snapshot's word, less what the terminal has sold since.

    `available`, `unbacked` and `backed` are minor units by currency; the last two sum this terminal's sales to the
    card that no snapshot has settled yet. `consecutive` counts those sales made offline. `known`: the snapshot knows
    it. `asks`: it pays only so much a day, of which this terminal alone knows too little.
    """

    blocked: bool
    assurance: Assurance
    available: Mapping[str, int]
    unbacked: Mapping[str, int]
    backed: Mapping[str, int]
    consecutive: int
    known: bool = True
    asks: bool = False


@dataclass(frozen=True, slots=True)
class TerminalView:
    """The terminal's own state: unbacked risk taken and not settled, rows waiting, age of its snapshot (None: none)."""

    unbacked: Mapping[str, int]
    rows_waiting: int
    snapshot_age_s: float | None


@dataclass(frozen=True, slots=True)
class Accept:
    """Sell. `unbacked` is the part of each tender that the snapshot does not cover, in minor units."""

    unbacked: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Refuse:
    reason: Refusal


def stopped(terminal: TerminalView, limits: OfflineLimits) -> Refusal | None:
    """Why this terminal sells to nobody without network, whatever the card; None: it may."""
    if terminal.snapshot_age_s is None:
        return Refusal.SNAPSHOT_TOO_OLD
    if terminal.snapshot_age_s > limits.snapshot_stop_s and limits.lowered_percent is None:
        return Refusal.SNAPSHOT_TOO_OLD
    return Refusal.JOURNAL_FULL if terminal.rows_waiting >= limits.journal_rows else None


def percent_in_force(terminal: TerminalView, limits: OfflineLimits) -> int:
    """How much of every limit holds for a snapshot of this age."""
    old = terminal.snapshot_age_s is None or terminal.snapshot_age_s > limits.snapshot_stop_s
    return (limits.lowered_percent or 0) if old else WHOLE


def lowered(allowed: CardLimits, percent: int) -> CardLimits:
    """That much of a card's limits, rounded down; where some sales in a row are allowed, one still is."""
    in_a_row = min(allowed.consecutive, max(1, allowed.consecutive * percent // 100)) if percent else 0
    return CardLimits(allowed.per_sale * percent // 100, allowed.per_card * percent // 100, in_a_row)


def decide(
    tenders: Mapping[str, int], card: CardView | None, terminal: TerminalView, limits: OfflineLimits
) -> Accept | Refuse:
    """May this card pay `tenders` (minor units by currency; below 0, it is given them) here, now, without asking
    anyone?"""
    if reason := stopped(terminal, limits):
        return Refuse(reason)
    if card is None or not (card.known or limits.unknown_cards):
        return Refuse(Refusal.CARD_UNKNOWN)
    if card.blocked:
        return Refuse(Refusal.CARD_BLOCKED)
    unbacked: dict[str, int] = {}
    percent = percent_in_force(terminal, limits)
    for currency, amount in tenders.items():
        if amount <= 0:
            # A deposit that comes back: whoever holds the cup may have its money, and nobody risks anything by it.
            continue
        if card.asks:
            return Refuse(Refusal.SPENDING_LIMIT)
        levels = limits.cards.get(currency, {})
        allowed = levels.get(card.assurance)
        if allowed is None:
            surer = any(level < card.assurance for level in levels)
            return Refuse(Refusal.CARD_NOT_PROVEN if surer else Refusal.CURRENCY_NOT_ACCEPTED)
        if reason := _over(currency, amount, card, terminal, limits, lowered(allowed, percent)):
            return Refuse(reason)
        if risk := _risk(amount, card.available.get(currency, 0)):
            unbacked[currency] = risk
    return Accept(unbacked)


def decide_all(
    asked: Mapping[str, Mapping[str, int]],
    cards: Mapping[str, CardView],
    terminal: TerminalView,
    limits: OfflineLimits,
) -> Accept | Refuse:
    """May these cards pay what is asked of each: every one within its own limits, all within the terminal's? By UID."""
    unbacked: Counter[str] = Counter()
    for uid, tenders in asked.items():
        so_far = replace(terminal, unbacked=Counter(terminal.unbacked) + unbacked)
        verdict = decide(tenders, cards[uid], so_far, limits)
        if isinstance(verdict, Refuse):
            return verdict
        unbacked.update(verdict.unbacked)
    return Accept(unbacked)


def refusal_of_top_up(
    currency: str,
    amount: int,
    card: CardView | None,
    terminal: TerminalView,
    limits: OfflineLimits,
    ceiling: int | None,
) -> Refusal | None:
    """Why this much (minor units) may not be put on a card without asking anyone; None: it may. `ceiling`: what a card
    holds at most. Staff have the cash in hand, so it is no risk; what the card holds is known here only."""
    if reason := stopped(terminal, limits):
        return reason
    if currency not in limits.top_ups:
        return Refusal.NOT_ALLOWED
    if card is None or not (card.known or limits.unknown_cards):
        return Refusal.CARD_UNKNOWN
    if card.blocked:
        return Refusal.CARD_BLOCKED
    least, most = limits.top_ups[currency]
    if not least <= amount <= most:
        return Refusal.AMOUNT_OUT_OF_RANGE
    if ceiling is not None and card.available.get(currency, 0) + amount > ceiling:
        return Refusal.OVER_CEILING
    return None


def _over(
    currency: str, amount: int, card: CardView, terminal: TerminalView, limits: OfflineLimits, allowed: CardLimits
) -> Refusal | None:
    if amount > allowed.per_sale:
        return Refusal.OVER_SALE_LIMIT
    if card.consecutive >= allowed.consecutive:
        return Refusal.TOO_MANY_OFFLINE
    risk = _risk(amount, card.available.get(currency, 0))
    unbacked = card.unbacked.get(currency, 0) + risk
    backed = card.backed.get(currency, 0) + amount - risk
    # Rounded up: a fraction of a cent of risk is risk.
    weighed = unbacked + -(-backed * limits.backed_weight_percent // 100)
    if weighed > allowed.per_card:
        return Refusal.OVER_CARD_LIMIT
    most = limits.per_terminal.get(currency, 0) * percent_in_force(terminal, limits) // 100
    # What a card is known to hold it may pay even where limits that were lowered since are passed already.
    if risk and terminal.unbacked.get(currency, 0) + risk > most:
        return Refusal.OVER_TERMINAL_LIMIT
    return None


def _risk(amount: int, available: int) -> int:
    return max(0, amount - max(0, available))
