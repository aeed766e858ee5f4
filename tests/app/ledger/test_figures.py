"""The figures beside the ledger: on paper, against every transfer, and wherever their maker was stopped."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from datetime import date, timedelta
from random import Random
from uuid import UUID

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from app.ledger.figures import reads
from app.ledger.figures.follow import catch_up
from app.ledger.figures.lots import NOWHERE, Leg, Lots
from app.ledger.rules.kinds import AccountKey, Book
from app.ledger.rules.operations import Operation, Posted, Posting
from app.ledger.verify import verify
from app.rules.ids import uuid7

from .conftest import KEY, RAF, RESERVE, Books

FRIDAY = date(2026, 5, 1)
SATURDAY, SUNDAY = FRIDAY + timedelta(1), FRIDAY + timedelta(2)
BAR, CAFE = UUID(int=11), UUID(int=12)
ANNA, BEN = (7, "wallet:anna"), (7, "wallet:ben")


def load(number: int, amount: int, purse: tuple[int, str] = ANNA, day: date = FRIDAY, at: UUID = NOWHERE) -> Leg:
    return Leg(number, amount, day, None, purse, "", NOWHERE, at, None)


def spend(number: int, amount: int, at: UUID, purse: tuple[int, str] = ANNA, day: date = FRIDAY) -> Leg:
    return Leg(number, amount, day, purse, None, "claim", at, NOWHERE, None)


def void(number: int, amount: int, of: int, purse: tuple[int, str] = ANNA, day: date = FRIDAY) -> Leg:
    return Leg(number, amount, day, None, purse, "", NOWHERE, NOWHERE, of)


def after(*legs: Leg) -> Lots:
    lots = Lots()
    for leg in legs:
        lots.apply(leg)
    return lots


def left(lots: Lots, purse: tuple[int, str] = ANNA) -> list[tuple[date, UUID, int]]:
    return [(it.day, it.origin, it.remaining) for it in lots.lots[purse] if it.remaining]


def went(lots: Lots) -> Mapping[tuple[UUID, UUID], int]:
    """{(loaded at, spent at): minor units}"""
    found: Counter[tuple[UUID, UUID]] = Counter()
    for cell, amount in lots.cells.items():
        found[cell.origin, cell.venue] += amount
    return {pair: amount for pair, amount in found.items() if amount}


def test_the_oldest_money_is_spent_first() -> None:
    lots = after(load(1, 10, at=BAR), load(2, 10, day=SATURDAY), spend(3, 12, CAFE, day=SUNDAY))
    assert went(lots) == {(BAR, CAFE): 10, (NOWHERE, CAFE): 2}
    assert left(lots) == [(SATURDAY, NOWHERE, 8)]


def test_what_a_void_gives_back_is_as_old_as_it_was() -> None:
    lots = after(load(1, 10, at=BAR), load(2, 10, day=SATURDAY), spend(3, 12, CAFE, day=SUNDAY), void(4, 5, of=3))
    assert went(lots) == {(BAR, CAFE): 7}
    assert left(lots) == [(FRIDAY, BAR, 3), (SATURDAY, NOWHERE, 8), (SATURDAY, NOWHERE, 2)]


def test_what_was_owed_is_made_good_by_the_next_load() -> None:
    lots = after(load(1, 6, at=BAR), spend(2, 10, CAFE))
    assert went(lots) == {(BAR, CAFE): 6}
    lots.apply(load(3, 10, day=SATURDAY, at=CAFE))
    assert went(lots) == {(BAR, CAFE): 6, (CAFE, CAFE): 4}
    assert left(lots) == [(SATURDAY, CAFE, 6)]


def test_a_void_of_what_was_never_paid_cancels_the_debt_and_gives_nothing_back() -> None:
    lots = after(load(1, 6), spend(2, 10, CAFE), void(3, 4, of=2))
    assert left(lots) == []
    lots.apply(void(4, 6, of=2))
    assert left(lots) == [(FRIDAY, NOWHERE, 6)]
    assert went(lots) == {}


def test_money_that_moves_between_cards_keeps_its_age_and_its_origin() -> None:
    lots = after(load(1, 10, at=BAR))
    lots.apply(Leg(2, 4, SATURDAY, ANNA, BEN, "wallet", NOWHERE, NOWHERE, None))
    assert left(lots) == [(FRIDAY, BAR, 6)]
    assert left(lots, BEN) == [(FRIDAY, BAR, 4)]


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_lots_come_to_what_the_purse_holds_whatever_happens(data: st.DataObject) -> None:
    lots, held, spent, taken_back = Lots(), Counter[tuple[int, str]](), dict[int, Leg](), Counter[int]()
    for number in range(1, data.draw(st.integers(1, 25)) + 1):
        purse, amount = data.draw(st.sampled_from([ANNA, BEN])), data.draw(st.integers(1, 9))
        day, venue = FRIDAY + timedelta(number // 5), data.draw(st.sampled_from([BAR, CAFE]))
        what = data.draw(st.sampled_from(["load", "spend", "void", "move"]))
        open_ = [it for it in spent.values() if taken_back[it.transfer] < it.amount]
        if what == "void" and open_:
            of = data.draw(st.sampled_from(open_))
            amount = min(amount, of.amount - taken_back[of.transfer])
            taken_back[of.transfer] += amount
            assert of.debit is not None
            leg = void(number, amount, of.transfer, of.debit, day)
        elif what == "move":
            leg = Leg(number, amount, day, ANNA, BEN, "wallet", NOWHERE, NOWHERE, None)
        elif what == "spend":
            leg = spent[number] = spend(number, amount, venue, purse, day)
        else:
            leg = load(number, amount, purse, day, venue)
        lots.apply(leg)
        for side, sign in ((leg.debit, -1), (leg.credit, 1)):
            if side is not None:
                held[side] += sign * leg.amount
        for purse in (ANNA, BEN):
            there = sum(it.remaining for it in lots.lots[purse])
            missing = sum(it.remaining for it in lots.shortfalls[purse])
            assert there - missing == held[purse]
            assert not (there and missing), "nothing is owed beside money that is there"
    for venue in (BAR, CAFE):
        paid = sum(amount for cell, amount in lots.cells.items() if cell.venue == venue)
        sold = sum(it.amount - taken_back[it.transfer] for it in spent.values() if it.venue == venue)
        unpaid = sum(it.remaining for of in lots.shortfalls.values() for it in of if it.venue == venue)
        assert paid + unpaid == sold


@pytest.mark.anyio
async def test_figures_are_what_the_transfers_say_wherever_they_were_stopped(books: Books) -> None:
    random = Random(4)
    ledger, venues = books.ledger, {BAR: f"venue:{BAR}", CAFE: f"venue:{CAFE}"}
    owners = [f"wallet:{number}" for number in range(3)]
    keys = [AccountKey(RAF, kind, owner) for owner in owners for kind in ("wallet", "overdraft")]
    keys += [AccountKey(RAF, "claim", owner) for owner in venues.values()]
    keys += [AccountKey(RESERVE, "due_from", owner) for owner in venues.values()]
    ids = dict(zip(keys, await ledger.accounts(keys, {"RAF": 1}), strict=True))
    sold: defaultdict[tuple[date, UUID], int] = defaultdict(int)
    sales: list[tuple[Operation, Posted]] = []
    for number in range(60):
        owner, venue = random.choice(owners), random.choice([BAR, CAFE])
        wallet, overdraft = (ids[AccountKey(RAF, kind, owner)] for kind in ("wallet", "overdraft"))
        claim, due = ids[AccountKey(RAF, "claim", venues[venue])], ids[AccountKey(RESERVE, "due_from", venues[venue])]
        amount, day, what = random.randint(1, 40), FRIDAY + timedelta(number // 20), random.random()
        if what < 0.35:
            postings = [
                Posting(due, books.ids["liability"], amount),
                Posting(books.ids["issuance"], overdraft, amount, credit_overflow=wallet),
            ]
            kind = "topup.cash"
        elif what < 0.85 or not sales:
            postings, kind = [Posting(wallet, claim, amount, debit_overflow=overdraft)], "sale"
            sold[day, venue] += amount
        else:
            of, outcome = sales.pop(random.randrange(len(sales)))
            found = (await ledger.booked([of.id]))[of.id]
            back = await ledger.reversal(found, uuid7(), actor="test", occurred_at_us=1, business_day=day)
            assert isinstance(await ledger.post_one(back), Posted)
            assert of.venue is not None
            sold[day, of.venue] -= sum(it.amount for it in outcome.transfers)
            continue
        operation = Operation(uuid7(), kind, bytes(32), tuple(postings), "test", 1, day, venue=venue, revision=None)
        outcome = await ledger.post_one(operation)
        if kind == "sale":
            sales.append((operation, outcome))
        if number % 7 == 0:
            await catch_up(books.engine, stretches=random.randint(0, 2), stretch=random.randint(1, 9))
    assert await catch_up(books.engine, stretch=5)
    picture = await reads.picture(ledger.reader, FRIDAY, SATURDAY, list(venues.values()))
    balances = reads.balances_at_end(picture.standings, picture.since)
    for venue, owner in venues.items():
        until_saturday = sum(amount for (day, at), amount in sold.items() if at == venue and day <= SATURDAY)
        assert balances[RAF, "claim", owner] == until_saturday
    everything = await reads.picture(ledger.reader, FRIDAY, SUNDAY, list(venues.values()))
    # The three days by themselves, and with their month: whole months are read by the month.
    for first, last in ((FRIDAY, date(2026, 5, 31)), (date(2026, 4, 9), date(2026, 7, 4)), (FRIDAY, date.max)):
        found = await reads.picture(ledger.reader, first, last, list(venues.values()))
        assert (found.spent, found.movements, found.since) == (everything.spent, everything.movements, [])
    before = await reads.picture(ledger.reader, date(2026, 3, 1), date(2026, 4, 20), list(venues.values()))
    assert (before.movements, reads.balances_at_end(before.standings, before.since)) == ([], dict.fromkeys(balances, 0))
    owed = -sum(it.balance for it in await ledger.balances(kinds=["overdraft"]))
    assert sum(it.amount for it in everything.spent) == sum(sold.values()) - owed
    held = sum(it.balance for it in await ledger.balances(kinds=["wallet"]))
    assert sum(it.amount for it in await reads.unspent(ledger.reader)) == held
    assert (await verify(books.engine, KEY.public_key())).ok, "which looks at the figures too"
    assert picture.booked_at_us is not None


@given(st.dates(date(2023, 12, 1), date(2026, 3, 31)), st.integers(0, 500))
def test_months_and_the_days_beside_them_are_the_period(first: date, length: int) -> None:
    last = first + timedelta(length)
    begin, end = reads.whole_months(first, last)
    if begin < end:
        assert first <= begin < end <= last + timedelta(1)
        assert begin.day == end.day == 1
        assert (begin - first).days < 31 > (last + timedelta(1) - end).days
    else:
        # No month lies whole in it.
        assert not any(
            (first + timedelta(it)).day == 1 and (first + timedelta(it + 31)) <= last for it in range(length)
        )


@pytest.mark.anyio
@pytest.mark.parametrize("opened_early", [False, True])
async def test_what_tills_sold_before_anything_was_issued_is_taken_in_once_it_is(
    books: Books, opened_early: bool
) -> None:
    """The first that the ledger hears of a new money may be a sale without network, of a card not yet loaded here."""
    new = Book(RAF.issuer, RAF.kind, "NEW")
    keys = [AccountKey(new, kind, "wallet:1") for kind in ("wallet", "overdraft")]
    wallet, overdraft, claim = await books.ledger.accounts([*keys, AccountKey(new, "claim", f"venue:{BAR}")])

    async def book(kind: str, posting: Posting) -> None:
        at = Operation(uuid7(), kind, bytes(32), (posting,), "test", 1, FRIDAY, venue=BAR, revision=None)
        assert isinstance(await books.ledger.post_one(at), Posted)
        await catch_up(books.engine, stretch=1)

    await book("sale", Posting(wallet, claim, 30, debit_overflow=overdraft))
    issuance = AccountKey(new, "issuance")
    if opened_early:
        await books.ledger.accounts([issuance])
    await book("sale", Posting(wallet, claim, 12, debit_overflow=overdraft))
    (issued,) = await books.ledger.accounts([issuance])
    await book("topup", Posting(issued, overdraft, 50, credit_overflow=wallet))
    picture = await reads.picture(books.ledger.reader, FRIDAY, FRIDAY, [f"venue:{BAR}"])
    assert sum(it.amount for it in picture.spent) == 42
    assert sum(it.amount for it in await reads.unspent(books.ledger.reader)) == 8
    await books.proves()


@pytest.mark.anyio
@pytest.mark.parametrize(
    "spoil",
    [
        "day_flow SET amount = amount + 1",
        "lot SET remaining = remaining - 1",
        "spent_month SET amount = amount + 1",
        "month_flow SET amount = amount + 1",
    ],
)
async def test_figures_that_somebody_altered_are_found(books: Books, spoil: str) -> None:
    await books.top_up("alice", 500)
    await books.post(("alice", "issuance", 100), ("liability", "clearing", 100), kind="refund")
    await catch_up(books.engine)
    async with books.engine.begin() as connection:
        await connection.execute(sa.text(f"UPDATE {spoil}"))
    books.spoilt = True
    findings = (await verify(books.engine, KEY.public_key())).findings
    assert findings
    assert all(it.startswith(("figures of", "lots of")) for it in findings)
