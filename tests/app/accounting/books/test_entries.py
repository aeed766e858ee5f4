"""Whatever was sold, however paid: entries balance, nothing is left unexplained, and taking it back undoes it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic_core import to_json

from app.accounting.books.chart import Chart
from app.accounting.books.entries import Bookkeeper, Entry, Piece, signed
from app.accounting.books.sold import tax
from app.ledger.rules.kinds import AccountKey, Book, BookKind
from app.ledger.rules.operations import Transfer
from app.ledger.service import currency_book, operating_book, reserve_book
from app.rules.ids import uuid7
from app.rules.lines import NO_PRODUCT
from app.sales.parts import moves_of
from app.wire import Rest, Sale, SaleLine, Tender

VENUE = UUID("01900000-0000-7000-8000-000000000001")
OWNER = f"venue:{VENUE}"
DAY = date(2026, 11, 14)
RATES = {"RAF": 1}
CARD = "04A0000000A001"
BOOKS: dict[str, Book] = {
    **{code: currency_book("network", code) for code in ("RAF", "GIFT")},
    "reserve": reserve_book("network"),
    "operating": operating_book("network"),
    "mine": reserve_book(OWNER),
}


class Ground:
    """Numbers for accounts, as the ledger gives them."""

    def __init__(self) -> None:
        self.keys: dict[int, AccountKey] = {}
        self._numbers: dict[AccountKey, int] = {}

    def transfer(self, book: str, debit: tuple[str, str], credit: tuple[str, str], amount: int) -> Transfer:
        sides = [AccountKey(BOOKS[book], *it) for it in (debit, credit)]
        for key in sides:
            self.keys[self._numbers.setdefault(key, len(self._numbers) + 1)] = key
        return Transfer(0, self._numbers[sides[0]], self._numbers[sides[1]], amount, 0, 0)


def keepers() -> tuple[Bookkeeper, Bookkeeper]:
    return (
        Bookkeeper("network", Chart("association", {}, venue=False), RATES),
        Bookkeeper(OWNER, Chart("association", {}, venue=True), RATES),
    )


def piece(kind: str, transfers: Sequence[Transfer], details: str = "{}", undone: str | None = None) -> Piece:
    return Piece(uuid7(), kind, DAY, VENUE, details, tuple(transfers), undone)


@st.composite
def sales(draw: st.DrawFn) -> Sale:
    """Goods of several rates, cups out and back, tips; paid with a card, gifts and cash."""
    price, rate = st.integers(1, 900), st.sampled_from([None, 550, 1000, 2000])
    goods = draw(st.lists(st.tuples(price, rate), min_size=1, max_size=5))
    cups = draw(st.integers(-3, 3))
    tip = draw(st.integers(0, 200))
    lines = [SaleLine(product=VENUE, name="x", quantity=1, unit_price=it, currency="RAF", vat=vat) for it, vat in goods]
    worth = sum(it for it, _ in goods)
    cups = max(cups, -((worth - 1) // 100))
    if cups:
        cup = {"unit_price": 100 if cups > 0 else -100, "quantity": abs(cups), "kind": "deposit"}
        lines.append(SaleLine(product=VENUE, name="cup", currency="RAF", **cup))
    if tip:
        lines.append(SaleLine(product=NO_PRODUCT, name="tip", quantity=1, unit_price=tip, currency="RAF", kind="tip"))
    owed = sum(it.quantity * it.unit_price for it in lines)
    gift = draw(st.integers(0, min(worth, owed - 1)))
    cash = draw(st.integers(0, owed - gift - 1))
    tenders = [Tender(currency="RAF", amount=owed - gift - cash)]
    if gift:
        tenders.append(Tender(currency="GIFT", amount=gift, covers="RAF", covered=gift))
    rest = (Rest(means="cash", covers="RAF", amount=cash),) if cash else ()
    return Sale(id=uuid7(), card=CARD, lines=tuple(lines), tenders=tuple(tenders), rest=rest, occurred_at_us=1)


def booked(ground: Ground, sale: Sale, tips_to: str | None) -> list[Transfer]:
    found = []
    for move in moves_of(sale, tips_to, None):
        wallet = ("wallet", "wallet:awa")
        if move.to == "back":
            found.append(ground.transfer(move.currency, ("deposit", ""), wallet, move.amount))
        else:
            owner = {"claim": OWNER, "fund": move.fund, "deposit": ""}[move.to]
            found.append(ground.transfer(move.currency, wallet, (move.to, owner), move.amount))
    return found


def details(sale: Sale) -> str:
    told: dict[str, Any] = {"lines": sale.lines}
    if sale.rest or any(it.covers is not None for it in sale.tenders):
        told["tenders"] = sale.tenders
    if sale.rest:
        told["rest"] = sale.rest
    return to_json(told).decode()


def sums(entry: Entry | None) -> dict[str, int]:
    return {} if entry is None else {number: cents for number, cents in signed(entry.lines).items() if cents}


@settings(max_examples=150, deadline=None)
@given(sales(), st.sampled_from([None, "jar"]))
def test_a_sale_is_explained_to_the_cent(sale: Sale, tips_to: str | None) -> None:
    ground, (network, venue) = Ground(), keepers()
    transfers, told = booked(ground, sale, tips_to), details(sale)
    theirs = network.entry(piece("sale", transfers, told), ground.keys)
    its = venue.entry(piece("sale", transfers, told), ground.keys)
    claimed = sum(it.amount for it in transfers if ground.keys[it.credit] == AccountKey(BOOKS["RAF"], "claim", OWNER))
    found = sums(its)
    assert found.get("467810", 0) == claimed == -sums(theirs).get("467200", 0)
    assert found.get("531000", 0) == sum(it.amount for it in sale.rest)
    assert "471000" not in found
    assert "471900" not in sums(theirs)
    # The tax is that in what was paid for the goods of each rate, and the goods are worth what was paid less the rest.
    paid = sum(it.amount for it in (*sale.tenders, *sale.rest) if getattr(it, "currency", "RAF") == "RAF")
    apart = sum(it.quantity * it.unit_price for it in sale.lines if it.kind is not None)
    assert sum(net + part for net, part in venue.vat.values()) == paid - apart
    for rate, (net, part) in venue.vat.items():
        assert part == (tax(net + part, rate) if rate else 0)
        assert -found.get(venue.chart.per_rate("sales", rate), 0) == net
    assert sum(found.values()) == sum(sums(theirs).values()) == 0


@settings(max_examples=60, deadline=None)
@given(sales(), st.sampled_from([None, "jar"]))
def test_taking_it_back_undoes_it(sale: Sale, tips_to: str | None) -> None:
    ground, told = Ground(), details(sale)
    transfers = booked(ground, sale, tips_to)
    back = [Transfer(0, it.credit, it.debit, it.amount, 0, 0) for it in transfers]
    for keeper in keepers():
        forth = sums(keeper.entry(piece("sale", transfers, told), ground.keys))
        undo = sums(keeper.entry(piece("sale.reversal", back, '{"reason": "Erreur"}', told), ground.keys))
        assert undo == {number: -cents for number, cents in forth.items()}
        assert set(keeper.vat.values()) <= {(0, 0)}


def test_a_settlement_run_is_told_from_both_sides() -> None:
    """12.00 are redeemed for a fee of 0.60 with 0.10 of tax; 5.00 of cash that the venue holds are set against it, and
    the rest is paid."""
    ground, (network, venue) = Ground(), keepers()
    claim, issuance = ("claim", OWNER), ("issuance", "")
    payable, liability = ("payable", OWNER), ("liability", "RAF")
    redemption = [
        ground.transfer("RAF", claim, issuance, 1200),
        ground.transfer("reserve", liability, payable, 1140),
        ground.transfer("reserve", liability, ("payable", "operating"), 60),
        ground.transfer("reserve", payable, ("due_from", OWNER), 500),
        ground.transfer("operating", ("due_from_reserve", ""), ("fee_income", ""), 50),
        ground.transfer("operating", ("due_from_reserve", ""), ("vat", ""), 10),
    ]
    run = piece("settlement.redemption", redemption)
    assert sums(venue.entry(run, ground.keys)) == {
        "467810": -1200,
        "467830": 640,
        "467820": 500,
        "622200": 50,
        "445660": 10,
    }
    assert sums(network.entry(run, ground.keys)) == {
        "467200": 1200,
        "467300": -640,
        "467100": -500,
        "706000": -50,
        "445710": -10,
    }
    payment = piece("settlement.payment", [ground.transfer("reserve", payable, ("bank", ""), 640)])
    for keeper, found in zip(
        keepers(), ({"467300": 640, "512100": -640}, {"512000": 640, "467830": -640}), strict=True
    ):
        entry = keeper.entry(payment, ground.keys)
        assert entry is not None
        assert (entry.journal, sums(entry)) == ("BQ", found)


def test_fees_that_are_billed_and_kept_back_are_a_debt_in_between() -> None:
    """3.00 of fees with 0.50 of tax are billed; 2.00 of it is kept back from what is paid out."""
    ground, (network, venue) = Ground(), keepers()
    receivable, payable = ("receivable", OWNER), ("payable", OWNER)
    netting = piece(
        "settlement.netting",
        [
            ground.transfer("operating", receivable, ("fee_income", ""), 250),
            ground.transfer("operating", receivable, ("vat", ""), 50),
            ground.transfer("reserve", payable, ("payable", "operating"), 200),
            ground.transfer("operating", ("due_from_reserve", ""), receivable, 200),
        ],
    )
    assert sums(venue.entry(netting, ground.keys)) == {
        "622200": 250,
        "445660": 50,
        "401000": -100,
        "467830": -200,
    }
    assert sums(network.entry(netting, ground.keys)) == {"411000": 100, "467300": 200, "706000": -250, "445710": -50}


def test_money_of_a_venues_own_is_owed_through_the_network() -> None:
    """Somebody else took 10.00 of a venue's own money: the network pays it, and the venue owes the network. Then 10.00
    of what the network owes the venue are set against it."""
    ground, (network, venue) = Ground(), keepers()
    other, run = ("payable", f"venue:{uuid7()}"), ("payable", "run:1")
    owing, payable = ("due_from", OWNER), ("payable", OWNER)
    clearing = [
        ground.transfer("mine", other, ("payable", "network"), 1000),
        ground.transfer("reserve", owing, run, 1000),
        ground.transfer("reserve", run, other, 1000),
    ]
    found = piece("settlement.clearing", clearing)
    assert sums(venue.entry(found, ground.keys)) == {"467300": 1000, "467820": -1000}
    assert sums(network.entry(found, ground.keys)) == {"467100": 1000, "467300": -1000}
    netting = [
        ground.transfer("reserve", payable, owing, 1000),
        ground.transfer("mine", ("payable", "network"), ("payable", "operating"), 1000),
    ]
    found = piece("settlement.netting", netting)
    assert sums(venue.entry(found, ground.keys)) == {"467820": 1000, "467830": -1000}
    assert sums(network.entry(found, ground.keys)) == {"467300": 1000, "467100": -1000}


@pytest.mark.parametrize(("kind", "account"), [("handover", "531800"), ("remittance", "512000")])
def test_cash_handed_in_leaves_the_safe_and_a_transfer_the_bank(kind: str, account: str) -> None:
    ground, (network, venue) = Ground(), keepers()
    handed = piece(kind, [ground.transfer("reserve", ("bank", ""), ("due_from", OWNER), 2000)])
    assert sums(venue.entry(handed, ground.keys)) == {"467820": 2000, account: -2000}
    assert sums(network.entry(handed, ground.keys)) == {"512100": 2000, "467100": -2000}


def test_what_was_written_off_and_then_taken_back_leaves_the_venue_nothing() -> None:
    """A sale of 1.00 of which the venue bore 0.30: the loss goes with the sale."""
    ground, (_, venue) = Ground(), keepers()
    goods = {"product": VENUE, "name": "x", "quantity": 1, "unit_price": 100, "currency": "RAF", "vat": 2000}
    told = details(
        Sale(
            id=uuid7(),
            card=CARD,
            lines=(SaleLine(**goods),),
            tenders=(Tender(currency="RAF", amount=100),),
            occurred_at_us=1,
        )
    )
    claim, suspense, issuance = ("claim", OWNER), ("suspense", ""), ("issuance", "")
    pieces = [
        piece("sale", [ground.transfer("RAF", suspense, claim, 100)], told),
        piece(
            "settlement.cover",
            [ground.transfer("RAF", claim, suspense, 100), ground.transfer("RAF", issuance, claim, 70)],
        ),
        piece("sale.reversal", [ground.transfer("RAF", claim, issuance, 70)], undone=told),
    ]
    entries = [sums(venue.entry(it, ground.keys)) for it in pieces]
    assert entries[1] == {"467810": -30, "654000": 30}
    assert entries[2]["654000"] == -30
    assert not any(sum(it.get(number, 0) for it in entries) for it in entries for number in it)


def test_a_top_up_by_the_venues_card_machine_is_no_cash() -> None:
    ground, (_, venue) = Ground(), keepers()
    paid = [
        ground.transfer("reserve", ("due_from", OWNER), ("liability", "RAF"), 2000),
        ground.transfer("RAF", ("issuance", ""), ("wallet", "wallet:awa"), 2000),
    ]
    told = json.dumps({"means": "bank_card"})
    assert sums(venue.entry(piece("topup.cash", paid, told), ground.keys)) == {"511500": 2000, "467820": -2000}


def test_hours_and_points_are_in_no_books() -> None:
    ground = Ground()
    spent = [ground.transfer("GIFT", ("wallet", "wallet:awa"), ("claim", OWNER), 500)]
    assert BOOKS["GIFT"].kind is BookKind.CURRENCY
    assert [it.entry(piece("issue", spent), ground.keys) for it in keepers()] == [None, None]


@pytest.mark.parametrize(("rate", "net", "vat"), [(0, 1200, 0), (2000, 1000, 200), (550, 1137, 63)])
def test_a_membership_bears_the_rate_that_its_plan_says(rate: int, net: int, vat: int) -> None:
    ground, (_, keeper) = Ground(), keepers()
    there = ground.transfer("RAF", ("wallet", "wallet:1"), ("claim", OWNER), 1200)
    back = ground.transfer("RAF", ("claim", OWNER), ("wallet", "wallet:1"), 1200)
    told = json.dumps({"plan": "p", "price": 1200} | ({"vat": rate} if rate else {}))
    bought = sums(keeper.entry(piece("membership", [there], told), ground.keys))
    chart = keeper.chart
    assert bought[chart.per_rate("sales", rate or None)] == -net
    assert not vat or bought[chart.per_rate("vat", rate)] == -vat
    assert keeper.vat == ({rate: (net, vat)} if rate else {})
    undone = sums(keeper.entry(piece("membership.reversal", [back], undone=told), ground.keys))
    assert undone == {account: -cents for account, cents in bought.items()}
    assert set(keeper.vat.values()) <= {(0, 0)}
