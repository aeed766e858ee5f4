"""What holders give of a top-up, and reminders of the last day for refunds."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0059"
down_revision = "0058"
branch_labels = None
depends_on = None

OPEN = "status NOT IN ('paid', 'cancelled', 'nothing', 'failed')"


def upgrade() -> None:
    op.create_table(
        "refund_reminder",
        sa.Column("wallet", sa.Uuid(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("closes", sa.Text(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["currency"], ["currency.code"], name=op.f("fk_refund_reminder_currency")),
        sa.ForeignKeyConstraint(["wallet"], ["wallet.id"], name=op.f("fk_refund_reminder_wallet")),
        sa.PrimaryKeyConstraint("wallet", "currency", "closes", name=op.f("pk_refund_reminder")),
    )
    op.create_table(
        "refund_silence",
        sa.Column("account", sa.Uuid(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account", name=op.f("pk_refund_silence")),
    )
    op.drop_index("uq_refund_open", table_name="refund")
    op.create_index(
        "uq_refund_open",
        "refund",
        ["wallet"],
        unique=True,
        sqlite_where=sa.text(OPEN),
        postgresql_where=sa.text(OPEN),
    )
    # As in 0046: a constraint on a table that stands is a part of a column.
    op.execute("ALTER TABLE topup ADD COLUMN given_to TEXT")
    op.execute(
        "ALTER TABLE topup ADD COLUMN given BIGINT CONSTRAINT ck_topup_given_whole"
        " CHECK (given IS NULL OR given > 0 AND given < amount AND given_to <> '')"
    )
