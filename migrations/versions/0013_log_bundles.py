"""Logs of terminals that somebody asked for."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "log_bundle",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("terminal", sa.Uuid(), nullable=False),
        sa.Column("asked_by", sa.Text(), nullable=False),
        sa.Column("asked_by_name", sa.Text(), nullable=False),
        sa.Column("asked_at_us", sa.BigInteger(), nullable=False),
        sa.Column("received_at_us", sa.BigInteger(), nullable=True),
        sa.Column("content", sa.LargeBinary(), nullable=True),
        sa.CheckConstraint("(content IS NULL) = (received_at_us IS NULL)", name=op.f("ck_log_bundle_received_whole")),
        sa.ForeignKeyConstraint(["terminal"], ["terminal.id"], name=op.f("fk_log_bundle_terminal")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_log_bundle")),
    )
    op.create_index(op.f("ix_log_bundle_terminal"), "log_bundle", ["terminal"], unique=False)
