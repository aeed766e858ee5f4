"""What moved, by the month beside the day."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None

MONTH = {"sqlite": "date(day, 'start of month')", "postgresql": "CAST(date_trunc('month', day) AS date)"}
OF = "book, kind, venue, debit_kind, debit_owner, credit_kind, credit_owner"


def upgrade() -> None:
    op.create_table(
        "month_flow",
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("book", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("venue", sa.Uuid(), nullable=False),
        sa.Column("debit_kind", sa.Text(), nullable=False),
        sa.Column("debit_owner", sa.Text(), nullable=False),
        sa.Column("credit_kind", sa.Text(), nullable=False),
        sa.Column("credit_owner", sa.Text(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("transfers", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("amount > 0 AND transfers > 0", name=op.f("ck_month_flow_moves_something")),
        sa.PrimaryKeyConstraint("month", *OF.split(", "), name=op.f("pk_month_flow")),
    )
    op.execute(
        f"INSERT INTO month_flow (month, {OF}, amount, transfers) SELECT {MONTH[op.get_bind().dialect.name]}, {OF}, "
        f"CAST(sum(amount) AS bigint), CAST(sum(transfers) AS bigint) FROM day_flow GROUP BY 1, {OF}"
    )
