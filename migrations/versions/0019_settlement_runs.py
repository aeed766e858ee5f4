"""Settlement runs, with everything that was said and done in them: rows that are only ever added."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.settlement import guards

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "settlement_run",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("cut_off_us", sa.BigInteger(), nullable=False),
        sa.Column("percent", sa.Integer(), nullable=False),
        sa.CheckConstraint("number >= 1", name=op.f("ck_settlement_run_number_from_1")),
        sa.CheckConstraint("percent BETWEEN 1 AND 100", name=op.f("ck_settlement_run_percent_whole")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_settlement_run")),
        sa.UniqueConstraint("number", name=op.f("uq_settlement_run_number")),
    )
    op.create_table(
        "settlement_answer",
        sa.Column("run", sa.Uuid(), nullable=False),
        sa.Column("venue", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("line", sa.Integer(), nullable=True),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "answer = 'accepted' OR (text <> '' AND line IS NOT NULL)",
            name=op.f("ck_settlement_answer_dispute_says_why"),
        ),
        sa.CheckConstraint("answer IN ('accepted', 'disputed')", name=op.f("ck_settlement_answer_answer_known")),
        sa.ForeignKeyConstraint(["run"], ["settlement_run.id"], name=op.f("fk_settlement_answer_run")),
        sa.ForeignKeyConstraint(["venue"], ["venue.id"], name=op.f("fk_settlement_answer_venue")),
        sa.PrimaryKeyConstraint("run", "venue", "number", name=op.f("pk_settlement_answer")),
    )
    op.create_table(
        "settlement_cover",
        sa.Column("run", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("venue", sa.Uuid(), nullable=True),
        sa.Column("units", sa.BigInteger(), nullable=False),
        sa.Column("venue_units", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "units > 0 AND venue_units BETWEEN 0 AND units", name=op.f("ck_settlement_cover_units_whole")
        ),
        sa.ForeignKeyConstraint(["currency"], ["currency.code"], name=op.f("fk_settlement_cover_currency")),
        sa.ForeignKeyConstraint(["run"], ["settlement_run.id"], name=op.f("fk_settlement_cover_run")),
        sa.ForeignKeyConstraint(["venue"], ["venue.id"], name=op.f("fk_settlement_cover_venue")),
        sa.PrimaryKeyConstraint("run", "number", name=op.f("pk_settlement_cover")),
    )
    op.create_table(
        "settlement_event",
        sa.Column("run", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("transfer", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["run"], ["settlement_run.id"], name=op.f("fk_settlement_event_run")),
        sa.PrimaryKeyConstraint("run", "number", name=op.f("pk_settlement_event")),
    )
    op.create_table(
        "settlement_file",
        sa.Column("run", sa.Uuid(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("made_at_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["run"], ["settlement_run.id"], name=op.f("fk_settlement_file_run")),
        sa.PrimaryKeyConstraint("run", name=op.f("pk_settlement_file")),
        sa.UniqueConstraint("message", name=op.f("uq_settlement_file_message")),
    )
    op.create_table(
        "settlement_invoice",
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("year", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("run", sa.Uuid(), nullable=False),
        sa.Column("venue", sa.Uuid(), nullable=False),
        sa.Column("redemption_cents", sa.BigInteger(), nullable=False),
        sa.Column("network_cents", sa.BigInteger(), nullable=False),
        sa.Column("vat_cents", sa.BigInteger(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("redemption_cents + network_cents > 0", name=op.f("ck_settlement_invoice_bills_something")),
        sa.ForeignKeyConstraint(["run"], ["settlement_run.id"], name=op.f("fk_settlement_invoice_run")),
        sa.ForeignKeyConstraint(["venue"], ["venue.id"], name=op.f("fk_settlement_invoice_venue")),
        sa.PrimaryKeyConstraint("issuer", "year", "number", name=op.f("pk_settlement_invoice")),
        sa.UniqueConstraint("run", "venue", "issuer", name=op.f("uq_settlement_invoice_run_venue_issuer")),
    )
    op.create_table(
        "settlement_left_out",
        sa.Column("run", sa.Uuid(), nullable=False),
        sa.Column("venue", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["run"], ["settlement_run.id"], name=op.f("fk_settlement_left_out_run")),
        sa.ForeignKeyConstraint(["venue"], ["venue.id"], name=op.f("fk_settlement_left_out_venue")),
        sa.PrimaryKeyConstraint("run", "venue", name=op.f("pk_settlement_left_out")),
    )
    op.create_table(
        "settlement_line",
        sa.Column("run", sa.Uuid(), nullable=False),
        sa.Column("venue", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("units", sa.BigInteger(), nullable=False),
        sa.Column("cents", sa.BigInteger(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=True),
        sa.Column("account", sa.BigInteger(), nullable=True),
        sa.Column("opening", sa.BigInteger(), nullable=False),
        sa.Column("closing", sa.BigInteger(), nullable=False),
        sa.Column("from_transfer", sa.BigInteger(), nullable=False),
        sa.Column("upto_transfer", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["run"], ["settlement_run.id"], name=op.f("fk_settlement_line_run")),
        sa.ForeignKeyConstraint(["venue"], ["venue.id"], name=op.f("fk_settlement_line_venue")),
        sa.PrimaryKeyConstraint("run", "venue", "number", name=op.f("pk_settlement_line")),
    )
    op.create_index("ix_settlement_line_year", "settlement_line", ["venue", "year"], unique=False)
    op.create_table(
        "settlement_payment",
        sa.Column("run", sa.Uuid(), nullable=False),
        sa.Column("venue", sa.Uuid(), nullable=False),
        sa.Column("end_to_end", sa.Text(), nullable=False),
        sa.Column("amount_cents", sa.BigInteger(), nullable=False),
        sa.Column("account", sa.Uuid(), nullable=False),
        sa.CheckConstraint("amount_cents > 0", name=op.f("ck_settlement_payment_amount_positive")),
        sa.ForeignKeyConstraint(["account"], ["bank_account.id"], name=op.f("fk_settlement_payment_account")),
        sa.ForeignKeyConstraint(["run"], ["settlement_run.id"], name=op.f("fk_settlement_payment_run")),
        sa.ForeignKeyConstraint(["venue"], ["venue.id"], name=op.f("fk_settlement_payment_venue")),
        sa.PrimaryKeyConstraint("run", "venue", name=op.f("pk_settlement_payment")),
        sa.UniqueConstraint("end_to_end", name=op.f("uq_settlement_payment_end_to_end")),
    )
    op.create_table(
        "settlement_payment_event",
        sa.Column("run", sa.Uuid(), nullable=False),
        sa.Column("venue", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('executed', 'rejected', 'returned')", name=op.f("ck_settlement_payment_event_kind_known")
        ),
        sa.ForeignKeyConstraint(["run"], ["settlement_run.id"], name=op.f("fk_settlement_payment_event_run")),
        sa.ForeignKeyConstraint(["venue"], ["venue.id"], name=op.f("fk_settlement_payment_event_venue")),
        sa.PrimaryKeyConstraint("run", "venue", "kind", name=op.f("pk_settlement_payment_event")),
    )
    op.create_table(
        "settlement_statement",
        sa.Column("run", sa.Uuid(), nullable=False),
        sa.Column("venue", sa.Uuid(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("payment_cents", sa.BigInteger(), nullable=False),
        sa.Column("figures", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "state IN ('included', 'not_its_turn', 'under_minimum')", name=op.f("ck_settlement_statement_state_known")
        ),
        sa.CheckConstraint("payment_cents >= 0", name=op.f("ck_settlement_statement_payment_not_negative")),
        sa.ForeignKeyConstraint(["run"], ["settlement_run.id"], name=op.f("fk_settlement_statement_run")),
        sa.ForeignKeyConstraint(["venue"], ["venue.id"], name=op.f("fk_settlement_statement_venue")),
        sa.PrimaryKeyConstraint("run", "venue", name=op.f("pk_settlement_statement")),
    )
    guards.RUNS.install(op.get_bind())
