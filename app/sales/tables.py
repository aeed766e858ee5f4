"""What terminals delivered, byte for byte, and what of it needs a person."""

from __future__ import annotations

import sqlalchemy as sa

from app.platform.tables import metadata

# Everything received is kept first. `review` says why a row waits for a person ("forked", "revoked", "old_epoch"); what
# is booked as it comes in has none. No uniqueness on (device, epoch, sequence): a forked journal has two branches,
# and both are evidence.
intake = sa.Table(
    "intake",
    metadata,
    sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True),
    sa.Column("device", sa.Uuid, nullable=False),
    sa.Column("epoch", sa.BigInteger, nullable=False),
    sa.Column("sequence", sa.BigInteger, nullable=False),
    sa.Column("previous", sa.Text, nullable=False),
    sa.Column("hash", sa.Text, nullable=False),
    sa.Column("payload", sa.Text, nullable=False),
    sa.Column("event", sa.Uuid),
    sa.Column("received_at_us", sa.BigInteger, nullable=False),
    sa.Column("review", sa.Text),
    sa.Index("ix_intake_position", "device", "epoch", "sequence"),
    sa.Index("ix_intake_event", "event"),
    sa.Index(
        "ix_intake_review",
        "device",
        postgresql_where=sa.text("review IS NOT NULL"),
        sqlite_where=sa.text("review IS NOT NULL"),
    ),
)

# What a person decided about a row that waited for them. No row of ours is ever changed: this stands beside it.
journal_review = sa.Table(
    "journal_review",
    metadata,
    sa.Column("row", sa.ForeignKey("intake.id"), primary_key=True, autoincrement=False),
    sa.Column("decision", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("decided_by", sa.Text, nullable=False),
    sa.Column("decided_at_us", sa.BigInteger, nullable=False),
    sa.CheckConstraint("decision IN ('booked', 'left_out')", name="decision_known"),
)

# One exception per event and kind. `operation`: what was booked, when something was.
exception = sa.Table(
    "sales_exception",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("event", sa.Uuid, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("venue", sa.Uuid, nullable=False, index=True),
    sa.Column("terminal", sa.Uuid, nullable=False),
    sa.Column("details", sa.Text, nullable=False),
    sa.Column("opened_at_us", sa.BigInteger, nullable=False),
    sa.Column("settled_at_us", sa.BigInteger),
    sa.Column("settled_by", sa.Text),
    sa.UniqueConstraint("event", "kind"),
)

# `document` is the text that was sealed (app.sales.closings.document); the columns repeat of it what is asked for.
# Closings of one subject and period are numbered from 1 and chained: `previous` is the digest of the one before.
closing = sa.Table(
    "closing",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("period", sa.Text, nullable=False),
    sa.Column("subject", sa.Uuid, nullable=False),
    sa.Column("number", sa.BigInteger, nullable=False),
    sa.Column("venue", sa.Uuid, nullable=False),
    sa.Column("day", sa.Date, nullable=False),
    sa.Column("document", sa.Text, nullable=False),
    sa.Column("previous", sa.LargeBinary(32), nullable=False),
    sa.Column("digest", sa.LargeBinary(32), nullable=False),
    sa.Column("signature", sa.LargeBinary(64), nullable=False),
    sa.Column("sealed_at_us", sa.BigInteger, nullable=False),
    sa.CheckConstraint(
        "period IN ('session', 'day', 'month', 'year', 'books_month', 'books_year')", name="period_known"
    ),
    sa.CheckConstraint("number >= 1", name="number_from_1"),
    sa.UniqueConstraint("subject", "period", "number"),
    sa.UniqueConstraint("digest"),
    sa.Index("ix_closing_venue_day", "venue", "day"),
)

# Each closing is gathered once by the next longer period: sessions by a day, days by a month, months by a year.
closing_part = sa.Table(
    "closing_part",
    metadata,
    sa.Column("part", sa.ForeignKey("closing.id"), primary_key=True),
    sa.Column("whole", sa.ForeignKey("closing.id"), nullable=False, index=True),
)

# What changes the cash of a drawer without a sale (app.sales.closings.drawer). `cents`: what the drawer gains. Of cash
# that was moved, `id` is the row's own and `reason` as in app.rules.takings.CashReason; `closing` says the rest.
drawer_move = sa.Table(
    "drawer_move",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("venue", sa.Uuid, nullable=False),
    sa.Column("terminal", sa.Uuid, nullable=False),
    sa.Column("business_day", sa.Date, nullable=False),
    sa.Column("occurred_at_us", sa.BigInteger, nullable=False),
    sa.Column("recorded_at_us", sa.BigInteger, nullable=False),
    sa.Column("cents", sa.BigInteger, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("note", sa.Text, nullable=False),
    sa.Column("closing", sa.ForeignKey("closing.id")),
    sa.CheckConstraint("kind IN ('cash', 'float', 'difference')", name="kind_known"),
    sa.CheckConstraint("(kind = 'cash') = (closing IS NULL)", name="closing_says_it"),
    sa.CheckConstraint("cents <> 0", name="moves_something"),
    sa.UniqueConstraint("closing", "kind", "venue"),
    sa.Index("ix_drawer_move_day", "venue", "business_day"),
)

# What was practised in training mode: kept apart from everything real, and booked nowhere. `event`: the row's id.
training = sa.Table(
    "training",
    metadata,
    sa.Column("event", sa.Uuid, primary_key=True),
    sa.Column("terminal", sa.Uuid, nullable=False),
    sa.Column("venue", sa.Uuid, nullable=False),
    sa.Column("number", sa.BigInteger, nullable=False),
    sa.Column("what", sa.Text, nullable=False),
    sa.Column("cashier", sa.Uuid),
    sa.Column("at_us", sa.BigInteger, nullable=False),
    sa.Column("payload", sa.Text, nullable=False),
    sa.CheckConstraint("what IN ('begin', 'end', 'sale', 'void')", name="what_known"),
    sa.Index("ix_training_venue_at", "venue", "at_us"),
)

# A tab is its hold in the ledger (`id`) and what was drunk on it. `sale`: the one that pays it, as asked for (JSON in
# `paid_by`); the tab is closed once that sale is booked, or its hold was released with nothing on it.
tab = sa.Table(
    "tab",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("venue", sa.Uuid, nullable=False),
    sa.Column("card", sa.Text, nullable=False),
    sa.Column("owner", sa.Text, nullable=False),
    sa.Column("currency", sa.Text, nullable=False),
    sa.Column("amount", sa.BigInteger, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("cashier", sa.Uuid),
    sa.Column("opened_at_us", sa.BigInteger, nullable=False),
    sa.Column("expires_at_us", sa.BigInteger, nullable=False),
    sa.Column("sale", sa.Uuid),
    sa.Column("paid_by", sa.Text),
    sa.Column("closer", sa.Uuid),
    sa.Column("closed_at_us", sa.BigInteger),
    sa.CheckConstraint("amount > 0", name="amount_positive"),
    sa.Index("ix_tab_venue_closed", "venue", "closed_at_us"),
)

# `round` is the id of what was added at once, `place` its place in it.
tab_item = sa.Table(
    "tab_item",
    metadata,
    sa.Column("round", sa.Uuid, primary_key=True),
    sa.Column("place", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("tab", sa.ForeignKey("tab.id"), nullable=False, index=True),
    sa.Column("product", sa.Uuid, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("quantity", sa.Integer, nullable=False),
    sa.Column("unit_price", sa.BigInteger, nullable=False),
    sa.Column("terminal", sa.Uuid, nullable=False),
    sa.Column("cashier", sa.Uuid),
    sa.Column("at_us", sa.BigInteger, nullable=False),
)

# Sales without a card, gifts of the house, and what took them back: nothing of it is in the ledger. `id` is the sale's
# own, or the void's; `details` is JSON, as a sale's operation keeps it. Rows stay as they are (app.sales.keeping).
till_record = sa.Table(
    "till_record",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("sale", sa.Uuid, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("fingerprint", sa.LargeBinary, nullable=False),
    sa.Column("venue", sa.Uuid, nullable=False),
    sa.Column("terminal", sa.Uuid, nullable=False),
    sa.Column("business_day", sa.Date, nullable=False),
    sa.Column("late", sa.Boolean, nullable=False),
    sa.Column("occurred_at_us", sa.BigInteger, nullable=False),
    sa.Column("recorded_at_us", sa.BigInteger, nullable=False),
    sa.Column("details", sa.Text, nullable=False),
    sa.CheckConstraint("kind IN ('sale', 'house', 'void')", name="kind_known"),
    sa.Index("ix_till_record_day", "venue", "business_day"),
    sa.Index(
        "uq_till_record_taken_back",
        "sale",
        unique=True,
        sqlite_where=sa.text("kind = 'void'"),
        postgresql_where=sa.text("kind = 'void'"),
    ),
)
