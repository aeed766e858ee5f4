"""What terminals saw at doors, as they told it: added once, never changed."""

from __future__ import annotations

import sqlalchemy as sa

from app.platform.tables import metadata

# id: the row's. ticket: as the code or the list named it; who forged a journal may have named none of ours. at_us: by
# the terminal's clock; received_at_us by ours. cashier: a person's id, as the terminal knew it.
passage = sa.Table(
    "passage",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("event", sa.Uuid, nullable=False),
    sa.Column("ticket", sa.Uuid, nullable=False),
    sa.Column("terminal", sa.ForeignKey("terminal.id"), nullable=False),
    sa.Column("direction", sa.Text, nullable=False),
    sa.Column("result", sa.Text, nullable=False),
    sa.Column("means", sa.Text, nullable=False),
    sa.Column("cashier", sa.Uuid),
    sa.Column("at_us", sa.BigInteger, nullable=False),
    sa.Column("received_at_us", sa.BigInteger, nullable=False),
    sa.CheckConstraint("direction IN ('in', 'out')", name="direction_known"),
    sa.CheckConstraint("means IN ('card', 'code', 'list')", name="means_known"),
    sa.Index("ix_passage_event_received", "event", "received_at_us"),
)
