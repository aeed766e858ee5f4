"""Refunds that holders asked for online. Money sent by the bank is in app.settlement.outgoing's tables, money sent back
to payment cards in app.topups.refunding's."""

from __future__ import annotations

import sqlalchemy as sa

from app.platform.tables import metadata

# A wallet has one of these at most. What came back waits for its holder, who may ask for what else is there.
OPEN = "status NOT IN ('paid', 'cancelled', 'nothing', 'failed')"

# way: "bank" (holder, iban) or "cards", back to the payment cards that it was topped up with. proof: by what the one
# who asked showed that the money is theirs. attempt: how often it was worked out; sending: how often it was given to
# the bank. address: where mail about it goes. topup: the one payment that it goes back to, where nobody asked for it;
# null: the newest first.
refund = sa.Table(
    "refund",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("wallet", sa.ForeignKey("wallet.id"), nullable=False, index=True),
    sa.Column("card", sa.ForeignKey("card.id"), nullable=False),
    sa.Column("way", sa.Text, nullable=False),
    sa.Column("proof", sa.Text, nullable=False),
    sa.Column("holder", sa.Text, nullable=False),
    sa.Column("iban", sa.Text, nullable=False),
    sa.Column("address", sa.Text, nullable=False),
    sa.Column("language", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("attempt", sa.Integer, nullable=False, server_default="0"),
    sa.Column("sending", sa.Integer, nullable=False, server_default="0"),
    sa.Column("topup", sa.Uuid),
    sa.Column("asked_at_us", sa.BigInteger, nullable=False),
    sa.Column("changed_at_us", sa.BigInteger, nullable=False),
    sa.CheckConstraint("way IN ('bank', 'cards')", name="way_known"),
    sa.CheckConstraint("proof IN ('tap', 'code', 'account', 'address', 'staff')", name="proof_known"),
    sa.CheckConstraint("way <> 'bank' OR (iban <> '' AND holder <> '')", name="bank_whole"),
    sa.CheckConstraint(
        "status IN ('waiting', 'setting', 'ready', 'sending', 'sent', 'paid', 'failed', 'cancelling', 'cancelled', "
        "'nothing')",
        name="status_known",
    ),
    sa.Index("uq_refund_open", "wallet", unique=True, sqlite_where=sa.text(OPEN), postgresql_where=sa.text(OPEN)),
)

# Of each currency: what was on the card when it was asked for, and what it came to: units off the card, euro cents to
# the holder and to the network. Null while it is not worked out.
refund_line = sa.Table(
    "refund_line",
    metadata,
    sa.Column("refund", sa.ForeignKey("refund.id"), primary_key=True),
    sa.Column("currency", sa.ForeignKey("currency.code"), primary_key=True),
    sa.Column("asked_units", sa.BigInteger, nullable=False),
    sa.Column("units", sa.BigInteger),
    sa.Column("cents", sa.BigInteger),
    sa.Column("fee_cents", sa.BigInteger),
    sa.CheckConstraint("asked_units >= 0 AND units >= 0 AND cents >= 0 AND fee_cents >= 0", name="amounts"),
    sa.CheckConstraint("(units IS NULL) = (cents IS NULL) AND (units IS NULL) = (fee_cents IS NULL)", name="whole"),
)

# The cards that were blocked for it: those that were free before.
refund_card = sa.Table(
    "refund_card",
    metadata,
    sa.Column("refund", sa.ForeignKey("refund.id"), primary_key=True),
    sa.Column("card", sa.ForeignKey("card.id"), primary_key=True),
)

# Every state that it went through. Append-only.
refund_event = sa.Table(
    "refund_event",
    metadata,
    sa.Column("refund", sa.ForeignKey("refund.id"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("at_us", sa.BigInteger, nullable=False),
)

# That a wallet's holder was told of the last day (ISO) on which a currency is refunded.
refund_reminder = sa.Table(
    "refund_reminder",
    metadata,
    sa.Column("wallet", sa.ForeignKey("wallet.id"), primary_key=True),
    sa.Column("currency", sa.ForeignKey("currency.code"), primary_key=True),
    sa.Column("closes", sa.Text, primary_key=True),
    sa.Column("at_us", sa.BigInteger, nullable=False),
)

# Accounts that want no reminders.
refund_silence = sa.Table(
    "refund_silence",
    metadata,
    sa.Column("account", sa.Uuid, primary_key=True),
    sa.Column("at_us", sa.BigInteger, nullable=False),
)
