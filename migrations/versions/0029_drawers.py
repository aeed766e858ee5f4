"""What changes the cash of drawers without a sale, and what of it is in the books."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.accounting.guards import DRAWERS as BOOKED
from app.sales.closings.guards import DRAWERS

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "drawer_move",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("venue", sa.Uuid(), nullable=False),
        sa.Column("terminal", sa.Uuid(), nullable=False),
        sa.Column("business_day", sa.Date(), nullable=False),
        sa.Column("occurred_at_us", sa.BigInteger(), nullable=False),
        sa.Column("recorded_at_us", sa.BigInteger(), nullable=False),
        sa.Column("cents", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("closing", sa.Uuid(), nullable=True),
        sa.CheckConstraint("kind IN ('cash', 'float', 'difference')", name=op.f("ck_drawer_move_kind_known")),
        sa.CheckConstraint("(kind = 'cash') = (closing IS NULL)", name=op.f("ck_drawer_move_closing_says_it")),
        sa.CheckConstraint("cents <> 0", name=op.f("ck_drawer_move_moves_something")),
        sa.ForeignKeyConstraint(["closing"], ["closing.id"], name=op.f("fk_drawer_move_closing")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_drawer_move")),
        sa.UniqueConstraint("closing", "kind", "venue", name=op.f("uq_drawer_move_closing_kind_venue")),
    )
    op.create_index("ix_drawer_move_day", "drawer_move", ["venue", "business_day"], unique=False)
    op.create_table(
        "books_drawer",
        sa.Column("move", sa.Uuid(), nullable=False),
        sa.Column("closing", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["move"], ["drawer_move.id"], name=op.f("fk_books_drawer_move")),
        sa.PrimaryKeyConstraint("move", name=op.f("pk_books_drawer")),
    )
    DRAWERS.install(op.get_bind())
    BOOKED.install(op.get_bind())
