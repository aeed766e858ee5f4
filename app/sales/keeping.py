"""What keeps the record of sales without a card as it was first written: triggers in the database itself.

`install` may be run again; a migration that rebuilds the table must call it.
"""

from __future__ import annotations

import sqlalchemy as sa

from app.platform.kept_rows import missing_of

_REFUSE = """
    CREATE OR REPLACE FUNCTION till_record_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION '% on till_record: what was recorded stays', TG_OP USING ERRCODE = 'check_violation';
    END $$"""


def guards(dialect: str) -> dict[tuple[str, str], str]:
    """Every guard by (table, trigger name), as the text that follows the trigger's name. No row changes or goes.
    SQLite's REPLACE deletes without telling, so it refuses a key that is taken first."""
    if dialect == "postgresql":
        return {
            ("till_record", f"till_record_{name}"): f"BEFORE {events} ON till_record "
            f"FOR EACH {each} EXECUTE FUNCTION till_record_refuse()"
            for name, events, each in (("stays", "UPDATE OR DELETE", "ROW"), ("whole", "TRUNCATE", "STATEMENT"))
        }
    refuse = "BEGIN SELECT RAISE(ABORT, 'till_record: what was recorded stays'); END"
    taken = "EXISTS (SELECT 1 FROM till_record WHERE id = NEW.id)"
    return {
        ("till_record", f"till_record_{name}"): f"BEFORE {event} {refuse}"
        for name, event in (
            ("update", "UPDATE ON till_record"),
            ("delete", "DELETE ON till_record"),
            ("replace", f"INSERT ON till_record WHEN {taken}"),
        )
    }


def install(connection: sa.Connection) -> None:
    """Put every guard in place, replacing what stands under its name."""
    dialect = connection.dialect.name
    if dialect == "postgresql":
        connection.exec_driver_sql(_REFUSE)
    for (table, name), text in guards(dialect).items():
        on = f" ON {table}" if dialect == "postgresql" else ""
        connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {name}{on}")
        connection.exec_driver_sql(f"CREATE TRIGGER {name} {text}")


def missing(connection: sa.Connection) -> list[str]:
    """Guards that are not there or are switched off."""
    return missing_of(connection, guards(connection.dialect.name))
