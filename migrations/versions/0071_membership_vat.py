"""The rate of VAT that a membership's price holds."""

from __future__ import annotations

from alembic import op

revision = "0071"
down_revision = "0070"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # On SQLite the only way to a constraint on a table that stands is as a part of a column; PostgreSQL reads it too.
    op.execute(
        "ALTER TABLE member_plan ADD COLUMN vat INTEGER DEFAULT 0 NOT NULL CONSTRAINT ck_member_plan_vat_a_rate"
        " CHECK (vat BETWEEN 0 AND 10000)"
    )
