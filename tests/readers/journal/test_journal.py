"""The journal on the event loop."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from readers.journal import Clock, Journal, JournalFailed, JournalUnsafe
from tests.readers.journal.rows import intent, pairing, sale_row


async def test_figures_on_the_screen_follow_what_is_written(tmp_path: Path) -> None:
    journal = await Journal.open(tmp_path / "journal.db", Clock())
    assert not journal.paired
    await journal.pair(pairing(), "code")
    await journal.append(intent(), sale_row())
    await journal.acknowledge(1)
    await journal.halt("quarantined")
    await journal.close()
    journal = await Journal.open(tmp_path / "journal.db", Clock())
    # The open intent was cancelled, so three rows stand.
    assert (journal.head, journal.acknowledged, journal.waiting) == (3, 1, 2)
    assert journal.pairing.halted == "quarantined"
    await journal.close()


async def test_appends_from_many_tasks_are_one_chain(tmp_path: Path) -> None:
    journal = await Journal.open(tmp_path / "journal.db", Clock())
    await journal.pair(pairing(), "code")
    sequences = await asyncio.gather(*(journal.append(sale_row()) for _ in range(50)))
    assert sorted(sequences) == list(range(1, 51))
    with pytest.raises(JournalFailed):
        await journal.append(row := sale_row(), row)
    assert journal.head == 50
    await journal.close()


async def test_a_journal_that_can_t_be_opened_leaves_no_thread_behind(tmp_path: Path) -> None:
    (tmp_path / "journal.db").write_bytes(b"nothing of ours" * 50)
    with pytest.raises(JournalUnsafe):
        await Journal.open(tmp_path / "journal.db", Clock())
