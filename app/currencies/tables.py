"""Local currencies. A pegged one is worth a whole number of euro cents per minor unit; a time one is worth none."""

from __future__ import annotations

import sqlalchemy as sa

from app.platform.tables import metadata

currency = sa.Table(
    "currency",
    metadata,
    sa.Column("code", sa.Text, primary_key=True),
    sa.Column("issuer", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("unit", sa.Text, nullable=False),
    sa.Column("name_fr", sa.Text, nullable=False),
    sa.Column("name_en", sa.Text, nullable=False),
    sa.Column("symbol", sa.Text, nullable=False),
    sa.Column("cents_per_unit", sa.BigInteger),
    sa.Column("position", sa.Integer, nullable=False),
    sa.CheckConstraint("kind IN ('pegged', 'time')", name="kind_known"),
    sa.CheckConstraint("unit IN ('cent', 'minute', 'point')", name="unit_known"),
    sa.CheckConstraint(
        "(kind = 'pegged' AND cents_per_unit > 0) OR (kind <> 'pegged' AND cents_per_unit IS NULL)", name="peg"
    ),
    sa.CheckConstraint("(kind = 'time') = (unit = 'minute')", name="time_in_minutes"),
)
