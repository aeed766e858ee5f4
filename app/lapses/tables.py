"""Notices to holders, the periods that are done, and how credit limits grew."""

from __future__ import annotations

import sqlalchemy as sa

from app.platform.tables import metadata

# id: also the operation's. amount: what the holder is told lapses at most. taken: what did, once it was decided.
notice = sa.Table(
    "lapse_notice",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("currency", sa.ForeignKey("currency.code"), nullable=False),
    sa.Column("effect", sa.Text, nullable=False),
    sa.Column("owner", sa.Text, nullable=False, index=True),
    sa.Column("period", sa.Date, nullable=False),
    sa.Column("due_us", sa.BigInteger, nullable=False),
    sa.Column("amount", sa.BigInteger, nullable=False),
    sa.Column("policy", sa.Text, nullable=False),
    sa.Column("made_at_us", sa.BigInteger, nullable=False),
    sa.Column("taken", sa.BigInteger),
    sa.Column("closed_at_us", sa.BigInteger),
    sa.UniqueConstraint("currency", "effect", "owner", "period"),
    sa.CheckConstraint("effect IN ('demurrage', 'dormancy', 'expiry')", name="effect_known"),
    sa.CheckConstraint("amount > 0", name="amount_positive"),
    sa.CheckConstraint("taken IS NULL OR (taken >= 0 AND taken <= amount)", name="taken_as_told"),
    sa.CheckConstraint("(taken IS NULL) = (closed_at_us IS NULL)", name="closed_whole"),
    sa.CheckConstraint("due_us >= made_at_us", name="told_before"),
    sa.Index("ix_lapse_notice_period", "currency", "effect", "period"),
    sa.Index(
        "ix_lapse_notice_open",
        "due_us",
        postgresql_where=sa.text("taken IS NULL"),
        sqlite_where=sa.text("taken IS NULL"),
    ),
)

# A period whose every account was dealt with. `period`: the business day that begins at its end.
period = sa.Table(
    "lapse_period",
    metadata,
    sa.Column("currency", sa.ForeignKey("currency.code"), primary_key=True),
    sa.Column("effect", sa.Text, primary_key=True),
    sa.Column("period", sa.Date, primary_key=True),
    sa.Column("end_us", sa.BigInteger, nullable=False),
    sa.Column("policy", sa.Text, nullable=False),
    sa.Column("done_at_us", sa.BigInteger, nullable=False),
    sa.CheckConstraint("effect IN ('demurrage', 'dormancy', 'expiry', 'growth')", name="effect_known"),
)

# Written in the transaction that moves the account's floor, so that a limit grows once a period.
growth = sa.Table(
    "credit_growth",
    metadata,
    sa.Column("currency", sa.ForeignKey("currency.code"), primary_key=True),
    sa.Column("owner", sa.Text, primary_key=True),
    sa.Column("period", sa.Date, primary_key=True),
    sa.Column("sold", sa.BigInteger, nullable=False),
    sa.Column("limit_before", sa.BigInteger, nullable=False),
    sa.Column("limit_after", sa.BigInteger, nullable=False),
    sa.Column("policy", sa.Text, nullable=False),
    sa.Column("made_at_us", sa.BigInteger, nullable=False),
    sa.CheckConstraint("limit_after > limit_before", name="grows"),
)
