"""Messages that wait to be sent, and what became of them."""

from __future__ import annotations

import sqlalchemy as sa

from app.platform.tables import metadata

# id: also the message's own, as it travels. template: "topups/receipt_mail" has a .txt and a .html. data: JSON, what
# the template is filled with. waiting_since_us: since when it is tried; next_at_us: when next. Once it has ended
# (status sent, or failed: given up), recipient and data are kept for a while and then forgotten.
mail = sa.Table(
    "mail",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("template", sa.Text, nullable=False),
    sa.Column("language", sa.Text, nullable=False),
    sa.Column("recipient", sa.Text),
    sa.Column("data", sa.Text),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("created_at_us", sa.BigInteger, nullable=False),
    sa.Column("waiting_since_us", sa.BigInteger, nullable=False),
    sa.Column("next_at_us", sa.BigInteger, index=True),
    sa.Column("ended_at_us", sa.BigInteger, index=True),
    sa.Column("last_error", sa.Text),
    sa.Column("leased_by", sa.Uuid),
    sa.Column("leased_until_us", sa.BigInteger, nullable=False),
    sa.CheckConstraint("status IN ('waiting', 'sent', 'failed')", name="status_known"),
    sa.CheckConstraint("(status = 'waiting') = (next_at_us IS NOT NULL)", name="waits_for_its_turn"),
    sa.CheckConstraint("(status = 'waiting') = (ended_at_us IS NULL)", name="ended_once"),
    sa.CheckConstraint("status <> 'waiting' OR (recipient IS NOT NULL AND data IS NOT NULL)", name="can_be_sent"),
)

# What the sandbox was given to carry: it plays somebody else's mailboxes.
sandbox_mail = sa.Table(
    "sandbox_mail",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("message", sa.Text, nullable=False),
    sa.Column("recipient", sa.Text, nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("html", sa.Text, nullable=False),
    sa.Column("at_us", sa.BigInteger, nullable=False, index=True),
)

# That somebody wants e-mail which nothing that they did asks for: for what, the version of the words that they agreed
# to, and when. Withdrawn, the address is forgotten; that it was given, and how long it held, is kept.
mail_consent = sa.Table(
    "mail_consent",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("wallet", sa.Uuid, nullable=False, index=True),
    sa.Column("purpose", sa.Text, nullable=False),
    sa.Column("address", sa.Text),
    sa.Column("language", sa.Text, nullable=False),
    sa.Column("words", sa.Integer, nullable=False),
    sa.Column("given_at_us", sa.BigInteger, nullable=False),
    sa.Column("withdrawn_at_us", sa.BigInteger),
    sa.CheckConstraint("purpose IN ('reminders')", name="purpose_known"),
    sa.CheckConstraint("(address IS NULL) = (withdrawn_at_us IS NOT NULL)", name="address_while_it_holds"),
    sa.Index(
        "uq_mail_consent_holds",
        "wallet",
        "purpose",
        unique=True,
        sqlite_where=sa.text("withdrawn_at_us IS NULL"),
        postgresql_where=sa.text("withdrawn_at_us IS NULL"),
    ),
)
