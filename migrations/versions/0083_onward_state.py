"""Where the money of cancelled orders is that goes on."""

from __future__ import annotations

from alembic import op

revision = "0083"
down_revision = "0082"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Both databases add a column with its check in place.
    op.execute(
        "ALTER TABLE ticket_order_onward ADD COLUMN state TEXT NOT NULL DEFAULT 'going'"
        " CONSTRAINT ck_ticket_order_onward_state_known CHECK (state IN ('going', 'gone', 'kept'))"
    )
    op.execute("UPDATE ticket_order_onward SET state = 'kept' WHERE refund IS NULL")
