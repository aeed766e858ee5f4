"""The triggers by which the database itself keeps a settlement: rows are only ever added, and only in their turn."""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa

# Table: what makes a row the one that is there already (under REPLACE SQLite fires no delete trigger).
BANK: Mapping[str, str] = {
    "settlement_terms": "id = NEW.id",
    "bank_account": "id = NEW.id",
    "bank_account_decision": "account = NEW.account",
}
# Table: what a new row must not be, in SQL that both databases read, and how that is told.
BANK_TURNS: Mapping[str, tuple[str, str]] = {
    "bank_account_decision": (
        "EXISTS (SELECT 1 FROM bank_account a WHERE a.id = NEW.account AND a.asked_by = NEW.decided_by)",
        "two people change bank details",
    ),
}


def install(connection: sa.Connection, keys: Mapping[str, str], turns: Mapping[str, tuple[str, str]]) -> None:
    """Put the guards of these tables in place, replacing what stands under their names."""
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
            run = "EXECUTE FUNCTION settlement_refuse()"
            found[table, "guard_rewrite"] = f"BEFORE DELETE OR UPDATE ON {table} FOR EACH ROW {run}"
            found[table, "guard_truncate"] = f"BEFORE TRUNCATE ON {table} FOR EACH STATEMENT {run}"
            continue
        for event in ("UPDATE", "DELETE"):
            found[table, f"guard_{table}_{event.lower()}"] = (
                f"BEFORE {event} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{event} on {table}: what was settled stays'); END"
            )
        found[table, f"guard_{table}_replace"] = (
            f"BEFORE INSERT ON {table} WHEN EXISTS (SELECT 1 FROM {table} WHERE {same}) "
            f"BEGIN SELECT RAISE(ABORT, '{table}: what was settled stays'); END"
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
    refuse = """CREATE OR REPLACE FUNCTION settlement_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION '% on %: what was settled stays', TG_OP, TG_TABLE_NAME USING ERRCODE = 'check_violation';
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


# The steps of a run: after what may come what.
STEPS: Mapping[str, tuple[str, ...]] = {
    "created": ("frozen", "cancelled"),
    "frozen": ("approved", "cancelled"),
    "approved": ("booked",),
    "booked": ("sent", "closed"),
    "sent": ("executed", "partly_failed"),
    "executed": ("partly_failed", "closed"),
    "partly_failed": ("closed",),
}
# Once a run is past these, the next one may begin: nothing of it is still to be paid out of what is in the books.
OVER = ("sent", "closed", "cancelled")

_LISTED = ", ".join(repr(it) for it in OVER)
_STEP = " OR ".join(
    f"(e.kind = '{before}' AND NEW.kind IN ({', '.join(repr(it) for it in after)}))" for before, after in STEPS.items()
)


def _has(*kinds: str) -> str:
    listed = ", ".join(repr(it) for it in kinds)
    return f"EXISTS (SELECT 1 FROM settlement_event e WHERE e.run = NEW.run AND e.kind IN ({listed}))"


_FREEZING = (f"{_has('frozen', 'cancelled')} OR NOT {_has('created')}", "the run is frozen")
_APPROVING = (f"NOT {_has('frozen')} OR {_has('approved', 'cancelled')}", "the run is not to be approved")
_SENDING = (f"NOT {_has('booked')} OR {_has('sent', 'closed')}", "the run is not to be sent")

RUNS: Mapping[str, str] = {
    "settlement_run": "id = NEW.id OR number = NEW.number",
    "settlement_event": "run = NEW.run AND number = NEW.number",
    "settlement_statement": "run = NEW.run AND venue = NEW.venue",
    "settlement_line": "run = NEW.run AND venue = NEW.venue AND number = NEW.number",
    "settlement_cover": "run = NEW.run AND number = NEW.number",
    "settlement_answer": "run = NEW.run AND venue = NEW.venue AND number = NEW.number",
    "settlement_left_out": "run = NEW.run AND venue = NEW.venue",
    "settlement_invoice": "(issuer = NEW.issuer AND year = NEW.year AND number = NEW.number)"
    " OR (run = NEW.run AND venue = NEW.venue AND issuer = NEW.issuer)",
    "settlement_payment": "(run = NEW.run AND venue = NEW.venue) OR end_to_end = NEW.end_to_end",
    "settlement_payment_event": "run = NEW.run AND venue = NEW.venue AND kind = NEW.kind",
    "settlement_file": "run = NEW.run OR message = NEW.message",
}
RUNS_TURNS: Mapping[str, tuple[str, str]] = {
    "settlement_run": (
        "NEW.number <> (SELECT coalesce(max(r.number), 0) + 1 FROM settlement_run r)"
        " OR EXISTS (SELECT 1 FROM settlement_run r WHERE NOT EXISTS (SELECT 1 FROM settlement_event e"
        f" WHERE e.run = r.id AND e.kind IN ({_LISTED})))",
        "another run is open",
    ),
    "settlement_event": (
        "NOT ((NEW.number = 1 AND NEW.kind = 'created') OR EXISTS (SELECT 1 FROM settlement_event e"
        f" WHERE e.run = NEW.run AND e.number = NEW.number - 1 AND ({_STEP})))"
        " OR (NEW.kind = 'approved' AND EXISTS (SELECT 1 FROM settlement_event e"
        " WHERE e.run = NEW.run AND e.actor = NEW.actor))",
        "not the next step, or not by somebody else",
    ),
    "settlement_statement": _FREEZING,
    "settlement_line": _FREEZING,
    "settlement_cover": _FREEZING,
    "settlement_answer": _APPROVING,
    "settlement_left_out": _APPROVING,
    "settlement_invoice": (
        f"{_APPROVING[0]} OR NEW.number <> (SELECT coalesce(max(i.number), 0) + 1 FROM settlement_invoice i"
        " WHERE i.issuer = NEW.issuer AND i.year = NEW.year)",
        "not the next number, or the run is not to be approved",
    ),
    "settlement_payment": _SENDING,
    "settlement_file": _SENDING,
    "settlement_payment_event": (
        f"NOT {_has('sent')} OR NOT EXISTS (SELECT 1 FROM settlement_payment p"
        " WHERE p.run = NEW.run AND p.venue = NEW.venue)"
        " OR EXISTS (SELECT 1 FROM settlement_payment_event e WHERE e.run = NEW.run AND e.venue = NEW.venue"
        " AND e.kind <> 'executed')"
        " OR EXISTS (SELECT 1 FROM settlement_payment_event e WHERE e.run = NEW.run AND e.venue = NEW.venue"
        " AND e.kind = 'executed' AND NEW.kind <> 'returned')"
        " OR (NEW.kind = 'returned' AND NOT EXISTS (SELECT 1 FROM settlement_payment_event e"
        " WHERE e.run = NEW.run AND e.venue = NEW.venue AND e.kind = 'executed'))",
        "not what can become of this payment",
    ),
}


def missing(connection: sa.Connection) -> list[str]:
    """Guards that are not there or are switched off, of bank details and of runs."""
    if connection.dialect.name == "postgresql":
        rows = connection.exec_driver_sql(
            "SELECT c.relname, t.tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid "
            "WHERE NOT t.tgisinternal AND t.tgenabled IN ('O', 'A')"
        )
    else:
        rows = connection.exec_driver_sql("SELECT tbl_name, name FROM sqlite_master WHERE type = 'trigger'")
    found = {(row[0], row[1]) for row in rows}
    wanted = [*guards(connection.dialect.name, BANK, BANK_TURNS), *guards(connection.dialect.name, RUNS, RUNS_TURNS)]
    return [f"{table}.{name}" for table, name in wanted if (table, name) not in found]
