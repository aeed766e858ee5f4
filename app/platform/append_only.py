"""Triggers by which the database itself keeps a table's rows: only ever added, and only in their turn."""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa


def install(connection: sa.Connection, keys: Mapping[str, str], turns: Mapping[str, tuple[str, str]]) -> None:
    """Put the guards in place, replacing what stands under their names.

    `keys`: by table, the condition under which NEW is a row that is there already (under REPLACE SQLite fires no delete
    trigger). `turns`: by table, a condition that no new row may meet, in SQL that both databases read, and how that is
    told.
    """
    postgres = connection.dialect.name == "postgresql"
    if postgres:
        for function in _functions(turns):
            connection.exec_driver_sql(function)
    for (table, name), text in guards(connection.dialect.name, keys, turns).items():
        on = f" ON {table}" if postgres else ""
        connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {name}{on}")
        connection.exec_driver_sql(f"CREATE TRIGGER {name} {text}")


def guards(dialect: str, keys: Mapping[str, str], turns: Mapping[str, tuple[str, str]]) -> dict[tuple[str, str], str]:
    """Every guard by (table, trigger name), as the text that follows the trigger's name."""
    found = {}
    postgres = dialect == "postgresql"
    for table, same in keys.items():
        if postgres:
            run = "EXECUTE FUNCTION rows_are_only_added()"
            found[table, "guard_rewrite"] = f"BEFORE DELETE OR UPDATE ON {table} FOR EACH ROW {run}"
            found[table, "guard_truncate"] = f"BEFORE TRUNCATE ON {table} FOR EACH STATEMENT {run}"
            continue
        for event in ("UPDATE", "DELETE"):
            found[table, f"guard_{table}_{event.lower()}"] = (
                f"BEFORE {event} ON {table} BEGIN SELECT RAISE(ABORT, '{event} on {table}: rows are only added'); END"
            )
        found[table, f"guard_{table}_replace"] = (
            f"BEFORE INSERT ON {table} WHEN EXISTS (SELECT 1 FROM {table} WHERE {same}) "  # noqa: S608
            f"BEGIN SELECT RAISE(ABORT, 'UNIQUE constraint failed: {table}'); END"
        )
    for table, (wrong, told) in turns.items():
        if postgres:
            found[table, "guard_turn"] = f"BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION {table}_turn()"
        else:
            found[table, f"guard_{table}_turn"] = (
                f"BEFORE INSERT ON {table} WHEN {wrong} BEGIN SELECT RAISE(ABORT, '{table}: {told}'); END"
            )
    return found


def _functions(turns: Mapping[str, tuple[str, str]]) -> list[str]:
    refuse = """CREATE OR REPLACE FUNCTION rows_are_only_added() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION '% on %: rows are only added', TG_OP, TG_TABLE_NAME USING ERRCODE = 'check_violation';
        END $$"""
    return [refuse] + [
        f"""CREATE OR REPLACE FUNCTION {table}_turn() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF {wrong} THEN
                RAISE EXCEPTION '{table}: {told}' USING ERRCODE = 'check_violation';
            END IF;
            RETURN NEW;
        END $$"""
        for table, (wrong, told) in turns.items()
    ]
