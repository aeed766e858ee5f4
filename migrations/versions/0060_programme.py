"""What venues tell the public, and who follows the programme by e-mail."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0060"
down_revision = "0059"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "venue_page",
        sa.Column("venue", sa.Uuid(), nullable=False),
        sa.Column("words_fr", sa.Text(), nullable=False),
        sa.Column("words_en", sa.Text(), nullable=False),
        sa.Column("links", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["venue"], ["venue.id"], name=op.f("fk_venue_page_venue")),
        sa.PrimaryKeyConstraint("venue", name=op.f("pk_venue_page")),
    )
    op.create_table(
        "programme_announced",
        sa.Column("event", sa.Uuid(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["event"], ["event.id"], name=op.f("fk_programme_announced_event")),
        sa.PrimaryKeyConstraint("event", name=op.f("pk_programme_announced")),
    )
    op.create_table(
        "programme_follow",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("about", sa.Text(), nullable=False),
        sa.Column("created_at_us", sa.BigInteger(), nullable=False),
        sa.Column("confirmed_at_us", sa.BigInteger(), nullable=True),
        sa.Column("told_until_us", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('network', 'venue', 'artist', 'event')", name=op.f("ck_programme_follow_kind_known")
        ),
        sa.CheckConstraint("(kind = 'network') = (about = '')", name=op.f("ck_programme_follow_about_something")),
        sa.CheckConstraint("language IN ('fr', 'en')", name=op.f("ck_programme_follow_language_known")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_programme_follow")),
        sa.UniqueConstraint("address", "kind", "about", name=op.f("uq_programme_follow_address_kind_about")),
    )
