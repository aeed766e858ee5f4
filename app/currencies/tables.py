"""Local currencies, and the versions of their rules.

A pegged currency is worth a whole number of euro cents per minor unit; no other one is worth any by the ledger.
"""

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
    sa.CheckConstraint("kind IN ('pegged', 'time', 'gift', 'points', 'mutual')", name="kind_known"),
    sa.CheckConstraint("unit IN ('cent', 'minute', 'point')", name="unit_known"),
    sa.CheckConstraint(
        "(kind = 'pegged' AND cents_per_unit > 0) OR (kind <> 'pegged' AND cents_per_unit IS NULL)", name="peg"
    ),
    sa.CheckConstraint("(kind = 'time') = (unit = 'minute')", name="time_in_minutes"),
    sa.CheckConstraint("(kind = 'points') = (unit = 'point')", name="points_in_points"),
)

# Append-only, its versions without a gap: app/currencies/guards.py. `body`: see app/currencies/policy_text.py.
# A version holds from `valid_from_us` on; of two that hold from the same instant, the later one does.
policy = sa.Table(
    "policy",
    metadata,
    sa.Column("currency", sa.Text, sa.ForeignKey("currency.code"), primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("valid_from_us", sa.BigInteger, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("author", sa.Text, nullable=False),
    sa.Column("made_at_us", sa.BigInteger, nullable=False),
    sa.CheckConstraint("version >= 1", name="version_counts"),
)
