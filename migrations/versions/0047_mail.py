"""E-mail that waits to be sent, and where receipts of top-ups go."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.mail import guards

revision = "0047"
down_revision = "0046"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "mail",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("template", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=True),
        sa.Column("data", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("created_at_us", sa.BigInteger(), nullable=False),
        sa.Column("waiting_since_us", sa.BigInteger(), nullable=False),
        sa.Column("next_at_us", sa.BigInteger(), nullable=True),
        sa.Column("ended_at_us", sa.BigInteger(), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("leased_by", sa.Uuid(), nullable=True),
        sa.Column("leased_until_us", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("status IN ('waiting', 'sent', 'failed')", name=op.f("ck_mail_status_known")),
        sa.CheckConstraint("(status = 'waiting') = (next_at_us IS NOT NULL)", name=op.f("ck_mail_waits_for_its_turn")),
        sa.CheckConstraint("(status = 'waiting') = (ended_at_us IS NULL)", name=op.f("ck_mail_ended_once")),
        sa.CheckConstraint(
            "status <> 'waiting' OR (recipient IS NOT NULL AND data IS NOT NULL)", name=op.f("ck_mail_can_be_sent")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mail")),
    )
    op.create_index(op.f("ix_mail_next_at_us"), "mail", ["next_at_us"], unique=False)
    op.create_index(op.f("ix_mail_ended_at_us"), "mail", ["ended_at_us"], unique=False)
    op.create_table(
        "sandbox_mail",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("html", sa.Text(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sandbox_mail")),
    )
    op.create_index(op.f("ix_sandbox_mail_at_us"), "sandbox_mail", ["at_us"], unique=False)
    op.create_table(
        "topup_receipt",
        sa.Column("topup", sa.Uuid(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["topup"], ["topup.id"], name=op.f("fk_topup_receipt_topup")),
        sa.PrimaryKeyConstraint("topup", name=op.f("pk_topup_receipt")),
    )
    guards.install(op.get_bind())
