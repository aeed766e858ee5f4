"""A process that posts: started by the tests of this folder, one ledger, one instruction a line on its standard input.

    python -m tests.faults.ledger_poster URL [SETTING=VALUE ...]

Instructions are JSON: `{"do": "post", "operations": [[id, [[debit, credit, amount, reverses], ...]], ...],
"together": true}`. Answers are JSON, a line for each operation as soon as it is known: [id, outcome, numbers of the
transfers]. Operations of one instruction go in one list, or (`together` false) each by a caller of its own, at once.
`{"do": "freeze"}`: stop in the middle of the next batch, while the head row is locked.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from datetime import date
from hashlib import sha256
from typing import Any
from uuid import UUID

from app.ledger.rules.operations import Operation, Outcome, Posted, Posting, Refused
from app.ledger.service import Ledger, OutcomeUnknown
from app.ledger.store import PostgresStore
from app.ledger.store import postgres as postgres_store
from app.platform.database import create_engine
from app.platform.telemetry import configure_logging
from tests.app.ledger.conftest import KEY

# Small, so that the batches of several processes follow each other closely.
BATCH = 5


def operation(id_: str, rows: list[list[int | None]]) -> Operation:
    postings = tuple(Posting(d or 0, c or 0, amount or 0, reverses=back) for d, c, amount, back in rows)
    mark = sha256(repr(rows).encode()).digest()
    return Operation(UUID(id_), "test", mark, postings, "test", 1_700_000_000_000_000, date(2023, 11, 14))


async def main(url: str, settings: dict[str, str]) -> None:
    # To standard error: while the database is away the ledger has things to say, and standard output is for answers.
    configure_logging("error")
    engine = create_engine(url)
    dsn = url.replace("+asyncpg", "")
    ledger = Ledger(engine, PostgresStore(dsn, KEY, {**postgres_store.SETTINGS, **settings}), batch_limit=BATCH)
    await ledger.start()
    _say(["ready", os.getpid()])
    tasks: set[asyncio.Task[None]] = set()
    while line := await asyncio.to_thread(sys.stdin.readline):
        told = json.loads(line)
        if told["do"] == "freeze":
            _freeze_in_the_next_batch()
            continue
        operations = [operation(*it) for it in told["operations"]]
        for some in [operations] if told["together"] else [[it] for it in operations]:
            tasks.add(asyncio.create_task(_post(ledger, some)))
    await asyncio.gather(*tasks)
    await ledger.stop()
    await engine.dispose()


def _freeze_in_the_next_batch() -> None:
    decide = vars(postgres_store)["decide"]

    def frozen(*arguments: Any) -> Any:
        setattr(postgres_store, "decide", decide)  # noqa: B010 (it is the store's own import)
        os.kill(os.getpid(), signal.SIGSTOP)
        return decide(*arguments)

    setattr(postgres_store, "decide", frozen)  # noqa: B010


async def _post(ledger: Ledger, operations: list[Operation]) -> None:
    """As a client would: when the outcome is unknown, with the same ids again."""
    while True:
        try:
            outcomes = await ledger.post(operations)
        except OutcomeUnknown:
            await asyncio.sleep(0.05)
            continue
        for it, outcome in zip(operations, outcomes, strict=True):
            _say([str(it.id), *_told(outcome)])
        return


def _told(outcome: Outcome) -> list[Any]:
    if isinstance(outcome, Posted):
        return ["known" if outcome.replayed else "booked", [it.id for it in outcome.transfers]]
    return [outcome.reason if isinstance(outcome, Refused) else type(outcome).__name__, []]


def _say(what: list[Any]) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], dict(it.split("=") for it in sys.argv[2:])))
