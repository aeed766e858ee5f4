"""Amounts of a statement that are put off to the next run, and what was approved without them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.settlement.guards import LATER

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "settlement_later",
        sa.Column("run", sa.Uuid(), nullable=False),
        sa.Column("venue", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("units", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("units >= 0", name=op.f("ck_settlement_later_units_not_negative")),
        sa.CheckConstraint(
            "units = 0 OR (reason <> '' AND owner <> '')", name=op.f("ck_settlement_later_waiting_says_why")
        ),
        sa.ForeignKeyConstraint(["run"], ["settlement_run.id"], name=op.f("fk_settlement_later_run")),
        sa.ForeignKeyConstraint(["venue"], ["venue.id"], name=op.f("fk_settlement_later_venue")),
        sa.PrimaryKeyConstraint("run", "venue", "number", name=op.f("pk_settlement_later")),
    )
    op.create_table(
        "settlement_agreed",
        sa.Column("run", sa.Uuid(), nullable=False),
        sa.Column("venue", sa.Uuid(), nullable=False),
        sa.Column("payment_cents", sa.BigInteger(), nullable=False),
        sa.Column("figures", sa.Text(), nullable=False),
        sa.CheckConstraint("payment_cents >= 0", name=op.f("ck_settlement_agreed_payment_not_negative")),
        sa.ForeignKeyConstraint(["run"], ["settlement_run.id"], name=op.f("fk_settlement_agreed_run")),
        sa.ForeignKeyConstraint(["venue"], ["venue.id"], name=op.f("fk_settlement_agreed_venue")),
        sa.PrimaryKeyConstraint("run", "venue", name=op.f("pk_settlement_agreed")),
    )
    LATER.install(op.get_bind())
