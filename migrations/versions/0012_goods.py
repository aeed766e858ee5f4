"""What a product is and when it costs what; how a venue is paid; sales without a card, kept as first recorded."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.platform import revision as revision_triggers
from app.sales import keeping

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

# Both databases add a column with its check in place; rebuilding the table would drop its triggers in SQLite.
COLUMNS = (
    "product ADD COLUMN kind TEXT NOT NULL DEFAULT 'goods'"
    " CONSTRAINT ck_product_kind_known CHECK (kind IN ('goods', 'deposit', 'return'))",
    "product ADD COLUMN open_price BOOLEAN NOT NULL DEFAULT false",
    "product ADD COLUMN sold_out BOOLEAN NOT NULL DEFAULT false",
    "product ADD COLUMN sold_out_at_us BIGINT NOT NULL DEFAULT 0",
    "venue ADD COLUMN means TEXT NOT NULL DEFAULT 'cash,bank_card'",
    "venue ADD COLUMN tips_to TEXT",
)


def upgrade() -> None:
    for column in COLUMNS:
        op.execute(f"ALTER TABLE {column}")
    op.create_table(
        "price_window",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("venue", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("weekdays", sa.Text(), nullable=False),
        sa.Column("begins", sa.Text(), nullable=False),
        sa.Column("ends", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["venue"], ["venue.id"], name=op.f("fk_price_window_venue")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_price_window")),
    )
    op.create_index(op.f("ix_price_window_venue"), "price_window", ["venue"], unique=False)
    op.create_table(
        "window_price",
        sa.Column("price_window", sa.Uuid(), nullable=False),
        sa.Column("product", sa.Uuid(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("amount >= 0", name=op.f("ck_window_price_not_negative")),
        sa.ForeignKeyConstraint(["price_window"], ["price_window.id"], name=op.f("fk_window_price_price_window")),
        sa.ForeignKeyConstraint(["product"], ["product.id"], name=op.f("fk_window_price_product")),
        sa.ForeignKeyConstraint(["currency"], ["currency.code"], name=op.f("fk_window_price_currency")),
        sa.PrimaryKeyConstraint("price_window", "product", "currency", name=op.f("pk_window_price")),
    )
    op.create_table(
        "till_record",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("sale", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("venue", sa.Uuid(), nullable=False),
        sa.Column("terminal", sa.Uuid(), nullable=False),
        sa.Column("business_day", sa.Date(), nullable=False),
        sa.Column("late", sa.Boolean(), nullable=False),
        sa.Column("occurred_at_us", sa.BigInteger(), nullable=False),
        sa.Column("recorded_at_us", sa.BigInteger(), nullable=False),
        sa.Column("details", sa.Text(), nullable=False),
        sa.CheckConstraint("kind IN ('sale', 'house', 'void')", name=op.f("ck_till_record_kind_known")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_till_record")),
    )
    op.create_index("ix_till_record_day", "till_record", ["venue", "business_day"], unique=False)
    # A sale is recorded once, and taken back once.
    taken_back = sa.text("kind = 'void'")
    op.create_index(
        "uq_till_record_taken_back",
        "till_record",
        ["sale"],
        unique=True,
        sqlite_where=taken_back,
        postgresql_where=taken_back,
    )
    keeping.install(op.get_bind())
    revision_triggers.install(op.get_bind())
