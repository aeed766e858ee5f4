"""Tickets that their holders hand on to friends."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0078"
down_revision = "0077"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "ticket_forward",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("ticket", sa.Uuid(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("new_ticket", sa.Uuid(), nullable=True),
        sa.Column("address", sa.Uuid(), nullable=True),
        sa.Column("made_at_us", sa.BigInteger(), nullable=False),
        sa.Column("changed_at_us", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("state IN ('open', 'taken', 'withdrawn')", name=op.f("ck_ticket_forward_state_known")),
        sa.CheckConstraint(
            "(state = 'taken') = (new_ticket IS NOT NULL)", name=op.f("ck_ticket_forward_taken_with_a_ticket")
        ),
        sa.CheckConstraint(
            "address IS NULL OR state = 'taken'", name=op.f("ck_ticket_forward_address_of_what_is_taken")
        ),
        sa.ForeignKeyConstraint(["ticket"], ["ticket.id"], name=op.f("fk_ticket_forward_ticket")),
        sa.ForeignKeyConstraint(["new_ticket"], ["ticket.id"], name=op.f("fk_ticket_forward_new_ticket")),
        sa.ForeignKeyConstraint(["address"], ["card.id"], name=op.f("fk_ticket_forward_address")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ticket_forward")),
        sa.UniqueConstraint("new_ticket", name=op.f("uq_ticket_forward_new_ticket")),
    )
    op.create_index(op.f("ix_ticket_forward_ticket"), "ticket_forward", ["ticket"], unique=False)
    standing = sa.text("state IN ('open', 'taken')")
    op.create_index(
        "ix_ticket_forward_standing",
        "ticket_forward",
        ["ticket"],
        unique=True,
        sqlite_where=standing,
        postgresql_where=standing,
    )
