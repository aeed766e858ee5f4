"""What the page of the limits says of sites with hubs, where terminals hear each other before they sell."""

from __future__ import annotations

from uuid import uuid4

from hypothesis import given, settings
from hypothesis import strategies as st

from app.rules.exposure import Exposure, sold_within_balance
from app.rules.offline import Accept, CardLimits, OfflineLimits, TerminalView, decide
from readers.terminal.book import Book, Entry, Mark
from tests.readers.terminal.test_book import Known

RAF = "RAF"
limits_ = st.builds(
    OfflineLimits,
    cards=st.builds(CardLimits, st.integers(1, 3000), st.integers(1, 4000), st.integers(1, 6)).map(
        lambda it: {RAF: {"C": it}}
    ),
    per_terminal=st.integers(0, 8000).map(lambda it: {RAF: it}),
    backed_weight_percent=st.integers(0, 100),
)
orders = st.tuples(st.integers(0, 3), st.sampled_from("abc"), st.integers(1, 3000))


@settings(max_examples=150)
@given(
    limits_,
    st.fixed_dictionaries(dict.fromkeys("abc", st.integers(0, 6000))),
    st.integers(1, 3),
    st.lists(orders, max_size=60),
)
def test_no_evening_costs_more_than_was_told_of_sites_whose_terminals_hear_each_other(
    limits: OfflineLimits, held: dict[str, int], sites: int, evening: list[tuple[int, str, int]]
) -> None:
    """Four terminals at one to three sites."""
    cards = {card: Known(card, {RAF: minor}) for card, minor in held.items()}
    books, devices = [Book(1, Mark(1, 0, ()), cards) for _ in range(4)], [uuid4() for _ in range(4)]
    sold = {(card, site): 0 for card in held for site in range(sites)}
    for number, (at, card, amount) in enumerate(evening, 1):
        view = books[at].card(card, "C")
        if not isinstance(decide({RAF: amount}, view, TerminalView(books[at].unbacked, 0, 0), limits), Accept):
            continue
        sold[card, at % sites] += amount
        sale = uuid4()
        for other in range(at % sites, 4, sites):
            journal = None if other == at else (devices[at], 1)
            books[other].add(Entry(number, sale, sale, {card: {RAF: amount}}, True, False, journal))
    allowed = limits.cards[RAF]["C"]
    each = sold_within_balance([allowed], limits.backed_weight_percent)
    told = Exposure(4, sites, limits.per_terminal[RAF], sum(min(minor, each) for minor in held.values()))
    lost = sum(max(0, sum(sold[card, site] for site in range(sites)) - minor) for card, minor in held.items())
    assert lost <= told.most_with_hubs
    for (card, _), taken in sold.items():
        assert max(0, taken - held[card]) <= allowed.per_card, "one card takes its limit once at each site"
