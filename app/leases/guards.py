"""The triggers by which the database itself keeps leased tickets: each is sold once or given back once, and never
anything after that."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from app.platform.kept_rows import missing_of

_TOLD: Final = "a leased ticket ends once"
_WRONG: Final = (
    "OLD.state <> 'leased' OR NEW.event <> OLD.event OR NEW.price <> OLD.price OR NEW.terminal <> OLD.terminal "
    "OR NEW.epoch <> OLD.epoch"
)


def _guards(dialect: str) -> dict[tuple[str, str], str]:
    if dialect == "postgresql":
        of = "BEFORE DELETE OR UPDATE ON lease_ticket FOR EACH ROW EXECUTE FUNCTION lease_ticket_kept()"
        return {("lease_ticket", "guard_kept"): of}
    refuse = f"BEGIN SELECT RAISE(ABORT, '{_TOLD}'); END"
    there = "EXISTS (SELECT 1 FROM lease_ticket WHERE id = NEW.id)"
    return {
        ("lease_ticket", "guard_lease_ticket_update"): f"BEFORE UPDATE ON lease_ticket WHEN {_WRONG} {refuse}",
        ("lease_ticket", "guard_lease_ticket_delete"): f"BEFORE DELETE ON lease_ticket {refuse}",
        ("lease_ticket", "guard_lease_ticket_replace"): f"BEFORE INSERT ON lease_ticket WHEN {there} {refuse}",
    }


def install(connection: sa.Connection) -> None:
    """Put every guard in place; again after a migration that rebuilds the table."""
    postgres = connection.dialect.name == "postgresql"
    if postgres:
        refuse = f"RAISE EXCEPTION '{_TOLD}' USING ERRCODE = 'check_violation';"
        body = f"IF TG_OP = 'DELETE' THEN {refuse} END IF; IF {_WRONG} THEN {refuse} END IF; RETURN NEW;"
        connection.exec_driver_sql(
            f"CREATE OR REPLACE FUNCTION lease_ticket_kept() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} END $$"
        )
    for (table, name), text in _guards(connection.dialect.name).items():
        connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {name}" + (f" ON {table}" if postgres else ""))
        connection.exec_driver_sql(f"CREATE TRIGGER {name} {text}")


def missing(connection: sa.Connection) -> list[str]:
    """Guards that are not there or are switched off."""
    return missing_of(connection, _guards(connection.dialect.name))
