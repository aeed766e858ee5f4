"""How far each card has counted its messages at phones."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.keyring import guards

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "card_tap",
        sa.Column("card", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("counter", sa.Integer(), nullable=False),
        sa.Column("message", sa.LargeBinary(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("version BETWEEN 1 AND 255", name=op.f("ck_card_tap_version_fits")),
        sa.CheckConstraint("counter BETWEEN 0 AND 16777215", name=op.f("ck_card_tap_counter_fits")),
        sa.ForeignKeyConstraint(["card"], ["card.id"], name=op.f("fk_card_tap_card")),
        sa.PrimaryKeyConstraint("card", name=op.f("pk_card_tap")),
    )
    guards.install(op.get_bind())
