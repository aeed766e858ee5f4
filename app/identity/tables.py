"""People, their roles, their sessions, and the audit log. Times are microseconds since the epoch."""

from __future__ import annotations

import sqlalchemy as sa

from app.platform.tables import metadata

person = sa.Table(
    "person",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("login", sa.Text, nullable=False, unique=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("password_hash", sa.Text, nullable=False),
    sa.Column("pin_hash", sa.Text),
    # The chip's number of the card that they sign in with at a terminal.
    sa.Column("card_uid", sa.Text),
    sa.Column("active", sa.Boolean, nullable=False),
    sa.Column("created_at_us", sa.BigInteger, nullable=False),
    sa.Index("ix_person_card_uid", "card_uid", unique=True),
)

# A role of a person: network-wide when venue is null.
person_role = sa.Table(
    "person_role",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("person", sa.ForeignKey("person.id"), nullable=False, index=True),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("venue", sa.Uuid),
    sa.CheckConstraint(
        "role IN ('network_admin', 'network_accountant', 'auditor', 'venue_admin', 'venue_accountant',"
        " 'venue_auditor', 'shift_manager', 'cashier')",
        name="role_known",
    ),
    sa.CheckConstraint("(role IN ('network_admin', 'network_accountant', 'auditor')) = (venue IS NULL)", name="scope"),
    sa.UniqueConstraint("person", "role", "venue"),
    # To a unique constraint one null is not like another.
    sa.Index(
        "ix_person_role_network",
        "person",
        "role",
        unique=True,
        sqlite_where=sa.text("venue IS NULL"),
        postgresql_where=sa.text("venue IS NULL"),
    ),
)

# Only the SHA-256 of the cookie's token is kept: a copy of the database opens no session.
session = sa.Table(
    "session",
    metadata,
    sa.Column("token_sha256", sa.LargeBinary(32), primary_key=True),
    sa.Column("person", sa.ForeignKey("person.id"), nullable=False, index=True),
    sa.Column("csrf", sa.Text, nullable=False),
    sa.Column("created_at_us", sa.BigInteger, nullable=False),
    sa.Column("seen_at_us", sa.BigInteger, nullable=False),
    sa.Column("user_agent", sa.Text, nullable=False),
    # When a code of the second factor was given in it last.
    sa.Column("second_factor_at_us", sa.BigInteger),
)

# The secret of an authenticator, sealed with the server's key; none once it was reset. `last_step` is the newest
# code that was taken, `wrong` how many were wrong since, `free_at_us` when one is taken again after too many.
second_factor = sa.Table(
    "second_factor",
    metadata,
    sa.Column("person", sa.ForeignKey("person.id"), primary_key=True),
    sa.Column("sealed", sa.LargeBinary),
    sa.Column("last_step", sa.BigInteger, nullable=False),
    sa.Column("since_us", sa.BigInteger, nullable=False),
    sa.Column("wrong", sa.Integer, nullable=False),
    sa.Column("free_at_us", sa.BigInteger, nullable=False),
    sa.Column("reset_at_us", sa.BigInteger),
    sa.CheckConstraint("(sealed IS NULL) = (reset_at_us IS NOT NULL)", name="reset"),
    sa.CheckConstraint("wrong >= 0", name="wrong_counted"),
)

recovery_code = sa.Table(
    "recovery_code",
    metadata,
    sa.Column("code_sha256", sa.LargeBinary(32), primary_key=True),
    sa.Column("person", sa.ForeignKey("second_factor.person"), nullable=False, index=True),
    sa.Column("used_at_us", sa.BigInteger),
)

# A link by which somebody chooses their password; only the SHA-256 of its token is kept. Used, it is gone.
invitation = sa.Table(
    "invitation",
    metadata,
    sa.Column("token_sha256", sa.LargeBinary(32), primary_key=True),
    sa.Column("person", sa.ForeignKey("person.id"), nullable=False, unique=True),
    sa.Column("made_by", sa.Text, nullable=False),
    sa.Column("made_at_us", sa.BigInteger, nullable=False),
    sa.Column("expires_at_us", sa.BigInteger, nullable=False),
)

audit = sa.Table(
    "audit",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("at_us", sa.BigInteger, nullable=False, index=True),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("action", sa.Text, nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("details", sa.Text, nullable=False),
)

# Whom and what a row of the log is about (app/identity/mentions.py): how it is found by person and by venue.
audit_mention = sa.Table(
    "audit_mention",
    metadata,
    sa.Column("word", sa.Text, primary_key=True),
    sa.Column("at_us", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("entry", sa.ForeignKey("audit.id"), primary_key=True),
)
