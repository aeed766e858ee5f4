"""Cards and wallets. Money belongs to the wallet; a card only opens it, so a lost card can be replaced.

What app/cards/guards.py has the database keep of it is told there.
"""

from __future__ import annotations

import sqlalchemy as sa

from app.platform.tables import metadata

wallet = sa.Table(
    "wallet",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("created_at_us", sa.BigInteger, nullable=False),
)

# uid: upper-case hexadecimal, whole. token: 128 random bits in the QR's address. label: printed on the card. taps: its
# chip proves at phones that it is there.
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
    sa.Column("taps", sa.Boolean, nullable=False, server_default=sa.text("false")),
    sa.CheckConstraint("status IN ('active', 'blocked')", name="status_known"),
    sa.CheckConstraint("assurance IN ('A', 'B', 'C')", name="assurance_known"),
)

# The most that its holder lets a wallet pay on one day, in minor units.
wallet_limit = sa.Table(
    "wallet_limit",
    metadata,
    sa.Column("wallet", sa.ForeignKey("wallet.id"), primary_key=True),
    sa.Column("currency", sa.ForeignKey("currency.code"), primary_key=True),
    sa.Column("per_day", sa.BigInteger, nullable=False),
    sa.CheckConstraint("per_day >= 0", name="not_negative"),
)

# The code with which a wallet's cards are blocked from any phone; mark: its MAC under the server's key.
wallet_recovery = sa.Table(
    "wallet_recovery",
    metadata,
    sa.Column("wallet", sa.ForeignKey("wallet.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("mark", sa.LargeBinary, nullable=False, unique=True),
    sa.Column("made_at_us", sa.BigInteger, nullable=False),
    sa.Column("shown", sa.Boolean, nullable=False, server_default=sa.text("false")),
)

# A card that is out of use for good: it stays blocked, and opens the wallet that it opened, so that what terminals sold
# to it without network is still booked. `replaced_by`: the card that its holder was given.
card_end = sa.Table(
    "card_end",
    metadata,
    sa.Column("card", sa.ForeignKey("card.id"), primary_key=True),
    sa.Column("outcome", sa.Text, nullable=False),
    sa.Column("replaced_by", sa.ForeignKey("card.id"), index=True),
    sa.Column("at_us", sa.BigInteger, nullable=False),
    sa.CheckConstraint("outcome IN ('replaced', 'retired')", name="outcome_known"),
    sa.CheckConstraint("(outcome = 'replaced') = (replaced_by IS NOT NULL)", name="by_another"),
    sa.CheckConstraint("replaced_by <> card", name="not_itself"),
)

# Labels that are printed before anybody knows on which chip they will be: a batch of them, each with the address of the
# page that its card will have. A blank is a card's once a card has its token; nothing here changes then.
card_batch = sa.Table(
    "card_batch",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("name", sa.Text, nullable=False, unique=True),
    sa.Column("made_at_us", sa.BigInteger, nullable=False),
)

card_blank = sa.Table(
    "card_blank",
    metadata,
    sa.Column("token", sa.Text, primary_key=True),
    sa.Column("batch", sa.ForeignKey("card_batch.id"), nullable=False),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("label", sa.Text, nullable=False, unique=True),
    sa.UniqueConstraint("batch", "number"),
    sa.CheckConstraint("number >= 0", name="number_counts"),
)
