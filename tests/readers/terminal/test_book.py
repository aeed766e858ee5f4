"""Nothing counts twice and nothing is left out, whatever a snapshot contains and in whatever order things arrive."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.rules.ids import uuid7
from app.rules.offline import Accept, Assurance, CardLimits, OfflineLimits, Refusal, Refuse, TerminalView, decide
from app.wire import SaleRow, Tender, VoidRow
from readers.terminal.book import Book, Entry, Mark
from tests.readers.journal.rows import sale_row

CARDS = ("04000000000001", "04000000000002", "04000000000003")
EPOCH = 3


@dataclass(frozen=True)
class Known:
    uid: str
    balances: dict[str, int]
    status: str = "active"
    assurance: Assurance = "C"
    asks: bool = False


def cards(balances: dict[str, int]) -> dict[str, Known]:
    return {uid: Known(uid, {"RAF": minor}) for uid, minor in balances.items()}


def sold(sequence: int, total: int, card: str = CARDS[0], mode: str = "offline") -> Entry:
    row = sale_row(total, card=card, mode=mode)
    return Entry.of(sequence, row)


def undo(sequence: int, entry: Entry) -> Entry:
    row = sale_row(raf(entry), card=card_of(entry), id_=entry.sale, mode="offline" if entry.offline else "online")
    return Entry.of(sequence, VoidRow(id=uuid7(), sale=entry.sale, reason="typo", at_us=1), row)


def card_of(entry: Entry) -> str:
    """The one card of an entry that was made by `sold`."""
    (uid,) = entry.taken
    return uid


def raf(entry: Entry) -> int:
    return entry.taken[card_of(entry)]["RAF"]


@dataclass
class Evening:
    """Sales and voids of one terminal, and how far each of them got."""

    entries: list[Entry] = field(default_factory=list)
    through: int = 0
    beyond: frozenset[UUID] = frozenset()

    def in_snapshot(self, entry: Entry) -> bool:
        return entry.sequence <= self.through or entry.event in self.beyond


@st.composite
def evenings(draw: st.DrawFn) -> Evening:
    evening = Evening()
    open_sales: list[Entry] = []
    for sequence in range(1, draw(st.integers(0, 25)) + 1):
        if open_sales and draw(st.integers(0, 4)) == 0:
            evening.entries.append(undo(sequence, open_sales.pop(draw(st.integers(0, len(open_sales) - 1)))))
        else:
            total, card = draw(st.integers(1, 3000)), draw(st.sampled_from(CARDS))
            entry = sold(sequence, total, card, draw(st.sampled_from(["online", "offline"])))
            evening.entries.append(entry)
            open_sales.append(entry)
    evening.through = draw(st.integers(0, len(evening.entries)))
    online = [e.event for e in evening.entries if not e.void and not e.offline and e.sequence > evening.through]
    evening.beyond = frozenset(draw(st.lists(st.sampled_from(online), unique=True)) if online else [])
    return evening


def moved(entries: list[Entry]) -> Counter[str]:
    """What entries took from each card."""
    taken: Counter[str] = Counter()
    for entry in entries:
        taken[card_of(entry)] += -raf(entry) if entry.void else raf(entry)
    return taken


BALANCES = st.fixed_dictionaries(dict.fromkeys(CARDS, st.integers(0, 8000)))


@given(evenings(), BALANCES)
def test_what_is_left_is_the_same_whatever_part_of_our_rows_the_snapshot_contains(
    evening: Evening, at_first: dict[str, int]
) -> None:
    contained = moved([entry for entry in evening.entries if evening.in_snapshot(entry)])
    snapshot = cards({uid: at_first[uid] - contained[uid] for uid in CARDS})
    book = Book(EPOCH, Mark(EPOCH, evening.through, evening.beyond), snapshot, evening.entries)
    everything = moved(evening.entries)
    for uid in CARDS:
        assert (book.available(uid) or {}) == {"RAF": at_first[uid] - everything[uid]}


@given(evenings(), BALANCES, st.randoms())
def test_risk_is_what_the_snapshot_does_not_back_and_does_not_depend_on_the_way_there(
    evening: Evening, balances: dict[str, int], chance: object
) -> None:
    mark = Mark(EPOCH, evening.through, evening.beyond)
    book = Book(EPOCH, mark, cards(balances))
    for entry in evening.entries:
        book.add(entry)
        book.add(entry)
    again = Book(EPOCH, mark, cards(balances), evening.entries)
    outside = [entry for entry in evening.entries if not evening.in_snapshot(entry)]
    undone = {entry.sale for entry in outside if entry.void}
    total = 0
    for uid in CARDS:
        mine = [entry for entry in outside if card_of(entry) == uid]
        standing = [entry for entry in mine if not entry.void and entry.sale not in undone]
        offline = sum(raf(entry) for entry in standing if entry.offline)
        online = sum(raf(entry) for entry in standing if not entry.offline)
        here = {entry.sale for entry in mine if not entry.void}
        back = sum(raf(entry) for entry in mine if entry.void and entry.sale not in here)
        risk = max(0, offline - max(0, balances[uid] - online + back))
        view = book.card(uid, "C")
        assert view is not None
        assert view == again.card(uid, "C")
        assert view.unbacked.get("RAF", 0) == risk
        assert view.backed.get("RAF", 0) == offline - risk
        assert view.consecutive == sum(entry.offline for entry in standing)
        total += risk
    assert book.unbacked.get("RAF", 0) == again.unbacked.get("RAF", 0) == total


LIMITS = OfflineLimits(cards={"RAF": {"C": CardLimits(3000, 4000, 5)}}, per_terminal={"RAF": 6000})


@given(
    BALANCES,
    st.lists(st.tuples(st.sampled_from(CARDS), st.integers(1, 3500), st.booleans()), max_size=40),
)
def test_however_the_evening_goes_the_loss_stays_within_the_limits(
    balances: dict[str, int], wishes: list[tuple[str, int, bool]]
) -> None:
    """Every card may turn out to be empty by what the snapshot does not say: the terminal's own promise is about what
    it sold beyond the snapshot."""
    book = Book(EPOCH, Mark(EPOCH, 0, ()), cards(balances))
    poured: Counter[str] = Counter()
    count: Counter[str] = Counter()
    last: Entry | None = None
    for sequence, (uid, total, void_it) in enumerate(wishes, 1):
        if void_it and last:
            poured[card_of(last)] -= raf(last)
            count[card_of(last)] -= 1
            book.add(undo(sequence, last))
            last = None
            continue
        decision = decide({"RAF": total}, book.card(uid, "C"), TerminalView(book.unbacked, 0, 0.0), LIMITS)
        if isinstance(decision, Accept):
            last = sold(sequence, total, uid)
            book.add(last)
            poured[uid] += total
            count[uid] += 1
            assert total <= 3000
    for uid in CARDS:
        unbacked = max(0, poured[uid] - balances[uid])
        assert unbacked <= 4000
        assert unbacked + (poured[uid] - unbacked) * 25 / 100 <= 4000
        assert count[uid] <= 5
    assert sum(max(0, poured[uid] - balances[uid]) for uid in CARDS) <= 6000


def test_a_snapshot_of_a_later_epoch_contains_every_row_of_this_one() -> None:
    book = Book(EPOCH, Mark(EPOCH + 1, 0, ()), cards({CARDS[0]: 1000}), [sold(9, 400)])
    assert book.available(CARDS[0]) == {"RAF": 1000}


def test_a_snapshot_of_an_earlier_epoch_contains_none() -> None:
    book = Book(EPOCH, Mark(EPOCH - 1, 99, ()), cards({CARDS[0]: 1000}), [sold(1, 400)])
    assert book.available(CARDS[0]) == {"RAF": 600}


def test_a_card_that_the_snapshot_does_not_know_is_unknown_even_after_it_paid_online() -> None:
    book = Book(EPOCH, Mark(EPOCH, 0, ()), {}, [sold(1, 400, mode="online")])
    assert book.card(CARDS[0], "C") is None
    assert decide({"RAF": 1}, None, TerminalView({}, 0, 0.0), LIMITS) == Refuse(Refusal.CARD_UNKNOWN)


def test_a_strong_card_that_only_gave_its_uid_counts_as_weak() -> None:
    book = Book(EPOCH, Mark(EPOCH, 0, ()), {CARDS[0]: Known(CARDS[0], {}, assurance="A")})
    weak, strong = book.card(CARDS[0], "C"), book.card(CARDS[0], "A")
    assert weak is not None
    assert strong is not None
    assert (weak.assurance, strong.assurance) == ("C", "A")


def test_a_card_cannot_claim_to_be_stronger_than_the_server_knows() -> None:
    book = Book(EPOCH, Mark(EPOCH, 0, ()), cards({CARDS[0]: 0}))
    view = book.card(CARDS[0], "A")
    assert view is not None
    assert view.assurance == "C"


def test_a_sale_is_written_off_against_its_own_card_only() -> None:
    book = Book(EPOCH, Mark(EPOCH, 0, ()), cards(dict.fromkeys(CARDS, 500)), [sold(1, 800, CARDS[1])])
    assert [book.available(uid) for uid in CARDS] == [{"RAF": 500}, {"RAF": -300}, {"RAF": 500}]
    assert book.unbacked["RAF"] == 300


def of_two_cards(mode: str = "offline") -> SaleRow:
    """9.00 for a first card that pays 2.00 in gift money and 3.00, and a second one that pays 4.00."""
    tenders = (
        Tender(currency="GIFT", amount=200, covers="RAF", covered=200),
        Tender(currency="RAF", amount=300),
        Tender(currency="RAF", amount=400, card=CARDS[1]),
    )
    row = sale_row(900, card=CARDS[0], mode=mode)
    return row.model_copy(update={"sale": row.sale.model_copy(update={"tenders": tenders})})


def test_each_card_of_a_sale_bears_its_own_part() -> None:
    row = of_two_cards()
    known = {uid: Known(uid, {"RAF": 350, "GIFT": 500}) for uid in CARDS}
    book = Book(EPOCH, Mark(EPOCH, 0, ()), known, [Entry.of(1, row)])
    assert [book.available(uid) for uid in CARDS] == [
        {"RAF": 50, "GIFT": 300},
        {"RAF": -50, "GIFT": 500},
        {"RAF": 350, "GIFT": 500},
    ]
    assert +Counter(book.unbacked) == {"RAF": 50}
    assert [book.card(uid, "C").consecutive for uid in CARDS] == [1, 1, 0]  # type: ignore[union-attr]


@pytest.mark.parametrize("known_here", [True, False])
def test_the_void_of_a_sale_of_two_cards_gives_to_each_what_it_paid(known_here: bool) -> None:
    row = of_two_cards("online")
    void = VoidRow(id=uuid7(), sale=row.sale.id, reason="typo", at_us=1)
    # The snapshot contains the sale, or the terminal subtracts it itself: either way the void follows it.
    mark = Mark(EPOCH, 0 if known_here else 1, ())
    book = Book(EPOCH, mark, cards(dict.fromkeys(CARDS, 1000)), [Entry.of(1, row), Entry.of(2, void, row)])
    back = 0 if known_here else 1
    assert book.available(CARDS[0]) == {"RAF": 1000 + back * 300, "GIFT": back * 200}
    assert book.available(CARDS[1]) == {"RAF": 1000 + back * 400}


def test_what_we_sold_and_what_we_heard_of_is_told_apart_by_terminal() -> None:
    one, two = uuid7(), uuid7()
    mine, contained = sold(2, 500), sold(1, 100)
    theirs, undone, of_another_card = sold(4, 300), sold(5, 200), sold(6, 50, CARDS[1])
    void, online = undo(7, undone), sold(8, 70, mode="online")
    heard = [replace(it, journal=(one, 3)) for it in (theirs, undone, of_another_card, void, online)]
    heard += [replace(sold(9, 900), journal=(two, 1)), replace(sold(10, 40), journal=(two, 1))]
    marks = {two: Mark(1, 9, ())}
    book = Book(EPOCH, Mark(EPOCH, 1, ()), cards(dict.fromkeys(CARDS, 500)), [contained, mine, *heard], marks)
    assert book.own_sold(CARDS[0]) == {"RAF": 500}
    assert book.heard_sold(CARDS[0]) == {one: {"RAF": 300}, two: {"RAF": 40}}
    assert (book.own_sold(CARDS[2]), book.heard_sold(CARDS[2])) == ({}, {})
    book.add(undo(3, mine))
    assert book.own_sold(CARDS[0]) == {"RAF": 0}
