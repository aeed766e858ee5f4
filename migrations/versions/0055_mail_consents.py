"""Who agreed to which e-mail."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0055"
down_revision = "0054"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "mail_consent",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("wallet", sa.Uuid(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("words", sa.Integer(), nullable=False),
        sa.Column("given_at_us", sa.BigInteger(), nullable=False),
        sa.Column("withdrawn_at_us", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("purpose IN ('reminders')", name=op.f("ck_mail_consent_purpose_known")),
        sa.CheckConstraint(
            "(address IS NULL) = (withdrawn_at_us IS NOT NULL)", name=op.f("ck_mail_consent_address_while_it_holds")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mail_consent")),
    )
    op.create_index(op.f("ix_mail_consent_wallet"), "mail_consent", ["wallet"])
    op.create_index(
        "uq_mail_consent_holds",
        "mail_consent",
        ["wallet", "purpose"],
        unique=True,
        sqlite_where=sa.text("withdrawn_at_us IS NULL"),
        postgresql_where=sa.text("withdrawn_at_us IS NULL"),
    )
