"""What the ledger promises its callers, on both databases."""

from __future__ import annotations

from uuid import UUID

import pytest
import sqlalchemy as sa

from app.ledger.rules.kinds import AccountKey
from app.ledger.rules.operations import Conflict, Invalid, Operation, Posted, Posting, Refused, Tombstone
from app.rules.ids import uuid7
from tests.app.ledger.conftest import RAF, Books


async def test_a_sale_moves_money_from_wallet_to_claim(books: Books) -> None:
    await books.top_up("alice", 5000)
    outcome = await books.post(("alice", "claim", 1200), kind="sale")
    assert isinstance(outcome, Posted)
    assert (outcome.transfers[0].debit_after, outcome.transfers[0].credit_after) == (3800, 1200)
    assert await books.balance("alice") == 3800
    assert await books.balance("claim") == 1200


async def test_the_same_id_and_content_gives_the_first_result_again(books: Books) -> None:
    await books.top_up("alice", 5000)
    sale = books.operation(("alice", "claim", 1200))
    (first,) = await books.ledger.post([sale])
    (again,) = await books.ledger.post([sale])
    assert isinstance(first, Posted)
    assert again == Posted(first.seq, first.transfers, replayed=True)
    assert await books.balance("claim") == 1200


async def test_the_same_id_with_other_content_is_a_conflict(books: Books) -> None:
    await books.top_up("alice", 5000)
    id_ = uuid7()
    await books.post(("alice", "claim", 1200), id_=id_)
    assert await books.post(("alice", "claim", 1300), id_=id_) == Conflict()
    assert await books.balance("claim") == 1200


async def test_duplicates_within_one_batch_are_booked_once(books: Books) -> None:
    await books.top_up("alice", 5000)
    sale = books.operation(("alice", "claim", 1200))
    first, second, other = await books.ledger.post([sale, sale, books.operation(("alice", "claim", 1), id_=sale.id)])
    assert isinstance(first, Posted)
    assert second == Posted(first.seq, first.transfers, replayed=True)
    assert other == Conflict()


async def test_an_overdraft_is_refused_and_the_refusal_remembered(books: Books) -> None:
    await books.top_up("alice", 1000)
    sale = books.operation(("alice", "claim", 1200))
    (refused,) = await books.ledger.post([sale])
    assert refused == Refused("insufficient-funds", books.ids["alice"])
    await books.top_up("alice", 1000)
    (again,) = await books.ledger.post([sale])
    assert again == Refused("insufficient-funds", None, replayed=True)
    assert await books.balance("alice") == 2000


async def test_one_refused_operation_spoils_none_of_its_neighbours(books: Books) -> None:
    await books.top_up("alice", 1000)
    outcomes = await books.ledger.post(
        [
            books.operation(("alice", "claim", 600)),
            books.operation(("alice", "claim", 600)),
            books.operation(("alice", "claim", 400)),
        ]
    )
    assert [type(outcome) for outcome in outcomes] == [Posted, Refused, Posted]
    assert await books.balance("alice") == 0


async def test_an_operation_is_booked_whole_or_not_at_all(books: Books) -> None:
    await books.top_up("alice", 1000)
    assert isinstance(await books.post(("alice", "claim", 900), ("alice", "claim", 200)), Refused)
    assert await books.balance("claim") == 0


async def test_accounts_of_two_books_do_not_meet(books: Books) -> None:
    await books.top_up("alice", 1000)
    assert await books.post(("alice", "hours claim", 5)) == Invalid("other-book")
    assert await books.post(("alice", "liability", 5)) == Invalid("other-book")


async def test_an_unknown_account_is_not_remembered_under_the_id(books: Books) -> None:
    await books.top_up("alice", 1000)
    id_ = uuid7()
    good = books.operation(("alice", "claim", 5), id_=id_)
    bad = Operation(**{**_fields(good), "postings": (Posting(books.ids["alice"], 999_999, 5),)})
    assert await books.ledger.post([bad]) == [Invalid("unknown-account")]
    assert isinstance((await books.ledger.post([good]))[0], Posted)


async def test_a_pegged_currency_cannot_be_issued_without_its_euros(books: Books) -> None:
    assert await books.post(("issuance", "alice", 500)) == Invalid("peg-broken")
    assert await books.post(("clearing", "liability", 500)) == Invalid("peg-broken")
    assert await books.post(("clearing", "liability", 500), ("issuance", "alice", 499)) == Invalid("peg-broken")


async def test_a_time_currency_needs_no_euros(books: Books) -> None:
    assert isinstance(await books.post(("hours issued", "alice hours", 180)), Posted)
    assert isinstance(await books.post(("alice hours", "hours claim", 90)), Posted)
    assert isinstance(await books.post(("hours claim", "hours issued", 90)), Posted)
    assert await books.balance("hours issued") == 90


async def test_an_offline_sale_beyond_the_balance_goes_to_the_overdraft(books: Books) -> None:
    await books.top_up("alice", 600)
    outcome = await _offline_sale(books, 1000)
    assert isinstance(outcome, Posted)
    assert [(t.debit, t.amount) for t in outcome.transfers] == [
        (books.ids["alice"], 600),
        (books.ids["alice overdraft"], 400),
    ]
    assert await books.balance("alice overdraft") == -400


async def test_a_top_up_first_repays_the_overdraft(books: Books) -> None:
    await books.top_up("alice", 600)
    await _offline_sale(books, 1000)
    ids = books.ids
    top_up = books.operation(("clearing", "liability", 1000))
    credit = Posting(ids["issuance"], ids["alice overdraft"], 1000, credit_overflow=ids["alice"])
    (outcome,) = await books.ledger.post([Operation(**{**_fields(top_up), "postings": (*top_up.postings, credit)})])
    assert isinstance(outcome, Posted)
    assert (await books.balance("alice overdraft"), await books.balance("alice")) == (0, 600)


async def test_a_sale_accepted_offline_overrides_the_refusal_under_its_id(books: Books) -> None:
    await books.top_up("alice", 600)
    sale = books.operation(("alice", "claim", 1000))
    assert isinstance((await books.ledger.post([sale]))[0], Refused)
    posting = Posting(books.ids["alice"], books.ids["claim"], 1000, debit_overflow=books.ids["alice overdraft"])
    poured = Operation(**{**_fields(sale), "postings": (posting,), "overrides_refusal": True})
    assert isinstance((await books.ledger.post([poured]))[0], Posted)
    (again,) = await books.ledger.post([poured])
    assert isinstance(again, Posted)
    assert again.replayed


async def test_a_tombstone_refuses_a_late_arrival_and_spares_what_is_booked(books: Books) -> None:
    await books.top_up("alice", 1000)
    late = books.operation(("alice", "claim", 100))
    assert await books.ledger.post([Tombstone(late.id, "terminal")]) == [Refused("cancelled")]
    assert await books.ledger.post([late]) == [Refused("cancelled", None, replayed=True)]
    booked = books.operation(("alice", "claim", 200))
    await books.ledger.post([booked])
    (outcome,) = await books.ledger.post([Tombstone(booked.id, "terminal")])
    assert isinstance(outcome, Posted)
    assert outcome.replayed
    assert await books.balance("claim") == 200


async def test_a_reversal_takes_everything_back_once(books: Books) -> None:
    await books.top_up("alice", 1000)
    sale = books.operation(("alice", "claim", 700))
    await books.ledger.post([sale])
    assert isinstance(await _reverse(books, sale.id), Posted)
    assert await books.balance("alice") == 1000
    assert await _reverse(books, sale.id) == Refused("already-reversed")


async def test_a_reversed_offline_sale_pays_back_what_is_still_owed_then_the_wallet(books: Books) -> None:
    await books.top_up("alice", 600)
    sale = await _offline_sale(books, 1000)
    assert isinstance(sale, Posted)
    repay = books.operation(("clearing", "liability", 300), ("issuance", "alice overdraft", 300))
    await books.ledger.post([repay])
    async with books.engine.connect() as connection:
        from app.ledger.store import reads  # noqa: PLC0415

        line = (await reads.statement(connection, [books.ids["alice"]]))[0]
    assert isinstance(await _reverse(books, line.operation), Posted)
    assert (await books.balance("alice overdraft"), await books.balance("alice")) == (0, 900)


@pytest.mark.parametrize("amount", [0, -5])
async def test_an_operation_must_move_something(books: Books, amount: int) -> None:
    assert await books.post(("alice", "claim", amount)) == Invalid("moves-nothing")
    assert await books.post() == Invalid("moves-nothing")


async def test_a_sum_beyond_64_bits_is_refused(books: Books) -> None:
    huge = 2**62
    assert await books.post(("clearing", "liability", huge + 1), ("issuance", "alice", huge + 1)) == Invalid(
        "too-large"
    )


async def _offline_sale(books: Books, amount: int) -> object:
    ids = books.ids
    sale = books.operation(("alice", "claim", amount))
    posting = Posting(ids["alice"], ids["claim"], amount, debit_overflow=ids["alice overdraft"])
    (outcome,) = await books.ledger.post([Operation(**{**_fields(sale), "postings": (posting,)})])
    return outcome


async def _reverse(books: Books, id_: UUID) -> object:
    original = (await books.ledger.booked([id_]))[id_]
    operation = await books.ledger.reversal(
        original,
        uuid7(),
        actor="test",
        occurred_at_us=original.occurred_at_us,
        business_day=original.business_day,
    )
    (outcome,) = await books.ledger.post([operation])
    return outcome


def _fields(operation: Operation) -> dict[str, object]:
    return {name: getattr(operation, name) for name in Operation.__dataclass_fields__}


async def test_an_account_whose_opening_failed_is_no_account(books: Books) -> None:
    """Its number may be another's by then: money for one would go to the other."""
    carol, dora = (AccountKey(RAF, "wallet", f"wallet:{name}") for name in ("carol", "dora"))
    failing = [OSError("the disk is full")]

    def commit(_: object) -> None:
        if failing:
            raise failing.pop()

    sa.event.listen(books.engine.sync_engine, "commit", commit)
    with pytest.raises(OSError, match="the disk is full"):
        await books.ledger.accounts([carol])
    (books.ids["dora"],) = await books.ledger.accounts([dora])
    (books.ids["carol"],) = await books.ledger.accounts([carol])
    await books.top_up("carol", 700)
    assert (await books.balance("carol"), await books.balance("dora")) == (700, 0)
