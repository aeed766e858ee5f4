"""Batches of labels that are printed before their chips are known."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.cards.guards import BLANKS

revision = "0045"
down_revision = "0044"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "card_batch",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("made_at_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_card_batch")),
        sa.UniqueConstraint("name", name=op.f("uq_card_batch_name")),
    )
    op.create_table(
        "card_blank",
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("batch", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.CheckConstraint("number >= 0", name=op.f("ck_card_blank_number_counts")),
        sa.ForeignKeyConstraint(["batch"], ["card_batch.id"], name=op.f("fk_card_blank_batch")),
        sa.PrimaryKeyConstraint("token", name=op.f("pk_card_blank")),
        sa.UniqueConstraint("label", name=op.f("uq_card_blank_label")),
        sa.UniqueConstraint("batch", "number", name=op.f("uq_card_blank_batch_number")),
    )
    BLANKS.install(op.get_bind())
