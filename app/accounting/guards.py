"""The triggers by which the database itself keeps the books: lines are added before their month is sealed, and then
never changed; a month is sealed only when its entries balance and their numbers have no gap.

`install` may be run again; a migration that rebuilds `closing` must call it.
"""

from __future__ import annotations

import sqlalchemy as sa

from app.platform.kept_rows import AppendOnly, missing_of

# What drawers gained or lost is in the books once.
DRAWERS = AppendOnly({"books_drawer": "move = NEW.move"}, "books_drawer_refuse", "books are never rewritten")

_SEALED = (
    "EXISTS (SELECT 1 FROM closing WHERE subject = {row}.books AND period = 'books_month' AND number = {row}.closing)"
)
# Of a journal whose month is sealed: an entry that does not balance, or a number that does not follow.
_UNBALANCED = """
    EXISTS (SELECT 1 FROM books_line WHERE books = NEW.subject AND closing = NEW.number
            GROUP BY exercise, journal, number HAVING SUM(debit) <> SUM(credit))"""
_GAP = """
    EXISTS (SELECT 1 FROM (
                SELECT exercise, journal, MIN(number) AS first, MAX(number) AS last, COUNT(DISTINCT number) AS entries
                FROM books_line WHERE books = NEW.subject AND closing = NEW.number GROUP BY exercise, journal) AS found
            WHERE last - first + 1 <> entries
               OR first <> 1 + COALESCE((SELECT MAX(number) FROM books_line AS earlier
                                         WHERE earlier.books = NEW.subject AND earlier.exercise = found.exercise
                                           AND earlier.journal = found.journal AND earlier.number < found.first), 0))"""

_REFUSE = """
    CREATE OR REPLACE FUNCTION books_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION '% on %: books are never rewritten', TG_OP, TG_TABLE_NAME USING ERRCODE = 'check_violation';
    END $$"""
_LATE = f"""
    CREATE OR REPLACE FUNCTION books_late() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF EXISTS (SELECT 1 FROM added WHERE {_SEALED.format(row="added")}) THEN
            RAISE EXCEPTION 'books_line: this month is sealed' USING ERRCODE = 'check_violation';
        END IF;
        RETURN NULL;
    END $$"""  # noqa: S608
_WHOLE = f"""
    CREATE OR REPLACE FUNCTION books_whole() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF {_UNBALANCED} THEN
            RAISE EXCEPTION 'closing: an entry does not balance' USING ERRCODE = 'check_violation';
        END IF;
        IF {_GAP} THEN
            RAISE EXCEPTION 'closing: a number is missing' USING ERRCODE = 'check_violation';
        END IF;
        RETURN NEW;
    END $$"""


def guards(dialect: str) -> dict[tuple[str, str], str]:
    """Every guard by (table, trigger name), as the text that follows the trigger's name."""
    found = {}
    for table, key in (
        (
            "books_line",
            "books = NEW.books AND exercise = NEW.exercise AND journal = NEW.journal"
            " AND number = NEW.number AND place = NEW.place",
        ),
        ("books_record", "record = NEW.record"),
    ):
        if dialect == "postgresql":
            found[table, "guard_books_rewrite"] = (
                f"BEFORE DELETE OR UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION books_refuse()"
            )
            found[table, "guard_books_truncate"] = (
                f"BEFORE TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION books_refuse()"
            )
            continue
        for event in ("UPDATE", "DELETE"):
            found[table, f"guard_{table}_{event.lower()}"] = (
                f"BEFORE {event} ON {table} BEGIN SELECT RAISE(ABORT, '{table}: books are never rewritten'); END"
            )
        # REPLACE deletes without firing the trigger above.
        found[table, f"guard_{table}_replace"] = (
            f"BEFORE INSERT ON {table} WHEN EXISTS (SELECT 1 FROM {table} WHERE {key}) "  # noqa: S608
            f"BEGIN SELECT RAISE(ABORT, '{table}: books are never rewritten'); END"
        )
    if dialect == "postgresql":
        found["books_line", "guard_books_late"] = (
            "AFTER INSERT ON books_line REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION books_late()"
        )
        found["closing", "guard_books_whole"] = (
            "BEFORE INSERT ON closing FOR EACH ROW WHEN (NEW.period = 'books_month') EXECUTE FUNCTION books_whole()"
        )
        return found
    found["books_line", "guard_books_line_late"] = (
        f"BEFORE INSERT ON books_line WHEN {_SEALED.format(row='NEW')} "
        "BEGIN SELECT RAISE(ABORT, 'books_line: this month is sealed'); END"
    )
    found["closing", "guard_books_balanced"] = (
        f"BEFORE INSERT ON closing WHEN NEW.period = 'books_month' AND {_UNBALANCED} "
        "BEGIN SELECT RAISE(ABORT, 'closing: an entry does not balance'); END"
    )
    found["closing", "guard_books_gapless"] = (
        f"BEFORE INSERT ON closing WHEN NEW.period = 'books_month' AND {_GAP} "
        "BEGIN SELECT RAISE(ABORT, 'closing: a number is missing'); END"
    )
    return found


def install(connection: sa.Connection) -> None:
    """Put every guard in place, replacing what stands under its name."""
    dialect = connection.dialect.name
    if dialect == "postgresql":
        for function in (_REFUSE, _LATE, _WHOLE):
            connection.exec_driver_sql(function)
    for (table, name), text in guards(dialect).items():
        on = f" ON {table}" if dialect == "postgresql" else ""
        connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {name}{on}")
        connection.exec_driver_sql(f"CREATE TRIGGER {name} {text}")


def missing(connection: sa.Connection) -> list[str]:
    """Guards that are not there or are switched off."""
    return missing_of(connection, guards(connection.dialect.name))
