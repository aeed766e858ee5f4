"""Figures beside the ledger: what moved each business day, and where spent and unspent money was loaded."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    head = op.create_table(
        "figures_head",
        sa.Column("id", sa.SmallInteger(), nullable=False),
        sa.Column("transfer", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_figures_head_single")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_figures_head")),
    )
    # What was booked before is taken in like everything else, from the first transfer on.
    op.bulk_insert(head, [{"id": 1, "transfer": 0}])
    op.create_table(
        "day_flow",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("book", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("venue", sa.Uuid(), nullable=False),
        sa.Column("debit_kind", sa.Text(), nullable=False),
        sa.Column("debit_owner", sa.Text(), nullable=False),
        sa.Column("credit_kind", sa.Text(), nullable=False),
        sa.Column("credit_owner", sa.Text(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("transfers", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("amount > 0 AND transfers > 0", name=op.f("ck_day_flow_moves_something")),
        sa.PrimaryKeyConstraint(
            "day",
            "book",
            "kind",
            "venue",
            "debit_kind",
            "debit_owner",
            "credit_kind",
            "credit_owner",
            name=op.f("pk_day_flow"),
        ),
    )
    op.create_table(
        "lot",
        sa.Column("transfer", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("part", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("book", sa.Integer(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("origin", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("remaining", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("remaining >= 0 AND remaining <= amount AND amount > 0", name=op.f("ck_lot_remains_of_it")),
        sa.PrimaryKeyConstraint("transfer", "part", name=op.f("pk_lot")),
    )
    _open_index("lot")
    op.create_table(
        "lot_use",
        sa.Column("transfer", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("place", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("origin", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("returned", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "returned >= 0 AND returned <= amount AND amount > 0", name=op.f("ck_lot_use_returned_of_it")
        ),
        sa.PrimaryKeyConstraint("transfer", "place", name=op.f("pk_lot_use")),
    )
    op.create_table(
        "shortfall",
        sa.Column("transfer", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("book", sa.Integer(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("venue", sa.Uuid(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("remaining", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "remaining >= 0 AND remaining <= amount AND amount > 0", name=op.f("ck_shortfall_remains_of_it")
        ),
        sa.PrimaryKeyConstraint("transfer", name=op.f("pk_shortfall")),
    )
    _open_index("shortfall")
    op.create_table(
        "spent_from",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("book", sa.Integer(), nullable=False),
        sa.Column("origin", sa.Uuid(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("venue", sa.Uuid(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("day", "book", "origin", "purpose", "venue", name=op.f("pk_spent_from")),
    )


def _open_index(table: str) -> None:
    where = sa.text("remaining > 0")
    op.create_index(
        f"ix_{table}_open", table, ["owner", "book"], unique=False, postgresql_where=where, sqlite_where=where
    )
