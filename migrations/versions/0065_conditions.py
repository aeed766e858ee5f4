"""How much the condition of a price asks for, and how many places one wallet has at it."""

from __future__ import annotations

from alembic import op

revision = "0065"
down_revision = "0064"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # On SQLite the only way to a constraint on a table that stands is as a part of a column; PostgreSQL reads it too.
    op.execute(
        "ALTER TABLE event_price ADD COLUMN least BIGINT CONSTRAINT ck_event_price_least_asked"
        " CHECK (least IS NULL OR (least > 0 AND condition IN ('hours', 'gift')))"
    )
    op.execute(
        "ALTER TABLE event_price ADD COLUMN per_wallet INTEGER CONSTRAINT ck_event_price_per_wallet_some"
        " CHECK (per_wallet > 0)"
    )
