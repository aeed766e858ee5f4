"""Rows of journals that wait for a person, what was decided about them, and whose and where each epoch was."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_OF_CURRENT_EPOCH = """
UPDATE journal_mark SET
  public_key = (SELECT public_key FROM terminal WHERE terminal.id = journal_mark.terminal),
  venue = (SELECT venue FROM terminal WHERE terminal.id = journal_mark.terminal)
WHERE epoch = (SELECT epoch FROM terminal WHERE terminal.id = journal_mark.terminal)
"""
# What a journal that was set aside has kept above its mark.
_SET_ASIDE = """
UPDATE intake SET review = 'forked'
WHERE device IN (SELECT id FROM terminal WHERE status = 'quarantined')
  AND sequence > (SELECT applied FROM journal_mark
                  WHERE journal_mark.terminal = intake.device AND journal_mark.epoch = intake.epoch)
"""


def upgrade() -> None:
    op.add_column("journal_mark", sa.Column("public_key", sa.LargeBinary(length=32), nullable=True))
    op.add_column("journal_mark", sa.Column("venue", sa.Uuid(), nullable=True))
    op.add_column("terminal", sa.Column("revoked_at_us", sa.BigInteger(), nullable=True))
    op.add_column("terminal", sa.Column("to_review", sa.Integer(), server_default="0", nullable=False))
    op.add_column("intake", sa.Column("review", sa.Text(), nullable=True))
    op.create_index(
        "ix_intake_review",
        "intake",
        ["device"],
        unique=False,
        postgresql_where=sa.text("review IS NOT NULL"),
        sqlite_where=sa.text("review IS NOT NULL"),
    )
    op.create_table(
        "journal_review",
        sa.Column("row", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("decision", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=False),
        sa.Column("decided_at_us", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("decision IN ('booked', 'left_out')", name=op.f("ck_journal_review_decision_known")),
        sa.ForeignKeyConstraint(["row"], ["intake.id"], name=op.f("fk_journal_review_row")),
        sa.PrimaryKeyConstraint("row", name=op.f("pk_journal_review")),
    )
    op.execute(_OF_CURRENT_EPOCH)
    op.execute(_SET_ASIDE)
