"""Terminals and the one-time codes that pair them."""

from __future__ import annotations

import sqlalchemy as sa

from app.platform.tables import metadata

terminal = sa.Table(
    "terminal",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("venue", sa.ForeignKey("venue.id"), nullable=False, index=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("public_key", sa.LargeBinary(32), nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("epoch", sa.BigInteger, nullable=False),
    sa.Column("version", sa.Text, nullable=False),
    sa.Column("waiting", sa.Integer, nullable=False),
    sa.Column("skew_ms", sa.BigInteger, nullable=False),
    sa.Column("seen_at_us", sa.BigInteger, nullable=False),
    sa.Column("created_at_us", sa.BigInteger, nullable=False),
    sa.Column("revoked_at_us", sa.BigInteger),
    # Lost or stolen: what it knew may be known to others.
    sa.Column("lost_at_us", sa.BigInteger),
    # How many rows of its journals wait for a person.
    sa.Column("to_review", sa.Integer, nullable=False, server_default="0"),
    # A hub sells nothing: it passes on what the tills of its site tell each other.
    sa.Column("kind", sa.Text, nullable=False, server_default="till"),
    sa.CheckConstraint("status IN ('active', 'quarantined', 'revoked')", name="status_known"),
    sa.CheckConstraint("kind IN ('till', 'hub')", name="kind_known"),
)

# The journal of `epoch` is kept and booked up to sequence `applied`, whose row has the hash `head`. It is signed with
# `public_key`, and its sales were made at `venue` (both unknown for epochs that were over before they were kept).
journal_mark = sa.Table(
    "journal_mark",
    metadata,
    sa.Column("terminal", sa.ForeignKey("terminal.id"), primary_key=True),
    sa.Column("epoch", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("applied", sa.BigInteger, nullable=False),
    sa.Column("head", sa.Text, nullable=False),
    sa.Column("public_key", sa.LargeBinary(32)),
    sa.Column("venue", sa.Uuid),
)

# Only the SHA-256 of the code is kept. `terminal`: re-pair this one (a new epoch) instead of making another.
pairing_code = sa.Table(
    "pairing_code",
    metadata,
    sa.Column("code_sha256", sa.LargeBinary(32), primary_key=True),
    sa.Column("venue", sa.ForeignKey("venue.id"), nullable=False),
    sa.Column("terminal", sa.ForeignKey("terminal.id")),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("expires_at_us", sa.BigInteger, nullable=False),
    sa.Column("used_at_us", sa.BigInteger),
)

# The last thing that each terminal told of itself, as it signed it (app.wire.TerminalStatus), and when it came in.
terminal_status = sa.Table(
    "terminal_status",
    metadata,
    sa.Column("terminal", sa.ForeignKey("terminal.id"), primary_key=True),
    sa.Column("epoch", sa.BigInteger, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("received_at_us", sa.BigInteger, nullable=False),
)

# Logs that somebody asked for: `content` is the gzip file as it came, None while the terminal was not heard since.
log_bundle = sa.Table(
    "log_bundle",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("terminal", sa.ForeignKey("terminal.id"), nullable=False, index=True),
    sa.Column("asked_by", sa.Text, nullable=False),
    sa.Column("asked_by_name", sa.Text, nullable=False),
    sa.Column("asked_at_us", sa.BigInteger, nullable=False),
    sa.Column("received_at_us", sa.BigInteger),
    sa.Column("content", sa.LargeBinary),
    sa.CheckConstraint("(content IS NULL) = (received_at_us IS NULL)", name="received_whole"),
)

# What the organiser accepted in writing to lose at most at terminals without network: `signed` is what they wrote as
# their name, `sentence` what they accepted, `figures` JSON (app.terminals.limits.acceptance.Accepted). Append-only.
exposure_acceptance = sa.Table(
    "exposure_acceptance",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("at_us", sa.BigInteger, nullable=False, index=True),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("signed", sa.Text, nullable=False),
    sa.Column("sentence", sa.Text, nullable=False),
    sa.Column("figures", sa.Text, nullable=False),
)
