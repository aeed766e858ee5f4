"""The rate of VAT that the prices of a product hold."""

from __future__ import annotations

from alembic import op

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Both databases add a column with its check in place; rebuilding the table would drop its triggers in SQLite.
    op.execute(
        "ALTER TABLE product ADD COLUMN vat INTEGER CONSTRAINT ck_product_vat_a_rate CHECK (vat BETWEEN 0 AND 10000)"
    )
