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

# cut_off: "HH:MM" on the venue's wall clock, when its business day ends.
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
)

venue_currency = sa.Table(
    "venue_currency",
    metadata,
    sa.Column("venue", sa.ForeignKey("venue.id"), primary_key=True),
    sa.Column("currency", sa.ForeignKey("currency.code"), primary_key=True),
)

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
