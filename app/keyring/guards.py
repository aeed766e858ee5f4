"""What keeps the counters of cards in the database: triggers by which each only rises and none is taken away.

`install` may be run again; a migration that rebuilds the table must call it.
"""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from app.platform.kept_rows import missing_of

_SAID: Final = "card_tap: what a card said before stays said"
_RISES: Final = "NEW.card = OLD.card AND (NEW.version, NEW.counter) > (OLD.version, OLD.counter)"
_REFUSE: Final = f"""
    CREATE OR REPLACE FUNCTION card_tap_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION '{_SAID}' USING ERRCODE = 'check_violation';
    END $$"""


def guards(dialect: str) -> dict[tuple[str, str], str]:
    """Every guard by (table, trigger name), as the text that follows the trigger's name."""
    if dialect == "postgresql":
        refuse = "EXECUTE FUNCTION card_tap_refuse()"
        return {
            ("card_tap", "guard_rise"): f"BEFORE UPDATE ON card_tap FOR EACH ROW WHEN (NOT ({_RISES})) {refuse}",
            ("card_tap", "guard_delete"): f"BEFORE DELETE ON card_tap FOR EACH ROW {refuse}",
            ("card_tap", "guard_truncate"): f"BEFORE TRUNCATE ON card_tap FOR EACH STATEMENT {refuse}",
        }
    refuse = f"BEGIN SELECT RAISE(ABORT, '{_SAID}'); END"
    return {
        ("card_tap", "guard_card_tap_rise"): f"BEFORE UPDATE ON card_tap WHEN NOT ({_RISES}) {refuse}",
        ("card_tap", "guard_card_tap_delete"): f"BEFORE DELETE ON card_tap {refuse}",
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
