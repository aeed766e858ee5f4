"""Online top-ups. The id is the ledger operation's id, stored before anything is sent anywhere."""

from __future__ import annotations

import sqlalchemy as sa

from app.platform.tables import metadata

# amount: minor units of the currency; euro_cents: what the holder pays. url: the payment page. asked: how often the
# provider was asked what became of it; ask_at_us: when to ask next, null where there is nothing to ask. paid_at_us,
# paid_cents, fee_cents: when we first heard of the provider that it was paid, how much (0: not in euros), and what it
# keeps of it, written before it is credited; fee_cents null: it did not say. gift, gift_amount: what was promised
# besides, in minor units of a gift currency. given, given_to: of the amount, what a fund gets and not the card.
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
    sa.Column("url", sa.Text),
    sa.Column("asked", sa.Integer, nullable=False, server_default="0"),
    sa.Column("ask_at_us", sa.BigInteger, index=True),
    sa.Column("paid_cents", sa.BigInteger),
    sa.Column("fee_cents", sa.BigInteger),
    sa.Column("gift", sa.ForeignKey("currency.code")),
    sa.Column("gift_amount", sa.BigInteger),
    sa.Column("given", sa.BigInteger),
    sa.Column("given_to", sa.Text),
    sa.CheckConstraint("given IS NULL OR given > 0 AND given < amount AND given_to <> ''", name="given_whole"),
    sa.CheckConstraint("gift_amount IS NULL OR gift_amount > 0 AND gift IS NOT NULL", name="gift_whole"),
    sa.CheckConstraint("status <> 'credited' OR paid_cents = euro_cents OR paid_cents IS NULL", name="all_was_paid"),
    sa.CheckConstraint("fee_cents BETWEEN 0 AND euro_cents", name="fee_fits"),
    sa.CheckConstraint("amount > 0 AND euro_cents > 0", name="positive"),
    sa.CheckConstraint("status IN ('pending', 'credited', 'failed', 'cancelled')", name="status_known"),
    sa.UniqueConstraint("provider", "reference"),
)

# Where the receipt of a top-up is to go, until it is credited.
topup_receipt = sa.Table(
    "topup_receipt",
    metadata,
    sa.Column("topup", sa.ForeignKey("topup.id"), primary_key=True),
    sa.Column("address", sa.Text, nullable=False),
    sa.Column("language", sa.Text, nullable=False),
)

# A payment that the provider took back after it was credited; the id is the operation's. fee_cents: what it charged.
chargeback = sa.Table(
    "chargeback",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("topup", sa.ForeignKey("topup.id"), nullable=False, index=True),
    sa.Column("provider", sa.Text, nullable=False),
    sa.Column("reference", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("euro_cents", sa.BigInteger, nullable=False),
    sa.Column("fee_cents", sa.BigInteger, nullable=False),
    sa.Column("recorded_by", sa.Text, nullable=False),
    sa.Column("at_us", sa.BigInteger, nullable=False),
    sa.UniqueConstraint("provider", "reference"),
    sa.CheckConstraint("euro_cents > 0 AND fee_cents >= 0", name="amounts"),
    sa.CheckConstraint("kind IN ('dispute', 'return', 'refund')", name="kind_known"),
)

# Money that we asked the provider to give back of a payment. request: for which refund; the id is the idempotency key.
payment_refund = sa.Table(
    "payment_refund",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("topup", sa.ForeignKey("topup.id"), nullable=False, index=True),
    sa.Column("request", sa.Uuid, nullable=False, index=True),
    sa.Column("euro_cents", sa.BigInteger, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("reference", sa.Text),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("planned_at_us", sa.BigInteger, nullable=False),
    sa.Column("changed_at_us", sa.BigInteger, nullable=False),
    sa.CheckConstraint("euro_cents > 0", name="positive"),
    sa.CheckConstraint("status IN ('planned', 'pending', 'paid', 'failed')", name="status_known"),
)

# The dispute was won: the money came back, and of the fee what is said.
chargeback_end = sa.Table(
    "chargeback_end",
    metadata,
    sa.Column("chargeback", sa.ForeignKey("chargeback.id"), primary_key=True),
    sa.Column("operation", sa.Uuid, nullable=False),
    sa.Column("fee_back_cents", sa.BigInteger, nullable=False),
    sa.Column("ended_by", sa.Text, nullable=False),
    sa.Column("at_us", sa.BigInteger, nullable=False),
    sa.CheckConstraint("fee_back_cents >= 0", name="fee_not_negative"),
)

# Notices of providers by their own name for each, so that one that comes again is known.
payment_event = sa.Table(
    "payment_event",
    metadata,
    sa.Column("provider", sa.Text, primary_key=True),
    sa.Column("event", sa.Text, primary_key=True),
    sa.Column("at_us", sa.BigInteger, nullable=False, index=True),
)

# A payment at the provider that no top-up here knows; the id follows from its reference. topup: the one that it names,
# which may not be here. euro_cents 0: not in euros.
stray_payment = sa.Table(
    "stray_payment",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("provider", sa.Text, nullable=False),
    sa.Column("reference", sa.Text, nullable=False),
    sa.Column("topup", sa.Uuid),
    sa.Column("euro_cents", sa.BigInteger, nullable=False),
    sa.Column("found_at_us", sa.BigInteger, nullable=False),
    sa.Column("settled_at_us", sa.BigInteger),
    sa.UniqueConstraint("provider", "reference"),
    sa.CheckConstraint("euro_cents >= 0", name="amount"),
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

sandbox_dispute = sa.Table(
    "sandbox_dispute",
    metadata,
    sa.Column("payment", sa.ForeignKey("sandbox_payment.reference"), primary_key=True),
    sa.Column("won", sa.Boolean, nullable=False),
    sa.Column("at_us", sa.BigInteger, nullable=False),
)

sandbox_refund = sa.Table(
    "sandbox_refund",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("payment", sa.ForeignKey("sandbox_payment.reference"), nullable=False, index=True),
    sa.Column("euro_cents", sa.BigInteger, nullable=False),
    sa.Column("at_us", sa.BigInteger, nullable=False),
)
