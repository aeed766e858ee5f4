"""The books: entries of closed months with gapless numbers, and their closings beside those of the tills."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.accounting import guards as books_guards
from app.sales.closings import guards

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

PERIODS = "period IN ('session', 'day', 'month', 'year', 'books_month', 'books_year')"


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.drop_constraint(op.f("ck_closing_period_known"), "closing", type_="check")
        op.create_check_constraint(op.f("ck_closing_period_known"), "closing", PERIODS)
    else:
        _rebuild_closings()
    op.create_table(
        "books_settings",
        sa.Column("books", sa.Uuid(), nullable=False),
        sa.Column("legal_name", sa.Text(), nullable=False),
        sa.Column("siren", sa.Text(), nullable=False),
        sa.Column("regime", sa.Text(), nullable=False),
        sa.Column("year_starts", sa.SmallInteger(), nullable=False),
        sa.Column("changed", sa.Text(), nullable=False),
        sa.CheckConstraint("regime IN ('association', 'cooperative')", name=op.f("ck_books_settings_regime_known")),
        sa.CheckConstraint("year_starts BETWEEN 1 AND 12", name=op.f("ck_books_settings_month")),
        sa.PrimaryKeyConstraint("books", name=op.f("pk_books_settings")),
    )
    op.create_table(
        "books_line",
        sa.Column("books", sa.Uuid(), nullable=False),
        sa.Column("exercise", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("journal", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("place", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("closing", sa.BigInteger(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("party", sa.Text(), nullable=False),
        sa.Column("piece", sa.Text(), nullable=False),
        sa.Column("piece_day", sa.Date(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("debit", sa.BigInteger(), nullable=False),
        sa.Column("credit", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("number >= 1 AND place >= 1", name=op.f("ck_books_line_numbered_from_1")),
        sa.CheckConstraint(
            "(debit > 0 AND credit = 0) OR (debit = 0 AND credit > 0)", name=op.f("ck_books_line_one_side")
        ),
        sa.PrimaryKeyConstraint("books", "exercise", "journal", "number", "place", name=op.f("pk_books_line")),
    )
    op.create_index("ix_books_line_account", "books_line", ["books", "account", "exercise", "journal", "number"])
    op.create_table(
        "books_record",
        sa.Column("record", sa.Uuid(), nullable=False),
        sa.Column("closing", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["record"], ["till_record.id"], name=op.f("fk_books_record_record")),
        sa.PrimaryKeyConstraint("record", name=op.f("pk_books_record")),
    )
    guards.install(op.get_bind())
    books_guards.install(op.get_bind())


def _rebuild_closings() -> None:
    """SQLite changes no check in place. The old tables go with their triggers, the parts before what they name."""
    for index in ("ix_closing_venue_day", "ix_closing_part_whole"):
        op.execute(f"DROP INDEX {index}")
    for table in ("closing_part", "closing"):
        op.execute(f"ALTER TABLE {table} RENAME TO {table}_before")
    op.create_table(
        "closing",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("period", sa.Text(), nullable=False),
        sa.Column("subject", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("venue", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("previous", sa.LargeBinary(32), nullable=False),
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        sa.Column("signature", sa.LargeBinary(64), nullable=False),
        sa.Column("sealed_at_us", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("number >= 1", name=op.f("ck_closing_number_from_1")),
        sa.CheckConstraint(PERIODS, name=op.f("ck_closing_period_known")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_closing")),
        sa.UniqueConstraint("digest", name=op.f("uq_closing_digest")),
        sa.UniqueConstraint("subject", "period", "number", name=op.f("uq_closing_subject_period_number")),
    )
    op.create_table(
        "closing_part",
        sa.Column("part", sa.Uuid(), nullable=False),
        sa.Column("whole", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["part"], ["closing.id"], name=op.f("fk_closing_part_part")),
        sa.ForeignKeyConstraint(["whole"], ["closing.id"], name=op.f("fk_closing_part_whole")),
        sa.PrimaryKeyConstraint("part", name=op.f("pk_closing_part")),
    )
    for table in ("closing", "closing_part"):
        op.execute(f"INSERT INTO {table} SELECT * FROM {table}_before")
    for table in ("closing_part", "closing"):
        op.execute(f"DROP TABLE {table}_before")
    op.create_index("ix_closing_venue_day", "closing", ["venue", "day"], unique=False)
    op.create_index(op.f("ix_closing_part_whole"), "closing_part", ["whole"], unique=False)
