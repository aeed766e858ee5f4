"""The triggers by which the database itself keeps orders: what was ordered stays as it was, what is over stays over,
and a ticket that no longer counts never counts again."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from app.platform.kept_rows import AppendOnly, missing_of

LINES: Final = AppendOnly(
    {"ticket_order_line": "order_id = NEW.order_id AND price = NEW.price"},
    "ticket_order_line_refuse",
    "what was ordered stays",
)

_OVER = "an order that is over stays over"
_VOID = "a ticket that no longer counts stays so"
_ORDER = (
    "(OLD.state IN ('released', 'refunded') AND NEW.state <> OLD.state) "
    "OR (OLD.state = 'paid' AND NEW.state NOT IN ('paid', 'refunded')) OR NEW.event <> OLD.event "
    "OR NEW.amount <> OLD.amount OR NEW.currency <> OLD.currency"
)
_TICKET = (
    "(OLD.state <> 'valid' AND NEW.state <> OLD.state) OR NEW.event <> OLD.event OR NEW.serial <> OLD.serial "
    "OR NEW.order_id <> OLD.order_id"
)
_RULES: Final = {"ticket_order": (_ORDER, _OVER), "ticket": (_TICKET, _VOID)}


def _guards(dialect: str) -> dict[tuple[str, str], str]:
    found = {}
    for table, (wrong, told) in _RULES.items():
        if dialect == "postgresql":
            found[table, "guard_kept"] = (
                f"BEFORE DELETE OR UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION {table}_kept()"
            )
            continue
        refuse = f"BEGIN SELECT RAISE(ABORT, '{told}'); END"
        found[table, f"guard_{table}_update"] = f"BEFORE UPDATE ON {table} WHEN {wrong} {refuse}"
        found[table, f"guard_{table}_delete"] = f"BEFORE DELETE ON {table} {refuse}"
        found[table, f"guard_{table}_replace"] = (
            f"BEFORE INSERT ON {table} WHEN EXISTS (SELECT 1 FROM {table} WHERE id = NEW.id) {refuse}"  # noqa: S608
        )
    return found


def install(connection: sa.Connection) -> None:
    """Put every guard in place; again after a migration that rebuilds one of the tables."""
    LINES.install(connection)
    postgres = connection.dialect.name == "postgresql"
    if postgres:
        for table, (wrong, told) in _RULES.items():
            refuse = f"RAISE EXCEPTION '{told}' USING ERRCODE = 'check_violation';"
            body = f"IF TG_OP = 'DELETE' THEN {refuse} END IF; IF {wrong} THEN {refuse} END IF; RETURN NEW;"
            connection.exec_driver_sql(
                f"CREATE OR REPLACE FUNCTION {table}_kept() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} END $$"
            )
    for (table, name), text in _guards(connection.dialect.name).items():
        connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {name}" + (f" ON {table}" if postgres else ""))
        connection.exec_driver_sql(f"CREATE TRIGGER {name} {text}")


def missing(connection: sa.Connection) -> list[str]:
    """Guards that are not there or are switched off."""
    return LINES.missing(connection) + missing_of(connection, _guards(connection.dialect.name))
