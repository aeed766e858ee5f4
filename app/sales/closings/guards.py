"""The triggers by which the database itself keeps closings: added once, never changed, replaced or taken away."""

from __future__ import annotations

import sqlalchemy as sa

KEYS = {
    "closing": "id = NEW.id OR digest = NEW.digest"
    " OR (subject = NEW.subject AND period = NEW.period AND number = NEW.number)",
    "closing_part": "part = NEW.part",
}

_FUNCTION = """
    CREATE OR REPLACE FUNCTION closing_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION '% on %: closings are never rewritten', TG_OP, TG_TABLE_NAME USING ERRCODE = 'check_violation';
    END $$"""


def guards(dialect: str) -> dict[tuple[str, str], str]:
    """Every guard by (table, trigger name), as the text that follows the trigger's name."""
    found = {}
    for table, same in KEYS.items():
        if dialect == "postgresql":
            found[table, "guard_rewrite"] = (
                f"BEFORE DELETE OR UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION closing_refuse()"
            )
            found[table, "guard_truncate"] = (
                f"BEFORE TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION closing_refuse()"
            )
            continue
        for event in ("UPDATE", "DELETE"):
            found[table, f"guard_{table}_{event.lower()}"] = (
                f"BEFORE {event} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{event} on {table}: closings are never rewritten'); END"
            )
        # REPLACE deletes without firing the trigger above.
        found[table, f"guard_{table}_replace"] = (
            f"BEFORE INSERT ON {table} WHEN EXISTS (SELECT 1 FROM {table} WHERE {same}) "  # noqa: S608
            f"BEGIN SELECT RAISE(ABORT, '{table}: closings are never rewritten'); END"
        )
    return found


def install(connection: sa.Connection) -> None:
    """Put every guard in place, replacing what stands under its name."""
    dialect = connection.dialect.name
    if dialect == "postgresql":
        connection.exec_driver_sql(_FUNCTION)
    for (table, name), text in guards(dialect).items():
        on = f" ON {table}" if dialect == "postgresql" else ""
        connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {name}{on}")
        connection.exec_driver_sql(f"CREATE TRIGGER {name} {text}")


def missing(connection: sa.Connection) -> list[str]:
    """Guards that are not there or are switched off."""
    if connection.dialect.name == "postgresql":
        rows = connection.exec_driver_sql(
            "SELECT c.relname, t.tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid "
            "WHERE NOT t.tgisinternal AND t.tgenabled IN ('O', 'A')"
        )
    else:
        rows = connection.exec_driver_sql("SELECT tbl_name, name FROM sqlite_master WHERE type = 'trigger'")
    found = {(row[0], row[1]) for row in rows}
    return [f"{table}.{name}" for table, name in guards(connection.dialect.name) if (table, name) not in found]
