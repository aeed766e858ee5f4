"""Cards and wallets. Money belongs to the wallet; a card only opens it, so a lost card can be replaced."""

from __future__ import annotations

import sqlalchemy as sa

from app.platform.tables import metadata

wallet = sa.Table(
    "wallet",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("created_at_us", sa.BigInteger, nullable=False),
)

# uid: upper-case hexadecimal, whole. token: 128 random bits in the QR's address. label: printed on the card.
card = sa.Table(
    "card",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("uid", sa.Text, nullable=False, unique=True),
    sa.Column("token", sa.Text, nullable=False, unique=True),
    sa.Column("label", sa.Text, nullable=False),
    sa.Column("wallet", sa.ForeignKey("wallet.id"), nullable=False, index=True),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("assurance", sa.Text, nullable=False),
    sa.Column("created_at_us", sa.BigInteger, nullable=False),
    sa.CheckConstraint("status IN ('active', 'blocked')", name="status_known"),
    sa.CheckConstraint("assurance IN ('A', 'B', 'C')", name="assurance_known"),
)
