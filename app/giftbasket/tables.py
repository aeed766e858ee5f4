"""Vouchers that wait for their money. A row is gone once its voucher is bought, or will not be."""

from __future__ import annotations

import sqlalchemy as sa

from app.platform.tables import metadata

# id: also the voucher's. topup: the online top-up that brings what is missing on the card. words: what will stand on
# it. actor: as its operation will have it.
gift_basket = sa.Table(
    "gift_basket",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("card", sa.ForeignKey("card.id"), nullable=False),
    sa.Column("wallet", sa.ForeignKey("wallet.id"), nullable=False, index=True),
    sa.Column("currency", sa.ForeignKey("currency.code"), nullable=False),
    sa.Column("amount", sa.BigInteger, nullable=False),
    sa.Column("words", sa.Text, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("topup", sa.Uuid, nullable=False),
    sa.Column("made_at_us", sa.BigInteger, nullable=False),
    sa.CheckConstraint("amount > 0", name="some_amount"),
)
