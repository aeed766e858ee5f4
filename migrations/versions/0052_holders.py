"""Accounts of holders."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0052"
down_revision = "0051"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "holder_account",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("created_at_us", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("email = lower(email) AND email <> ''", name=op.f("ck_holder_account_email_small")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_holder_account")),
        sa.UniqueConstraint("email", name=op.f("uq_holder_account_email")),
    )
    op.create_table(
        "holder_link",
        sa.Column("token_sha256", sa.LargeBinary(length=32), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("card", sa.Uuid(), nullable=True),
        sa.Column("expires_at_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["card"], ["card.id"], name=op.f("fk_holder_link_card")),
        sa.PrimaryKeyConstraint("token_sha256", name=op.f("pk_holder_link")),
    )
    op.create_index(op.f("ix_holder_link_expires_at_us"), "holder_link", ["expires_at_us"], unique=False)
    op.create_table(
        "holder_session",
        sa.Column("token_sha256", sa.LargeBinary(length=32), nullable=False),
        sa.Column("account", sa.Uuid(), nullable=False),
        sa.Column("csrf", sa.Text(), nullable=False),
        sa.Column("created_at_us", sa.BigInteger(), nullable=False),
        sa.Column("seen_at_us", sa.BigInteger(), nullable=False),
        sa.Column("user_agent", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account"], ["holder_account.id"], name=op.f("fk_holder_session_account"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("token_sha256", name=op.f("pk_holder_session")),
    )
    op.create_index(op.f("ix_holder_session_account"), "holder_session", ["account"], unique=False)
    op.create_table(
        "holder_wallet",
        sa.Column("wallet", sa.Uuid(), nullable=False),
        sa.Column("account", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("since_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["account"], ["holder_account.id"], name=op.f("fk_holder_wallet_account")),
        sa.ForeignKeyConstraint(["wallet"], ["wallet.id"], name=op.f("fk_holder_wallet_wallet")),
        sa.PrimaryKeyConstraint("wallet", name=op.f("pk_holder_wallet")),
    )
    op.create_index(op.f("ix_holder_wallet_account"), "holder_wallet", ["account"], unique=False)
