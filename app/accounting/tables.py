"""What the books hold for good: entries of closed months, line by line, and how each set of books is kept."""

from __future__ import annotations

from uuid import UUID

import sqlalchemy as sa

from app.platform.tables import metadata

# The network has no venue's id; its books bear this one.
NETWORK_BOOKS = UUID(int=0)

# `books`: NETWORK_BOOKS or a venue. `changed` is JSON: [number, name] by key, where it is not the default.
settings = sa.Table(
    "books_settings",
    metadata,
    sa.Column("books", sa.Uuid, primary_key=True),
    sa.Column("legal_name", sa.Text, nullable=False),
    sa.Column("siren", sa.Text, nullable=False),
    sa.Column("regime", sa.Text, nullable=False),
    sa.Column("year_starts", sa.SmallInteger, nullable=False),
    sa.Column("changed", sa.Text, nullable=False),
    sa.CheckConstraint("regime IN ('association', 'cooperative')", name="regime_known"),
    sa.CheckConstraint("year_starts BETWEEN 1 AND 12", name="month"),
)

# One line of an entry, in euro cents. Entries are numbered from 1 in each journal of an exercise (named by the year in
# which it begins). `closing` is the number of the monthly closing that wrote it; with its seal it stays as it is
# (app.accounting.guards). `piece`: the operation or record that it comes from.
line = sa.Table(
    "books_line",
    metadata,
    sa.Column("books", sa.Uuid, primary_key=True),
    sa.Column("exercise", sa.SmallInteger, primary_key=True, autoincrement=False),
    sa.Column("journal", sa.Text, primary_key=True),
    sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("place", sa.SmallInteger, primary_key=True, autoincrement=False),
    sa.Column("closing", sa.BigInteger, nullable=False),
    sa.Column("day", sa.Date, nullable=False),
    sa.Column("account", sa.Text, nullable=False),
    sa.Column("party", sa.Text, nullable=False),
    sa.Column("piece", sa.Text, nullable=False),
    sa.Column("piece_day", sa.Date, nullable=False),
    sa.Column("label", sa.Text, nullable=False),
    sa.Column("debit", sa.BigInteger, nullable=False),
    sa.Column("credit", sa.BigInteger, nullable=False),
    sa.CheckConstraint("number >= 1 AND place >= 1", name="numbered_from_1"),
    sa.CheckConstraint("(debit > 0 AND credit = 0) OR (debit = 0 AND credit > 0)", name="one_side"),
    sa.Index("ix_books_line_account", "books", "account", "exercise", "journal", "number"),
)

# Records of a venue's till that are in its books: their clocks are not the ledger's, so each is named.
booked_record = sa.Table(
    "books_record",
    metadata,
    sa.Column("record", sa.ForeignKey("till_record.id"), primary_key=True),
    sa.Column("closing", sa.BigInteger, nullable=False),
)

# The same of cash that a drawer gained or lost without a sale.
booked_drawer = sa.Table(
    "books_drawer",
    metadata,
    sa.Column("move", sa.ForeignKey("drawer_move.id"), primary_key=True),
    sa.Column("closing", sa.BigInteger, nullable=False),
)
