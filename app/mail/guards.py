"""The trigger by which the database itself keeps a message that was sent from being sent again."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from app.platform.kept_rows import missing_of

_SAID: Final = "a message that was sent is not sent again"
_CHANGED: Final = "OLD.status = 'sent' AND NEW.status <> 'sent'"
_NAMES: Final = (("mail", "guard_mail_sent"), ("mail", "guard_mail_delete"))


def install(connection: sa.Connection) -> None:
    """Put the guards in place; again after a migration that rebuilds the table."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(
            "CREATE OR REPLACE FUNCTION mail_kept() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            f"RAISE EXCEPTION 'mail: {_SAID}' USING ERRCODE = 'check_violation'; END $$"
        )
        on, refuse = " ON mail", "EXECUTE FUNCTION mail_kept()"
        bodies = (
            f"BEFORE UPDATE ON mail FOR EACH ROW WHEN ({_CHANGED}) {refuse}",
            f"BEFORE DELETE ON mail FOR EACH ROW {refuse}",
        )
    else:
        on, refuse = "", f"BEGIN SELECT RAISE(ABORT, 'mail: {_SAID}'); END"
        bodies = (f"BEFORE UPDATE ON mail WHEN {_CHANGED} {refuse}", f"BEFORE DELETE ON mail {refuse}")
    for (_, name), body in zip(_NAMES, bodies, strict=True):
        connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {name}{on}")
        connection.exec_driver_sql(f"CREATE TRIGGER {name} {body}")


def missing(connection: sa.Connection) -> list[str]:
    """Guards that are not there or are switched off."""
    return missing_of(connection, _NAMES)
