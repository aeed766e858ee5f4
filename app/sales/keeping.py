"""What keeps the record of sales without a card as it was first written: triggers in the database itself.

`install` may be run again; a migration that rebuilds the table must call it.
"""

from __future__ import annotations

import sqlalchemy as sa

_REFUSE = """
    CREATE OR REPLACE FUNCTION till_record_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION '% on till_record: what was recorded stays', TG_OP USING ERRCODE = 'check_violation';
    END $$"""


def install(connection: sa.Connection) -> None:
    """No row changes or goes. SQLite's REPLACE deletes without telling, so it refuses a key that is taken first."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(_REFUSE)
        for name, events, each in (("stays", "UPDATE OR DELETE", "ROW"), ("whole", "TRUNCATE", "STATEMENT")):
            connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS till_record_{name} ON till_record")
            connection.exec_driver_sql(
                f"CREATE TRIGGER till_record_{name} BEFORE {events} ON till_record "
                f"FOR EACH {each} EXECUTE FUNCTION till_record_refuse()"
            )
        return
    refuse = "BEGIN SELECT RAISE(ABORT, 'till_record: what was recorded stays'); END"
    taken = "EXISTS (SELECT 1 FROM till_record WHERE id = NEW.id)"
    for name, event in (
        ("update", "UPDATE ON till_record"),
        ("delete", "DELETE ON till_record"),
        ("replace", f"INSERT ON till_record WHEN {taken}"),
    ):
        connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS till_record_{name}")
        connection.exec_driver_sql(f"CREATE TRIGGER till_record_{name} BEFORE {event} {refuse}")
