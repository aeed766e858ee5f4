"""What the organiser accepted in writing to lose at most at terminals without network."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.terminals.limits.acceptance import GUARDS

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "exposure_acceptance",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("signed", sa.Text(), nullable=False),
        sa.Column("sentence", sa.Text(), nullable=False),
        sa.Column("figures", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exposure_acceptance")),
    )
    op.create_index(op.f("ix_exposure_acceptance_at_us"), "exposure_acceptance", ["at_us"], unique=False)
    GUARDS.install(op.get_bind())
