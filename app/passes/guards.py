"""The triggers by which the database itself keeps passes: what was put on sale for which dates stays as it was, and a
pass that is over stays over."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from app.platform.kept_rows import AppendOnly, missing_of

DATES: Final = AppendOnly(
    {"pass_date": "plan = NEW.plan AND event = NEW.event"}, "pass_date_refuse", "the dates of a pass stay"
)

_TOLD: Final = "a pass that is over stays over"
_WRONG: Final = (
    "(OLD.state IN ('released', 'closed') AND NEW.state <> OLD.state) "
    "OR (OLD.state = 'paid' AND NEW.state NOT IN ('paid', 'closed')) OR NEW.plan <> OLD.plan "
    "OR NEW.wallet <> OLD.wallet OR NEW.amount <> OLD.amount OR NEW.currency <> OLD.currency"
)


def _guards(dialect: str) -> dict[tuple[str, str], str]:
    if dialect == "postgresql":
        of = "BEFORE DELETE OR UPDATE ON pass_sale FOR EACH ROW EXECUTE FUNCTION pass_sale_kept()"
        return {("pass_sale", "guard_kept"): of}
    refuse = f"BEGIN SELECT RAISE(ABORT, '{_TOLD}'); END"
    there = "EXISTS (SELECT 1 FROM pass_sale WHERE id = NEW.id)"
    return {
        ("pass_sale", "guard_pass_sale_update"): f"BEFORE UPDATE ON pass_sale WHEN {_WRONG} {refuse}",
        ("pass_sale", "guard_pass_sale_delete"): f"BEFORE DELETE ON pass_sale {refuse}",
        ("pass_sale", "guard_pass_sale_replace"): f"BEFORE INSERT ON pass_sale WHEN {there} {refuse}",
    }


def install(connection: sa.Connection) -> None:
    """Put every guard in place; again after a migration that rebuilds one of the tables."""
    DATES.install(connection)
    postgres = connection.dialect.name == "postgresql"
    if postgres:
        refuse = f"RAISE EXCEPTION '{_TOLD}' USING ERRCODE = 'check_violation';"
        body = f"IF TG_OP = 'DELETE' THEN {refuse} END IF; IF {_WRONG} THEN {refuse} END IF; RETURN NEW;"
        connection.exec_driver_sql(
            f"CREATE OR REPLACE FUNCTION pass_sale_kept() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} END $$"
        )
    for (table, name), text in _guards(connection.dialect.name).items():
        connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {name}" + (f" ON {table}" if postgres else ""))
        connection.exec_driver_sql(f"CREATE TRIGGER {name} {text}")


def missing(connection: sa.Connection) -> list[str]:
    """Guards that are not there or are switched off."""
    return DATES.missing(connection) + missing_of(connection, _guards(connection.dialect.name))
