"""What several isolated terminals can lose together is what the organiser was told, whatever people order where."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.rules.exposure import Exposure, sold_within_balance
from app.rules.offline import Accept, CardLimits, CardView, OfflineLimits, Refusal, Refuse, TerminalView, decide

RAF = "RAF"
STRANGER = "unknown"


@dataclass
class Isolated:
    """One terminal: what it knows of each card, and what it sold to it, kept as terminals keep it."""

    knows: Mapping[str, int]
    sold: Counter[str] = field(default_factory=Counter)
    times: Counter[str] = field(default_factory=Counter)
    age_s: float = 0.0

    def unbacked(self, card: str) -> int:
        return max(0, self.sold[card] - self.knows.get(card, 0))

    def sell(self, card: str, amount: int, limits: OfflineLimits) -> bool:
        risk = self.unbacked(card)
        left = self.knows.get(card, 0) - self.sold[card]
        view = CardView(
            False,
            "C",
            {RAF: left},
            {RAF: risk},
            {RAF: self.sold[card] - risk},
            self.times[card],
            known=card in self.knows,
        )
        terminal = TerminalView({RAF: sum(self.unbacked(one) for one in self.sold)}, 0, self.age_s)
        accepted = isinstance(decide({RAF: amount}, view, terminal, limits), Accept)
        if accepted:
            self.sold[card] += amount
            self.times[card] += 1
        return accepted


limits_ = st.builds(
    OfflineLimits,
    cards=st.builds(CardLimits, st.integers(1, 3000), st.integers(1, 4000), st.integers(1, 6)).map(
        lambda it: {RAF: {"C": it}}
    ),
    per_terminal=st.integers(0, 8000).map(lambda it: {RAF: it}),
    backed_weight_percent=st.integers(0, 100),
    lowered_percent=st.none() | st.integers(1, 99),
    unknown_cards=st.booleans(),
)
orders = st.tuples(
    st.integers(0, 3),
    st.sampled_from(["a", "b", "c", STRANGER]),
    st.integers(1, 3000),
    st.sampled_from([0.0, 0.0, 50_000.0]),
)


@settings(max_examples=150)
@given(
    limits_,
    st.fixed_dictionaries(dict.fromkeys("abc", st.integers(0, 6000))),
    st.integers(1, 4),
    st.lists(orders, max_size=60),
)
def test_no_evening_costs_more_than_the_organiser_was_told(
    limits: OfflineLimits, held: dict[str, int], number: int, evening: list[tuple[int, str, int, float]]
) -> None:
    terminals = [Isolated(held) for _ in range(number)]
    for at, card, amount, older_s in evening:
        terminal = terminals[at % number]
        terminal.age_s += older_s
        terminal.sell(card, amount, limits)
    lost = sum(max(0, sum(it.sold[card] for it in terminals) - held.get(card, 0)) for card in (*held, STRANGER))
    allowed = limits.cards[RAF]["C"]
    each = sold_within_balance([allowed], limits.backed_weight_percent)
    told = Exposure(number, 1, limits.per_terminal[RAF], sum(min(minor, each) for minor in held.values()))
    assert lost <= told.most
    for it in terminals:
        assert sum(it.unbacked(card) for card in it.sold) <= limits.per_terminal[RAF]
        assert all(it.sold[card] - it.unbacked(card) <= each for card in it.sold)


def test_the_terminals_limits_alone_do_not_bound_what_is_lost() -> None:
    """Ten cards with 20.00 each, at two terminals that cannot speak to each other: every euro is sold twice."""
    limits = OfflineLimits(cards={RAF: {"C": CardLimits(3000, 4000, 5)}}, per_terminal={RAF: 500})
    held = {f"card {number}": 2000 for number in range(10)}
    here, there = Isolated(held), Isolated(held)
    assert all(it.sell(card, 2000, limits) for it in (here, there) for card in held)
    lost = sum(here.sold.values()) + sum(there.sold.values()) - sum(held.values())
    assert lost == 20_000
    assert lost > 2 * 500
    assert Exposure(2, 1, 500, 20_000).most == 2 * 500 + 20_000


def test_the_bound_is_reached() -> None:
    """Nobody may be told less: two terminals, and each sells all that it may."""
    limits = OfflineLimits(cards={RAF: {"C": CardLimits(3000, 4000, 5)}}, per_terminal={RAF: 4000})
    held = {"full": 3000, "empty": 0}
    terminals = [Isolated(held) for _ in range(2)]
    for it in terminals:
        assert it.sell("full", 3000, limits)
        assert it.sell("empty", 3000, limits)
        assert it.sell("empty", 1000, limits)
    sold = sum((it.sold for it in terminals), Counter[str]())
    lost = sum(max(0, sold[card] - held[card]) for card in held)
    assert lost == Exposure(2, 1, 4000, 3000).most == 2 * 4000 + 3000


@pytest.mark.parametrize(
    ("limits", "weight", "most"),
    [
        # 5 sales of 30.00 come before the 160.00 at which a quarter of it is 40.00.
        (CardLimits(3000, 4000, 5), 25, 15_000),
        (CardLimits(5000, 8000, 10), 25, 32_000),
        (CardLimits(3000, 4000, 5), 100, 4000),
        (CardLimits(3000, 4000, 5), 0, 15_000),
        # Two thirds of 151 are 100.67, rounded up 101: the last cent may not be sold.
        (CardLimits(1000, 100, 5), 67, 149),
    ],
)
def test_one_terminal_sells_so_much_within_a_balance(limits: CardLimits, weight: int, most: int) -> None:
    assert sold_within_balance([limits], weight) == most
    assert sold_within_balance([limits, replace(limits, per_sale=0)], weight) == most
    assert sold_within_balance([], weight) == 0


def test_a_hub_at_each_site_leaves_the_sites_apart() -> None:
    it = Exposure(terminals=8, sites=2, per_terminal=50_000, on_cards=120_000)
    assert (it.beyond, it.again, it.most) == (400_000, 840_000, 1_240_000)
    assert (it.again_with_hubs, it.most_with_hubs) == (120_000, 520_000)
    alone = Exposure(1, 1, 50_000, 120_000)
    assert (alone.most, alone.most_with_hubs) == (50_000, 50_000)
    assert Exposure(0, 0, 50_000, 120_000).most == 0
    with pytest.raises(ValueError, match="cannot be"):
        Exposure(1, 2, 1, 1)


def test_an_old_snapshot_stops_a_terminal_or_lowers_its_limits() -> None:
    stops = OfflineLimits(cards={RAF: {"C": CardLimits(3000, 4000, 5)}}, per_terminal={RAF: 10_000})
    lowers = replace(stops, lowered_percent=25)
    card, old = CardView(False, "C", {RAF: 900}, {}, {}, 0), TerminalView({}, 0, 12 * 3600 + 1)
    assert decide({RAF: 100}, card, old, stops) == Refuse(Refusal.SNAPSHOT_TOO_OLD)
    assert decide({RAF: 750}, card, old, lowers) == Accept({})
    assert decide({RAF: 751}, card, old, lowers) == Refuse(Refusal.OVER_SALE_LIMIT)
    assert decide({RAF: 750}, replace(card, unbacked={RAF: 900}), old, lowers) == Refuse(Refusal.OVER_CARD_LIMIT)
    # 5 in a row become 1, and never none.
    assert decide({RAF: 1}, replace(card, consecutive=1), old, lowers) == Refuse(Refusal.TOO_MANY_OFFLINE)
    assert decide({RAF: 1}, card, replace(old, snapshot_age_s=None), lowers) == Refuse(Refusal.SNAPSHOT_TOO_OLD)
    # Beyond the lowered limit of the terminal only what cards are known to hold is sold.
    deep = replace(old, unbacked={RAF: 2500})
    assert decide({RAF: 750}, card, deep, lowers) == Accept({})
    assert decide({RAF: 750}, replace(card, available={RAF: 749}), deep, lowers) == Refuse(Refusal.OVER_TERMINAL_LIMIT)
