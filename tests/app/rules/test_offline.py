"""What an isolated terminal can lose is bounded, whatever people order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.rules.offline import (
    Accept,
    Assurance,
    CardLimits,
    CardView,
    OfflineLimits,
    Refusal,
    Refuse,
    TerminalView,
    decide,
    refusal_of_top_up,
)

RAF, GIFT = "RAF", "GIFT"
LEVELS: list[Assurance] = ["A", "B", "C"]

amounts = st.integers(0, 5000)
card_limits = st.builds(CardLimits, st.integers(0, 3000), st.integers(0, 3000), st.integers(0, 10))
per_level = st.fixed_dictionaries(dict.fromkeys(LEVELS, card_limits))
limits_ = st.builds(
    OfflineLimits,
    cards=st.fixed_dictionaries({RAF: per_level, GIFT: per_level}),
    per_terminal=st.fixed_dictionaries({RAF: amounts}, optional={GIFT: amounts}),
    backed_weight_percent=st.integers(0, 100),
)
by_currency = st.fixed_dictionaries({}, optional={RAF: amounts, GIFT: amounts})
available = st.fixed_dictionaries({}, optional={RAF: st.integers(-500, 5000), GIFT: amounts})
cards = st.builds(
    CardView, st.just(False), st.sampled_from(LEVELS), available, by_currency, by_currency, st.integers(0, 10)
)
terminals = st.builds(TerminalView, by_currency, st.integers(0, 20), st.floats(0, 40_000))
tenders = st.dictionaries(st.sampled_from([RAF, GIFT]), st.integers(1, 4000), min_size=1)


@given(limits_, st.sampled_from(LEVELS), available, st.lists(tenders, max_size=25))
def test_the_risk_of_a_card_and_of_a_terminal_never_passes_its_limit(
    limits: OfflineLimits, level: Assurance, start: dict[str, int], evening: list[dict[str, int]]
) -> None:
    """A whole evening without network, with one card: the views are kept as terminals keep them."""
    card = CardView(False, level, start, {}, {}, 0)
    terminal = TerminalView({}, 0, 0.0)
    paid: dict[str, int] = {}
    for order in evening:
        decision = decide(order, card, terminal, limits)
        if isinstance(decision, Refuse):
            continue
        for currency, amount in order.items():
            paid[currency] = paid.get(currency, 0) + amount
        card, terminal = _after(order, decision, card, terminal)
    for currency, amount in paid.items():
        risk = max(0, amount - max(0, start.get(currency, 0)))
        allowed = limits.cards[currency][level]
        assert risk <= allowed.per_card
        assert risk <= limits.per_terminal.get(currency, 0)
        assert 100 * risk + (amount - risk) * limits.backed_weight_percent <= 100 * allowed.per_card


def _after(
    order: dict[str, int], accepted: Accept, card: CardView, terminal: TerminalView
) -> tuple[CardView, TerminalView]:
    def plus(view: Mapping[str, int], change: Mapping[str, int]) -> dict[str, int]:
        held = dict(view)
        return held | {currency: held.get(currency, 0) + amount for currency, amount in change.items()}

    risk = dict(accepted.unbacked)
    backed = {currency: amount - risk.get(currency, 0) for currency, amount in order.items()}
    spent = {currency: -amount for currency, amount in order.items()}
    card = replace(
        card,
        available=plus(card.available, spent),
        unbacked=plus(card.unbacked, risk),
        backed=plus(card.backed, backed),
        consecutive=card.consecutive + 1,
    )
    return card, replace(terminal, unbacked=plus(terminal.unbacked, risk), rows_waiting=terminal.rows_waiting + 1)


@given(tenders, cards, terminals, limits_, st.data())
def test_whoever_may_pay_may_pay_less(
    order: dict[str, int], card: CardView, terminal: TerminalView, limits: OfflineLimits, data: st.DataObject
) -> None:
    if isinstance(decide(order, card, terminal, limits), Refuse):
        return
    less = {currency: data.draw(st.integers(1, amount)) for currency, amount in order.items()}
    assert isinstance(decide(less, card, terminal, limits), Accept)


@given(tenders, cards, terminals, limits_, st.sampled_from([RAF, GIFT]), st.integers(1, 2000))
def test_more_money_on_the_card_turns_no_yes_into_a_no(
    order: dict[str, int], card: CardView, terminal: TerminalView, limits: OfflineLimits, currency: str, more: int
) -> None:
    """A backed sale weighs less than an unbacked one, up to all of it."""
    richer = replace(card, available={**card.available, currency: card.available.get(currency, 0) + more})
    if isinstance(decide(order, card, terminal, limits), Accept):
        assert isinstance(decide(order, richer, terminal, limits), Accept)


@given(tenders, cards, terminals, limits_, st.sampled_from([RAF, GIFT]), st.integers(1, 2000))
def test_more_risk_already_taken_turns_no_no_into_a_yes(
    order: dict[str, int], card: CardView, terminal: TerminalView, limits: OfflineLimits, currency: str, more: int
) -> None:
    before = decide(order, card, terminal, limits)
    worse = [
        (replace(card, unbacked={**card.unbacked, currency: card.unbacked.get(currency, 0) + more}), terminal),
        (replace(card, backed={**card.backed, currency: card.backed.get(currency, 0) + more}), terminal),
        (replace(card, consecutive=card.consecutive + 1), terminal),
        (replace(card, blocked=True), terminal),
        (card, replace(terminal, rows_waiting=terminal.rows_waiting + 25_000)),
        (card, replace(terminal, snapshot_age_s=(terminal.snapshot_age_s or 0) + more)),
        (card, replace(terminal, unbacked={**terminal.unbacked, currency: terminal.unbacked.get(currency, 0) + more})),
    ]
    if isinstance(before, Refuse):
        assert all(isinstance(decide(order, *views, limits), Refuse) for views in worse)


@given(tenders, cards, terminals, limits_)
def test_the_unbacked_part_is_what_the_card_does_not_hold(
    order: dict[str, int], card: CardView, terminal: TerminalView, limits: OfflineLimits
) -> None:
    decision = decide(order, card, terminal, limits)
    if isinstance(decision, Accept):
        held = {currency: max(0, card.available.get(currency, 0)) for currency in order}
        assert decision.unbacked == {c: a - held[c] for c, a in order.items() if a > held[c]}


GENEROUS = OfflineLimits(
    cards={RAF: {"C": CardLimits(3000, 3000, 5)}}, per_terminal={RAF: 10_000}, snapshot_stop_s=100, journal_rows=50
)
CARD = CardView(False, "C", {RAF: 1000}, {}, {}, 0)
TERMINAL = TerminalView({}, 0, 10.0)


@pytest.mark.parametrize(
    ("order", "card", "terminal", "reason"),
    [
        ({RAF: 1}, CARD, replace(TERMINAL, snapshot_age_s=None), Refusal.SNAPSHOT_TOO_OLD),
        ({RAF: 1}, CARD, replace(TERMINAL, snapshot_age_s=100.1), Refusal.SNAPSHOT_TOO_OLD),
        ({RAF: 1}, CARD, replace(TERMINAL, rows_waiting=50), Refusal.JOURNAL_FULL),
        ({RAF: 1}, None, TERMINAL, Refusal.CARD_UNKNOWN),
        ({RAF: 1}, replace(CARD, blocked=True), TERMINAL, Refusal.CARD_BLOCKED),
        ({"TIME": 1}, CARD, TERMINAL, Refusal.CURRENCY_NOT_ACCEPTED),
        ({RAF: 1}, replace(CARD, assurance="A"), TERMINAL, Refusal.CURRENCY_NOT_ACCEPTED),
        ({RAF: 3001}, replace(CARD, available={RAF: 9000}), TERMINAL, Refusal.OVER_SALE_LIMIT),
        ({RAF: 1}, replace(CARD, consecutive=5), TERMINAL, Refusal.TOO_MANY_OFFLINE),
        ({RAF: 2000}, replace(CARD, unbacked={RAF: 2001}), TERMINAL, Refusal.OVER_CARD_LIMIT),
        ({RAF: 1001}, CARD, replace(TERMINAL, unbacked={RAF: 10_000}), Refusal.OVER_TERMINAL_LIMIT),
    ],
)
def test_each_refusal_names_its_reason(
    order: dict[str, int], card: CardView | None, terminal: TerminalView, reason: Refusal
) -> None:
    assert decide(order, card, terminal, GENEROUS) == Refuse(reason)


def test_what_comes_back_to_a_card_meets_no_limit() -> None:
    spent = replace(CARD, consecutive=99, unbacked={RAF: 10**6})
    assert decide({RAF: -1000}, spent, replace(TERMINAL, unbacked={RAF: 10**6}), GENEROUS) == Accept({})
    assert decide({RAF: -1000}, replace(CARD, blocked=True), TERMINAL, GENEROUS) == Refuse(Refusal.CARD_BLOCKED)
    assert decide({RAF: -1000}, None, TERMINAL, GENEROUS) == Refuse(Refusal.CARD_UNKNOWN)


def test_at_each_limit_the_sale_is_still_made() -> None:
    assert decide({RAF: 1000}, CARD, replace(TERMINAL, unbacked={RAF: 10_000}), GENEROUS) == Accept({})
    assert decide({RAF: 3000}, replace(CARD, consecutive=4), TERMINAL, GENEROUS) == Accept({RAF: 2000})
    assert decide({RAF: 1}, CARD, TerminalView({}, 49, 100.0), GENEROUS) == Accept({})


def test_an_unknown_card_pays_where_the_network_lets_it() -> None:
    stranger = replace(CARD, available={}, known=False)
    assert decide({RAF: 1}, stranger, TERMINAL, GENEROUS) == Refuse(Refusal.CARD_UNKNOWN)
    open_to_all = replace(GENEROUS, unknown_cards=True)
    assert decide({RAF: 3000}, stranger, TERMINAL, open_to_all) == Accept({RAF: 3000})
    assert decide({RAF: 3001}, stranger, TERMINAL, open_to_all) == Refuse(Refusal.OVER_SALE_LIMIT)


@pytest.mark.parametrize(
    ("amount", "card", "terminal", "reason"),
    [
        (500, CARD, TERMINAL, None),
        (5000, CARD, TERMINAL, None),
        (499, CARD, TERMINAL, Refusal.AMOUNT_OUT_OF_RANGE),
        (5001, replace(CARD, available={}), TERMINAL, Refusal.AMOUNT_OUT_OF_RANGE),
        (5000, replace(CARD, available={RAF: 1001}), TERMINAL, Refusal.OVER_CEILING),
        (500, replace(CARD, blocked=True), TERMINAL, Refusal.CARD_BLOCKED),
        (500, replace(CARD, known=False), TERMINAL, Refusal.CARD_UNKNOWN),
        (500, None, TERMINAL, Refusal.CARD_UNKNOWN),
        (500, CARD, replace(TERMINAL, snapshot_age_s=101), Refusal.SNAPSHOT_TOO_OLD),
        (500, CARD, replace(TERMINAL, rows_waiting=50), Refusal.JOURNAL_FULL),
    ],
)
def test_cash_goes_on_a_card_without_network_where_the_network_lets_it(
    amount: int, card: CardView | None, terminal: TerminalView, reason: Refusal | None
) -> None:
    limits = replace(GENEROUS, top_ups={RAF: (500, 5000)})
    assert refusal_of_top_up(RAF, amount, card, terminal, limits, 6000) is reason
    assert refusal_of_top_up("GIFT", amount, CARD, TERMINAL, limits, None) is Refusal.NOT_ALLOWED
