"""The journal's schema, as steps from empty; `PRAGMA user_version` counts the steps taken.

The guards are in the file itself: whoever opens it, a row is only ever added, at the end, once.
"""

from __future__ import annotations

from typing import Any, Protocol

from readers.journal.errors import JournalTooNew


class Connection(Protocol):
    """What the journal needs of a database connection in autocommit mode: sqlite3's, or apsw's in the tests."""

    def execute(self, sql: str, parameters: Any = ..., /) -> Any: ...

    def close(self) -> None: ...


# `epoch` is the server's; (device, epoch) has a short number here, because each row carries it.
_PAIRINGS = """
CREATE TABLE pairings (
    number INTEGER PRIMARY KEY,
    device BLOB NOT NULL,
    epoch INTEGER NOT NULL,
    name TEXT NOT NULL,
    venue BLOB NOT NULL,
    venue_name TEXT NOT NULL,
    server_key TEXT NOT NULL,
    code_digest TEXT NOT NULL,
    paired_at_us INTEGER NOT NULL,
    acknowledged INTEGER NOT NULL DEFAULT 0 CHECK (acknowledged >= 0),
    halted TEXT,
    UNIQUE (device, epoch)
) STRICT
"""

# `event` is the id of what moves value: the sale's own, the void's, the cancel's.
_ROWS = """
CREATE TABLE rows (
    pairing INTEGER NOT NULL REFERENCES pairings (number),
    sequence INTEGER NOT NULL CHECK (sequence >= 1),
    previous TEXT NOT NULL,
    hash TEXT NOT NULL,
    payload TEXT NOT NULL,
    kind TEXT NOT NULL,
    sale BLOB NOT NULL,
    event BLOB,
    wall_us INTEGER NOT NULL,
    monotonic_ns INTEGER NOT NULL,
    boot TEXT NOT NULL,
    offset_us INTEGER,
    PRIMARY KEY (pairing, sequence)
) STRICT, WITHOUT ROWID
"""

# INSERT OR REPLACE goes round the guards against UPDATE and DELETE, so this one refuses whatever could be replaced.
_GUARD_INSERT = """
CREATE TRIGGER rows_grow_at_the_end BEFORE INSERT ON rows
WHEN NEW.sequence <> 1 + coalesce((SELECT max(sequence) FROM rows WHERE pairing = NEW.pairing), 0)
  OR NEW.previous <> coalesce(
       (SELECT hash FROM rows WHERE pairing = NEW.pairing ORDER BY sequence DESC LIMIT 1),
       '0000000000000000000000000000000000000000000000000000000000000000')
  OR EXISTS (SELECT 1 FROM rows WHERE event = NEW.event)
  OR (NEW.kind = 'void' AND EXISTS (SELECT 1 FROM rows WHERE kind = 'void' AND sale = NEW.sale))
BEGIN SELECT RAISE(ABORT, 'rows are added at the end, once'); END
"""

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        _PAIRINGS,
        _ROWS,
        "CREATE UNIQUE INDEX rows_event ON rows (event) WHERE event IS NOT NULL",
        "CREATE INDEX rows_sale ON rows (sale, kind)",
        "CREATE INDEX rows_kind ON rows (kind, pairing, sequence)",
        _GUARD_INSERT,
        "CREATE TRIGGER rows_stay BEFORE DELETE ON rows BEGIN SELECT RAISE(ABORT, 'rows stay'); END",
        "CREATE TRIGGER rows_stand BEFORE UPDATE ON rows BEGIN SELECT RAISE(ABORT, 'rows stand as written'); END",
    ),
)


def migrate(db: Connection, migrations: tuple[tuple[str, ...], ...] = MIGRATIONS) -> None:
    """Take the steps that are missing, each with its count in one transaction. JournalTooNew."""
    version = db.execute("PRAGMA user_version").fetchone()[0]
    if version > len(migrations):
        raise JournalTooNew(f"the journal's schema is {version}, this version knows {len(migrations)}")
    for step in range(version, len(migrations)):
        db.execute("BEGIN IMMEDIATE")
        try:
            for statement in migrations[step]:
                db.execute(statement)
            db.execute(f"PRAGMA user_version = {step + 1}")
            db.execute("COMMIT")
        except BaseException:
            db.execute("ROLLBACK")
            raise
