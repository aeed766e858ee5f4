"""Whether a venue takes only cards that prove themselves."""

from __future__ import annotations

from alembic import op

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Both databases add a column with its check in place; rebuilding the table would drop its triggers in SQLite.
    op.execute(
        "ALTER TABLE venue ADD COLUMN proven_cards TEXT"
        " CONSTRAINT ck_venue_proven_cards_known CHECK (proven_cards IN ('any', 'offline', 'always'))"
    )
