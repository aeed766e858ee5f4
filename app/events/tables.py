"""Events, what a place costs, orders and tickets.

Places are counted where they are taken: on the event's row and on the price's. Whoever takes places changes both in one
transaction, the event first, then its prices by id; the database refuses one too many. `held`: in baskets; `sold`: with
a ticket; `leased`: lent to terminals that sell without network.
"""

from __future__ import annotations

import sqlalchemy as sa

from app.platform.tables import metadata

# issued: the newest ticket's serial. series: what a recurring event's dates have in common. refund_until_us: until when
# holders give tickets back; null: never. refund_fee: what of the price is kept then, in basis points.
event = sa.Table(
    "event",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("slug", sa.Text, nullable=False, unique=True),
    sa.Column("venue", sa.ForeignKey("venue.id"), nullable=False, index=True),
    sa.Column("title_fr", sa.Text, nullable=False),
    sa.Column("title_en", sa.Text, nullable=False),
    sa.Column("summary_fr", sa.Text, nullable=False),
    sa.Column("summary_en", sa.Text, nullable=False),
    sa.Column("doors_at_us", sa.BigInteger, nullable=False),
    sa.Column("starts_at_us", sa.BigInteger, nullable=False, index=True),
    sa.Column("ends_at_us", sa.BigInteger, nullable=False),
    sa.Column("capacity", sa.Integer, nullable=False),
    sa.Column("held", sa.Integer, nullable=False, server_default=sa.text("0")),
    sa.Column("sold", sa.Integer, nullable=False, server_default=sa.text("0")),
    sa.Column("leased", sa.Integer, nullable=False, server_default=sa.text("0")),
    sa.Column("issued", sa.Integer, nullable=False, server_default=sa.text("0")),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("series", sa.Uuid, index=True),
    sa.Column("refund_until_us", sa.BigInteger),
    sa.Column("refund_fee", sa.Integer, nullable=False, server_default=sa.text("0")),
    sa.Column("created_at_us", sa.BigInteger, nullable=False),
    sa.Column("changed_at_us", sa.BigInteger, nullable=False),
    sa.CheckConstraint("slug <> '' AND title_fr <> ''", name="named"),
    sa.CheckConstraint("doors_at_us <= starts_at_us AND starts_at_us < ends_at_us", name="in_turn"),
    sa.CheckConstraint("held >= 0 AND sold >= 0 AND leased >= 0", name="counted"),
    sa.CheckConstraint("held + sold + leased <= capacity", name="capacity_kept"),
    sa.CheckConstraint("issued >= 0", name="serials_count_up"),
    sa.CheckConstraint("refund_fee BETWEEN 0 AND 10000", name="refund_fee_known"),
    sa.CheckConstraint("status IN ('draft', 'published', 'cancelled')", name="status_known"),
)

event_artist = sa.Table(
    "event_artist",
    metadata,
    sa.Column("event", sa.ForeignKey("event.id"), primary_key=True),
    sa.Column("artist", sa.ForeignKey("artist.id"), primary_key=True, index=True),
    sa.Column("position", sa.Integer, nullable=False),
)

# quota: how many places at most are sold at this price. condition: who may have it; least: how much it asks for, in
# minutes or minor units. per_wallet: places at most for one wallet. waiting: places
# that the waiting list wants (app/guests/waiting.py). vat: the rate that the price holds, in
# basis points. channel: where it is sold.
event_price = sa.Table(
    "event_price",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("event", sa.ForeignKey("event.id"), nullable=False, index=True),
    sa.Column("name_fr", sa.Text, nullable=False),
    sa.Column("name_en", sa.Text, nullable=False),
    sa.Column("currency", sa.ForeignKey("currency.code"), nullable=False),
    sa.Column("amount", sa.BigInteger, nullable=False),
    sa.Column("quota", sa.Integer),
    sa.Column("held", sa.Integer, nullable=False, server_default=sa.text("0")),
    sa.Column("sold", sa.Integer, nullable=False, server_default=sa.text("0")),
    sa.Column("leased", sa.Integer, nullable=False, server_default=sa.text("0")),
    sa.Column("condition", sa.Text, nullable=False),
    sa.Column("sale_from_us", sa.BigInteger),
    sa.Column("sale_until_us", sa.BigInteger),
    sa.Column("vat", sa.Integer, nullable=False),
    sa.Column("channel", sa.Text, nullable=False),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("least", sa.BigInteger),
    sa.Column("per_wallet", sa.Integer),
    sa.Column("waiting", sa.Integer, nullable=False, server_default=sa.text("0")),
    sa.CheckConstraint("name_fr <> ''", name="named"),
    sa.CheckConstraint("amount >= 0", name="amount_known"),
    sa.CheckConstraint("held >= 0 AND sold >= 0 AND leased >= 0", name="counted"),
    sa.CheckConstraint("quota IS NULL OR held + sold + leased <= quota", name="quota_kept"),
    sa.CheckConstraint("condition IN ('none', 'member', 'reduced', 'hours', 'gift')", name="condition_known"),
    sa.CheckConstraint("least IS NULL OR (least > 0 AND condition IN ('hours', 'gift'))", name="least_asked"),
    sa.CheckConstraint("per_wallet > 0", name="per_wallet_some"),
    sa.CheckConstraint("waiting >= 0", name="waiting_counted"),
    sa.CheckConstraint("sale_from_us IS NULL OR sale_until_us IS NULL OR sale_from_us < sale_until_us", name="window"),
    sa.CheckConstraint("vat BETWEEN 0 AND 10000", name="vat_known"),
    sa.CheckConstraint("channel IN ('any', 'online', 'till', 'invitation')", name="channel_known"),
)

# id: also that of the operation by which it is paid. paying: the ledger may be about to book it, so its places stay
# until the ledger has said that it did not and will not. amount: minor units of `currency`, all lines together. topup:
# the online top-up that brings what was missing on the card. paid_by: the pass that its place belongs to, whose money
# was set aside under that id. sale: the one at a till that paid it, whose operation stands for the order's. guest: the
# name that its tickets will bear. sold_by: the venue whose counter sold it. by_hand: the venue itself was paid at its
# till, without a card; nothing of it is the ledger's.
ticket_order = sa.Table(
    "ticket_order",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("event", sa.ForeignKey("event.id"), nullable=False, index=True),
    sa.Column("wallet", sa.ForeignKey("wallet.id"), nullable=False, index=True),
    sa.Column("card", sa.ForeignKey("card.id")),
    sa.Column("channel", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("hold_until_us", sa.BigInteger, nullable=False),
    sa.Column("currency", sa.ForeignKey("currency.code"), nullable=False),
    sa.Column("amount", sa.BigInteger, nullable=False),
    sa.Column("topup", sa.Uuid, index=True),
    sa.Column("guest", sa.Text),
    sa.Column("paid_by", sa.Uuid, index=True),
    sa.Column("sale", sa.Uuid, index=True),
    sa.Column("sold_by", sa.Uuid, index=True),
    sa.Column("by_hand", sa.Boolean, nullable=False, server_default=sa.text("false")),
    sa.Column("made_at_us", sa.BigInteger, nullable=False),
    sa.Column("changed_at_us", sa.BigInteger, nullable=False),
    sa.CheckConstraint("channel IN ('online', 'till', 'invitation')", name="channel_known"),
    sa.CheckConstraint("state IN ('held', 'paying', 'paid', 'released', 'refunded')", name="state_known"),
    sa.CheckConstraint("amount >= 0", name="amount_known"),
)
# What somebody has to look after: few of all the orders there ever were.
sa.Index(
    "ix_ticket_order_open",
    ticket_order.c.hold_until_us,
    sqlite_where=ticket_order.c.state.in_(["held", "paying"]),
    postgresql_where=ticket_order.c.state.in_(["held", "paying"]),
)

# amount: minor units, all of its places together, as priced when it was ordered.
ticket_order_line = sa.Table(
    "ticket_order_line",
    metadata,
    sa.Column("order_id", sa.ForeignKey("ticket_order.id"), primary_key=True),
    sa.Column("price", sa.ForeignKey("event_price.id"), primary_key=True),
    sa.Column("quantity", sa.Integer, nullable=False),
    sa.Column("amount", sa.BigInteger, nullable=False),
    sa.CheckConstraint("quantity > 0 AND amount >= 0", name="something"),
)

# serial: counts the event's tickets from 1. name: of who comes with it, where it was asked.
ticket = sa.Table(
    "ticket",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("order_id", sa.ForeignKey("ticket_order.id"), nullable=False, index=True),
    sa.Column("event", sa.ForeignKey("event.id"), nullable=False),
    sa.Column("price", sa.ForeignKey("event_price.id"), nullable=False, index=True),
    sa.Column("wallet", sa.ForeignKey("wallet.id"), nullable=False, index=True),
    sa.Column("serial", sa.Integer, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("name", sa.Text),
    sa.Column("issued_at_us", sa.BigInteger, nullable=False),
    sa.UniqueConstraint("event", "serial"),
    sa.CheckConstraint("serial > 0", name="serial_counts"),
    sa.CheckConstraint("state IN ('valid', 'void', 'refunded')", name="state_known"),
)

# What became of the part of a cancelled order that was paid online: the refund by which it goes on to that payment
# (app/returns/onward.py); null: it stays on the card. state: on its way, with that payment, or on the card.
ticket_order_onward = sa.Table(
    "ticket_order_onward",
    metadata,
    sa.Column("order_id", sa.ForeignKey("ticket_order.id"), primary_key=True),
    sa.Column("refund", sa.Uuid),
    sa.Column("state", sa.Text, nullable=False, server_default="going"),
    sa.Column("at_us", sa.BigInteger, nullable=False),
    sa.CheckConstraint("state IN ('going', 'gone', 'kept')", name="state_known"),
)

# An order that is paid by giving a ticket back in the same booking. As long as it is paying, app/exchanges brings both
# to their end, and nobody else does.
ticket_exchange = sa.Table(
    "ticket_exchange",
    metadata,
    sa.Column("order_id", sa.ForeignKey("ticket_order.id"), primary_key=True),
    sa.Column("ticket", sa.ForeignKey("ticket.id"), nullable=False, unique=True),
)
