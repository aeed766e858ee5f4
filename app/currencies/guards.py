"""The triggers by which the database itself keeps what operations refer to: a policy is never changed or taken away,
its versions count up from 1 without a gap and never start before the one they follow, and what a currency is (kind,
unit, issuer, worth) stays.
"""

from __future__ import annotations

import sqlalchemy as sa

from app.platform.kept_rows import missing_of

# A new version that is not the next one, or holds from before the newest. Under REPLACE SQLite fires no delete trigger;
# a version that is there already is not the next one, so it is refused here too.
_NOT_NEXT = """NEW.version <> (SELECT coalesce(max(p.version), 0) + 1 FROM policy p WHERE p.currency = NEW.currency)
    OR EXISTS (SELECT 1 FROM policy p WHERE p.currency = NEW.currency AND p.valid_from_us > NEW.valid_from_us)"""

_FIXED = ("code", "kind", "unit", "issuer", "cents_per_unit")

_POSTGRES_FUNCTIONS = (
    """CREATE OR REPLACE FUNCTION policy_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION '% on %: what was agreed stays', TG_OP, TG_TABLE_NAME USING ERRCODE = 'check_violation';
    END $$""",
    f"""CREATE OR REPLACE FUNCTION policy_next() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF {_NOT_NEXT} THEN
            RAISE EXCEPTION 'policy: not the next version' USING ERRCODE = 'check_violation';
        END IF;
        RETURN NEW;
    END $$""",
)


def _postgres() -> dict[tuple[str, str], str]:
    changed = " OR ".join(f"NEW.{column} IS DISTINCT FROM OLD.{column}" for column in _FIXED)
    return {
        (
            "policy",
            "guard_append_only",
        ): "BEFORE DELETE OR UPDATE ON policy FOR EACH ROW EXECUTE FUNCTION policy_refuse()",
        ("policy", "guard_truncate"): "BEFORE TRUNCATE ON policy FOR EACH STATEMENT EXECUTE FUNCTION policy_refuse()",
        ("policy", "guard_next"): "BEFORE INSERT ON policy FOR EACH ROW EXECUTE FUNCTION policy_next()",
        ("currency", "guard_identity"): (
            f"BEFORE UPDATE ON currency FOR EACH ROW WHEN ({changed}) EXECUTE FUNCTION policy_refuse()"
        ),
    }


def _sqlite() -> dict[tuple[str, str], str]:
    changed = " OR ".join(f"NEW.{column} IS NOT OLD.{column}" for column in _FIXED)
    stays = "BEGIN SELECT RAISE(ABORT, '{}: what was agreed stays'); END"
    return {
        ("policy", "guard_policy_update"): f"BEFORE UPDATE ON policy {stays.format('UPDATE on policy')}",
        ("policy", "guard_policy_delete"): f"BEFORE DELETE ON policy {stays.format('DELETE on policy')}",
        ("policy", "guard_policy_next"): (
            f"BEFORE INSERT ON policy WHEN {_NOT_NEXT} BEGIN SELECT RAISE(ABORT, 'policy: not the next version'); END"
        ),
        ("currency", "guard_currency_identity"): (
            f"BEFORE UPDATE ON currency WHEN {changed} {stays.format('UPDATE on currency')}"
        ),
    }


def install(connection: sa.Connection) -> None:
    """Put every guard in place, replacing what stands under its name; again after a migration that rebuilds a table."""
    postgres = connection.dialect.name == "postgresql"
    if postgres:
        for function in _POSTGRES_FUNCTIONS:
            connection.exec_driver_sql(function)
    for (table, name), text in (_postgres() if postgres else _sqlite()).items():
        connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {name}" + (f" ON {table}" if postgres else ""))
        connection.exec_driver_sql(f"CREATE TRIGGER {name} {text}")


def missing(connection: sa.Connection) -> list[str]:
    """Guards that are not there or are switched off."""
    return missing_of(connection, _postgres() if connection.dialect.name == "postgresql" else _sqlite())
