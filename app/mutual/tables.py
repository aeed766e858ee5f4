"""Members, what is lent to them, and what they paid to belong. What they hold and owe stands in the ledger."""

from __future__ import annotations

import sqlalchemy as sa

from app.platform.tables import metadata

# A member is a name on a card; their money is the card's wallet, so each wallet has one member at most.
member = sa.Table(
    "member",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("card", sa.ForeignKey("card.id"), nullable=False),
    sa.Column("wallet", sa.ForeignKey("wallet.id"), nullable=False, unique=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("joined_at_us", sa.BigInteger, nullable=False),
    sa.Column("author", sa.Text, nullable=False),
)

member_role = sa.Table(
    "member_role",
    metadata,
    sa.Column("member", sa.ForeignKey("member.id"), primary_key=True),
    sa.Column("role", sa.Text, primary_key=True),
    sa.CheckConstraint("role IN ('contributor', 'user', 'host', 'mutualiser')", name="role_known"),
)

# id: of the hold that sets the points aside. spent: what the loan cost in the end, 0 while it is out.
loan = sa.Table(
    "loan",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("borrower", sa.ForeignKey("member.id"), nullable=False, index=True),
    sa.Column("lender", sa.ForeignKey("member.id")),
    sa.Column("currency", sa.ForeignKey("currency.code"), nullable=False),
    sa.Column("points", sa.BigInteger, nullable=False),
    sa.Column("thing", sa.Text, nullable=False),
    sa.Column("policy", sa.Text, nullable=False),
    sa.Column("lent_at_us", sa.BigInteger, nullable=False),
    sa.Column("due_at_us", sa.BigInteger, nullable=False),
    sa.Column("author", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("spent", sa.BigInteger, nullable=False),
    sa.Column("ended_at_us", sa.BigInteger),
    sa.Column("ended_by", sa.Text),
    sa.CheckConstraint("points > 0 AND spent >= 0 AND spent <= points", name="points_whole"),
    sa.CheckConstraint("status IN ('out', 'returned', 'lost')", name="status_known"),
    sa.CheckConstraint("(status = 'out') = (ended_at_us IS NULL)", name="ended_whole"),
    sa.Index("ix_loan_status", "status", "due_at_us"),
)

# What a membership costs in euro cents, how much of it buys shares of the cooperative, and how long it lasts.
membership_plan = sa.Table(
    "membership_plan",
    metadata,
    sa.Column("code", sa.Text, primary_key=True),
    sa.Column("name_fr", sa.Text, nullable=False),
    sa.Column("name_en", sa.Text, nullable=False),
    sa.Column("price_cents", sa.BigInteger, nullable=False),
    sa.Column("shares_cents", sa.BigInteger, nullable=False),
    sa.Column("days", sa.Integer, nullable=False),
    sa.CheckConstraint("price_cents > 0 AND shares_cents >= 0 AND shares_cents <= price_cents", name="split"),
    sa.CheckConstraint("days > 0", name="days_positive"),
)

# The register. id: of the operation that booked the payment. The first and last day are both included.
membership = sa.Table(
    "membership",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("member", sa.ForeignKey("member.id"), nullable=False, index=True),
    sa.Column("plan", sa.ForeignKey("membership_plan.code"), nullable=False),
    sa.Column("price_cents", sa.BigInteger, nullable=False),
    sa.Column("shares_cents", sa.BigInteger, nullable=False),
    sa.Column("means", sa.Text, nullable=False),
    sa.Column("first_day", sa.Date, nullable=False),
    sa.Column("last_day", sa.Date, nullable=False),
    sa.Column("author", sa.Text, nullable=False),
    sa.CheckConstraint("means IN ('online', 'cash', 'transfer', 'card')", name="means_known"),
)

# The credit that every member of a mutual currency has from the start was opened: once, whatever becomes of it later.
credit_start = sa.Table(
    "credit_start",
    metadata,
    sa.Column("member", sa.ForeignKey("member.id"), primary_key=True),
    sa.Column("currency", sa.ForeignKey("currency.code"), primary_key=True),
)
