"""Which chip a desk is writing keys on."""

from __future__ import annotations

from alembic import op

revision = "0042"
down_revision = "0041"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Both databases add a column with its check in place.
    op.execute(
        "ALTER TABLE card_key_writing ADD COLUMN chip TEXT NOT NULL DEFAULT 'ntag424'"
        " CONSTRAINT ck_card_key_writing_chip_known"
        " CHECK (chip IN ('ntag424', 'desfire', 'desfire_ev1', 'ultralight_aes'))"
    )
