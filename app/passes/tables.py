"""What is sold for several dates at once, and who has it."""

from __future__ import annotations

import sqlalchemy as sa

from app.platform.tables import metadata

# venue: who sells it. kind: a pass has a place at every date, a subscription at `places` that are chosen.
# amount: minor units of `currency`. quota: how many are sold at most. held, sold: how many are.
pass_plan = sa.Table(
    "pass_plan",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("venue", sa.ForeignKey("venue.id"), nullable=False, index=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("name_fr", sa.Text, nullable=False),
    sa.Column("name_en", sa.Text, nullable=False),
    sa.Column("currency", sa.ForeignKey("currency.code"), nullable=False),
    sa.Column("amount", sa.BigInteger, nullable=False),
    sa.Column("places", sa.Integer, nullable=False),
    sa.Column("quota", sa.Integer),
    sa.Column("held", sa.Integer, nullable=False, server_default=sa.text("0")),
    sa.Column("sold", sa.Integer, nullable=False, server_default=sa.text("0")),
    sa.Column("sale_until_us", sa.BigInteger),
    sa.Column("created_at_us", sa.BigInteger, nullable=False),
    sa.Column("ended_at_us", sa.BigInteger),
    sa.CheckConstraint("kind IN ('pass', 'subscription')", name="kind_known"),
    sa.CheckConstraint("name_fr <> ''", name="named"),
    sa.CheckConstraint("amount > 0 AND places > 0", name="something"),
    sa.CheckConstraint("held >= 0 AND sold >= 0", name="counted"),
    sa.CheckConstraint("quota IS NULL OR held + sold <= quota", name="quota_kept"),
)

# price: that at which its place counts among the event's. weight: what of the whole is this date's, beside the others.
pass_date = sa.Table(
    "pass_date",
    metadata,
    sa.Column("plan", sa.ForeignKey("pass_plan.id"), primary_key=True),
    sa.Column("event", sa.ForeignKey("event.id"), primary_key=True, index=True),
    sa.Column("price", sa.ForeignKey("event_price.id"), nullable=False, index=True),
    sa.Column("weight", sa.BigInteger, nullable=False),
    sa.CheckConstraint("weight > 0", name="weighs"),
)

# id: also that of the operation which sets its money aside. The states are those of an order (app/events/orders.py);
# closed: a subscription whose dates are over, of which nothing is set aside any more.
pass_sale = sa.Table(
    "pass_sale",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("plan", sa.ForeignKey("pass_plan.id"), nullable=False, index=True),
    sa.Column("wallet", sa.ForeignKey("wallet.id"), nullable=False, index=True),
    sa.Column("card", sa.ForeignKey("card.id"), nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("hold_until_us", sa.BigInteger, nullable=False),
    sa.Column("currency", sa.ForeignKey("currency.code"), nullable=False),
    sa.Column("amount", sa.BigInteger, nullable=False),
    sa.Column("topup", sa.Uuid, index=True),
    sa.Column("made_at_us", sa.BigInteger, nullable=False),
    sa.Column("changed_at_us", sa.BigInteger, nullable=False),
    sa.CheckConstraint("state IN ('held', 'paying', 'paid', 'released', 'closed')", name="state_known"),
    sa.CheckConstraint("amount > 0", name="amount_known"),
)
sa.Index(
    "ix_pass_sale_open",
    pass_sale.c.hold_until_us,
    sqlite_where=pass_sale.c.state.in_(["held", "paying"]),
    postgresql_where=pass_sale.c.state.in_(["held", "paying"]),
)
