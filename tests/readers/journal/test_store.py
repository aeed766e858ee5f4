"""The journal file: rows added at the end, once, for ever, in an unbroken chain."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.rules.ids import uuid7
from app.wire import GENESIS, CancelRow, VoidRow, read_payload, row_hash
from readers.journal import (
    ChainBroken,
    Clock,
    JournalError,
    JournalFailed,
    JournalFile,
    JournalTooNew,
    JournalUnsafe,
    RowsWaiting,
)
from readers.journal.schema import MIGRATIONS
from readers.journal.store import connect
from tests.readers.journal.rows import DEVICE, intent, pairing, sale_row


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.db"


@pytest.fixture
def journal(path: Path) -> Iterator[JournalFile]:
    file = JournalFile(path, Clock())
    file.pair(pairing(), "code")
    yield file
    file.close()


def raw(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, isolation_level=None)


def tampered(path: Path, *statements: str) -> None:
    """What somebody with the file and an editor can do: drop the guards, then change rows."""
    db = raw(path)
    for guard in ("rows_stay", "rows_stand", "rows_grow_at_the_end"):
        db.execute(f"DROP TRIGGER {guard}")
    for statement in statements:
        db.execute(statement)
    db.close()


def filled(path: Path, count: int) -> None:
    file = JournalFile(path, Clock())
    file.pair(pairing(), "code")
    for _ in range(count):
        file.append([sale_row()])
    file.close()


def test_rows_are_chained_from_the_first_over_the_stored_bytes(journal: JournalFile) -> None:
    row = sale_row(name="Bière – 25 cl")
    assert journal.append([intent(row.sale.id), row]) == 2
    first, second = journal.rows_after(0, 500, 10**6)
    assert (first.sequence, first.previous) == (1, GENESIS)
    assert second.previous == first.hash
    assert second.hash == row_hash(DEVICE, 1, 2, first.hash, second.payload)
    assert read_payload(second.payload) == row


def test_an_append_is_all_or_nothing(journal: JournalFile) -> None:
    row = sale_row()
    with pytest.raises(JournalFailed):
        journal.append([row, row])
    assert journal.head() == 0
    journal.append([row])
    assert journal.verify() == 1


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM rows",
        "UPDATE rows SET payload = '{}'",
        "INSERT OR REPLACE INTO rows SELECT * FROM rows WHERE sequence = 1",
        "INSERT OR REPLACE INTO rows SELECT pairing, 3, hash, hash, payload, kind, sale, event, 0, 0, '', 0 FROM rows"
        " WHERE sequence = 2",
        "INSERT INTO rows SELECT pairing, 9, hash, hash, payload, 'intent', sale, NULL, 0, 0, '', 0 FROM rows"
        " WHERE sequence = 2",
    ],
    ids=["delete", "update", "replace", "replace-by-event", "gap"],
)
def test_the_file_itself_refuses_to_change_history(journal: JournalFile, path: Path, statement: str) -> None:
    journal.append([sale_row(), sale_row()])
    before = journal.rows_after(0, 500, 10**6)
    db = raw(path)
    with pytest.raises(sqlite3.IntegrityError):
        db.execute(statement)
    db.close()
    assert journal.rows_after(0, 500, 10**6) == before


def test_a_sale_is_voided_once_only(journal: JournalFile) -> None:
    row = sale_row()
    journal.append([row])

    def void() -> VoidRow:
        return VoidRow(id=uuid7(), sale=row.sale.id, reason="typo", at_us=1)

    journal.append([void()])
    with pytest.raises(JournalFailed):
        journal.append([void()])
    assert [(paid.row, paid.voided) for paid in journal.last_sales(20)] == [(row, True)]


def test_rows_go_out_in_batches_bounded_by_number_and_size(journal: JournalFile) -> None:
    journal.append([sale_row() for _ in range(10)])
    assert [row.sequence for row in journal.rows_after(4, 3, 10**6)] == [5, 6, 7]
    assert [row.sequence for row in journal.rows_after(0, 500, 1)] == [1]
    size = len(journal.rows_after(0, 1, 10**6)[0].payload.encode())
    assert [row.sequence for row in journal.rows_after(0, 500, size * 2)] == [1, 2]


def test_rows_stay_after_acknowledgement(journal: JournalFile) -> None:
    journal.append([sale_row() for _ in range(3)])
    assert journal.waiting() == 3
    journal.acknowledge(2)
    assert (journal.waiting(), journal.verify()) == (1, 3)


def test_an_intent_left_open_by_a_crash_is_cancelled_at_the_next_start(path: Path) -> None:
    file = JournalFile(path, Clock())
    file.pair(pairing(), "code")
    done, left = sale_row(), intent()
    file.append([intent(done.sale.id), done, left])
    file.close()
    file = JournalFile(path, Clock())
    last = read_payload(file.rows_after(3, 1, 10**6)[0].payload)
    assert isinstance(last, CancelRow)
    assert last.sale == left.sale
    file.close()
    file = JournalFile(path, Clock())
    assert file.head() == 4
    file.close()


@pytest.mark.parametrize("synchronous", ["NORMAL", "OFF"])
def test_a_journal_that_would_not_survive_a_power_cut_refuses_to_run(path: Path, synchronous: str) -> None:
    with pytest.raises(JournalUnsafe, match="FULL"):
        JournalFile(path, Clock(), synchronous=synchronous)


def test_a_journal_without_wal_refuses_to_run(path: Path) -> None:
    # SQLite can't keep a write-ahead log for a database in memory.
    with pytest.raises(JournalUnsafe, match="WAL"):
        JournalFile(path, Clock(), open_connection=lambda _: sqlite3.connect(":memory:", isolation_level=None))


def test_a_second_agent_on_the_same_folder_is_refused(journal: JournalFile, path: Path) -> None:
    with pytest.raises(JournalUnsafe, match="another terminal"):
        JournalFile(path, Clock())


def test_a_file_that_is_no_database_is_refused_in_words(path: Path) -> None:
    path.write_bytes(b"not a database, " * 100)
    with pytest.raises(JournalUnsafe):
        JournalFile(path, Clock())


@pytest.mark.parametrize(
    ("statement", "sequence"),
    [
        ("UPDATE rows SET payload = replace(payload, '450', '451') WHERE sequence = 3", 3),
        ("DELETE FROM rows WHERE sequence = 3", 3),
        ("UPDATE rows SET previous = hash WHERE sequence = 4", 4),
        ("DELETE FROM rows WHERE sequence = 1", 1),
    ],
)
def test_a_torn_chain_is_found_at_the_start(path: Path, statement: str, sequence: int) -> None:
    filled(path, 5)
    tampered(path, statement)
    with pytest.raises(ChainBroken) as broken:
        JournalFile(path, Clock())
    assert broken.value.sequence == sequence


def test_the_start_checks_the_tail_and_verify_checks_everything(path: Path) -> None:
    filled(path, 300)
    tampered(path, "UPDATE rows SET payload = replace(payload, '450', '451') WHERE sequence = 2")
    file = JournalFile(path, Clock())
    with pytest.raises(ChainBroken):
        file.verify()
    file.close()


def test_a_migration_keeps_unsent_rows_and_runs_once(path: Path) -> None:
    filled(path, 5)
    more = (*MIGRATIONS, ("ALTER TABLE rows ADD COLUMN note TEXT", "CREATE INDEX rows_note ON rows (note)"))
    for _ in range(2):
        file = JournalFile(path, Clock(), migrations=more)
        assert (file.waiting(), file.verify()) == (5, 5)
        file.close()
    assert raw(path).execute("PRAGMA user_version").fetchone() == (2,)


def test_a_migration_that_fails_half_way_leaves_everything_as_it_was(path: Path) -> None:
    filled(path, 5)
    with pytest.raises(JournalUnsafe):
        JournalFile(path, Clock(), migrations=(*MIGRATIONS, ("ALTER TABLE rows ADD COLUMN note TEXT", "NONSENSE")))
    file = JournalFile(path, Clock())
    assert file.append([sale_row()]) == 6
    file.close()


def test_a_journal_from_a_newer_version_is_left_alone(path: Path) -> None:
    filled(path, 1)
    db = raw(path)
    db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(JournalTooNew):
        JournalFile(path, Clock())


def test_a_full_disk_refuses_the_row_and_the_next_one_after_it_is_freed_stands(path: Path) -> None:
    opened: list[sqlite3.Connection] = []

    def small(file: Path) -> sqlite3.Connection:
        opened.append(connect(file))
        return opened[-1]

    file = JournalFile(path, Clock(), open_connection=small)
    file.pair(pairing(), "code")
    pages = opened[0].execute("PRAGMA page_count").fetchone()[0]
    opened[0].execute(f"PRAGMA max_page_count = {pages + 2}")
    written = 0
    while written < 1000:
        try:
            written = file.append([sale_row(), sale_row()])
        except JournalFailed:
            break
    assert written < 1000
    assert written == file.head() == file.verify()
    opened[0].execute("PRAGMA max_page_count = 100000")
    assert file.append([sale_row()]) == written + 1
    assert file.verify() == written + 1
    file.close()


def test_a_new_epoch_begins_at_one_and_only_when_nothing_waits(journal: JournalFile) -> None:
    journal.append([sale_row()])
    with pytest.raises(RowsWaiting):
        journal.pair(pairing(2), "again")
    journal.acknowledge(1)
    journal.pair(pairing(2), "again")
    assert (journal.head(), journal.waiting(), journal.last_sales(5)) == (0, 0, [])
    assert journal.append([sale_row()]) == 1
    assert journal.verify() == 2


def test_nothing_is_written_before_pairing(path: Path) -> None:
    file = JournalFile(path, Clock())
    with pytest.raises(JournalError, match="not paired"):
        file.append([sale_row()])
    file.close()


def test_rows_remember_the_clocks(journal: JournalFile, path: Path) -> None:
    clock = Clock()
    journal.append([sale_row()])
    db = raw(path)
    wall_us, monotonic_ns, boot, offset_us = db.execute(
        "SELECT wall_us, monotonic_ns, boot, offset_us FROM rows"
    ).fetchone()
    db.close()
    assert abs(wall_us - clock.now_us()) < 60_000_000
    assert abs(monotonic_ns - clock.monotonic_ns()) < 60 * 10**9
    assert (boot, offset_us) == (clock.boot, None)
