"""How authors' rights are counted."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0067"
down_revision = "0066"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "authors_rights",
        sa.Column("subject", sa.Uuid(), nullable=False),
        sa.Column("venue", sa.Uuid(), nullable=False),
        sa.Column("base", sa.Text(), nullable=False),
        sa.Column("rate", sa.Integer(), nullable=True),
        sa.Column("minimum_cents", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("base IN ('net', 'gross')", name=op.f("ck_authors_rights_base_known")),
        sa.CheckConstraint("rate BETWEEN 0 AND 10000", name=op.f("ck_authors_rights_rate_a_rate")),
        sa.CheckConstraint("minimum_cents >= 0", name=op.f("ck_authors_rights_minimum_not_negative")),
        sa.ForeignKeyConstraint(["venue"], ["venue.id"], name=op.f("fk_authors_rights_venue")),
        sa.PrimaryKeyConstraint("subject", name=op.f("pk_authors_rights")),
    )
    op.create_index(op.f("ix_authors_rights_venue"), "authors_rights", ["venue"], unique=False)
