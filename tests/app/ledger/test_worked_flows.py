"""What happens in a network, in postings: each flow as an accountant writes it down, and every balance that it leaves.

"a / b" debits a and credits b. Amounts are cents of a unit (minutes of TIME), so 50_00 is 50 Rafftou. After each flow
`verify` proves the books, Peg and Cover.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

import pytest
import sqlalchemy as sa

from app.ledger.rules.kinds import AccountKey
from app.ledger.rules.operations import Held, Hold, Invalid, Operation, Outcome, Posted, Posting, Refused
from app.ledger.service import currency_book, operating_book
from app.ledger.tables import account
from app.rules.ids import uuid7
from tests.app.ledger.conftest import KEYS, RAF, RESERVE, Books

GIFT, OPERATING = currency_book("network", "GIFT"), operating_book("network")
BAR, POINTS = currency_book("network", "BAR"), currency_book("network", "PTS")
CREDIT = 1_500_00
NAMES = {
    "issuance": KEYS["issuance"],
    "W": KEYS["alice"],
    "overdraft W": KEYS["alice overdraft"],
    "claim V": KEYS["claim"],
    "deposits": KEYS["deposits"],
    "fund": AccountKey(RAF, "fund", "fund:roof"),
    "suspense": AccountKey(RAF, "suspense"),
    "TIME issuance": KEYS["hours issued"],
    "TIME W": KEYS["alice hours"],
    "TIME claim V": KEYS["hours claim"],
    "GIFT issuance": AccountKey(GIFT, "issuance"),
    "GIFT W": AccountKey(GIFT, "wallet", "wallet:alice"),
    "GIFT claim V": AccountKey(GIFT, "claim", "venue:bar"),
    "buyer": AccountKey(BAR, "wallet", "wallet:alice"),
    "seller": AccountKey(BAR, "wallet", "wallet:bob"),
    "BAR fund": AccountKey(BAR, "fund", "fund:common"),
    "PTS issuance": AccountKey(POINTS, "issuance"),
    "PTS W": AccountKey(POINTS, "wallet", "wallet:alice"),
    "PTS lender": AccountKey(POINTS, "wallet", "wallet:bob"),
    "bank": KEYS["bank"],
    "clearing": KEYS["clearing"],
    "liability": KEYS["liability"],
    "payable V": KEYS["payable bar"],
    "payable holder": AccountKey(RESERVE, "payable", "wallet:alice"),
    "payable operating": AccountKey(RESERVE, "payable", "operating"),
    "due from V": KEYS["due from bar"],
    "due from operating": AccountKey(RESERVE, "due_from", "operating"),
    "due from guarantor": AccountKey(RESERVE, "due_from", "guarantor"),
    "own bank": AccountKey(OPERATING, "bank"),
    "fee income": AccountKey(OPERATING, "fee_income"),
    "VAT": AccountKey(OPERATING, "vat"),
    "breakage income": AccountKey(OPERATING, "breakage_income"),
    "membership": AccountKey(OPERATING, "membership_income"),
    "capital": AccountKey(OPERATING, "capital"),
    "provider fees": AccountKey(OPERATING, "provider_fees"),
    "promotion": AccountKey(OPERATING, "promotion"),
    "losses": AccountKey(OPERATING, "losses"),
    "receivable": AccountKey(OPERATING, "receivable", "wallet:alice"),
    "own payable V": AccountKey(OPERATING, "payable", "venue:bar"),
    "due to reserve": AccountKey(OPERATING, "due_to_reserve"),
    "due from reserve": AccountKey(OPERATING, "due_from_reserve"),
}


@dataclass
class Accountant:
    """Books postings, each operation whole, and reads every account that is not empty."""

    books: Books

    async def tries(self, *rows: str) -> Outcome:
        """Rows are "debit / credit: amount"; "x + y" on one side: y takes what x cannot."""
        (outcome,) = await self.books.ledger.post([self.operation(*rows)])
        return outcome

    async def writes(self, *rows: str) -> Operation:
        operation = self.operation(*rows)
        (outcome,) = await self.books.ledger.post([operation])
        assert isinstance(outcome, Posted), outcome
        return operation

    async def takes_back(self, operation: Operation) -> None:
        booked = (await self.books.ledger.booked([operation.id]))[operation.id]
        back = await self.books.ledger.reversal(
            booked, uuid7(), actor="test", occurred_at_us=0, business_day=operation.business_day
        )
        (outcome,) = await self.books.ledger.post([back])
        assert isinstance(outcome, Posted), outcome

    async def reads(self) -> dict[str, int]:
        names = {id_: name for name, id_ in self.books.ids.items() if name in NAMES}
        async with self.books.engine.connect() as connection:
            rows = await connection.execute(sa.select(account.c.id, account.c.balance).where(account.c.balance != 0))
            return {names[row.id]: row.balance for row in rows}

    def operation(self, *rows: str) -> Operation:
        return replace(self.books.operation(), postings=tuple(self._posting(row) for row in rows))

    def _posting(self, row: str) -> Posting:
        sides, _, amount = row.partition(": ")
        debit, credit = ([self.books.ids[name] for name in side.split(" + ")] for side in sides.split(" / "))
        more_debit, more_credit = ((side[1] if len(side) > 1 else None) for side in (debit, credit))
        return Posting(debit[0], credit[0], int(amount.replace(".", "")), more_debit, more_credit)


@pytest.fixture
async def it(books: Books) -> AsyncIterator[Accountant]:
    ids = await books.ledger.accounts(list(NAMES.values()), {"RAF": 1})
    books.ids |= dict(zip(NAMES, ids, strict=True))
    async with books.engine.begin() as connection:
        await books.ledger.set_floor(connection, books.ids["buyer"], -CREDIT)
    yield Accountant(books)
    await books.proves()


async def _topped_up(it: Accountant, amount: str) -> Operation:
    return await it.writes(f"clearing / liability: {amount}", f"issuance / W: {amount}")


async def test_online_top_up_of_50(it: Accountant) -> None:
    await _topped_up(it, "50.00")
    assert await it.reads() == {"clearing": 50_00, "liability": 50_00, "issuance": 50_00, "W": 50_00}


async def test_provider_pays_out_50_with_a_fee_of_1(it: Accountant) -> None:
    await _topped_up(it, "50.00")
    await it.writes(
        "bank / clearing: 49.00", "due from operating / clearing: 1.00", "provider fees / due to reserve: 1.00"
    )
    assert await it.reads() == {
        "bank": 49_00,
        "due from operating": 1_00,
        "liability": 50_00,
        "issuance": 50_00,
        "W": 50_00,
        "provider fees": 1_00,
        "due to reserve": 1_00,
    }
    await it.writes("bank / due from operating: 1.00", "due to reserve / own bank: 1.00")
    assert await it.reads() == {
        "bank": 50_00,
        "liability": 50_00,
        "issuance": 50_00,
        "W": 50_00,
        "provider fees": 1_00,
        "own bank": -1_00,
    }


async def test_cash_top_up_of_20_at_a_venue_and_its_remittance(it: Accountant) -> None:
    await it.writes("due from V / liability: 20.00", "issuance / W: 20.00")
    assert await it.reads() == {"due from V": 20_00, "liability": 20_00, "issuance": 20_00, "W": 20_00}
    await it.writes("bank / due from V: 20.00")
    assert await it.reads() == {"bank": 20_00, "liability": 20_00, "issuance": 20_00, "W": 20_00}


async def test_12_spent_at_a_venue(it: Accountant) -> None:
    await _topped_up(it, "50.00")
    await it.writes("W / claim V: 12.00")
    assert await it.reads() == {
        "clearing": 50_00,
        "liability": 50_00,
        "issuance": 50_00,
        "W": 38_00,
        "claim V": 12_00,
    }


async def test_a_basket_of_12_in_two_currencies_is_paid_whole_or_not_at_all(it: Accountant) -> None:
    await it.writes("GIFT issuance / GIFT W: 5.00")
    await _topped_up(it, "6.99")
    basket = ("GIFT W / GIFT claim V: 5.00", "W / claim V: 7.00")
    assert await it.tries(*basket) == Refused("insufficient-funds", it.books.ids["W"])
    await _topped_up(it, "0.01")
    await it.writes(*basket)
    assert await it.reads() == {
        "clearing": 7_00,
        "liability": 7_00,
        "issuance": 7_00,
        "claim V": 7_00,
        "GIFT issuance": 5_00,
        "GIFT claim V": 5_00,
    }


async def test_a_cup_goes_out_and_comes_back(it: Accountant) -> None:
    await _topped_up(it, "5.00")
    await it.writes("W / claim V: 3.00", "W / deposits: 1.00")
    held = {"clearing": 5_00, "liability": 5_00, "issuance": 5_00, "claim V": 3_00}
    assert await it.reads() == held | {"W": 1_00, "deposits": 1_00}
    await it.writes("deposits / W: 1.00")
    assert await it.reads() == held | {"W": 2_00}
    assert isinstance(await it.tries("deposits / W: 1.00"), Refused), "no more cups come back than went out"


async def test_a_deposit_paid_as_a_gift_does_not_come_back_as_money(it: Accountant) -> None:
    await it.writes("GIFT issuance / GIFT W: 1.00")
    assert await it.tries("GIFT W / deposits: 1.00") == Invalid("other-book")


async def test_a_cup_paid_in_cash_comes_back_on_a_card(it: Accountant) -> None:
    """That is a cash top-up by that venue."""
    await it.writes("due from V / liability: 1.00", "issuance / W: 1.00")
    assert await it.reads() == {"due from V": 1_00, "liability": 1_00, "issuance": 1_00, "W": 1_00}


async def test_a_volunteer_s_shift_of_3_hours_is_spent_and_retired_without_a_euro(it: Accountant) -> None:
    await it.writes("TIME issuance / TIME W: 180")
    assert await it.reads() == {"TIME issuance": 180, "TIME W": 180}
    await it.writes("TIME W / TIME claim V: 120")
    assert await it.reads() == {"TIME issuance": 180, "TIME W": 60, "TIME claim V": 120}
    await it.writes("TIME claim V / TIME issuance: 120")
    assert await it.reads() == {"TIME issuance": 60, "TIME W": 60}


async def _redeemed(it: Accountant) -> Operation:
    await it.writes("clearing / liability: 12.00", "issuance / W: 12.00")
    await it.writes("bank / clearing: 12.00")
    await it.writes("W / claim V: 12.00")
    return await it.writes(
        "claim V / issuance: 12.00",
        "liability / payable V: 11.40",
        "liability / payable operating: 0.60",
        "due from reserve / fee income: 0.50",
        "due from reserve / VAT: 0.10",
    )


async def test_a_venue_redeems_12_with_a_fee_of_5_percent(it: Accountant) -> None:
    await _redeemed(it)
    income = {"fee income": 50, "VAT": 10}
    assert await it.reads() == income | {
        "bank": 12_00,
        "payable V": 11_40,
        "payable operating": 60,
        "due from reserve": 60,
    }
    await it.writes("payable V / bank: 11.40")
    await it.writes("payable operating / bank: 0.60", "own bank / due from reserve: 0.60")
    assert await it.reads() == income | {"own bank": 60}


async def test_the_bank_returns_a_transfer_and_the_redemption_stands(it: Accountant) -> None:
    await _redeemed(it)
    await it.writes("payable V / bank: 11.40")
    paid = await it.reads()
    await it.writes("bank / payable V: 11.40")
    assert (await it.reads())["payable V"] == 11_40
    await it.writes("payable V / bank: 11.40")
    assert await it.reads() == paid
    assert isinstance(await it.tries("payable V / bank: 0.01"), Refused), "nobody is paid what is not owed"


async def test_a_void_after_the_settlement_leaves_a_claim_that_carries_over(it: Accountant) -> None:
    await _topped_up(it, "20.00")
    sale = await it.writes("W / claim V: 12.00")
    await it.writes("claim V / issuance: 12.00", "liability / payable V: 12.00")
    await it.takes_back(sale)
    assert await it.reads() == {
        "clearing": 20_00,
        "liability": 8_00,
        "payable V": 12_00,
        "issuance": 8_00,
        "W": 20_00,
        "claim V": -12_00,
    }


async def test_a_holder_is_refunded_7(it: Accountant) -> None:
    await _topped_up(it, "10.00")
    await it.writes("bank / clearing: 10.00")
    await it.writes("W / issuance: 7.00", "liability / payable holder: 7.00")
    left = {"liability": 3_00, "issuance": 3_00, "W": 3_00}
    assert await it.reads() == left | {"bank": 10_00, "payable holder": 7_00}
    await it.writes("payable holder / bank: 7.00")
    assert await it.reads() == left | {"bank": 3_00}
    assert isinstance(await it.tries("W / issuance: 4.00", "liability / payable holder: 4.00"), Refused)


async def test_a_holder_gives_7_away(it: Accountant) -> None:
    await _topped_up(it, "10.00")
    await it.writes("W / fund: 7.00")
    assert await it.reads() == {"clearing": 10_00, "liability": 10_00, "issuance": 10_00, "W": 3_00, "fund": 7_00}


async def test_3_lapse_by_the_published_terms(it: Accountant) -> None:
    await _topped_up(it, "3.00")
    await it.writes(
        "W / issuance: 3.00", "liability / payable operating: 3.00", "due from reserve / breakage income: 3.00"
    )
    assert await it.reads() == {
        "clearing": 3_00,
        "payable operating": 3_00,
        "due from reserve": 3_00,
        "breakage income": 3_00,
    }


async def _sold_offline(it: Accountant) -> Operation:
    """10 from a wallet that holds 6."""
    await _topped_up(it, "6.00")
    return await it.writes("W + overdraft W / claim V: 10.00")


async def test_an_offline_sale_beyond_the_wallet_is_owed_and_repaid_by_the_next_top_up(it: Accountant) -> None:
    await _sold_offline(it)
    assert await it.reads() == {
        "clearing": 6_00,
        "liability": 6_00,
        "issuance": 6_00,
        "overdraft W": -4_00,
        "claim V": 10_00,
    }
    await it.writes("clearing / liability: 10.00", "issuance / overdraft W + W: 10.00")
    assert await it.reads() == {
        "clearing": 16_00,
        "liability": 16_00,
        "issuance": 16_00,
        "W": 6_00,
        "claim V": 10_00,
    }


async def test_an_overdraft_covered_by_the_guarantor_and_repaid_by_a_later_top_up(it: Accountant) -> None:
    await _sold_offline(it)
    await it.writes("due from guarantor / liability: 4.00", "issuance / overdraft W: 4.00")
    assert await it.reads() == {
        "clearing": 6_00,
        "due from guarantor": 4_00,
        "liability": 10_00,
        "issuance": 10_00,
        "claim V": 10_00,
    }
    await it.writes("clearing / liability: 6.00", "clearing / due from guarantor: 4.00", "issuance / W: 6.00")
    assert await it.reads() == {
        "clearing": 16_00,
        "liability": 16_00,
        "issuance": 16_00,
        "W": 6_00,
        "claim V": 10_00,
    }


async def test_an_overdraft_borne_by_the_venue(it: Accountant) -> None:
    await _sold_offline(it)
    await it.writes("claim V / overdraft W: 4.00")
    assert await it.reads() == {"clearing": 6_00, "liability": 6_00, "issuance": 6_00, "claim V": 6_00}


async def test_an_overdraft_written_off_by_the_issuer(it: Accountant) -> None:
    await _sold_offline(it)
    await it.writes(
        "due from operating / liability: 4.00", "issuance / overdraft W: 4.00", "losses / due to reserve: 4.00"
    )
    assert await it.reads() == {
        "clearing": 6_00,
        "due from operating": 4_00,
        "liability": 10_00,
        "issuance": 10_00,
        "claim V": 10_00,
        "losses": 4_00,
        "due to reserve": 4_00,
    }


async def test_an_overdraft_is_never_repaid_beyond_what_is_owed(it: Accountant) -> None:
    await _sold_offline(it)
    assert isinstance(await it.tries("clearing / liability: 4.01", "issuance / overdraft W: 4.01"), Refused)


async def test_a_sale_with_an_unknown_card_waits_in_suspense_until_it_is_settled(it: Accountant) -> None:
    await it.writes("suspense / claim V: 5.00")
    assert await it.reads() == {"suspense": -5_00, "claim V": 5_00}
    await _topped_up(it, "8.00")
    await it.writes("W / suspense: 5.00")
    assert await it.reads() == {"clearing": 8_00, "liability": 8_00, "issuance": 8_00, "W": 3_00, "claim V": 5_00}


async def test_a_chargeback_of_50_with_a_fee_of_15_and_30_still_on_the_card(it: Accountant) -> None:
    await _topped_up(it, "50.00")
    await it.writes("W / claim V: 20.00")
    await it.writes(
        "due from operating / clearing: 65.00",
        "W / issuance: 30.00",
        "liability / due from operating: 30.00",
        "losses / due to reserve: 20.00",
        "provider fees / due to reserve: 15.00",
    )
    assert await it.reads() == {
        "clearing": -15_00,
        "due from operating": 35_00,
        "liability": 20_00,
        "issuance": 20_00,
        "claim V": 20_00,
        "losses": 20_00,
        "provider fees": 15_00,
        "due to reserve": 35_00,
    }


async def test_a_gift_of_5_that_nobody_funds_is_a_discount(it: Accountant) -> None:
    await it.writes("GIFT issuance / GIFT W: 5.00")
    await it.writes("GIFT W / GIFT claim V: 5.00")
    await it.writes("GIFT claim V / GIFT issuance: 5.00")
    assert await it.reads() == {}


async def test_a_gift_of_5_funded_by_the_issuer(it: Accountant) -> None:
    await it.writes("GIFT issuance / GIFT W: 5.00")
    await it.writes("GIFT W / GIFT claim V: 5.00")
    await it.writes("GIFT claim V / GIFT issuance: 5.00", "promotion / own payable V: 5.00")
    assert await it.reads() == {"promotion": 5_00, "own payable V": 5_00}


async def test_a_membership_of_235_with_100_in_shares_paid_online(it: Accountant) -> None:
    await it.writes(
        "clearing / payable operating: 235.00",
        "due from reserve / capital: 100.00",
        "due from reserve / membership: 135.00",
    )
    assert await it.reads() == {
        "clearing": 235_00,
        "payable operating": 235_00,
        "due from reserve": 235_00,
        "capital": 100_00,
        "membership": 135_00,
    }


async def test_barter_of_1000_with_a_commission_of_5_percent_in_euros(it: Accountant) -> None:
    await it.writes("buyer / seller: 1000.00", "receivable / fee income: 41.67", "receivable / VAT: 8.33")
    assert await it.reads() == {
        "buyer": -1_000_00,
        "seller": 1_000_00,
        "receivable": 50_00,
        "fee income": 41_67,
        "VAT": 8_33,
    }
    await it.writes("own bank / receivable: 50.00")
    assert "receivable" not in await it.reads()


async def test_barter_of_1000_with_a_commission_of_5_percent_in_the_currency(it: Accountant) -> None:
    await it.writes("buyer / seller: 1000.00", "seller / BAR fund: 50.00")
    found = await it.reads()
    assert found == {"buyer": -1_000_00, "seller": 950_00, "BAR fund": 50_00}
    assert sum(found.values()) == 0


async def test_barter_goes_to_the_credit_limit_and_is_taken_back_whole(it: Accountant) -> None:
    trade = await it.writes("buyer / seller: 1500.00")
    assert isinstance(await it.tries("buyer / seller: 0.01"), Refused)
    await it.takes_back(trade)
    assert await it.reads() == {}


async def test_a_loan_holds_points_until_the_return_and_costs_3_of_them(it: Accountant) -> None:
    await it.writes("PTS issuance / PTS W: 20")
    out = Hold(uuid7(), bytes(32), it.books.ids["PTS W"], 15, 2**52, "test")
    assert await it.books.ledger.post([out]) == [Held()]
    assert isinstance(await it.tries("PTS W / PTS lender: 6"), Refused), "what is set aside is not spent"
    back = replace(it.operation("PTS W / PTS lender: 3"), captures=out.id)
    assert isinstance((await it.books.ledger.post([back]))[0], Posted)
    assert await it.reads() == {"PTS issuance": 20, "PTS W": 17, "PTS lender": 3}
    await it.writes("PTS W / PTS lender: 17")


async def test_what_a_venue_owes_and_is_owed_is_netted(it: Accountant) -> None:
    await it.writes("due from V / liability: 20.00", "issuance / W: 20.00")
    await it.writes("W / claim V: 12.00")
    await it.writes("claim V / issuance: 12.00", "liability / payable V: 12.00")
    await it.writes("payable V / due from V: 12.00")
    assert await it.reads() == {"due from V": 8_00, "liability": 8_00, "issuance": 8_00, "W": 8_00}


async def test_the_three_books_never_meet(it: Accountant) -> None:
    await _topped_up(it, "10.00")
    for row in ("own bank / bank: 1.00", "W / payable V: 1.00", "losses / W: 1.00", "TIME W / W: 1.00"):
        assert await it.tries(row) == Invalid("other-book")
