"""Refunds that holders ask for, and transfers to others than venues."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.refunds import guards
from app.settlement.guards import OUTGOING

revision = "0058"
down_revision = "0057"
branch_labels = None
depends_on = None

OPEN = "status NOT IN ('paid', 'cancelled', 'nothing')"


def upgrade() -> None:
    op.create_table(
        "outgoing_file",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("made_at_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outgoing_file")),
        sa.UniqueConstraint("message", name=op.f("uq_outgoing_file_message")),
    )
    op.create_table(
        "outgoing_release",
        sa.Column("file", sa.Uuid(), nullable=False),
        sa.Column("released_by", sa.Text(), nullable=False),
        sa.Column("released_at_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["file"], ["outgoing_file.id"], name=op.f("fk_outgoing_release_file")),
        sa.PrimaryKeyConstraint("file", name=op.f("pk_outgoing_release")),
    )
    op.create_table(
        "outgoing_transfer",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("file", sa.Uuid(), nullable=False),
        sa.Column("end_to_end", sa.Text(), nullable=False),
        sa.Column("amount_cents", sa.BigInteger(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("iban", sa.Text(), nullable=False),
        sa.CheckConstraint("amount_cents > 0", name=op.f("ck_outgoing_transfer_amount_positive")),
        sa.ForeignKeyConstraint(["file"], ["outgoing_file.id"], name=op.f("fk_outgoing_transfer_file")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outgoing_transfer")),
        sa.UniqueConstraint("end_to_end", name=op.f("uq_outgoing_transfer_end_to_end")),
    )
    op.create_index(op.f("ix_outgoing_transfer_file"), "outgoing_transfer", ["file"], unique=False)
    op.create_table(
        "outgoing_answer",
        sa.Column("transfer", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("kind IN ('executed', 'rejected', 'returned')", name=op.f("ck_outgoing_answer_kind_known")),
        sa.ForeignKeyConstraint(["transfer"], ["outgoing_transfer.id"], name=op.f("fk_outgoing_answer_transfer")),
        sa.PrimaryKeyConstraint("transfer", "kind", name=op.f("pk_outgoing_answer")),
    )
    op.create_table(
        "refund",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("wallet", sa.Uuid(), nullable=False),
        sa.Column("card", sa.Uuid(), nullable=False),
        sa.Column("way", sa.Text(), nullable=False),
        sa.Column("proof", sa.Text(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("iban", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("attempt", sa.Integer(), server_default="0", nullable=False),
        sa.Column("sending", sa.Integer(), server_default="0", nullable=False),
        sa.Column("asked_at_us", sa.BigInteger(), nullable=False),
        sa.Column("changed_at_us", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("way IN ('bank', 'cards')", name=op.f("ck_refund_way_known")),
        sa.CheckConstraint(
            "proof IN ('tap', 'code', 'account', 'address', 'staff')", name=op.f("ck_refund_proof_known")
        ),
        sa.CheckConstraint("way <> 'bank' OR (iban <> '' AND holder <> '')", name=op.f("ck_refund_bank_whole")),
        sa.CheckConstraint(
            "status IN ('waiting', 'setting', 'ready', 'sending', 'sent', 'paid', 'failed', 'cancelling', "
            "'cancelled', 'nothing')",
            name=op.f("ck_refund_status_known"),
        ),
        sa.ForeignKeyConstraint(["card"], ["card.id"], name=op.f("fk_refund_card")),
        sa.ForeignKeyConstraint(["wallet"], ["wallet.id"], name=op.f("fk_refund_wallet")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refund")),
    )
    op.create_index(op.f("ix_refund_wallet"), "refund", ["wallet"], unique=False)
    op.create_index(
        "uq_refund_open",
        "refund",
        ["wallet"],
        unique=True,
        sqlite_where=sa.text(OPEN),
        postgresql_where=sa.text(OPEN),
    )
    op.create_table(
        "refund_line",
        sa.Column("refund", sa.Uuid(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("asked_units", sa.BigInteger(), nullable=False),
        sa.Column("units", sa.BigInteger(), nullable=True),
        sa.Column("cents", sa.BigInteger(), nullable=True),
        sa.Column("fee_cents", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "asked_units >= 0 AND units >= 0 AND cents >= 0 AND fee_cents >= 0", name=op.f("ck_refund_line_amounts")
        ),
        sa.CheckConstraint(
            "(units IS NULL) = (cents IS NULL) AND (units IS NULL) = (fee_cents IS NULL)",
            name=op.f("ck_refund_line_whole"),
        ),
        sa.ForeignKeyConstraint(["currency"], ["currency.code"], name=op.f("fk_refund_line_currency")),
        sa.ForeignKeyConstraint(["refund"], ["refund.id"], name=op.f("fk_refund_line_refund")),
        sa.PrimaryKeyConstraint("refund", "currency", name=op.f("pk_refund_line")),
    )
    op.create_table(
        "refund_card",
        sa.Column("refund", sa.Uuid(), nullable=False),
        sa.Column("card", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["card"], ["card.id"], name=op.f("fk_refund_card_card")),
        sa.ForeignKeyConstraint(["refund"], ["refund.id"], name=op.f("fk_refund_card_refund")),
        sa.PrimaryKeyConstraint("refund", "card", name=op.f("pk_refund_card")),
    )
    op.create_table(
        "refund_event",
        sa.Column("refund", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["refund"], ["refund.id"], name=op.f("fk_refund_event_refund")),
        sa.PrimaryKeyConstraint("refund", "number", name=op.f("pk_refund_event")),
    )
    op.create_table(
        "payment_refund",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("topup", sa.Uuid(), nullable=False),
        sa.Column("request", sa.Uuid(), nullable=False),
        sa.Column("euro_cents", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("planned_at_us", sa.BigInteger(), nullable=False),
        sa.Column("changed_at_us", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("euro_cents > 0", name=op.f("ck_payment_refund_positive")),
        sa.CheckConstraint(
            "status IN ('planned', 'pending', 'paid', 'failed')", name=op.f("ck_payment_refund_status_known")
        ),
        sa.ForeignKeyConstraint(["topup"], ["topup.id"], name=op.f("fk_payment_refund_topup")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment_refund")),
    )
    op.create_index(op.f("ix_payment_refund_topup"), "payment_refund", ["topup"], unique=False)
    op.create_index(op.f("ix_payment_refund_request"), "payment_refund", ["request"], unique=False)
    op.create_table(
        "sandbox_refund",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("payment", sa.Text(), nullable=False),
        sa.Column("euro_cents", sa.BigInteger(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["payment"], ["sandbox_payment.reference"], name=op.f("fk_sandbox_refund_payment")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sandbox_refund")),
    )
    op.create_index(op.f("ix_sandbox_refund_payment"), "sandbox_refund", ["payment"], unique=False)
    op.add_column("wallet_recovery", sa.Column("shown", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    guards.GUARDS.install(op.get_bind())
    OUTGOING.install(op.get_bind())
