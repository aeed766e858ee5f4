"""Artists and their photos."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0049"
down_revision = "0048"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "artist",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("line_fr", sa.Text(), nullable=False),
        sa.Column("line_en", sa.Text(), nullable=False),
        sa.Column("words_fr", sa.Text(), nullable=False),
        sa.Column("words_en", sa.Text(), nullable=False),
        sa.Column("links", sa.Text(), nullable=False),
        sa.Column("shown", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("created_at_us", sa.BigInteger(), nullable=False),
        sa.Column("changed_at_us", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("slug <> ''", name=op.f("ck_artist_slug_there")),
        sa.CheckConstraint("name <> ''", name=op.f("ck_artist_name_there")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_artist")),
        sa.UniqueConstraint("slug", name=op.f("uq_artist_slug")),
    )
    op.create_table(
        "artist_photo",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("artist", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("credit", sa.Text(), nullable=False),
        sa.Column("mark", sa.Text(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("large", sa.LargeBinary(), nullable=False),
        sa.Column("small", sa.LargeBinary(), nullable=False),
        sa.Column("created_at_us", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("width > 0 AND height > 0", name=op.f("ck_artist_photo_has_a_size")),
        sa.ForeignKeyConstraint(["artist"], ["artist.id"], name=op.f("fk_artist_photo_artist")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_artist_photo")),
        sa.UniqueConstraint("artist", "mark", name=op.f("uq_artist_photo_artist_mark")),
    )
    op.create_index(op.f("ix_artist_photo_artist"), "artist_photo", ["artist"], unique=False)
