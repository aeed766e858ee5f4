"""Where money was loaded and spent, by the month beside the day."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None

MONTH = {"sqlite": "date(day, 'start of month')", "postgresql": "CAST(date_trunc('month', day) AS date)"}


def upgrade() -> None:
    op.create_table(
        "spent_month",
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("book", sa.Integer(), nullable=False),
        sa.Column("origin", sa.Uuid(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("venue", sa.Uuid(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("month", "book", "origin", "purpose", "venue", name=op.f("pk_spent_month")),
    )
    op.execute(
        "INSERT INTO spent_month (month, book, origin, purpose, venue, amount) "
        f"SELECT {MONTH[op.get_bind().dialect.name]}, book, origin, purpose, venue, CAST(sum(amount) AS bigint) "
        "FROM spent_from GROUP BY 1, 2, 3, 4, 5"
    )
