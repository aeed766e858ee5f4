"""What a desk is writing on a card, until it has read it back."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "card_key_writing",
        sa.Column("card", sa.Uuid(), nullable=False),
        sa.Column("key_set", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("since_us", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("version BETWEEN 1 AND 255", name=op.f("ck_card_key_writing_version_fits")),
        sa.ForeignKeyConstraint(["card"], ["card.id"], name=op.f("fk_card_key_writing_card")),
        sa.ForeignKeyConstraint(["key_set"], ["card_key_set.id"], name=op.f("fk_card_key_writing_key_set")),
        sa.PrimaryKeyConstraint("card", name=op.f("pk_card_key_writing")),
    )
