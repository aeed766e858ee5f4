"""kill -9 of a process that writes the journal, at random instants: what it confirmed is there, once, in order."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import pytest

from app.wire import CancelRow, IntentRow, SaleRow, read_payload
from readers.journal import Clock, JournalFile
from tests.readers.journal.rows import pairing

pytestmark = pytest.mark.faults

KILLS = 30

# Forks a writer for each line it reads, kills it after so many seconds, and answers with the last confirmed sequence:
# one process that has loaded everything, because loading takes longer than writing.
WRITERS = """
import os, signal, sys, time
from pathlib import Path
from readers.journal import Clock, JournalFile
from tests.readers.journal.rows import intent, sale_row

def write(told):
    journal = JournalFile(Path(sys.argv[1]), Clock())
    os.write(told, journal.head().to_bytes(8, "big"))
    while True:
        row = sale_row()
        journal.append([intent(row.sale.id)])
        os.write(told, journal.append([row]).to_bytes(8, "big"))

for line in sys.stdin:
    listen, told = os.pipe()
    writer = os.fork()
    if not writer:
        write(told)
    os.close(told)
    heard = os.read(listen, 8)
    time.sleep(float(line))
    os.kill(writer, signal.SIGKILL)
    os.waitpid(writer, 0)
    while more := os.read(listen, 8):
        heard = more
    os.close(listen)
    print(int.from_bytes(heard, "big"), flush=True)
"""


def test_no_confirmed_row_is_lost_to_kill_9(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    file = JournalFile(path, Clock())
    file.pair(pairing(), "code")
    file.close()
    chance = random.Random(1)
    root = Path(__file__).parents[2]
    sales = 0
    command = [sys.executable, "-c", WRITERS, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=root) as writers:
        assert writers.stdin is not None
        assert writers.stdout is not None
        for _ in range(KILLS):
            writers.stdin.write(f"{chance.random() * 0.05}\n")
            writers.stdin.flush()
            confirmed = int(writers.stdout.readline())
            sales = _sales_in_an_unbroken_chain(path, confirmed)
        writers.stdin.close()
    assert sales > KILLS


def _sales_in_an_unbroken_chain(path: Path, confirmed: int) -> int:
    file = JournalFile(path, Clock())
    assert file.verify() == file.head() >= confirmed
    payloads = [read_payload(row.payload) for row in file.rows_after(0, 10**6, 10**9)]
    file.close()
    intents = [row.sale for row in payloads if isinstance(row, IntentRow)]
    sold = [row.sale.id for row in payloads if isinstance(row, SaleRow)]
    cancelled = [row.sale for row in payloads if isinstance(row, CancelRow)]
    assert sorted(sold + cancelled) == sorted(intents), "each intent ended once: sold, or cancelled at the next start"
    return len(sold)
