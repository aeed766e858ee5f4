"""The triggers by which the database itself keeps the ledger: history is append-only, balances move by transfers only,
pegs hold, and nothing is taken back twice.

`install` may be run again at any time; a migration that rebuilds a guarded table must call it (SQLite drops a table's
triggers with it). `missing` names the guards that are not there, or not as written here.
"""

from __future__ import annotations

import re

import sqlalchemy as sa

APPEND_ONLY = ("operation", "transfer", "refusal", "seal", "hold", "hold_end")

_POSTGRES_FUNCTIONS = {
    "ledger_refuse": """
        CREATE OR REPLACE FUNCTION ledger_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION '% on %: the ledger is append-only', TG_OP, TG_TABLE_NAME USING ERRCODE = 'check_violation';
        END $$""",
    "ledger_hold": """
        CREATE OR REPLACE FUNCTION ledger_hold() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            UPDATE account SET held = held + NEW.amount WHERE id = NEW.account;
            IF NOT FOUND THEN
                RAISE EXCEPTION 'hold on no account' USING ERRCODE = 'check_violation';
            END IF;
            RETURN NULL;
        END $$""",
    "ledger_hold_end": """
        CREATE OR REPLACE FUNCTION ledger_hold_end() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            UPDATE account a SET held = a.held - h.amount FROM hold h WHERE h.id = NEW.hold AND a.id = h.account;
            IF NOT FOUND THEN
                RAISE EXCEPTION 'end of no hold' USING ERRCODE = 'check_violation';
            END IF;
            RETURN NULL;
        END $$""",
    "ledger_apply": """
        CREATE OR REPLACE FUNCTION ledger_apply() RETURNS trigger LANGUAGE plpgsql AS $$
        DECLARE bad bigint;
        BEGIN
            SELECT t.id INTO bad FROM added t
                LEFT JOIN account d ON d.id = t.debit_account
                LEFT JOIN account c ON c.id = t.credit_account
                LEFT JOIN operation o ON o.seq = t.operation_seq
                WHERE d.book IS DISTINCT FROM c.book OR d.book IS NULL OR o.seq IS NULL
                    OR t.id < o.first_transfer OR t.id >= o.first_transfer + o.transfers
                LIMIT 1;
            IF FOUND THEN
                RAISE EXCEPTION 'transfer %: its accounts are not of one book, or it is of no operation', bad
                    USING ERRCODE = 'check_violation';
            END IF;

            UPDATE account a SET balance = a.balance + a.normal * n.credit, last_transfer = n.last
            FROM (SELECT account, sum(credit)::bigint AS credit, max(id) AS last FROM (
                    SELECT debit_account AS account, -amount AS credit, id FROM added
                    UNION ALL SELECT credit_account, amount, id FROM added) legs GROUP BY account) n
            WHERE a.id = n.account;

            SELECT t.id INTO bad FROM added t
                JOIN account d ON d.id = t.debit_account JOIN account c ON c.id = t.credit_account
                WHERE (d.last_transfer = t.id AND d.balance <> t.debit_after)
                    OR (c.last_transfer = t.id AND c.balance <> t.credit_after)
                LIMIT 1;
            IF FOUND THEN
                RAISE EXCEPTION 'transfer %: the balance it states is wrong', bad USING ERRCODE = 'check_violation';
            END IF;

            SELECT peg INTO bad FROM account WHERE peg IS NOT NULL
                GROUP BY peg HAVING sum(balance::numeric * peg_weight) <> 0 LIMIT 1;
            IF FOUND THEN
                RAISE EXCEPTION 'peg of book %: liability is not rate x issuance', bad
                    USING ERRCODE = 'check_violation';
            END IF;

            SELECT t.reverses INTO bad FROM added t LEFT JOIN transfer o ON o.id = t.reverses
                WHERE t.reverses IS NOT NULL AND (
                    t.debit_account IS DISTINCT FROM o.credit_account
                    OR (SELECT sum(r.amount) FROM transfer r WHERE r.reverses = t.reverses) > o.amount)
                LIMIT 1;
            IF FOUND THEN
                RAISE EXCEPTION 'transfer % would be taken back twice', bad USING ERRCODE = 'check_violation';
            END IF;
            RETURN NULL;
        END $$""",
}


def _postgres_triggers() -> dict[tuple[str, str], str]:
    """By (table, name). pg_trigger_depth() is 0 for a statement that no trigger made."""
    guards = {}
    for table in (*APPEND_ONLY, "ledger_head"):
        events = "DELETE" if table == "ledger_head" else "DELETE OR UPDATE"
        guards[table, "guard_append_only"] = f"BEFORE {events} ON {table} FOR EACH ROW EXECUTE FUNCTION ledger_refuse()"
        guards[table, "guard_truncate"] = (
            f"BEFORE TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse()"
        )
    guards["transfer", "guard_apply"] = (
        "AFTER INSERT ON transfer REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION ledger_apply()"
    )
    guards["hold", "guard_apply"] = "AFTER INSERT ON hold FOR EACH ROW EXECUTE FUNCTION ledger_hold()"
    guards["hold_end", "guard_apply"] = "AFTER INSERT ON hold_end FOR EACH ROW EXECUTE FUNCTION ledger_hold_end()"
    guards["ledger_head", "guard_forward"] = (
        "BEFORE UPDATE ON ledger_head FOR EACH ROW WHEN (NEW.operation_seq < OLD.operation_seq "
        "OR NEW.transfer_id < OLD.transfer_id OR NEW.seal_id < OLD.seal_id "
        "OR NEW.booked_at_us < OLD.booked_at_us) EXECUTE FUNCTION ledger_refuse()"
    )
    guards["account", "guard_born_empty"] = (
        "BEFORE INSERT ON account FOR EACH ROW WHEN (NEW.balance <> 0 OR NEW.held <> 0 OR NEW.last_transfer <> 0) "
        "EXECUTE FUNCTION ledger_refuse()"
    )
    guards["account", "guard_balance"] = (
        "BEFORE UPDATE ON account FOR EACH ROW WHEN ((NEW.balance <> OLD.balance OR NEW.held <> OLD.held OR "
        "NEW.last_transfer <> OLD.last_transfer) AND pg_trigger_depth() = 0) EXECUTE FUNCTION ledger_refuse()"
    )
    fixed = ("id", "book", "kind", "owner", "normal", "peg", "peg_weight")
    changed = " OR ".join(f"NEW.{column} IS DISTINCT FROM OLD.{column}" for column in fixed)
    guards["account", "guard_identity"] = (
        f"BEFORE UPDATE ON account FOR EACH ROW WHEN ({changed}) EXECUTE FUNCTION ledger_refuse()"
    )
    guards["account", "guard_delete"] = "BEFORE DELETE ON account FOR EACH ROW EXECUTE FUNCTION ledger_refuse()"
    guards["account", "guard_truncate"] = (
        "BEFORE TRUNCATE ON account FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse()"
    )
    return guards


def _sqlite_triggers() -> dict[tuple[str, str], str]:
    """By (table, name). SQLite fires triggers row by row and knows no truncate.

    REPLACE deletes without firing delete triggers, so a second insert under the same key is refused before it starts.
    """
    guards = {}
    keys = {"operation": "id = NEW.id OR seq = NEW.seq", "transfer": "id = NEW.id", "refusal": "id = NEW.id"}
    keys |= {"seal": "id = NEW.id", "hold": "id = NEW.id", "hold_end": "hold = NEW.hold"}
    for table, key in keys.items():
        for event in ("UPDATE", "DELETE"):
            guards[table, f"guard_{table}_{event.lower()}"] = (
                f"BEFORE {event} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{event} on {table}: the ledger is append-only'); END"
            )
        guards[table, f"guard_{table}_replace"] = (
            f"BEFORE INSERT ON {table} WHEN EXISTS (SELECT 1 FROM {table} WHERE {key}) "
            f"BEGIN SELECT RAISE(ABORT, 'insert on {table}: this key is taken'); END"
        )
    guards["transfer", "guard_transfer_apply"] = """AFTER INSERT ON transfer BEGIN
        SELECT RAISE(ABORT, 'transfer: its accounts are not of one book') WHERE NOT EXISTS (
            SELECT 1 FROM account d JOIN account c ON c.book = d.book
            WHERE d.id = NEW.debit_account AND c.id = NEW.credit_account);
        SELECT RAISE(ABORT, 'transfer: it is of no operation') WHERE NOT EXISTS (
            SELECT 1 FROM operation o WHERE o.seq = NEW.operation_seq
            AND NEW.id >= o.first_transfer AND NEW.id < o.first_transfer + o.transfers);
        UPDATE account SET balance = balance - normal * NEW.amount, last_transfer = NEW.id
            WHERE id = NEW.debit_account;
        UPDATE account SET balance = balance + normal * NEW.amount, last_transfer = NEW.id
            WHERE id = NEW.credit_account;
        SELECT RAISE(ABORT, 'transfer: the balance it states is wrong')
            WHERE NEW.debit_after <> (SELECT balance FROM account WHERE id = NEW.debit_account)
               OR NEW.credit_after <> (SELECT balance FROM account WHERE id = NEW.credit_account);
        SELECT RAISE(ABORT, 'transfer: it would be taken back twice') WHERE NEW.reverses IS NOT NULL AND NOT EXISTS (
            SELECT 1 FROM transfer o WHERE o.id = NEW.reverses AND o.credit_account = NEW.debit_account
            AND o.amount >= (SELECT sum(r.amount) FROM transfer r WHERE r.reverses = NEW.reverses));
    END"""
    guards["account", "guard_account_balance"] = """BEFORE UPDATE ON account
        WHEN NEW.balance <> OLD.balance OR NEW.last_transfer <> OLD.last_transfer BEGIN
        SELECT RAISE(ABORT, 'account: a balance moves by a transfer only') WHERE NOT EXISTS (
            SELECT 1 FROM transfer t WHERE t.id = NEW.last_transfer AND t.id > OLD.last_transfer AND NEW.balance =
                OLD.balance + OLD.normal * CASE OLD.id WHEN t.debit_account THEN -t.amount
                                                       WHEN t.credit_account THEN t.amount END);
    END"""
    guards["account", "guard_account_held"] = """BEFORE UPDATE OF held ON account WHEN NEW.held <> OLD.held BEGIN
        SELECT RAISE(ABORT, 'account: what is held moves by a hold only') WHERE NEW.held <> (
            SELECT coalesce(sum(h.amount), 0) FROM hold h LEFT JOIN hold_end e ON e.hold = h.id
            WHERE h.account = NEW.id AND e.hold IS NULL);
    END"""
    guards["hold", "guard_hold_apply"] = """AFTER INSERT ON hold BEGIN
        SELECT RAISE(ABORT, 'hold on no account') WHERE NOT EXISTS (SELECT 1 FROM account WHERE id = NEW.account);
        UPDATE account SET held = held + NEW.amount WHERE id = NEW.account;
    END"""
    guards["hold_end", "guard_hold_end_apply"] = """AFTER INSERT ON hold_end BEGIN
        SELECT RAISE(ABORT, 'end of no hold') WHERE NOT EXISTS (SELECT 1 FROM hold WHERE id = NEW.hold);
        UPDATE account SET held = held - (SELECT amount FROM hold WHERE id = NEW.hold)
            WHERE id = (SELECT account FROM hold WHERE id = NEW.hold);
    END"""
    guards["account", "guard_account_identity"] = """BEFORE UPDATE ON account
        WHEN (NEW.id, NEW.book, NEW.kind, NEW.owner, NEW.normal) <> (OLD.id, OLD.book, OLD.kind, OLD.owner, OLD.normal)
            OR NEW.peg IS NOT OLD.peg OR NEW.peg_weight IS NOT OLD.peg_weight
        BEGIN SELECT RAISE(ABORT, 'account: what it is never changes'); END"""
    guards["account", "guard_account_delete"] = (
        "BEFORE DELETE ON account BEGIN SELECT RAISE(ABORT, 'DELETE on account: the ledger is append-only'); END"
    )
    guards["account", "guard_account_born_empty"] = """BEFORE INSERT ON account
        WHEN NEW.balance <> 0 OR NEW.held <> 0 OR NEW.last_transfer <> 0
            OR EXISTS (SELECT 1 FROM account WHERE id = NEW.id)
        BEGIN SELECT RAISE(ABORT, 'account: it is opened empty, and once'); END"""
    guards["ledger_head", "guard_head_delete"] = (
        "BEFORE DELETE ON ledger_head "
        "BEGIN SELECT RAISE(ABORT, 'DELETE on ledger_head: the ledger is append-only'); END"
    )
    guards["ledger_head", "guard_head_replace"] = (
        "BEFORE INSERT ON ledger_head WHEN EXISTS (SELECT 1 FROM ledger_head) "
        "BEGIN SELECT RAISE(ABORT, 'ledger_head: there is one'); END"
    )
    guards["ledger_head", "guard_head_forward"] = """BEFORE UPDATE ON ledger_head BEGIN
        SELECT RAISE(ABORT, 'ledger_head: it only moves forward')
            WHERE NEW.operation_seq < OLD.operation_seq OR NEW.transfer_id < OLD.transfer_id
                OR NEW.seal_id < OLD.seal_id OR NEW.booked_at_us < OLD.booked_at_us;
        SELECT RAISE(ABORT, 'peg: liability is not rate x issuance') WHERE EXISTS (
            SELECT 1 FROM account WHERE peg IS NOT NULL GROUP BY peg HAVING sum(balance * peg_weight) <> 0);
    END"""
    return guards


def guards(dialect: str) -> dict[tuple[str, str], str]:
    """Every guard by (table, trigger name), as the text that follows the trigger's name."""
    return _sqlite_triggers() if dialect == "sqlite" else _postgres_triggers()


def install(connection: sa.Connection) -> None:
    """Put every guard in place, replacing what stands under its name."""
    if connection.dialect.name == "postgresql":
        for function in _POSTGRES_FUNCTIONS.values():
            connection.exec_driver_sql(function)
    for (table, name), text in guards(connection.dialect.name).items():
        on = f" ON {table}" if connection.dialect.name == "postgresql" else ""
        connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {name}{on}")
        connection.exec_driver_sql(f"CREATE TRIGGER {name} {text}")


def missing(connection: sa.Connection) -> list[str]:
    """Guards that are not there, are switched off, or do not read as they are written here."""
    expected = guards(connection.dialect.name)
    if connection.dialect.name == "sqlite":
        rows = connection.exec_driver_sql("SELECT tbl_name, name, sql FROM sqlite_master WHERE type = 'trigger'")
        found = {(row[0], row[1]): row[2] for row in rows}
        return [f"{t}.{n}" for (t, n), text in expected.items() if found.get((t, n)) != f"CREATE TRIGGER {n} {text}"]
    rows = connection.exec_driver_sql(
        "SELECT c.relname, t.tgname, pg_get_triggerdef(t.oid) FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid "
        "WHERE NOT t.tgisinternal AND t.tgenabled IN ('O', 'A') "
        "AND c.relnamespace = (SELECT relnamespace FROM pg_class WHERE oid = 'ledger_head'::regclass)"
    )
    present = {(row[0], row[1]): _bare(row[2]) for row in rows}
    absent = [
        f"{table}.{name}"
        for (table, name), text in expected.items()
        if present.get((table, name)) != _bare(f"CREATE TRIGGER {name} {text}")
    ]
    bodies = connection.exec_driver_sql("SELECT proname, prosrc FROM pg_proc WHERE proname LIKE 'ledger_%%'")
    source = {row[0]: row[1] for row in bodies}
    return absent + [n for n, text in _POSTGRES_FUNCTIONS.items() if source.get(n) != text.split("$$")[1]]


def _bare(definition: str) -> str:
    """A trigger's definition without what PostgreSQL adds or drops when it writes it down again."""
    return re.sub(r"[\s()]|public\.", "", definition.lower())
