"""The network, its venues, their products and prices."""

from __future__ import annotations

import sqlalchemy as sa

from app.platform.tables import metadata

# One row: one deployment is one network. `settings` is JSON (app.venues.rules.NetworkSettings).
network = sa.Table(
    "network",
    metadata,
    sa.Column("id", sa.SmallInteger, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("settings", sa.Text, nullable=False),
    sa.CheckConstraint("id = 1", name="single"),
)

# cut_off: "HH:MM" on the venue's wall clock, when its business day ends. means: what it is paid in beside cards, in
# order (app.wire.Means). tips_to: the fund that tips go to; without one they are the venue's. proven_cards: whether
# cards must prove themselves here (app.rules.proven); without it, as the network says.
venue = sa.Table(
    "venue",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("slug", sa.Text, nullable=False, unique=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("zone", sa.Text, nullable=False),
    sa.Column("cut_off", sa.Text, nullable=False),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("created_at_us", sa.BigInteger, nullable=False),
    sa.Column("means", sa.Text, nullable=False, server_default="cash,bank_card"),
    sa.Column("tips_to", sa.Text),
    sa.Column("proven_cards", sa.Text),
    sa.CheckConstraint("proven_cards IN ('any', 'offline', 'always')", name="proven_cards_known"),
)

venue_currency = sa.Table(
    "venue_currency",
    metadata,
    sa.Column("venue", sa.ForeignKey("venue.id"), primary_key=True),
    sa.Column("currency", sa.ForeignKey("currency.code"), primary_key=True),
)

# kind and open_price: app.rules.prices.Article. vat: the rate in its prices, in basis points. sold_out_at_us: when
# staff last switched it, at whichever terminal.
product = sa.Table(
    "product",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("venue", sa.ForeignKey("venue.id"), nullable=False, index=True),
    sa.Column("name_fr", sa.Text, nullable=False),
    sa.Column("name_en", sa.Text, nullable=False),
    sa.Column("category", sa.Text, nullable=False),
    sa.Column("colour", sa.Text, nullable=False),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("active", sa.Boolean, nullable=False),
    sa.Column("kind", sa.Text, nullable=False, server_default="goods"),
    sa.Column("open_price", sa.Boolean, nullable=False, server_default=sa.text("false")),
    sa.Column("sold_out", sa.Boolean, nullable=False, server_default=sa.text("false")),
    sa.Column("sold_out_at_us", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("vat", sa.Integer),
    sa.CheckConstraint("kind IN ('goods', 'deposit', 'return')", name="kind_known"),
    sa.CheckConstraint("vat BETWEEN 0 AND 10000", name="vat_a_rate"),
)

# A product may have a price in each of several currencies (5 euros, or 30 minutes).
price = sa.Table(
    "price",
    metadata,
    sa.Column("product", sa.ForeignKey("product.id"), primary_key=True),
    sa.Column("currency", sa.ForeignKey("currency.code"), primary_key=True),
    sa.Column("amount", sa.BigInteger, nullable=False),
    sa.CheckConstraint("amount >= 0", name="not_negative"),
)

# Hours in which some products cost something else. weekdays: digits, 0 is Monday; begins, ends: "HH:MM" on the wall
# clock (app.rules.prices.Window).
price_window = sa.Table(
    "price_window",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("venue", sa.ForeignKey("venue.id"), nullable=False, index=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("weekdays", sa.Text, nullable=False),
    sa.Column("begins", sa.Text, nullable=False),
    sa.Column("ends", sa.Text, nullable=False),
)

window_price = sa.Table(
    "window_price",
    metadata,
    sa.Column("price_window", sa.ForeignKey("price_window.id"), primary_key=True),
    sa.Column("product", sa.ForeignKey("product.id"), primary_key=True),
    sa.Column("currency", sa.ForeignKey("currency.code"), primary_key=True),
    sa.Column("amount", sa.BigInteger, nullable=False),
    sa.CheckConstraint("amount >= 0", name="not_negative"),
)

# Where a venue is, and when it is open. tops_up: "cash,bank_card", what a card is topped up with there. opening: JSON,
# hours by weekday ("0" is Monday) and by day ("2026-12-25"), as app.venues.opening writes them. latitude, longitude:
# micro-degrees.
venue_place = sa.Table(
    "venue_place",
    metadata,
    sa.Column("venue", sa.ForeignKey("venue.id"), primary_key=True),
    sa.Column("address", sa.Text, nullable=False),
    sa.Column("tops_up", sa.Text, nullable=False),
    sa.Column("opening", sa.Text, nullable=False),
    sa.Column("town", sa.Text, nullable=False, server_default=sa.text("''")),
    sa.Column("latitude", sa.Integer),
    sa.Column("longitude", sa.Integer),
    sa.CheckConstraint("(latitude IS NULL) = (longitude IS NULL)", name="point_whole"),
    sa.CheckConstraint("latitude BETWEEN -90000000 AND 90000000", name="latitude_known"),
    sa.CheckConstraint("longitude BETWEEN -180000000 AND 180000000", name="longitude_known"),
)
