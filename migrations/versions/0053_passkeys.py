"""Passkeys of holders."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0053"
down_revision = "0052"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "holder_challenge",
        sa.Column("challenge_sha256", sa.LargeBinary(length=32), nullable=False),
        sa.Column("account", sa.Uuid(), nullable=True),
        sa.Column("expires_at_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account"], ["holder_account.id"], name=op.f("fk_holder_challenge_account"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("challenge_sha256", name=op.f("pk_holder_challenge")),
    )
    op.create_index(op.f("ix_holder_challenge_expires_at_us"), "holder_challenge", ["expires_at_us"], unique=False)
    op.create_table(
        "holder_passkey",
        sa.Column("id", sa.LargeBinary(), nullable=False),
        sa.Column("account", sa.Uuid(), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("signs", sa.BigInteger(), nullable=False),
        sa.Column("made_at_us", sa.BigInteger(), nullable=False),
        sa.Column("used_at_us", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("signs >= 0", name=op.f("ck_holder_passkey_signs_counted")),
        sa.ForeignKeyConstraint(
            ["account"], ["holder_account.id"], name=op.f("fk_holder_passkey_account"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_holder_passkey")),
    )
    op.create_index(op.f("ix_holder_passkey_account"), "holder_passkey", ["account"], unique=False)
