"""The database refuses by itself what must never be, whoever asks and however."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from app.ledger import guards
from app.ledger.rules.operations import Hold, Posted
from app.rules.ids import uuid7
from tests.app.ledger.conftest import Books

HISTORY = ("operation", "transfer", "refusal", "seal", "hold", "hold_end")


async def _refused(books: Books, *statements: str) -> None:
    """All statements in one transaction that is committed for real: the database must stop it somewhere."""
    with pytest.raises(DBAPIError):
        await _commit(books, *statements)


async def _commit(books: Books, *statements: str) -> None:
    async with books.engine.begin() as connection:
        for statement in statements:
            await connection.execute(sa.text(statement))


async def _busy(books: Books) -> None:
    """Some of everything in the ledger."""
    await books.top_up("alice", 5000)
    assert isinstance(await books.post(("alice", "claim", 1200)), Posted)
    await books.post(("bob", "claim", 1))
    await books.ledger.post([Hold(uuid7(), b"", books.ids["alice"], 100, 2**50, "test")])
    ended = uuid7()
    await books.ledger.post([Hold(ended, b"", books.ids["alice"], 50, 2**50, "test")])
    from app.ledger.rules.operations import Release  # noqa: PLC0415

    await books.ledger.post([Release(ended)])


@pytest.mark.parametrize("table", HISTORY)
async def test_history_is_neither_changed_nor_deleted(books: Books, table: str) -> None:
    await _busy(books)
    column = {"hold_end": "at_us", "refusal": "at_us", "seal": "sealed_at_us", "hold": "amount"}.get(table, "amount")
    column = "occurred_at_us" if table == "operation" else column
    await _refused(books, f"UPDATE {table} SET {column} = {column} + 1")
    await _refused(books, f"DELETE FROM {table}")


@pytest.mark.parametrize("table", [*HISTORY, "account", "ledger_head"])
async def test_history_is_not_truncated(books: Books, database_kind: str, table: str) -> None:
    await _busy(books)
    # SQLite knows no TRUNCATE; what it does instead, a DELETE without a condition, fires the same guard.
    statement = f"TRUNCATE {table} CASCADE" if database_kind == "postgresql" else f"DELETE FROM {table}"
    await _refused(books, statement)


@pytest.mark.parametrize("table", [*HISTORY, "account", "ledger_head"])
async def test_rows_are_not_replaced(books: Books, database_kind: str, table: str) -> None:
    await _busy(books)
    if database_kind == "sqlite":
        await _refused(books, f"INSERT OR REPLACE INTO {table} SELECT * FROM {table}")
    else:
        key = "hold" if table == "hold_end" else "id"
        column = {"hold_end": "reason", "seal": "digest", "ledger_head": "operation_seq"}.get(table, "id")
        change = f"{column} = {table}.{column}" if table != "ledger_head" else "operation_seq = 0"
        if table == "account":
            change = "balance = 999999"
        await _refused(books, f"INSERT INTO {table} SELECT * FROM {table} ON CONFLICT ({key}) DO UPDATE SET {change}")


async def test_a_balance_does_not_move_without_a_transfer(books: Books) -> None:
    await _busy(books)
    await _refused(books, f"UPDATE account SET balance = balance + 1 WHERE id = {books.ids['alice']}")
    await _refused(books, f"UPDATE account SET balance = 0, last_transfer = 0 WHERE id = {books.ids['alice']}")
    await _refused(books, f"UPDATE account SET held = 0 WHERE id = {books.ids['alice']}")


async def test_an_account_is_opened_empty_and_stays_what_it_is(books: Books) -> None:
    await _busy(books)
    columns = "book, book_kind, kind, owner, normal, opened_at_us"
    source = f"SELECT book, book_kind, kind, 'x', normal, 0, 500 FROM account WHERE id = {books.ids['alice']}"
    await _refused(books, f"INSERT INTO account ({columns}, balance) {source}")
    for change in ("kind = 'claim'", "owner = 'other'", "normal = -normal", "book = book + 1", "peg = NULL"):
        await _refused(books, f"UPDATE account SET {change} WHERE id = {books.ids['issuance']}")
    await _refused(books, f"DELETE FROM account WHERE id = {books.ids['bob']}")


def _insert(books: Books, debit: str, credit: str, amount: int, debit_after: int, credit_after: int) -> list[str]:
    """An operation with one transfer, and the head moved, as the posting store would write them."""
    return [
        "INSERT INTO operation (id, seq, kind, fingerprint, actor, occurred_at_us, booked_at_us, business_day, late, "
        "policy, first_transfer, transfers, details, digest) "
        f"SELECT '{uuid7()}', operation_seq + 1, 'theft', seal_digest, 'me', 0, 0, '2026-01-01', false, '', "
        "transfer_id + 1, 1, '{}', seal_digest FROM ledger_head",
        "INSERT INTO transfer (id, operation_seq, debit_account, credit_account, amount, debit_after, credit_after) "
        f"SELECT transfer_id + 1, operation_seq + 1, {books.ids[debit]}, {books.ids[credit]}, {amount}, "
        f"{debit_after}, {credit_after} FROM ledger_head",
        "UPDATE ledger_head SET operation_seq = operation_seq + 1, transfer_id = transfer_id + 1",
    ]


async def test_the_same_rows_are_taken_when_they_are_right(books: Books) -> None:
    """Shows that the refusals below come from what is wrong in them, and not from how they are written."""
    await books.top_up("alice", 5000)
    async with books.engine.begin() as connection:
        for statement in _insert(books, "alice", "claim", 100, 4900, 100):
            await connection.execute(sa.text(statement))
        await connection.rollback()


async def test_a_transfer_that_overdraws_is_refused(books: Books) -> None:
    await books.top_up("alice", 50)
    await _refused(books, *_insert(books, "alice", "claim", 100, -50, 100))


async def test_a_transfer_that_states_a_wrong_balance_is_refused(books: Books) -> None:
    await books.top_up("alice", 5000)
    await _refused(books, *_insert(books, "alice", "claim", 100, 5000, 100))
    await _refused(books, *_insert(books, "alice", "claim", 100, 4900, 200))


async def test_a_transfer_between_books_is_refused(books: Books) -> None:
    await books.top_up("alice", 5000)
    await _refused(books, *_insert(books, "alice", "hours claim", 100, 4900, 100))


async def test_a_transfer_of_nothing_or_to_itself_is_refused(books: Books) -> None:
    await books.top_up("alice", 5000)
    await _refused(books, *_insert(books, "alice", "claim", 0, 5000, 0))
    await _refused(books, *_insert(books, "alice", "claim", -5, 5005, -5))
    await _refused(books, *_insert(books, "alice", "alice", 5, 5000, 5000))


async def test_a_transfer_of_no_operation_is_refused(books: Books) -> None:
    await books.top_up("alice", 5000)
    await _refused(books, _insert(books, "alice", "claim", 100, 4900, 100)[1])


async def test_money_is_not_made_beside_its_peg(books: Books) -> None:
    await books.top_up("alice", 5000)
    await _refused(books, *_insert(books, "issuance", "alice", 100, 5100, 5100))
    await _refused(books, *_insert(books, "clearing", "liability", 100, 5100, 5100))


async def test_nothing_is_taken_back_twice_by_hand(books: Books) -> None:
    await books.top_up("alice", 5000)
    outcome = await books.post(("alice", "claim", 1000))
    assert isinstance(outcome, Posted)
    number = outcome.transfers[0].id
    back = _insert(books, "claim", "alice", 1001, -1, 5001)
    back[1] = (
        back[1]
        .replace("credit_after)", "credit_after, reverses)")
        .replace(" FROM ledger_head", f", {number} FROM ledger_head")
    )
    await _refused(books, *back)


async def test_a_hold_beyond_the_balance_is_refused(books: Books) -> None:
    await books.top_up("alice", 100)
    await _refused(
        books,
        "INSERT INTO hold (id, fingerprint, account, amount, placed_at_us, expires_at_us, actor, details) "
        f"SELECT '{uuid7()}', seal_digest, {books.ids['alice']}, 101, 0, 0, 'me', '{{}}' FROM ledger_head",
    )


async def test_a_guard_that_is_gone_is_noticed(books: Books, database_kind: str) -> None:
    drop = "DROP TRIGGER guard_transfer_update" if database_kind == "sqlite" else "DROP TRIGGER guard_apply ON transfer"
    async with books.engine.begin() as connection:
        await connection.execute(sa.text(drop))
        assert len(await connection.run_sync(guards.missing)) == 1
        await connection.run_sync(guards.install)
        assert await connection.run_sync(guards.missing) == []


async def test_a_guard_that_is_switched_off_or_rewritten_is_noticed(books: Books, database_kind: str) -> None:
    if database_kind == "sqlite":
        spoil = [
            "DROP TRIGGER guard_account_balance",
            "CREATE TRIGGER guard_account_balance BEFORE UPDATE ON account WHEN 1 = 0 BEGIN SELECT 1; END",
        ]
    else:
        spoil = [
            "DROP TRIGGER guard_balance ON account",
            "CREATE TRIGGER guard_balance BEFORE UPDATE ON account FOR EACH ROW WHEN (false) "
            "EXECUTE FUNCTION ledger_refuse()",
        ]
    async with books.engine.begin() as connection:
        for statement in spoil:
            await connection.execute(sa.text(statement))
        assert len(await connection.run_sync(guards.missing)) == 1
        await connection.run_sync(guards.install)
