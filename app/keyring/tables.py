"""Sets of card keys, the chips that hold keys of them, and which terminal was given them."""

from __future__ import annotations

import sqlalchemy as sa

from app.platform.kept_rows import AppendOnly
from app.platform.tables import metadata

# The master key of an event or a network, sealed with a key of the server's own: what a copy of the database holds
# opens no card. `venue`: only terminals of this venue are given keys of it; none: all. `from_us`, `until_us`: when.
card_key_set = sa.Table(
    "card_key_set",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("name", sa.Text, nullable=False, unique=True),
    sa.Column("venue", sa.ForeignKey("venue.id")),
    sa.Column("sealed", sa.LargeBinary, nullable=False),
    sa.Column("from_us", sa.BigInteger, nullable=False),
    sa.Column("until_us", sa.BigInteger),
    sa.Column("made_at_us", sa.BigInteger, nullable=False),
    sa.CheckConstraint("until_us IS NULL OR until_us > from_us", name="period"),
)

# What is on a card's chip. `version`: of its keys; each time that they are written anew it is one more, so that whoever
# knew the ones before knows nothing. `written_at_us`: when, as the desk read it back.
card_chip = sa.Table(
    "card_chip",
    metadata,
    sa.Column("card", sa.ForeignKey("card.id"), primary_key=True),
    sa.Column("chip", sa.Text, nullable=False),
    sa.Column("key_set", sa.ForeignKey("card_key_set.id"), nullable=False, index=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("written_at_us", sa.BigInteger, nullable=False),
    sa.CheckConstraint("chip IN ('ntag424', 'desfire', 'desfire_ev1', 'ultralight_aes')", name="chip_known"),
    sa.CheckConstraint("version BETWEEN 1 AND 255", name="version_fits"),
)

# A desk is writing these keys on a card: until it has read them back, the card may hold any part of them, and nothing
# else is written on it.
card_key_writing = sa.Table(
    "card_key_writing",
    metadata,
    sa.Column("card", sa.ForeignKey("card.id"), primary_key=True),
    sa.Column("key_set", sa.ForeignKey("card_key_set.id"), nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("since_us", sa.BigInteger, nullable=False),
    sa.Column("chip", sa.Text, nullable=False, server_default="ntag424"),
    sa.CheckConstraint("version BETWEEN 1 AND 255", name="version_fits"),
    sa.CheckConstraint("chip IN ('ntag424', 'desfire', 'desfire_ev1', 'ultralight_aes')", name="chip_known"),
)

# That a terminal was given the keys of all cards of a set, each time that it was: were it stolen, these cards are known
# to be open. Written before the keys are sent.
card_key_grant = sa.Table(
    "card_key_grant",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("terminal", sa.ForeignKey("terminal.id"), nullable=False, index=True),
    sa.Column("key_set", sa.ForeignKey("card_key_set.id"), nullable=False, index=True),
    sa.Column("at_us", sa.BigInteger, nullable=False),
)

# The highest counter that a card's message at a phone ever had, under the newest keys that it used, with what the
# message was (SHA-256) and when it came: what is not above it came before. It only rises (app/keyring/guards.py).
card_tap = sa.Table(
    "card_tap",
    metadata,
    sa.Column("card", sa.ForeignKey("card.id"), primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("counter", sa.Integer, nullable=False),
    sa.Column("message", sa.LargeBinary, nullable=False),
    sa.Column("at_us", sa.BigInteger, nullable=False),
    sa.CheckConstraint("version BETWEEN 1 AND 255", name="version_fits"),
    sa.CheckConstraint("counter BETWEEN 0 AND 16777215", name="counter_fits"),
)

GUARDS = AppendOnly({"card_key_grant": "id = NEW.id"}, "card_key_grant_refuse", "who was given keys stays known")
