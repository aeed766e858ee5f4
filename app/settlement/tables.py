"""Terms of settlement, bank details, and runs. Rows are only ever added: app/settlement/guards.py sees to it."""

from __future__ import annotations

import sqlalchemy as sa

from app.platform.tables import metadata

# What holds is the newest row of a subject: "network", or "venue:<id>". terms: JSON (app.settlement.terms).
terms = sa.Table(
    "settlement_terms",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("terms", sa.Text, nullable=False),
    sa.Column("author", sa.Text, nullable=False),
    sa.Column("at_us", sa.BigInteger, nullable=False),
    sa.Index("ix_settlement_terms_subject", "subject", "at_us"),
)

# A bank account as somebody asked for it; subject: whose it is, as above.
bank_account = sa.Table(
    "bank_account",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("holder", sa.Text, nullable=False),
    sa.Column("iban", sa.Text, nullable=False),
    sa.Column("bic", sa.Text, nullable=False),
    sa.Column("street", sa.Text, nullable=False),
    sa.Column("building", sa.Text, nullable=False),
    sa.Column("postcode", sa.Text, nullable=False),
    sa.Column("town", sa.Text, nullable=False),
    sa.Column("country", sa.Text, nullable=False),
    sa.Column("asked_by", sa.Text, nullable=False),
    sa.Column("asked_at_us", sa.BigInteger, nullable=False),
    sa.CheckConstraint("iban <> '' AND holder <> ''", name="named"),
    sa.CheckConstraint("(town = '') = (country = '')", name="address_whole"),
    sa.Index("ix_bank_account_subject", "subject", "asked_at_us"),
)

# What a second person decided; an approved account holds from effective_at_us on.
bank_account_decision = sa.Table(
    "bank_account_decision",
    metadata,
    sa.Column("account", sa.ForeignKey("bank_account.id"), primary_key=True),
    sa.Column("decision", sa.Text, nullable=False),
    sa.Column("decided_by", sa.Text, nullable=False),
    sa.Column("decided_at_us", sa.BigInteger, nullable=False),
    sa.Column("effective_at_us", sa.BigInteger),
    sa.CheckConstraint("decision IN ('approved', 'refused')", name="decision_known"),
    sa.CheckConstraint("(decision = 'approved') = (effective_at_us IS NOT NULL)", name="effective_whole"),
    sa.CheckConstraint("effective_at_us >= decided_at_us", name="effective_later"),
)


# percent: how much of what can be redeemed is. Runs are numbered from 1 without a gap.
run = sa.Table(
    "settlement_run",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("number", sa.Integer, nullable=False, unique=True),
    sa.Column("cut_off_us", sa.BigInteger, nullable=False),
    sa.Column("percent", sa.Integer, nullable=False),
    sa.CheckConstraint("percent BETWEEN 1 AND 100", name="percent_whole"),
    sa.CheckConstraint("number >= 1", name="number_from_1"),
)

# Where a run stands is its newest event. seq, transfer: the position in the ledger that it was about: for "frozen",
# that of the cut-off; for others, that of the moment.
event = sa.Table(
    "settlement_event",
    metadata,
    sa.Column("run", sa.ForeignKey("settlement_run.id"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("at_us", sa.BigInteger, nullable=False),
    sa.Column("seq", sa.BigInteger, nullable=False),
    sa.Column("transfer", sa.BigInteger, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
)

# figures: JSON (app.settlement.rules.amounts.Figures), "{}" for a venue that is not settled this time. payment_cents
# repeats of them what is asked for.
statement = sa.Table(
    "settlement_statement",
    metadata,
    sa.Column("run", sa.ForeignKey("settlement_run.id"), primary_key=True),
    sa.Column("venue", sa.ForeignKey("venue.id"), primary_key=True),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("payment_cents", sa.BigInteger, nullable=False),
    sa.Column("figures", sa.Text, nullable=False),
    sa.CheckConstraint("state IN ('included', 'not_its_turn', 'under_minimum')", name="state_known"),
    sa.CheckConstraint("payment_cents >= 0", name="payment_not_negative"),
)

# cents: what the line adds to what the venue is owed; units: minor units of the currency that it is about. opening,
# closing: of the account whose transfers above from_transfer and up to upto_transfer it is made of.
line = sa.Table(
    "settlement_line",
    metadata,
    sa.Column("run", sa.ForeignKey("settlement_run.id"), primary_key=True),
    sa.Column("venue", sa.ForeignKey("venue.id"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("issuer", sa.Text, nullable=False),
    sa.Column("currency", sa.Text, nullable=False),
    sa.Column("units", sa.BigInteger, nullable=False),
    sa.Column("cents", sa.BigInteger, nullable=False),
    sa.Column("year", sa.Integer),
    sa.Column("account", sa.BigInteger),
    sa.Column("opening", sa.BigInteger, nullable=False),
    sa.Column("closing", sa.BigInteger, nullable=False),
    sa.Column("from_transfer", sa.BigInteger, nullable=False),
    sa.Column("upto_transfer", sa.BigInteger, nullable=False),
    sa.Index("ix_settlement_line_year", "venue", "year"),
)

# What a card owes after offline sales, and to whom it is laid: venue NULL for what went into no venue's claim.
cover = sa.Table(
    "settlement_cover",
    metadata,
    sa.Column("run", sa.ForeignKey("settlement_run.id"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("owner", sa.Text, nullable=False),
    sa.Column("currency", sa.ForeignKey("currency.code"), nullable=False),
    sa.Column("venue", sa.ForeignKey("venue.id")),
    sa.Column("units", sa.BigInteger, nullable=False),
    sa.Column("venue_units", sa.BigInteger, nullable=False),
    sa.CheckConstraint("units > 0 AND venue_units BETWEEN 0 AND units", name="units_whole"),
)

# line NULL: the whole statement.
answer = sa.Table(
    "settlement_answer",
    metadata,
    sa.Column("run", sa.ForeignKey("settlement_run.id"), primary_key=True),
    sa.Column("venue", sa.ForeignKey("venue.id"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("line", sa.Integer),
    sa.Column("answer", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("at_us", sa.BigInteger, nullable=False),
    sa.CheckConstraint("answer IN ('accepted', 'disputed')", name="answer_known"),
    sa.CheckConstraint("answer = 'accepted' OR (text <> '' AND line IS NOT NULL)", name="dispute_says_why"),
)

# What of a line waits for the next run, as somebody said before the approval: the newest row of a line counts, and
# units 0 take it back. units: of a claim, minor units of its currency; else euro cents. owner: who sees to it
# ("person:<id>").
later = sa.Table(
    "settlement_later",
    metadata,
    sa.Column("run", sa.ForeignKey("settlement_run.id"), primary_key=True),
    sa.Column("venue", sa.ForeignKey("venue.id"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("line", sa.Integer, nullable=False),
    sa.Column("units", sa.BigInteger, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("owner", sa.Text, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("at_us", sa.BigInteger, nullable=False),
    sa.CheckConstraint("units >= 0", name="units_not_negative"),
    sa.CheckConstraint("units = 0 OR (reason <> '' AND owner <> '')", name="waiting_says_why"),
)

# Figures of a statement of which something waits, as they were approved: what is frozen stays beside them.
agreed = sa.Table(
    "settlement_agreed",
    metadata,
    sa.Column("run", sa.ForeignKey("settlement_run.id"), primary_key=True),
    sa.Column("venue", sa.ForeignKey("venue.id"), primary_key=True),
    sa.Column("payment_cents", sa.BigInteger, nullable=False),
    sa.Column("figures", sa.Text, nullable=False),
    sa.CheckConstraint("payment_cents >= 0", name="payment_not_negative"),
)

# Venues that the approval leaves to the next run.
left_out = sa.Table(
    "settlement_left_out",
    metadata,
    sa.Column("run", sa.ForeignKey("settlement_run.id"), primary_key=True),
    sa.Column("venue", sa.ForeignKey("venue.id"), primary_key=True),
    sa.Column("reason", sa.Text, nullable=False),
)

# What an issuer bills a venue in a run, VAT included, numbered from 1 without a gap for each issuer and year.
invoice = sa.Table(
    "settlement_invoice",
    metadata,
    sa.Column("issuer", sa.Text, primary_key=True),
    sa.Column("year", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("run", sa.ForeignKey("settlement_run.id"), nullable=False),
    sa.Column("venue", sa.ForeignKey("venue.id"), nullable=False),
    sa.Column("redemption_cents", sa.BigInteger, nullable=False),
    sa.Column("network_cents", sa.BigInteger, nullable=False),
    sa.Column("vat_cents", sa.BigInteger, nullable=False),
    sa.Column("at_us", sa.BigInteger, nullable=False),
    sa.UniqueConstraint("run", "venue", "issuer"),
    sa.CheckConstraint("redemption_cents + network_cents > 0", name="bills_something"),
)

# account: the bank details that it is sent to. end_to_end: what the bank names it by.
payment = sa.Table(
    "settlement_payment",
    metadata,
    sa.Column("run", sa.ForeignKey("settlement_run.id"), primary_key=True),
    sa.Column("venue", sa.ForeignKey("venue.id"), primary_key=True),
    sa.Column("end_to_end", sa.Text, nullable=False, unique=True),
    sa.Column("amount_cents", sa.BigInteger, nullable=False),
    sa.Column("account", sa.ForeignKey("bank_account.id"), nullable=False),
    sa.CheckConstraint("amount_cents > 0", name="amount_positive"),
)

# What the bank said about a payment. source: the digest of its file, or who typed it in.
payment_event = sa.Table(
    "settlement_payment_event",
    metadata,
    sa.Column("run", sa.ForeignKey("settlement_run.id"), primary_key=True),
    sa.Column("venue", sa.ForeignKey("venue.id"), primary_key=True),
    sa.Column("kind", sa.Text, primary_key=True),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("at_us", sa.BigInteger, nullable=False),
    sa.CheckConstraint("kind IN ('executed', 'rejected', 'returned')", name="kind_known"),
)

# The file for the bank, byte for byte.
file = sa.Table(
    "settlement_file",
    metadata,
    sa.Column("run", sa.ForeignKey("settlement_run.id"), primary_key=True),
    sa.Column("message", sa.Text, nullable=False, unique=True),
    sa.Column("document", sa.Text, nullable=False),
    sa.Column("made_at_us", sa.BigInteger, nullable=False),
)

# Transfers to others than venues, such as refunds to holders: a file is made by one person and released by another.
outgoing_file = sa.Table(
    "outgoing_file",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("message", sa.Text, nullable=False, unique=True),
    sa.Column("document", sa.Text, nullable=False),
    sa.Column("made_by", sa.Text, nullable=False),
    sa.Column("made_at_us", sa.BigInteger, nullable=False),
)

outgoing_release = sa.Table(
    "outgoing_release",
    metadata,
    sa.Column("file", sa.ForeignKey("outgoing_file.id"), primary_key=True),
    sa.Column("released_by", sa.Text, nullable=False),
    sa.Column("released_at_us", sa.BigInteger, nullable=False),
)

# id: made by the room whose payment it is. end_to_end: what the bank names it by.
outgoing_transfer = sa.Table(
    "outgoing_transfer",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("file", sa.ForeignKey("outgoing_file.id"), nullable=False, index=True),
    sa.Column("end_to_end", sa.Text, nullable=False, unique=True),
    sa.Column("amount_cents", sa.BigInteger, nullable=False),
    sa.Column("holder", sa.Text, nullable=False),
    sa.Column("iban", sa.Text, nullable=False),
    sa.CheckConstraint("amount_cents > 0", name="amount_positive"),
)

# What the bank said of one. source: the digest of its file, the line of its statement, or "hand".
outgoing_answer = sa.Table(
    "outgoing_answer",
    metadata,
    sa.Column("transfer", sa.ForeignKey("outgoing_transfer.id"), primary_key=True),
    sa.Column("kind", sa.Text, primary_key=True),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("at_us", sa.BigInteger, nullable=False),
    sa.CheckConstraint("kind IN ('executed', 'rejected', 'returned')", name="kind_known"),
)
