"""The ledger's tables. Operations, transfers and refusals are append-only, and an account's balance changes by a
transfer only: the guards in `app/ledger/guards.py` make the database itself refuse anything else.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from app.ledger.rules.kinds import KINDS, BookKind
from app.platform.tables import metadata


def _kinds_by_book() -> str:
    by_book = {book: sorted(k.name for k in KINDS.values() if k.book is book) for book in BookKind}
    return " OR ".join(
        f"(book_kind = '{book}' AND kind IN ({', '.join(repr(name) for name in names)}))"
        for book, names in by_book.items()
    )


def _where(condition: str) -> dict[str, Any]:
    return {"postgresql_where": sa.text(condition), "sqlite_where": sa.text(condition)}


# One row: the gap-free counters, the end of the seals' chain, and the lock under which every batch is posted.
# booked_at_us never runs backwards, whatever the clocks of several processes say.
head = sa.Table(
    "ledger_head",
    metadata,
    sa.Column("id", sa.SmallInteger, primary_key=True),
    sa.Column("operation_seq", sa.BigInteger, nullable=False),
    sa.Column("transfer_id", sa.BigInteger, nullable=False),
    sa.Column("seal_id", sa.BigInteger, nullable=False),
    sa.Column("seal_digest", sa.LargeBinary(32), nullable=False),
    sa.Column("booked_at_us", sa.BigInteger, nullable=False),
    sa.CheckConstraint("id = 1", name="single"),
)

book = sa.Table(
    "book",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("issuer", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("currency", sa.Text, nullable=False),
    sa.CheckConstraint("kind IN ('currency', 'reserve', 'operating')", name="kind_known"),
    sa.UniqueConstraint("issuer", "kind", "currency"),
    sa.UniqueConstraint("id", "kind"),
)

# balance: minor units on the account's normal side (normal = 1: credits less debits; -1: debits less credits).
# held: what open holds reserve of it.
# Over each peg group, sum(balance * peg_weight) is 0: liability = rate x issuance.
account = sa.Table(
    "account",
    metadata,
    sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True),
    sa.Column("book", sa.Integer, nullable=False),
    sa.Column("book_kind", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("owner", sa.Text, nullable=False),
    sa.Column("normal", sa.SmallInteger, nullable=False),
    sa.Column("floor", sa.BigInteger),
    sa.Column("ceiling", sa.BigInteger),
    sa.Column("balance", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("held", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("last_transfer", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("peg", sa.Integer),
    sa.Column("peg_weight", sa.BigInteger),
    sa.Column("opened_at_us", sa.BigInteger, nullable=False),
    sa.UniqueConstraint("book", "kind", "owner"),
    sa.ForeignKeyConstraint(["book", "book_kind"], ["book.id", "book.kind"], name="fk_account_book"),
    sa.CheckConstraint("normal IN (-1, 1)", name="normal_side"),
    sa.CheckConstraint("floor IS NULL OR balance - held >= floor", name="floor"),
    sa.CheckConstraint("held >= 0", name="held"),
    sa.CheckConstraint("ceiling IS NULL OR balance <= ceiling", name="ceiling"),
    sa.CheckConstraint("(peg IS NULL) = (peg_weight IS NULL)", name="peg_whole"),
    sa.CheckConstraint(_kinds_by_book(), name="kind_of_book"),
    sa.Index("ix_account_owner", "owner"),
    sa.Index(
        "ix_account_peg", "peg", postgresql_where=sa.text("peg IS NOT NULL"), sqlite_where=sa.text("peg IS NOT NULL")
    ),
    # Room on the page for new versions of a row: balance updates then touch no index.
    postgresql_with={"fillfactor": "50"},
)

# digest: SHA-256 of the operation and its transfers (app.ledger.rules.sealing), so that an altered one can be named.
# An operation's transfers are those numbered first_transfer to first_transfer + transfers - 1.
operation = sa.Table(
    "operation",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("seq", sa.BigInteger, nullable=False, unique=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("fingerprint", sa.LargeBinary(32), nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("venue", sa.Uuid),
    sa.Column("terminal", sa.Uuid),
    sa.Column("occurred_at_us", sa.BigInteger, nullable=False),
    sa.Column("booked_at_us", sa.BigInteger, nullable=False),
    sa.Column("business_day", sa.Date, nullable=False),
    sa.Column("late", sa.Boolean, nullable=False),
    sa.Column("policy", sa.Text, nullable=False),
    sa.Column("reverses", sa.Uuid),
    sa.Column("first_transfer", sa.BigInteger, nullable=False),
    sa.Column("transfers", sa.SmallInteger, nullable=False),
    sa.Column("details", sa.Text, nullable=False),
    sa.Column("digest", sa.LargeBinary(32), nullable=False),
    sa.CheckConstraint("transfers > 0", name="moves_something"),
    sa.Index("ix_operation_venue_day", "venue", "business_day", "seq"),
    sa.Index("ix_operation_terminal", "terminal", "seq"),
    sa.Index("ix_operation_reverses", "reverses", **_where("reverses IS NOT NULL")),
)

# debit_after, credit_after: both accounts' balances once this transfer was posted.
transfer = sa.Table(
    "transfer",
    metadata,
    sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=False),
    sa.Column("operation_seq", sa.BigInteger, nullable=False),
    sa.Column("debit_account", sa.BigInteger, nullable=False),
    sa.Column("credit_account", sa.BigInteger, nullable=False),
    sa.Column("amount", sa.BigInteger, nullable=False),
    sa.Column("debit_after", sa.BigInteger, nullable=False),
    sa.Column("credit_after", sa.BigInteger, nullable=False),
    sa.Column("reverses", sa.BigInteger),
    sa.CheckConstraint("amount > 0", name="amount_positive"),
    sa.CheckConstraint("debit_account <> credit_account", name="two_accounts"),
    sa.Index("ix_transfer_debit", "debit_account", "id"),
    sa.Index("ix_transfer_credit", "credit_account", "id"),
    sa.Index("ix_transfer_reverses", "reverses", **_where("reverses IS NOT NULL")),
)

# What was refused on its merits, under its key. A cancelled id that was never seen is a refusal in advance
# (a tombstone): its fingerprint is empty.
refusal = sa.Table(
    "refusal",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("fingerprint", sa.LargeBinary(32), nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("at_us", sa.BigInteger, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("details", sa.Text, nullable=False),
)

# One link per batch: the signed hash over its operations' digests and the link before it.
seal = sa.Table(
    "seal",
    metadata,
    sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=False),
    sa.Column("first_operation", sa.BigInteger, nullable=False),
    sa.Column("last_operation", sa.BigInteger, nullable=False),
    sa.Column("digest", sa.LargeBinary(32), nullable=False),
    sa.Column("signature", sa.LargeBinary(64), nullable=False),
    sa.Column("sealed_at_us", sa.BigInteger, nullable=False),
    sa.CheckConstraint("first_operation <= last_operation", name="range"),
)

# `amount` minor units of the account are set aside until the hold ends.
hold = sa.Table(
    "hold",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("fingerprint", sa.LargeBinary(32), nullable=False),
    sa.Column("account", sa.BigInteger, nullable=False, index=True),
    sa.Column("amount", sa.BigInteger, nullable=False),
    sa.Column("placed_at_us", sa.BigInteger, nullable=False),
    sa.Column("expires_at_us", sa.BigInteger, nullable=False, index=True),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("details", sa.Text, nullable=False),
    sa.CheckConstraint("amount > 0", name="amount_positive"),
)

# A hold ends once. `operation`: what captured it, wholly or in part; the rest is free again.
hold_end = sa.Table(
    "hold_end",
    metadata,
    sa.Column("hold", sa.Uuid, primary_key=True),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("operation", sa.Uuid),
    sa.Column("at_us", sa.BigInteger, nullable=False),
    sa.CheckConstraint("reason IN ('captured', 'released', 'expired')", name="reason_known"),
    sa.CheckConstraint("(reason = 'captured') = (operation IS NOT NULL)", name="captured_by"),
)
