"""What was promised with an online top-up."""

from __future__ import annotations

from alembic import op

revision = "0046"
down_revision = "0045"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # On SQLite the only way to a constraint on a table that stands is as a part of a column; PostgreSQL reads it too.
    op.execute("ALTER TABLE topup ADD COLUMN gift TEXT CONSTRAINT fk_topup_gift REFERENCES currency (code)")
    op.execute(
        "ALTER TABLE topup ADD COLUMN gift_amount BIGINT CONSTRAINT ck_topup_gift_whole"
        " CHECK (gift_amount IS NULL OR gift_amount > 0 AND gift IS NOT NULL)"
    )
