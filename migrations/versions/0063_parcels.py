"""Money on its way from a holder to a friend."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0063"
down_revision = "0062"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "holder_parcel",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("token_sha256", sa.LargeBinary(length=32), nullable=False),
        sa.Column("account", sa.Uuid(), nullable=False),
        sa.Column("wallet", sa.Uuid(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("expires_at_us", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("amount > 0", name=op.f("ck_holder_parcel_positive")),
        sa.ForeignKeyConstraint(
            ["account"], ["holder_account.id"], name=op.f("fk_holder_parcel_account"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["currency"], ["currency.code"], name=op.f("fk_holder_parcel_currency")),
        sa.ForeignKeyConstraint(["wallet"], ["wallet.id"], name=op.f("fk_holder_parcel_wallet")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_holder_parcel")),
        sa.UniqueConstraint("token_sha256", name=op.f("uq_holder_parcel_token_sha256")),
    )
    op.create_index(op.f("ix_holder_parcel_account"), "holder_parcel", ["account"], unique=False)
    op.create_index(op.f("ix_holder_parcel_wallet"), "holder_parcel", ["wallet"], unique=False)
