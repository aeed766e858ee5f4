"""Statements as the bank made them, what each line was found to be, and cash on its way. Rows are only ever added."""

from __future__ import annotations

import sqlalchemy as sa

from app.platform.tables import metadata

# digest: SHA-256 of the file. Amounts in euro cents; opening + lines = closing.
statement = sa.Table(
    "bank_statement",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("iban", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("digest", sa.LargeBinary(32), nullable=False, unique=True),
    sa.Column("first_day", sa.Date, nullable=False),
    sa.Column("last_day", sa.Date, nullable=False),
    sa.Column("opening_cents", sa.BigInteger),
    sa.Column("closing_cents", sa.BigInteger),
    sa.Column("imported_by", sa.Text, nullable=False),
    sa.Column("imported_at_us", sa.BigInteger, nullable=False),
    sa.CheckConstraint("first_day <= last_day", name="days_in_order"),
    sa.CheckConstraint("(opening_cents IS NULL) = (closing_cents IS NULL)", name="balances_whole"),
)

# key: what tells this line from every other of the account, so that overlapping statements bring each but once.
# amount_cents: above 0 came in, below 0 went out.
line = sa.Table(
    "bank_line",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("statement", sa.ForeignKey("bank_statement.id"), nullable=False, index=True),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("iban", sa.Text, nullable=False),
    sa.Column("key", sa.Text, nullable=False),
    sa.Column("day", sa.Date, nullable=False),
    sa.Column("amount_cents", sa.BigInteger, nullable=False),
    sa.Column("party", sa.Text, nullable=False),
    sa.Column("party_iban", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("reference", sa.Text, nullable=False),
    sa.UniqueConstraint("iban", "key"),
    sa.CheckConstraint("amount_cents <> 0", name="moves_something"),
)

# What a line was found to be; the newest number counts. kind: payout (of `subject`, the payment provider), remittance
# and handover (of `subject`, the venue), payment (of a settlement run; `subject`
# is its end-to-end id), aside (none of our business, with the reason),
# undone (open again). operation: what was booked for it.
match = sa.Table(
    "bank_match",
    metadata,
    sa.Column("line", sa.ForeignKey("bank_line.id"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("operation", sa.Uuid),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("decided_by", sa.Text, nullable=False),
    sa.Column("decided_at_us", sa.BigInteger, nullable=False),
    sa.CheckConstraint("kind IN ('payout', 'remittance', 'handover', 'payment', 'aside', 'undone')", name="kind_known"),
    sa.CheckConstraint("kind NOT IN ('payout', 'remittance') OR operation IS NOT NULL", name="booked"),
    sa.CheckConstraint("kind NOT IN ('aside', 'undone') OR reason <> ''", name="says_why"),
)

# Cash that a venue says it hands in, or sends by transfer with the reference.
handover = sa.Table(
    "handover",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("venue", sa.ForeignKey("venue.id"), nullable=False, index=True),
    sa.Column("amount_cents", sa.BigInteger, nullable=False),
    sa.Column("means", sa.Text, nullable=False),
    sa.Column("reference", sa.Text, nullable=False, unique=True),
    sa.Column("declared_by", sa.Text, nullable=False),
    sa.Column("declared_at_us", sa.BigInteger, nullable=False),
    sa.CheckConstraint("amount_cents > 0", name="positive"),
    sa.CheckConstraint("means IN ('cash', 'transfer')", name="means_known"),
)

# How it ended: counted by somebody else, or taken back by the venue.
handover_end = sa.Table(
    "handover_end",
    metadata,
    sa.Column("handover", sa.ForeignKey("handover.id"), primary_key=True),
    sa.Column("outcome", sa.Text, nullable=False),
    sa.Column("operation", sa.Uuid),
    sa.Column("ended_by", sa.Text, nullable=False),
    sa.Column("ended_at_us", sa.BigInteger, nullable=False),
    sa.CheckConstraint("outcome IN ('received', 'withdrawn')", name="outcome_known"),
    sa.CheckConstraint("(outcome = 'received') = (operation IS NOT NULL)", name="received_is_booked"),
)

# Reports of payment providers on their payouts, and their rows. key: the provider's name for a row; payout: for the
# payout that it came with. Euro cents; net = gross - fee. names: JSON, by which a payment may be known.
payout_report = sa.Table(
    "payout_report",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("provider", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("digest", sa.LargeBinary(32), nullable=False, unique=True),
    sa.Column("imported_by", sa.Text, nullable=False),
    sa.Column("imported_at_us", sa.BigInteger, nullable=False),
)

payout_line = sa.Table(
    "payout_line",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("report", sa.ForeignKey("payout_report.id"), nullable=False, index=True),
    sa.Column("provider", sa.Text, nullable=False),
    sa.Column("key", sa.Text, nullable=False),
    sa.Column("payout", sa.Text, nullable=False),
    sa.Column("day", sa.Date, nullable=False),
    sa.Column("category", sa.Text, nullable=False),
    sa.Column("gross_cents", sa.BigInteger, nullable=False),
    sa.Column("fee_cents", sa.BigInteger, nullable=False),
    sa.Column("net_cents", sa.BigInteger, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("names", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.UniqueConstraint("provider", "key"),
    sa.CheckConstraint("net_cents = gross_cents - fee_cents", name="adds_up"),
    sa.Index("ix_payout_line_payout", "provider", "payout"),
    sa.Index("ix_payout_line_day", "day"),
)

# Which payout a decision about a line of the bank is about; it stands as long as that decision does.
payout_match = sa.Table(
    "payout_match",
    metadata,
    sa.Column("line", sa.Uuid, primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("provider", sa.Text, nullable=False),
    sa.Column("payout", sa.Text, nullable=False),
    sa.ForeignKeyConstraint(["line", "number"], ["bank_match.line", "bank_match.number"]),
    sa.Index("ix_payout_match_payout", "provider", "payout"),
)
