"""Artists and their photos."""

from __future__ import annotations

import sqlalchemy as sa

from app.platform.tables import metadata

# line_*: what they play, on one line; words_*: paragraphs. links: JSON, a list of [label, address]. shown: whether the
# public finds them; who was once in an event stays for it.
artist = sa.Table(
    "artist",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("slug", sa.Text, nullable=False, unique=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("line_fr", sa.Text, nullable=False),
    sa.Column("line_en", sa.Text, nullable=False),
    sa.Column("words_fr", sa.Text, nullable=False),
    sa.Column("words_en", sa.Text, nullable=False),
    sa.Column("links", sa.Text, nullable=False),
    sa.Column("shown", sa.Boolean, nullable=False, server_default=sa.text("true")),
    sa.Column("created_at_us", sa.BigInteger, nullable=False),
    sa.Column("changed_at_us", sa.BigInteger, nullable=False),
    sa.CheckConstraint("slug <> ''", name="slug_there"),
    sa.CheckConstraint("name <> ''", name="name_there"),
)

# Made again by us from what was uploaded (app/artists/pictures.py): JPEG, `large` and `small`. mark: the hash of
# `large`, by which it is addressed. They lie in the database so that every backup holds them.
artist_photo = sa.Table(
    "artist_photo",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("artist", sa.ForeignKey("artist.id"), nullable=False, index=True),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("credit", sa.Text, nullable=False),
    sa.Column("mark", sa.Text, nullable=False),
    sa.Column("width", sa.Integer, nullable=False),
    sa.Column("height", sa.Integer, nullable=False),
    sa.Column("large", sa.LargeBinary, nullable=False),
    sa.Column("small", sa.LargeBinary, nullable=False),
    sa.Column("created_at_us", sa.BigInteger, nullable=False),
    sa.UniqueConstraint("artist", "mark"),
    sa.CheckConstraint("width > 0 AND height > 0", name="has_a_size"),
)
