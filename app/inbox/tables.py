"""What was done about faults. Rows are only ever added (app.inbox.guards); the newest tells how a fault stands."""

from __future__ import annotations

import sqlalchemy as sa

from app.platform.tables import metadata

# fault: its key (app.inbox.rules). owner: whose it is from then on ("person:<id>"), "" nobody's. operation: what the
# step booked.
step = sa.Table(
    "inbox_step",
    metadata,
    sa.Column("fault", sa.Text, primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("act", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("owner", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("operation", sa.Uuid),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("at_us", sa.BigInteger, nullable=False),
    sa.Index("ix_inbox_step_at_us", "at_us"),
    sa.CheckConstraint("act IN ('take', 'give', 'wait', 'open', 'note', 'done', 'book')", name="act_known"),
    sa.CheckConstraint("state IN ('open', 'waiting', 'done')", name="state_known"),
    sa.CheckConstraint("act <> 'book' OR (operation IS NOT NULL AND text <> '')", name="booking_says_why"),
    sa.CheckConstraint("act <> 'note' OR text <> ''", name="note_says_something"),
)
