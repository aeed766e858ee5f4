"""What a holder lets a card pay on one day."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.platform import revision as revisions

revision = "0062"
down_revision = "0061"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "wallet_limit",
        sa.Column("wallet", sa.Uuid(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("per_day", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("per_day >= 0", name=op.f("ck_wallet_limit_not_negative")),
        sa.ForeignKeyConstraint(["currency"], ["currency.code"], name=op.f("fk_wallet_limit_currency")),
        sa.ForeignKeyConstraint(["wallet"], ["wallet.id"], name=op.f("fk_wallet_limit_wallet")),
        sa.PrimaryKeyConstraint("wallet", "currency", name=op.f("pk_wallet_limit")),
    )
    revisions.install(op.get_bind())
