"""Bank statements, what their lines were found to be, and cash that venues hand in."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.banking.guards import GUARDS

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "bank_statement",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("iban", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("opening_cents", sa.BigInteger(), nullable=True),
        sa.Column("closing_cents", sa.BigInteger(), nullable=True),
        sa.Column("imported_by", sa.Text(), nullable=False),
        sa.Column("imported_at_us", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("first_day <= last_day", name=op.f("ck_bank_statement_days_in_order")),
        sa.CheckConstraint(
            "(opening_cents IS NULL) = (closing_cents IS NULL)", name=op.f("ck_bank_statement_balances_whole")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bank_statement")),
        sa.UniqueConstraint("digest", name=op.f("uq_bank_statement_digest")),
    )
    op.create_table(
        "bank_line",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("statement", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("iban", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("amount_cents", sa.BigInteger(), nullable=False),
        sa.Column("party", sa.Text(), nullable=False),
        sa.Column("party_iban", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.CheckConstraint("amount_cents <> 0", name=op.f("ck_bank_line_moves_something")),
        sa.ForeignKeyConstraint(["statement"], ["bank_statement.id"], name=op.f("fk_bank_line_statement")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bank_line")),
        sa.UniqueConstraint("iban", "key", name=op.f("uq_bank_line_iban_key")),
    )
    op.create_index(op.f("ix_bank_line_statement"), "bank_line", ["statement"], unique=False)
    op.create_table(
        "bank_match",
        sa.Column("line", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("operation", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=False),
        sa.Column("decided_at_us", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('payout', 'remittance', 'handover', 'payment', 'aside', 'undone')",
            name=op.f("ck_bank_match_kind_known"),
        ),
        sa.CheckConstraint(
            "kind NOT IN ('payout', 'remittance') OR operation IS NOT NULL", name=op.f("ck_bank_match_booked")
        ),
        sa.CheckConstraint("kind NOT IN ('aside', 'undone') OR reason <> ''", name=op.f("ck_bank_match_says_why")),
        sa.ForeignKeyConstraint(["line"], ["bank_line.id"], name=op.f("fk_bank_match_line")),
        sa.PrimaryKeyConstraint("line", "number", name=op.f("pk_bank_match")),
    )
    op.create_table(
        "handover",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("venue", sa.Uuid(), nullable=False),
        sa.Column("amount_cents", sa.BigInteger(), nullable=False),
        sa.Column("means", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("declared_by", sa.Text(), nullable=False),
        sa.Column("declared_at_us", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("amount_cents > 0", name=op.f("ck_handover_positive")),
        sa.CheckConstraint("means IN ('cash', 'transfer')", name=op.f("ck_handover_means_known")),
        sa.ForeignKeyConstraint(["venue"], ["venue.id"], name=op.f("fk_handover_venue")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_handover")),
        sa.UniqueConstraint("reference", name=op.f("uq_handover_reference")),
    )
    op.create_index(op.f("ix_handover_venue"), "handover", ["venue"], unique=False)
    op.create_table(
        "handover_end",
        sa.Column("handover", sa.Uuid(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("operation", sa.Uuid(), nullable=True),
        sa.Column("ended_by", sa.Text(), nullable=False),
        sa.Column("ended_at_us", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("outcome IN ('received', 'withdrawn')", name=op.f("ck_handover_end_outcome_known")),
        sa.CheckConstraint(
            "(outcome = 'received') = (operation IS NOT NULL)", name=op.f("ck_handover_end_received_is_booked")
        ),
        sa.ForeignKeyConstraint(["handover"], ["handover.id"], name=op.f("fk_handover_end_handover")),
        sa.PrimaryKeyConstraint("handover", name=op.f("pk_handover_end")),
    )
    GUARDS.install(op.get_bind())
