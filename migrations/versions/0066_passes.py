"""Passes for several dates, and subscriptions."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.passes import guards

revision = "0066"
down_revision = "0065"
branch_labels = None
depends_on = None

_OPEN = "state IN ('held', 'paying')"


def upgrade() -> None:
    op.create_table(
        "pass_plan",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("venue", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name_fr", sa.Text(), nullable=False),
        sa.Column("name_en", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("places", sa.Integer(), nullable=False),
        sa.Column("quota", sa.Integer(), nullable=True),
        sa.Column("held", sa.Integer(), server_default="0", nullable=False),
        sa.Column("sold", sa.Integer(), server_default="0", nullable=False),
        sa.Column("sale_until_us", sa.BigInteger(), nullable=True),
        sa.Column("created_at_us", sa.BigInteger(), nullable=False),
        sa.Column("ended_at_us", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("kind IN ('pass', 'subscription')", name=op.f("ck_pass_plan_kind_known")),
        sa.CheckConstraint("name_fr <> ''", name=op.f("ck_pass_plan_named")),
        sa.CheckConstraint("amount > 0 AND places > 0", name=op.f("ck_pass_plan_something")),
        sa.CheckConstraint("held >= 0 AND sold >= 0", name=op.f("ck_pass_plan_counted")),
        sa.CheckConstraint("quota IS NULL OR held + sold <= quota", name=op.f("ck_pass_plan_quota_kept")),
        sa.ForeignKeyConstraint(["currency"], ["currency.code"], name=op.f("fk_pass_plan_currency")),
        sa.ForeignKeyConstraint(["venue"], ["venue.id"], name=op.f("fk_pass_plan_venue")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pass_plan")),
    )
    op.create_index(op.f("ix_pass_plan_venue"), "pass_plan", ["venue"], unique=False)
    op.create_table(
        "pass_date",
        sa.Column("plan", sa.Uuid(), nullable=False),
        sa.Column("event", sa.Uuid(), nullable=False),
        sa.Column("price", sa.Uuid(), nullable=False),
        sa.Column("weight", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("weight > 0", name=op.f("ck_pass_date_weighs")),
        sa.ForeignKeyConstraint(["event"], ["event.id"], name=op.f("fk_pass_date_event")),
        sa.ForeignKeyConstraint(["plan"], ["pass_plan.id"], name=op.f("fk_pass_date_plan")),
        sa.ForeignKeyConstraint(["price"], ["event_price.id"], name=op.f("fk_pass_date_price")),
        sa.PrimaryKeyConstraint("plan", "event", name=op.f("pk_pass_date")),
    )
    op.create_index(op.f("ix_pass_date_event"), "pass_date", ["event"], unique=False)
    op.create_index(op.f("ix_pass_date_price"), "pass_date", ["price"], unique=False)
    op.create_table(
        "pass_sale",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("plan", sa.Uuid(), nullable=False),
        sa.Column("wallet", sa.Uuid(), nullable=False),
        sa.Column("card", sa.Uuid(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("hold_until_us", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("topup", sa.Uuid(), nullable=True),
        sa.Column("made_at_us", sa.BigInteger(), nullable=False),
        sa.Column("changed_at_us", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "state IN ('held', 'paying', 'paid', 'released', 'closed')", name=op.f("ck_pass_sale_state_known")
        ),
        sa.CheckConstraint("amount > 0", name=op.f("ck_pass_sale_amount_known")),
        sa.ForeignKeyConstraint(["card"], ["card.id"], name=op.f("fk_pass_sale_card")),
        sa.ForeignKeyConstraint(["currency"], ["currency.code"], name=op.f("fk_pass_sale_currency")),
        sa.ForeignKeyConstraint(["plan"], ["pass_plan.id"], name=op.f("fk_pass_sale_plan")),
        sa.ForeignKeyConstraint(["wallet"], ["wallet.id"], name=op.f("fk_pass_sale_wallet")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pass_sale")),
    )
    op.create_index(op.f("ix_pass_sale_plan"), "pass_sale", ["plan"], unique=False)
    op.create_index(op.f("ix_pass_sale_wallet"), "pass_sale", ["wallet"], unique=False)
    op.create_index(op.f("ix_pass_sale_topup"), "pass_sale", ["topup"], unique=False)
    op.create_index(
        "ix_pass_sale_open",
        "pass_sale",
        ["hold_until_us"],
        unique=False,
        sqlite_where=sa.text(_OPEN),
        postgresql_where=sa.text(_OPEN),
    )
    op.add_column("ticket_order", sa.Column("paid_by", sa.Uuid(), nullable=True))
    op.create_index(op.f("ix_ticket_order_paid_by"), "ticket_order", ["paid_by"], unique=False)
    guards.install(op.get_bind())
