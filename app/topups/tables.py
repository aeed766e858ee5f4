"""Online top-ups. The id is the ledger operation's id, stored before anything is sent anywhere."""

from __future__ import annotations

import sqlalchemy as sa

from app.platform.tables import metadata

# amount: minor units of the currency; euro_cents: what the holder pays. paid_at_us: when we first heard of the provider
# that it was paid, written before it is credited.
topup = sa.Table(
    "topup",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("wallet", sa.ForeignKey("wallet.id"), nullable=False, index=True),
    sa.Column("card", sa.ForeignKey("card.id"), nullable=False),
    sa.Column("currency", sa.ForeignKey("currency.code"), nullable=False),
    sa.Column("amount", sa.BigInteger, nullable=False),
    sa.Column("euro_cents", sa.BigInteger, nullable=False),
    sa.Column("provider", sa.Text, nullable=False),
    sa.Column("reference", sa.Text),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("created_at_us", sa.BigInteger, nullable=False),
    sa.Column("changed_at_us", sa.BigInteger, nullable=False),
    sa.Column("paid_at_us", sa.BigInteger),
    sa.CheckConstraint("amount > 0 AND euro_cents > 0", name="positive"),
    sa.CheckConstraint("status IN ('pending', 'credited', 'failed', 'cancelled')", name="status_known"),
    sa.UniqueConstraint("provider", "reference"),
)

# The sandbox provider's own books: it plays somebody else's system.
sandbox_payment = sa.Table(
    "sandbox_payment",
    metadata,
    sa.Column("reference", sa.Text, primary_key=True),
    sa.Column("euro_cents", sa.BigInteger, nullable=False),
    sa.Column("label", sa.Text, nullable=False),
    sa.Column("return_url", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("created_at_us", sa.BigInteger, nullable=False),
    sa.CheckConstraint("status IN ('open', 'paid', 'failed', 'cancelled')", name="status_known"),
)
