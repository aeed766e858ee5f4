"""Until when tickets are given back and for what fee, and those that were."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.returns import guards

revision = "0070"
down_revision = "0069"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE event ADD COLUMN refund_until_us BIGINT")
    # On SQLite the only way to a constraint on a table that stands is as a part of a column; PostgreSQL reads it too.
    op.execute(
        "ALTER TABLE event ADD COLUMN refund_fee INTEGER DEFAULT 0 NOT NULL"
        " CONSTRAINT ck_event_refund_fee_known CHECK (refund_fee BETWEEN 0 AND 10000)"
    )
    op.create_table(
        "ticket_return",
        sa.Column("ticket", sa.Uuid(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("fee", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("fee BETWEEN 0 AND amount", name=op.f("ck_ticket_return_fee_known")),
        sa.ForeignKeyConstraint(["ticket"], ["ticket.id"], name=op.f("fk_ticket_return_ticket")),
        sa.PrimaryKeyConstraint("ticket", name=op.f("pk_ticket_return")),
    )
    op.create_table(
        "ticket_return_booked",
        sa.Column("ticket", sa.Uuid(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["ticket"], ["ticket_return.ticket"], name=op.f("fk_ticket_return_booked_ticket")),
        sa.PrimaryKeyConstraint("ticket", name=op.f("pk_ticket_return_booked")),
    )
    guards.TICKETS.install(op.get_bind())
