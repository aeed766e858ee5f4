"""Closings of tills and venues, sealed and never rewritten."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.sales.closings import guards

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
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
        sa.CheckConstraint("period IN ('session', 'day', 'month', 'year')", name=op.f("ck_closing_period_known")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_closing")),
        sa.UniqueConstraint("digest", name=op.f("uq_closing_digest")),
        sa.UniqueConstraint("subject", "period", "number", name=op.f("uq_closing_subject_period_number")),
    )
    op.create_index("ix_closing_venue_day", "closing", ["venue", "day"], unique=False)
    op.create_table(
        "closing_part",
        sa.Column("part", sa.Uuid(), nullable=False),
        sa.Column("whole", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["part"], ["closing.id"], name=op.f("fk_closing_part_part")),
        sa.ForeignKeyConstraint(["whole"], ["closing.id"], name=op.f("fk_closing_part_whole")),
        sa.PrimaryKeyConstraint("part", name=op.f("pk_closing_part")),
    )
    op.create_index(op.f("ix_closing_part_whole"), "closing_part", ["whole"], unique=False)
    guards.install(op.get_bind())
