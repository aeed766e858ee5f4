"""Recovery codes of wallets."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0048"
down_revision = "0047"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "wallet_recovery",
        sa.Column("wallet", sa.Uuid(), nullable=False),
        sa.Column("mark", sa.LargeBinary(), nullable=False),
        sa.Column("made_at_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["wallet"], ["wallet.id"], name=op.f("fk_wallet_recovery_wallet"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("wallet", name=op.f("pk_wallet_recovery")),
        sa.UniqueConstraint("mark", name=op.f("uq_wallet_recovery_mark")),
    )
