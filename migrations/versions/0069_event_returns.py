"""What was paid for a cancelled event is given back."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.returns import guards

revision = "0069"
down_revision = "0068"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "event_return",
        sa.Column("event", sa.Uuid(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["event"], ["event.id"], name=op.f("fk_event_return_event")),
        sa.PrimaryKeyConstraint("event", name=op.f("pk_event_return")),
    )
    guards.RUNS.install(op.get_bind())
