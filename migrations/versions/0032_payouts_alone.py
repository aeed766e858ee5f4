"""Two lines of the bank that are matched to one payout at the same instant see each other, in PostgreSQL too."""

from __future__ import annotations

from alembic import op

from app.banking.guards import PAYOUTS

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    PAYOUTS.install(op.get_bind())
