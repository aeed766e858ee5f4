"""What one may be a member of, and who is."""

from __future__ import annotations

import sqlalchemy as sa

from app.platform.tables import metadata

# venue: NULL for the network's own. price, shares: minor units of the currency; shares: the part of the price that buys
# shares of the cooperative. It lasts `months` from the day it is bought, or the days of a season. vat: the rate that
# the price without the shares holds, in basis points; 0: outside of VAT.
member_plan = sa.Table(
    "member_plan",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("venue", sa.ForeignKey("venue.id"), index=True),
    sa.Column("name_fr", sa.Text, nullable=False),
    sa.Column("name_en", sa.Text, nullable=False),
    sa.Column("currency", sa.ForeignKey("currency.code"), nullable=False),
    sa.Column("price", sa.BigInteger, nullable=False),
    sa.Column("shares", sa.BigInteger, nullable=False),
    sa.Column("months", sa.Integer),
    sa.Column("season_first", sa.Date),
    sa.Column("season_last", sa.Date),
    sa.Column("created_at_us", sa.BigInteger, nullable=False),
    sa.Column("ended_at_us", sa.BigInteger),
    sa.Column("vat", sa.Integer, nullable=False, server_default=sa.text("0")),
    sa.CheckConstraint("vat BETWEEN 0 AND 10000", name="vat_a_rate"),
    sa.CheckConstraint("price > 0 AND shares >= 0 AND shares <= price", name="split"),
    sa.CheckConstraint("venue IS NULL OR shares = 0", name="shares_of_the_network"),
    sa.CheckConstraint(
        "(months > 0 AND season_first IS NULL AND season_last IS NULL)"
        " OR (months IS NULL AND season_first <= season_last)",
        name="lasts",
    ),
)

# id: of the operation that books the price. A row is "pending" while that is under way, so that what the buyer wrote of
# themselves stands here alone and never in the ledger; then it is "held", and stays so when its time is over.
member_term = sa.Table(
    "member_term",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("plan", sa.ForeignKey("member_plan.id"), nullable=False, index=True),
    sa.Column("wallet", sa.ForeignKey("wallet.id"), nullable=False, index=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("email", sa.Text),
    sa.Column("language", sa.Text, nullable=False),
    sa.Column("price", sa.BigInteger, nullable=False),
    sa.Column("shares", sa.BigInteger, nullable=False),
    sa.Column("first_day", sa.Date, nullable=False),
    sa.Column("last_day", sa.Date, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("asked_at_us", sa.BigInteger, nullable=False),
    sa.Column("ended_by", sa.Text),
    sa.Column("end_reason", sa.Text),
    # Whether the reminder before its end was sent; NULL: none is wanted.
    sa.Column("reminded", sa.Boolean, server_default=sa.text("false")),
    sa.CheckConstraint("state IN ('pending', 'held', 'cancelled')", name="state_known"),
    sa.CheckConstraint("(state = 'cancelled') = (end_reason IS NOT NULL)", name="cancelled_with_a_reason"),
    sa.CheckConstraint("first_day <= last_day", name="days_in_order"),
    # Bought twice at once, from two forms, one of the two finds the period taken.
    sa.Index(
        "uq_member_term_period",
        "plan",
        "wallet",
        "last_day",
        unique=True,
        sqlite_where=sa.text("state <> 'cancelled'"),
        postgresql_where=sa.text("state <> 'cancelled'"),
    ),
)

# What members of a plan are asked. quorum: percent of the entitled. entitled: how many
# were members when it opened; NULL until the roll is drawn up.
consultation = sa.Table(
    "consultation",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("plan", sa.ForeignKey("member_plan.id"), nullable=False, index=True),
    sa.Column("question", sa.Text, nullable=False),
    sa.Column("anonymous", sa.Boolean, nullable=False),
    sa.Column("quorum", sa.Integer, nullable=False),
    sa.Column("opens_at_us", sa.BigInteger, nullable=False),
    sa.Column("closes_at_us", sa.BigInteger, nullable=False),
    sa.Column("entitled", sa.Integer),
    sa.CheckConstraint("opens_at_us < closes_at_us", name="opens_first"),
    sa.CheckConstraint("quorum BETWEEN 0 AND 100", name="quorum_a_share"),
)

# The roll: a row for each who may vote, so that nobody votes twice. choice: where the vote is named; a secret one is in
# the counts below alone. No time, and rows as they were drawn up: nothing tells who voted when.
consultation_voter = sa.Table(
    "consultation_voter",
    metadata,
    sa.Column("consultation", sa.ForeignKey("consultation.id"), primary_key=True),
    sa.Column("wallet", sa.ForeignKey("wallet.id"), primary_key=True),
    sa.Column("voted", sa.Boolean, nullable=False, server_default=sa.text("false")),
    sa.Column("choice", sa.Integer),
    sa.CheckConstraint("voted OR choice IS NULL", name="choice_of_a_vote"),
)

# The ballots, as counts.
consultation_option = sa.Table(
    "consultation_option",
    metadata,
    sa.Column("consultation", sa.ForeignKey("consultation.id"), primary_key=True),
    sa.Column("position", sa.Integer, primary_key=True),
    sa.Column("words", sa.Text, nullable=False),
    sa.Column("votes", sa.Integer, nullable=False, server_default=sa.text("0")),
    sa.CheckConstraint("votes >= 0", name="votes_counted"),
)
