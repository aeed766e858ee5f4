"""What holders dispute, and what venues answered."""

from __future__ import annotations

import sqlalchemy as sa

from app.platform.tables import metadata

# sale: the operation's id in the ledger. email: where the answer goes, until it is given. operation: what took the
# sale back, where the answer did.
dispute = sa.Table(
    "dispute",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("sale", sa.Uuid, nullable=False, index=True),
    sa.Column("venue", sa.ForeignKey("venue.id"), nullable=False),
    sa.Column("wallet", sa.ForeignKey("wallet.id"), nullable=False, index=True),
    sa.Column("card", sa.ForeignKey("card.id"), nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("email", sa.Text),
    sa.Column("language", sa.Text, nullable=False),
    sa.Column("opened_at_us", sa.BigInteger, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("answer", sa.Text, nullable=False),
    sa.Column("answered_by", sa.Text),
    sa.Column("answered_at_us", sa.BigInteger),
    sa.Column("operation", sa.Uuid),
    sa.CheckConstraint("reason IN ('not_me', 'amount', 'not_received', 'twice')", name="reason_known"),
    sa.CheckConstraint("state IN ('open', 'taken_back', 'refused')", name="state_known"),
    sa.CheckConstraint("(state = 'open') = (answered_at_us IS NULL)", name="answered_once"),
    sa.CheckConstraint("(state = 'open') = (answered_by IS NULL)", name="answered_by_somebody"),
    sa.CheckConstraint("state <> 'refused' OR answer <> ''", name="refused_with_words"),
    sa.CheckConstraint("state = 'open' OR email IS NULL", name="address_gone_once_answered"),
    sa.Index("ix_dispute_venue", "venue", "state"),
    sa.Index(
        "uq_dispute_open",
        "sale",
        unique=True,
        sqlite_where=sa.text("state = 'open'"),
        postgresql_where=sa.text("state = 'open'"),
    ),
)
