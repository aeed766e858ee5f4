"""The tables of the figures. Written by `follow` alone, in one transaction with the number that it has come to."""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa

from app.platform.tables import metadata

# One row: everything up to transfer number `transfer` is in the figures, and nothing after it. Whoever adds to them
# locks it.
figures_head = sa.Table(
    "figures_head",
    metadata,
    sa.Column("id", sa.SmallInteger, primary_key=True),
    sa.Column("transfer", sa.BigInteger, nullable=False),
    sa.CheckConstraint("id = 1", name="single"),
)

# What operations of one kind moved on one business day between two kinds of account. Holders' accounts are one: their
# owner is ''. `venue`: where it was booked, all zeros for nowhere.
day_flow = sa.Table(
    "day_flow",
    metadata,
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("book", sa.Integer, primary_key=True),
    sa.Column("kind", sa.Text, primary_key=True),
    sa.Column("venue", sa.Uuid, primary_key=True),
    sa.Column("debit_kind", sa.Text, primary_key=True),
    sa.Column("debit_owner", sa.Text, primary_key=True),
    sa.Column("credit_kind", sa.Text, primary_key=True),
    sa.Column("credit_owner", sa.Text, primary_key=True),
    sa.Column("amount", sa.BigInteger, nullable=False),
    sa.Column("transfers", sa.BigInteger, nullable=False),
    sa.CheckConstraint("amount > 0 AND transfers > 0", name="moves_something"),
)

# The same by calendar month, named by its first day: a year is then no more rows than its months are.
month_flow = sa.Table(
    "month_flow",
    metadata,
    sa.Column("month", sa.Date, primary_key=True),
    sa.Column("book", sa.Integer, primary_key=True),
    sa.Column("kind", sa.Text, primary_key=True),
    sa.Column("venue", sa.Uuid, primary_key=True),
    sa.Column("debit_kind", sa.Text, primary_key=True),
    sa.Column("debit_owner", sa.Text, primary_key=True),
    sa.Column("credit_kind", sa.Text, primary_key=True),
    sa.Column("credit_owner", sa.Text, primary_key=True),
    sa.Column("amount", sa.BigInteger, nullable=False),
    sa.Column("transfers", sa.BigInteger, nullable=False),
    sa.CheckConstraint("amount > 0 AND transfers > 0", name="moves_something"),
)

# What one transfer brought into a purse (a holder's wallet and overdraft in one book), and how much of it is left.
# `part`: money that a void gives back comes in the parts in which it was spent. `origin`: the venue where it was
# loaded, all zeros where at none; `day`: when.
lot = sa.Table(
    "lot",
    metadata,
    sa.Column("transfer", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("part", sa.SmallInteger, primary_key=True, autoincrement=False),
    sa.Column("book", sa.Integer, nullable=False),
    sa.Column("owner", sa.Text, nullable=False),
    sa.Column("origin", sa.Uuid, nullable=False),
    sa.Column("day", sa.Date, nullable=False),
    sa.Column("amount", sa.BigInteger, nullable=False),
    sa.Column("remaining", sa.BigInteger, nullable=False),
    sa.CheckConstraint("remaining >= 0 AND remaining <= amount AND amount > 0", name="remains_of_it"),
    sa.Index(
        "ix_lot_open",
        "owner",
        "book",
        postgresql_where=sa.text("remaining > 0"),
        sqlite_where=sa.text("remaining > 0"),
    ),
)

# Which lots a transfer out of a purse was paid from. `returned`: how much of it a void has given back.
lot_use = sa.Table(
    "lot_use",
    metadata,
    sa.Column("transfer", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("place", sa.SmallInteger, primary_key=True, autoincrement=False),
    sa.Column("origin", sa.Uuid, nullable=False),
    sa.Column("day", sa.Date, nullable=False),
    sa.Column("amount", sa.BigInteger, nullable=False),
    sa.Column("returned", sa.BigInteger, nullable=False),
    sa.CheckConstraint("returned >= 0 AND returned <= amount AND amount > 0", name="returned_of_it"),
)

# What a transfer took out of a purse beyond all that was in it (an offline sale), until a load makes it good.
shortfall = sa.Table(
    "shortfall",
    metadata,
    sa.Column("transfer", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("book", sa.Integer, nullable=False),
    sa.Column("owner", sa.Text, nullable=False),
    sa.Column("purpose", sa.Text, nullable=False),
    sa.Column("venue", sa.Uuid, nullable=False),
    sa.Column("amount", sa.BigInteger, nullable=False),
    sa.Column("remaining", sa.BigInteger, nullable=False),
    sa.CheckConstraint("remaining >= 0 AND remaining <= amount AND amount > 0", name="remains_of_it"),
    sa.Index(
        "ix_shortfall_open",
        "owner",
        "book",
        postgresql_where=sa.text("remaining > 0"),
        sqlite_where=sa.text("remaining > 0"),
    ),
)

# Money by where it was loaded and where it went, by the business day on which it went. `purpose`: the kind of account
# that it went to; `venue`: whose, all zeros for nobody's. Below zero where more came back that day than went.
spent_from = sa.Table(
    "spent_from",
    metadata,
    sa.Column("day", sa.Date, primary_key=True),
    sa.Column("book", sa.Integer, primary_key=True),
    sa.Column("origin", sa.Uuid, primary_key=True),
    sa.Column("purpose", sa.Text, primary_key=True),
    sa.Column("venue", sa.Uuid, primary_key=True),
    sa.Column("amount", sa.BigInteger, nullable=False),
)

# The same by calendar month.
spent_month = sa.Table(
    "spent_month",
    metadata,
    sa.Column("month", sa.Date, primary_key=True),
    sa.Column("book", sa.Integer, primary_key=True),
    sa.Column("origin", sa.Uuid, primary_key=True),
    sa.Column("purpose", sa.Text, primary_key=True),
    sa.Column("venue", sa.Uuid, primary_key=True),
    sa.Column("amount", sa.BigInteger, nullable=False),
)


def month_of(day: sa.ColumnElement[date], *, sqlite: bool) -> sa.ColumnElement[date]:
    """The first day of the month that a day lies in."""
    if sqlite:
        return sa.type_coerce(sa.func.date(day, "start of month"), sa.Date)
    return sa.cast(sa.func.date_trunc("month", day), sa.Date)
