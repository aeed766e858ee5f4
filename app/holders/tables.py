"""Holders' accounts, how they sign in, and which wallets are theirs. None of them is of the staff (app/identity)."""

from __future__ import annotations

import sqlalchemy as sa

from app.platform.tables import metadata

# email: in small letters.
holder_account = sa.Table(
    "holder_account",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("email", sa.Text, nullable=False, unique=True),
    sa.Column("created_at_us", sa.BigInteger, nullable=False),
    sa.CheckConstraint("email = lower(email) AND email <> ''", name="email_small"),
)

# A link that signs in whoever has the mailbox; only the SHA-256 of its token is kept. Used, it is gone. card: whose
# page it leads back to.
holder_link = sa.Table(
    "holder_link",
    metadata,
    sa.Column("token_sha256", sa.LargeBinary(32), primary_key=True),
    sa.Column("email", sa.Text, nullable=False),
    sa.Column("card", sa.ForeignKey("card.id")),
    sa.Column("expires_at_us", sa.BigInteger, nullable=False, index=True),
)

# Only the SHA-256 of the cookie's token is kept.
holder_session = sa.Table(
    "holder_session",
    metadata,
    sa.Column("token_sha256", sa.LargeBinary(32), primary_key=True),
    sa.Column("account", sa.ForeignKey("holder_account.id", ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("csrf", sa.Text, nullable=False),
    sa.Column("created_at_us", sa.BigInteger, nullable=False),
    sa.Column("seen_at_us", sa.BigInteger, nullable=False),
    sa.Column("user_agent", sa.Text, nullable=False),
)

# A wallet is in one account at most: whoever claims it first has it, until they give it up. Not deleted with anything:
# a wallet that is in an account is not left by its card.
holder_wallet = sa.Table(
    "holder_wallet",
    metadata,
    sa.Column("wallet", sa.ForeignKey("wallet.id"), primary_key=True),
    sa.Column("account", sa.ForeignKey("holder_account.id"), nullable=False, index=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("since_us", sa.BigInteger, nullable=False),
)

# What a browser is to sign, good once; account: whose passkey it is to be, none for signing in.
holder_challenge = sa.Table(
    "holder_challenge",
    metadata,
    sa.Column("challenge_sha256", sa.LargeBinary(32), primary_key=True),
    sa.Column("account", sa.ForeignKey("holder_account.id", ondelete="CASCADE")),
    sa.Column("expires_at_us", sa.BigInteger, nullable=False, index=True),
)

# id: the credential's, as its authenticator made it. public_key: COSE. signs: the authenticator's own counter, 0 where
# it keeps none.
holder_passkey = sa.Table(
    "holder_passkey",
    metadata,
    sa.Column("id", sa.LargeBinary, primary_key=True),
    sa.Column("account", sa.ForeignKey("holder_account.id", ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("public_key", sa.LargeBinary, nullable=False),
    sa.Column("signs", sa.BigInteger, nullable=False),
    sa.Column("made_at_us", sa.BigInteger, nullable=False),
    sa.Column("used_at_us", sa.BigInteger),
    sa.CheckConstraint("signs >= 0", name="signs_counted"),
)

# Money on its way to a friend: a hold of the same id sets it aside, and ends by itself. Only the SHA-256 of the link's
# token is kept. email: where the link went. Once it has ended it is deleted.
holder_parcel = sa.Table(
    "holder_parcel",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("token_sha256", sa.LargeBinary(32), nullable=False, unique=True),
    sa.Column("account", sa.ForeignKey("holder_account.id", ondelete="CASCADE"), nullable=False, index=True),
    sa.Column("wallet", sa.ForeignKey("wallet.id"), nullable=False, index=True),
    sa.Column("currency", sa.ForeignKey("currency.code"), nullable=False),
    sa.Column("amount", sa.BigInteger, nullable=False),
    sa.Column("email", sa.Text, nullable=False),
    sa.Column("expires_at_us", sa.BigInteger, nullable=False),
    sa.CheckConstraint("amount > 0", name="positive"),
)
