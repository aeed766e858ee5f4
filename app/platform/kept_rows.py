"""Triggers by which the database itself keeps rows as they were written: added once, in their turn, and never changed,
replaced or taken away.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import sqlalchemy as sa


@dataclass(frozen=True, slots=True)
class AppendOnly:
    """`keys`: by table, when a row that comes in (NEW) is one that is there already. `function`: the name of
    PostgreSQL's trigger function. `said`: why it is refused. `turns`: by table, what a new row must not be, in SQL that
    both databases read, and how that is told. `alone`: by table, in PostgreSQL's SQL, the text that new rows have in
    common which must see each other: one of them waits until the other's transaction is over. (SQLite writes one at a
    time anyway.)"""

    keys: Mapping[str, str]
    function: str
    said: str
    turns: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    alone: Mapping[str, str] = field(default_factory=dict)

    def guards(self, dialect: str) -> dict[tuple[str, str], str]:
        """Every guard by (table, trigger name), as the text that follows the trigger's name."""
        found = {}
        for table, same in self.keys.items():
            if dialect == "postgresql":
                refuse = f"EXECUTE FUNCTION {self.function}()"
                found[table, "guard_rewrite"] = f"BEFORE DELETE OR UPDATE ON {table} FOR EACH ROW {refuse}"
                found[table, "guard_truncate"] = f"BEFORE TRUNCATE ON {table} FOR EACH STATEMENT {refuse}"
                continue
            for event in ("UPDATE", "DELETE"):
                found[table, f"guard_{table}_{event.lower()}"] = (
                    f"BEFORE {event} ON {table} BEGIN SELECT RAISE(ABORT, '{event} on {table}: {self.said}'); END"
                )
            # REPLACE deletes without firing the trigger above.
            found[table, f"guard_{table}_replace"] = (
                f"BEFORE INSERT ON {table} WHEN EXISTS (SELECT 1 FROM {table} WHERE {same}) "  # noqa: S608
                f"BEGIN SELECT RAISE(ABORT, '{table}: {self.said}'); END"
            )
        for table, (wrong, told) in self.turns.items():
            if dialect == "postgresql":
                found[table, "guard_turn"] = f"BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION {table}_turn()"
            else:
                found[table, f"guard_{table}_turn"] = (
                    f"BEFORE INSERT ON {table} WHEN {wrong} BEGIN SELECT RAISE(ABORT, '{table}: {told}'); END"
                )
        return found

    def install(self, connection: sa.Connection) -> None:
        """Put every guard in place, replacing what stands under its name."""
        dialect = connection.dialect.name
        if dialect == "postgresql":
            for function in self._functions():
                connection.exec_driver_sql(function)
        for (table, name), text in self.guards(dialect).items():
            on = f" ON {table}" if dialect == "postgresql" else ""
            connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {name}{on}")
            connection.exec_driver_sql(f"CREATE TRIGGER {name} {text}")

    def missing(self, connection: sa.Connection) -> list[str]:
        """Guards that are not there or are switched off."""
        return missing_of(connection, self.guards(connection.dialect.name))

    def _functions(self) -> list[str]:
        """Those that PostgreSQL's triggers run."""
        refuse = (
            f"CREATE OR REPLACE FUNCTION {self.function}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            f"RAISE EXCEPTION '% on %: {self.said}', TG_OP, TG_TABLE_NAME USING ERRCODE = 'check_violation'; END $$"
        )
        return [refuse] + [
            f"CREATE OR REPLACE FUNCTION {table}_turn() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            f"{self._wait(table)}IF {wrong} THEN RAISE EXCEPTION '{table}: {told}' USING ERRCODE = 'check_violation'; "
            "END IF; RETURN NEW; END $$"
            for table, (wrong, told) in self.turns.items()
        ]

    def _wait(self, table: str) -> str:
        """Until whoever adds such a row is done; what they added is seen from then on."""
        alike = self.alone.get(table)
        return f"PERFORM pg_advisory_xact_lock(hashtextextended({alike}, 0)); " if alike else ""


def missing_of(connection: sa.Connection, names: Iterable[tuple[str, str]]) -> list[str]:
    """Of triggers by (table, trigger name), those that are not there or are switched off."""
    if connection.dialect.name == "postgresql":
        rows = connection.exec_driver_sql(
            "SELECT c.relname, t.tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid "
            "WHERE NOT t.tgisinternal AND t.tgenabled IN ('O', 'A')"
        )
    else:
        rows = connection.exec_driver_sql("SELECT tbl_name, name FROM sqlite_master WHERE type = 'trigger'")
    found = {(row[0], row[1]) for row in rows}
    return [f"{table}.{name}" for table, name in names if (table, name) not in found]
