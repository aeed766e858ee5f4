"""What a venue tells the public of itself, and who wants to be told of what by e-mail."""

from __future__ import annotations

import sqlalchemy as sa

from app.platform.tables import metadata

# Beside where it is (app.venues.tables.venue_place). links: JSON, a list of [label, address].
venue_page = sa.Table(
    "venue_page",
    metadata,
    sa.Column("venue", sa.ForeignKey("venue.id"), primary_key=True),
    sa.Column("words_fr", sa.Text, nullable=False),
    sa.Column("words_en", sa.Text, nullable=False),
    sa.Column("links", sa.Text, nullable=False),
)

# When the programme first saw an event published: what is new for its followers since then.
announced = sa.Table(
    "programme_announced",
    metadata,
    sa.Column("event", sa.ForeignKey("event.id"), primary_key=True),
    sa.Column("at_us", sa.BigInteger, nullable=False),
)

# about: the id of a venue, artist or event; "20 Rennes" (kilometres, town) for what is near; "" for the whole network.
# confirmed_at_us: when the link in the first
# e-mail was used; until then nothing else is sent, and the row is soon forgotten. told_until_us: what was published up
# to then was told. A follow that ended is deleted: nothing of it is kept.
follow = sa.Table(
    "programme_follow",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("address", sa.Text, nullable=False),
    sa.Column("language", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("about", sa.Text, nullable=False),
    sa.Column("created_at_us", sa.BigInteger, nullable=False),
    sa.Column("confirmed_at_us", sa.BigInteger),
    sa.Column("told_until_us", sa.BigInteger, nullable=False),
    sa.UniqueConstraint("address", "kind", "about"),
    sa.CheckConstraint("kind IN ('network', 'venue', 'artist', 'event', 'near')", name="kind_known"),
    sa.CheckConstraint("(kind = 'network') = (about = '')", name="about_something"),
    sa.CheckConstraint("language IN ('fr', 'en')", name="language_known"),
)
