"""Every kind of local money, and the versions of their rules."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.currencies import guards
from app.platform import revision as revision_triggers

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

KIND = "ck_currency_kind_known"
KINDS_BEFORE = "kind IN ('pegged', 'time')"
KINDS_NOW = "kind IN ('pegged', 'time', 'gift', 'points', 'mutual')"
POINTS = "ck_currency_points_in_points"
POINTS_NOW = "(kind = 'points') = (unit = 'point')"


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        _check_in_place()
    else:
        op.drop_constraint(op.f(KIND), "currency", type_="check")
        op.create_check_constraint(op.f(KIND), "currency", KINDS_NOW)
        op.create_check_constraint(op.f(POINTS), "currency", POINTS_NOW)
    op.create_table(
        "policy",
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("valid_from_us", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("made_at_us", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("version >= 1", name=op.f("ck_policy_version_counts")),
        sa.ForeignKeyConstraint(["currency"], ["currency.code"], name=op.f("fk_policy_currency")),
        sa.PrimaryKeyConstraint("currency", "version", name=op.f("pk_policy")),
    )
    guards.install(op.get_bind())
    revision_triggers.install(op.get_bind())


def _check_in_place() -> None:
    """SQLite cannot alter a check, and rebuilding a table to which others refer would break their foreign keys inside a
    transaction. Its own documentation edits the stored definition for changes that leave the rows as they are."""
    connection = op.get_bind()
    (before,) = connection.exec_driver_sql("SELECT sql FROM sqlite_schema WHERE name = 'currency'").one()
    check = f"CONSTRAINT {KIND} CHECK ({KINDS_BEFORE})"
    now = f"CONSTRAINT {KIND} CHECK ({KINDS_NOW}), \n\tCONSTRAINT {POINTS} CHECK ({POINTS_NOW})"
    if before.count(check) != 1:
        raise RuntimeError("the table currency is not as the first version left it")
    (number,) = connection.exec_driver_sql("PRAGMA schema_version").one()
    connection.exec_driver_sql("PRAGMA writable_schema = ON")
    connection.exec_driver_sql(
        "UPDATE sqlite_schema SET sql = ? WHERE type = 'table' AND name = 'currency'", (before.replace(check, now),)
    )
    connection.exec_driver_sql(f"PRAGMA schema_version = {number + 1}")
    # Reads the definitions anew, and closes them to writing again.
    connection.exec_driver_sql("PRAGMA writable_schema = RESET")
