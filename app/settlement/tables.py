"""Terms of settlement and bank details. Rows are only ever added: app/settlement/guards.py sees to it."""

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
