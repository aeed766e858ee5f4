"""Bank details of venues and of the network, and on what terms venues are settled: rows that are only ever added."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.settlement import guards

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "settlement_terms",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("terms", sa.Text(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_settlement_terms")),
    )
    op.create_index("ix_settlement_terms_subject", "settlement_terms", ["subject", "at_us"], unique=False)
    op.create_table(
        "bank_account",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("iban", sa.Text(), nullable=False),
        sa.Column("bic", sa.Text(), nullable=False),
        sa.Column("street", sa.Text(), nullable=False),
        sa.Column("building", sa.Text(), nullable=False),
        sa.Column("postcode", sa.Text(), nullable=False),
        sa.Column("town", sa.Text(), nullable=False),
        sa.Column("country", sa.Text(), nullable=False),
        sa.Column("asked_by", sa.Text(), nullable=False),
        sa.Column("asked_at_us", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("iban <> '' AND holder <> ''", name=op.f("ck_bank_account_named")),
        sa.CheckConstraint("(town = '') = (country = '')", name=op.f("ck_bank_account_address_whole")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bank_account")),
    )
    op.create_index("ix_bank_account_subject", "bank_account", ["subject", "asked_at_us"], unique=False)
    op.create_table(
        "bank_account_decision",
        sa.Column("account", sa.Uuid(), nullable=False),
        sa.Column("decision", sa.Text(), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=False),
        sa.Column("decided_at_us", sa.BigInteger(), nullable=False),
        sa.Column("effective_at_us", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("decision IN ('approved', 'refused')", name=op.f("ck_bank_account_decision_decision_known")),
        sa.CheckConstraint(
            "(decision = 'approved') = (effective_at_us IS NOT NULL)",
            name=op.f("ck_bank_account_decision_effective_whole"),
        ),
        sa.CheckConstraint("effective_at_us >= decided_at_us", name=op.f("ck_bank_account_decision_effective_later")),
        sa.ForeignKeyConstraint(["account"], ["bank_account.id"], name=op.f("fk_bank_account_decision_account")),
        sa.PrimaryKeyConstraint("account", name=op.f("pk_bank_account_decision")),
    )
    guards.BANK.install(op.get_bind())
