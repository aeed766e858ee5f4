"""What is issued in batches, vouchers that wait, and credit lines. The money itself is in the ledger alone."""

from __future__ import annotations

import sqlalchemy as sa

from app.platform.tables import metadata

# A batch is kept before anything of it is booked, so that sending it again finishes it. `content`: SHA-256 of what was
# asked for; `venue` is None for the network's own. `valid_until_us`: of vouchers, where they have an end. `wallet`: of
# a voucher that a holder bought, whose money it is until somebody uses it.
issue_batch = sa.Table(
    "issue_batch",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("currency", sa.Text, sa.ForeignKey("currency.code"), nullable=False),
    sa.Column("venue", sa.Uuid),
    sa.Column("amount", sa.BigInteger, nullable=False),
    sa.Column("parts", sa.Integer, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("valid_until_us", sa.BigInteger),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("content", sa.LargeBinary(32), nullable=False),
    sa.Column("made_at_us", sa.BigInteger, nullable=False, index=True),
    sa.Column("wallet", sa.Uuid, index=True),
    sa.CheckConstraint("kind IN ('gifts', 'vouchers')", name="kind_known"),
    sa.CheckConstraint("amount > 0 AND parts > 0", name="something"),
)

# The voucher's id is the id of the one operation that ends it, so the ledger itself lets it end once: used, cancelled
# or lapsed. Only the SHA-256 of its code is kept: a copy of the database spends none.
voucher = sa.Table(
    "voucher",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("batch", sa.ForeignKey("issue_batch.id"), nullable=False),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("code_sha256", sa.LargeBinary(32), nullable=False, unique=True),
    sa.UniqueConstraint("batch", "number"),
)

# A member's credit line in a mutual currency: asked for by one person, decided by another. The last one granted holds.
# `policy`: the version of the currency's rules at the decision.
credit_line = sa.Table(
    "credit_line",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("currency", sa.Text, sa.ForeignKey("currency.code"), nullable=False),
    sa.Column("card", sa.ForeignKey("card.id"), nullable=False),
    sa.Column("wallet", sa.ForeignKey("wallet.id"), nullable=False, index=True),
    sa.Column("credit", sa.BigInteger, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("asked_by", sa.Text, nullable=False),
    sa.Column("asked_at_us", sa.BigInteger, nullable=False),
    sa.Column("decided_by", sa.Text),
    sa.Column("decided_at_us", sa.BigInteger),
    sa.Column("policy", sa.Text),
    sa.CheckConstraint("credit >= 0", name="credit_not_negative"),
    sa.CheckConstraint("state IN ('asked', 'granted', 'refused')", name="state_known"),
    sa.CheckConstraint("(state = 'asked') = (decided_by IS NULL)", name="decided"),
    sa.CheckConstraint("state <> 'granted' OR decided_by <> asked_by", name="two_people"),
)
