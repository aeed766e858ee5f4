"""Events, what a place costs, orders and tickets."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.events import guards

revision = "0056"
down_revision = "0055"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "event",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("venue", sa.Uuid(), nullable=False),
        sa.Column("title_fr", sa.Text(), nullable=False),
        sa.Column("title_en", sa.Text(), nullable=False),
        sa.Column("summary_fr", sa.Text(), nullable=False),
        sa.Column("summary_en", sa.Text(), nullable=False),
        sa.Column("doors_at_us", sa.BigInteger(), nullable=False),
        sa.Column("starts_at_us", sa.BigInteger(), nullable=False),
        sa.Column("ends_at_us", sa.BigInteger(), nullable=False),
        sa.Column("capacity", sa.Integer(), nullable=False),
        sa.Column("held", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("sold", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("leased", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("issued", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("series", sa.Uuid(), nullable=True),
        sa.Column("created_at_us", sa.BigInteger(), nullable=False),
        sa.Column("changed_at_us", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("slug <> '' AND title_fr <> ''", name=op.f("ck_event_named")),
        sa.CheckConstraint("status IN ('draft', 'published', 'cancelled')", name=op.f("ck_event_status_known")),
        sa.CheckConstraint("doors_at_us <= starts_at_us AND starts_at_us < ends_at_us", name=op.f("ck_event_in_turn")),
        sa.CheckConstraint("held + sold + leased <= capacity", name=op.f("ck_event_capacity_kept")),
        sa.CheckConstraint("held >= 0 AND sold >= 0 AND leased >= 0", name=op.f("ck_event_counted")),
        sa.CheckConstraint("issued >= 0", name=op.f("ck_event_serials_count_up")),
        sa.ForeignKeyConstraint(["venue"], ["venue.id"], name=op.f("fk_event_venue")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event")),
        sa.UniqueConstraint("slug", name=op.f("uq_event_slug")),
    )
    op.create_index(op.f("ix_event_series"), "event", ["series"], unique=False)
    op.create_index(op.f("ix_event_starts_at_us"), "event", ["starts_at_us"], unique=False)
    op.create_index(op.f("ix_event_venue"), "event", ["venue"], unique=False)
    op.create_table(
        "event_artist",
        sa.Column("event", sa.Uuid(), nullable=False),
        sa.Column("artist", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["artist"], ["artist.id"], name=op.f("fk_event_artist_artist")),
        sa.ForeignKeyConstraint(["event"], ["event.id"], name=op.f("fk_event_artist_event")),
        sa.PrimaryKeyConstraint("event", "artist", name=op.f("pk_event_artist")),
    )
    op.create_index(op.f("ix_event_artist_artist"), "event_artist", ["artist"], unique=False)
    op.create_table(
        "event_price",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("event", sa.Uuid(), nullable=False),
        sa.Column("name_fr", sa.Text(), nullable=False),
        sa.Column("name_en", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("quota", sa.Integer(), nullable=True),
        sa.Column("held", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("sold", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("leased", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("condition", sa.Text(), nullable=False),
        sa.Column("sale_from_us", sa.BigInteger(), nullable=True),
        sa.Column("sale_until_us", sa.BigInteger(), nullable=True),
        sa.Column("vat", sa.Integer(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "channel IN ('any', 'online', 'till', 'invitation')", name=op.f("ck_event_price_channel_known")
        ),
        sa.CheckConstraint(
            "condition IN ('none', 'member', 'reduced', 'hours', 'gift')", name=op.f("ck_event_price_condition_known")
        ),
        sa.CheckConstraint("name_fr <> ''", name=op.f("ck_event_price_named")),
        sa.CheckConstraint("amount >= 0", name=op.f("ck_event_price_amount_known")),
        sa.CheckConstraint("held >= 0 AND sold >= 0 AND leased >= 0", name=op.f("ck_event_price_counted")),
        sa.CheckConstraint("quota IS NULL OR held + sold + leased <= quota", name=op.f("ck_event_price_quota_kept")),
        sa.CheckConstraint(
            "sale_from_us IS NULL OR sale_until_us IS NULL OR sale_from_us < sale_until_us",
            name=op.f("ck_event_price_window"),
        ),
        sa.CheckConstraint("vat BETWEEN 0 AND 10000", name=op.f("ck_event_price_vat_known")),
        sa.ForeignKeyConstraint(["currency"], ["currency.code"], name=op.f("fk_event_price_currency")),
        sa.ForeignKeyConstraint(["event"], ["event.id"], name=op.f("fk_event_price_event")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event_price")),
    )
    op.create_index(op.f("ix_event_price_event"), "event_price", ["event"], unique=False)
    op.create_table(
        "ticket_order",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("event", sa.Uuid(), nullable=False),
        sa.Column("wallet", sa.Uuid(), nullable=False),
        sa.Column("card", sa.Uuid(), nullable=True),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("hold_until_us", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("topup", sa.Uuid(), nullable=True),
        sa.Column("made_at_us", sa.BigInteger(), nullable=False),
        sa.Column("changed_at_us", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("channel IN ('online', 'till', 'invitation')", name=op.f("ck_ticket_order_channel_known")),
        sa.CheckConstraint(
            "state IN ('held', 'paying', 'paid', 'released', 'refunded')", name=op.f("ck_ticket_order_state_known")
        ),
        sa.CheckConstraint("amount >= 0", name=op.f("ck_ticket_order_amount_known")),
        sa.ForeignKeyConstraint(["card"], ["card.id"], name=op.f("fk_ticket_order_card")),
        sa.ForeignKeyConstraint(["currency"], ["currency.code"], name=op.f("fk_ticket_order_currency")),
        sa.ForeignKeyConstraint(["event"], ["event.id"], name=op.f("fk_ticket_order_event")),
        sa.ForeignKeyConstraint(["wallet"], ["wallet.id"], name=op.f("fk_ticket_order_wallet")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ticket_order")),
    )
    op.create_index(op.f("ix_ticket_order_event"), "ticket_order", ["event"], unique=False)
    op.create_index(
        "ix_ticket_order_open",
        "ticket_order",
        ["hold_until_us"],
        unique=False,
        sqlite_where=sa.text("state IN ('held', 'paying')"),
        postgresql_where=sa.text("state IN ('held', 'paying')"),
    )
    op.create_index(op.f("ix_ticket_order_topup"), "ticket_order", ["topup"], unique=False)
    op.create_index(op.f("ix_ticket_order_wallet"), "ticket_order", ["wallet"], unique=False)
    op.create_table(
        "ticket",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("event", sa.Uuid(), nullable=False),
        sa.Column("price", sa.Uuid(), nullable=False),
        sa.Column("wallet", sa.Uuid(), nullable=False),
        sa.Column("serial", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("issued_at_us", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("state IN ('valid', 'void', 'refunded')", name=op.f("ck_ticket_state_known")),
        sa.CheckConstraint("serial > 0", name=op.f("ck_ticket_serial_counts")),
        sa.ForeignKeyConstraint(["event"], ["event.id"], name=op.f("fk_ticket_event")),
        sa.ForeignKeyConstraint(["order_id"], ["ticket_order.id"], name=op.f("fk_ticket_order_id")),
        sa.ForeignKeyConstraint(["price"], ["event_price.id"], name=op.f("fk_ticket_price")),
        sa.ForeignKeyConstraint(["wallet"], ["wallet.id"], name=op.f("fk_ticket_wallet")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ticket")),
        sa.UniqueConstraint("event", "serial", name=op.f("uq_ticket_event_serial")),
    )
    op.create_index(op.f("ix_ticket_order_id"), "ticket", ["order_id"], unique=False)
    op.create_index(op.f("ix_ticket_price"), "ticket", ["price"], unique=False)
    op.create_index(op.f("ix_ticket_wallet"), "ticket", ["wallet"], unique=False)
    op.create_table(
        "ticket_order_line",
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("price", sa.Uuid(), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("quantity > 0 AND amount >= 0", name=op.f("ck_ticket_order_line_something")),
        sa.ForeignKeyConstraint(["order_id"], ["ticket_order.id"], name=op.f("fk_ticket_order_line_order_id")),
        sa.ForeignKeyConstraint(["price"], ["event_price.id"], name=op.f("fk_ticket_order_line_price")),
        sa.PrimaryKeyConstraint("order_id", "price", name=op.f("pk_ticket_order_line")),
    )
    guards.install(op.get_bind())
