"""Who waits for places of an event."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0072"
down_revision = "0071"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # On SQLite the only way to a constraint on a table that stands is as a part of a column; PostgreSQL reads it too.
    op.execute(
        "ALTER TABLE event_price ADD COLUMN waiting INTEGER DEFAULT 0 NOT NULL"
        " CONSTRAINT ck_event_price_waiting_counted CHECK (waiting >= 0)"
    )
    op.create_table(
        "waiting_place",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("event", sa.Uuid(), nullable=False),
        sa.Column("price", sa.Uuid(), nullable=False),
        sa.Column("wallet", sa.Uuid(), nullable=False),
        sa.Column("places", sa.Integer(), nullable=False),
        sa.Column("turn", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=True),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("asked_at_us", sa.BigInteger(), nullable=False),
        sa.Column("changed_at_us", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("places > 0 AND turn > 0", name=op.f("ck_waiting_place_something")),
        sa.CheckConstraint(
            "state IN ('waiting', 'offered', 'taken', 'missed', 'left')", name=op.f("ck_waiting_place_state_known")
        ),
        sa.CheckConstraint("state <> 'waiting' OR order_id IS NULL", name=op.f("ck_waiting_place_not_offered_yet")),
        sa.CheckConstraint(
            "state NOT IN ('offered', 'taken') OR order_id IS NOT NULL", name=op.f("ck_waiting_place_offered")
        ),
        sa.ForeignKeyConstraint(["event"], ["event.id"], name=op.f("fk_waiting_place_event")),
        sa.ForeignKeyConstraint(["price"], ["event_price.id"], name=op.f("fk_waiting_place_price"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["wallet"], ["wallet.id"], name=op.f("fk_waiting_place_wallet")),
        sa.ForeignKeyConstraint(["order_id"], ["ticket_order.id"], name=op.f("fk_waiting_place_order_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_waiting_place")),
        sa.UniqueConstraint("event", "turn", name=op.f("uq_waiting_place_event_turn")),
        sa.UniqueConstraint("order_id", name=op.f("uq_waiting_place_order_id")),
    )
    op.create_index(op.f("ix_waiting_place_price"), "waiting_place", ["price"], unique=False)
    op.create_index(op.f("ix_waiting_place_wallet"), "waiting_place", ["wallet"], unique=False)
    op.create_index(
        "uq_waiting_place_once",
        "waiting_place",
        ["event", "wallet"],
        unique=True,
        sqlite_where=sa.text("state IN ('waiting', 'offered')"),
        postgresql_where=sa.text("state IN ('waiting', 'offered')"),
    )
