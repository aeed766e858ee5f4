"""Whoever can write to the database, but has not the key, does not change history unseen."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy.ext.asyncio import AsyncConnection

from app.ledger import guards, seals
from app.ledger.seals import SealedHead
from app.ledger.verify import Report, verify
from tests.app.ledger.conftest import KEY, Books

PUBLIC = KEY.public_key()


async def _evening(books: Books) -> None:
    """Ten operations, each a batch and a seal of its own."""
    await books.top_up("alice", 5000)
    await books.top_up("bob", 3000)
    for amount in (100, 200, 300, 400):
        await books.post(("alice", "claim", amount))
        await books.post(("bob", "claim", amount))


@asynccontextmanager
async def _tampering(books: Books, database_kind: str) -> AsyncIterator[AsyncConnection]:
    """A connection without guards, whose work is committed; the guards are put back, and at the end the rows too."""
    async with books.engine.begin() as connection:
        for table, name in guards.guards(database_kind):
            await connection.execute(
                sa.text(f"DROP TRIGGER {name}" + (f" ON {table}" if database_kind == "postgresql" else ""))
            )
        yield connection
        await connection.run_sync(guards.install)


async def _findings(books: Books, **more: object) -> list[str]:
    return (await verify(books.engine, PUBLIC, **more)).findings  # type: ignore[arg-type]


@pytest.fixture
async def evening(books: Books) -> Books:
    await _evening(books)
    assert await _findings(books) == []
    books.spoilt = True
    return books


async def test_an_altered_amount_is_named(evening: Books, database_kind: str) -> None:
    async with _tampering(evening, database_kind) as connection:
        await connection.execute(sa.text("UPDATE transfer SET amount = amount + 1 WHERE operation_seq = 5"))
    assert "operation 5 was altered after it was sealed" in await _findings(evening)


@pytest.mark.parametrize(
    "change",
    ["actor = 'someone'", "details = '{}x'", "occurred_at_us = 1", "kind = 'gift'", "business_day = '2000-01-01'"],
)
async def test_an_altered_operation_is_named(evening: Books, database_kind: str, change: str) -> None:
    async with _tampering(evening, database_kind) as connection:
        await connection.execute(sa.text(f"UPDATE operation SET {change} WHERE seq = 4"))
    assert await _findings(evening) == ["operation 4 was altered after it was sealed"]


async def test_a_deleted_operation_is_named(evening: Books, database_kind: str) -> None:
    async with _tampering(evening, database_kind) as connection:
        await connection.execute(sa.text("DELETE FROM transfer WHERE operation_seq = 6"))
        await connection.execute(sa.text("DELETE FROM operation WHERE seq = 6"))
    assert "operation 6 was deleted" in await _findings(evening)


async def test_an_inserted_operation_is_named(evening: Books, database_kind: str) -> None:
    await evening.post(("bob", "claim", 7))
    async with _tampering(evening, database_kind) as connection:
        await connection.execute(sa.text("DELETE FROM seal WHERE last_operation = 11"))
        await connection.execute(
            sa.text(
                "UPDATE ledger_head SET seal_id = seal_id - 1, "
                "seal_digest = (SELECT digest FROM seal ORDER BY id DESC LIMIT 1)"
            )
        )
    assert await _findings(evening) == ["operation 11 bears no seal: it was inserted"]


async def test_reordered_operations_are_noticed(evening: Books, database_kind: str) -> None:
    async with _tampering(evening, database_kind) as connection:
        for old, new in ((7, 99), (8, 7), (99, 8)):
            await connection.execute(sa.text(f"UPDATE operation SET seq = {new} WHERE seq = {old}"))
    found = await _findings(evening)
    assert "operation 7 was altered after it was sealed" in found
    assert "operation 8 was altered after it was sealed" in found


async def test_an_alteration_with_its_digest_made_anew_is_noticed(evening: Books, database_kind: str) -> None:
    async with _tampering(evening, database_kind) as connection:
        await connection.execute(sa.text("UPDATE operation SET actor = 'someone' WHERE seq = 4"))
        ((_, computed),) = (await seals._operations(connection, 4, 4)).values()
        await connection.execute(sa.text("UPDATE operation SET digest = :d WHERE seq = 4"), {"d": computed})
    (found,) = await _findings(evening)
    assert found.startswith("operations 4 to 4 are not those that seal 4 was made over")


async def test_a_chain_rewritten_without_the_key_is_noticed(evening: Books, database_kind: str) -> None:
    """Everything recomputed, and signed with another key."""
    thief = Ed25519PrivateKey.generate()
    async with _tampering(evening, database_kind) as connection:
        await connection.execute(sa.text("UPDATE operation SET actor = 'someone' WHERE seq = 4"))
        previous = (await seals.named(connection, 3)).digest  # type: ignore[union-attr]
        for number in range(4, 11):
            ((_, computed),) = (await seals._operations(connection, number, number)).values()
            await connection.execute(
                sa.text("UPDATE operation SET digest = :d WHERE seq = :n"), {"d": computed, "n": number}
            )
            previous = seals.link_digest(previous, number, number, number, [computed])
            await connection.execute(
                sa.text("UPDATE seal SET digest = :d, signature = :s WHERE id = :n"),
                {"d": previous, "s": thief.sign(previous), "n": number},
            )
        await connection.execute(sa.text("UPDATE ledger_head SET seal_digest = :d"), {"d": previous})
    found = await _findings(evening)
    assert len(found) == 7
    assert all("does not bear this server's signature" in sentence for sentence in found)


async def test_a_history_cut_short_contradicts_a_head_that_was_taken_along(evening: Books, database_kind: str) -> None:
    async with evening.engine.connect() as connection:
        taken = await seals.newest(connection)
    assert taken is not None
    head, key = SealedHead.read(taken.text(PUBLIC))
    assert head == taken
    assert head.is_signed_by(key)
    async with evening.engine.connect() as connection:
        assert await seals.named(connection, head.seal) == head
    async with _tampering(evening, database_kind) as connection:
        await connection.execute(sa.text("DELETE FROM seal WHERE id = 10"))
    async with evening.engine.connect() as connection:
        assert await seals.named(connection, head.seal) is None


def test_a_head_signed_by_another_key_or_changed_is_refused() -> None:
    digest = bytes(range(32))
    head = SealedHead(1, 1, digest, KEY.sign(digest), 0)
    assert head.is_signed_by(PUBLIC)
    assert not head.is_signed_by(Ed25519PrivateKey.generate().public_key())
    assert not SealedHead(1, 1, bytes(32), head.signature, 0).is_signed_by(PUBLIC)
    with pytest.raises(ValueError, match="sealed head"):
        SealedHead.read("{}")


async def test_what_was_verified_before_is_not_read_again(books: Books) -> None:
    await _evening(books)
    first = await verify(books.engine, PUBLIC)
    assert (first.ok, first.seals, first.operations) == (True, 10, 10)
    for amount in (1, 2, 3):
        await books.post(("alice", "claim", amount))
    again = await verify(books.engine, PUBLIC, first.until)
    assert (again.ok, again.seals, again.operations, again.transfers) == (True, 3, 3, 3)


async def test_since_a_mark_what_came_later_is_checked_as_strictly(evening: Books, database_kind: str) -> None:
    mark = (await verify(evening.engine, PUBLIC)).until
    await evening.post(("alice", "claim", 5))
    async with _tampering(evening, database_kind) as connection:
        await connection.execute(sa.text("UPDATE transfer SET debit_after = debit_after + 9 WHERE operation_seq = 11"))
    found = await _findings(evening, since=mark)
    assert any(sentence.startswith("transfer 13 states") for sentence in found)
    assert "operation 11 was altered after it was sealed" in found


async def test_a_balance_changed_behind_the_guards_is_named(evening: Books, database_kind: str) -> None:
    async with _tampering(evening, database_kind) as connection:
        await connection.execute(
            sa.text(f"UPDATE account SET balance = balance + 10000 WHERE id = {evening.ids['alice']}")
        )
    found = await _findings(evening)
    assert f"account {evening.ids['alice']} (wallet) holds 14000, but its transfers say 4000" in found
    assert any("book of network in RAF holds" in sentence for sentence in found)


async def test_without_a_key_the_report_says_that_no_signature_was_checked(books: Books) -> None:
    await _evening(books)
    report: Report = await verify(books.engine)
    assert report.seals is None
