"""Where venues are on the map, and who follows what is on around a town."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0075"
down_revision = "0074"
branch_labels = None
depends_on = None

_POINT = {
    "point_whole": "(latitude IS NULL) = (longitude IS NULL)",
    "latitude_known": "latitude BETWEEN -90000000 AND 90000000",
    "longitude_known": "longitude BETWEEN -180000000 AND 180000000",
}
_KINDS = "kind IN ('network', 'venue', 'artist', 'event', 'near')"


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        _sqlite()
    else:
        for column in _columns():
            op.add_column("venue_place", column)
        for name, text in _POINT.items():
            op.create_check_constraint(op.f(f"ck_venue_place_{name}"), "venue_place", text)
        op.drop_constraint(op.f("ck_programme_follow_kind_known"), "programme_follow")
        op.create_check_constraint(op.f("ck_programme_follow_kind_known"), "programme_follow", _KINDS)


def _columns() -> list[sa.Column[str] | sa.Column[int]]:
    return [
        sa.Column("town", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("latitude", sa.Integer(), nullable=True),
        sa.Column("longitude", sa.Integer(), nullable=True),
    ]


def _sqlite() -> None:
    """A check cannot be changed where it stands: the tables are written anew."""
    op.execute("ALTER TABLE venue_place RENAME TO venue_place_before")
    op.create_table(
        "venue_place",
        sa.Column("venue", sa.Uuid(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("tops_up", sa.Text(), nullable=False),
        sa.Column("opening", sa.Text(), nullable=False),
        *_columns(),
        *(sa.CheckConstraint(text, name=op.f(f"ck_venue_place_{name}")) for name, text in _POINT.items()),
        sa.ForeignKeyConstraint(["venue"], ["venue.id"], name=op.f("fk_venue_place_venue")),
        sa.PrimaryKeyConstraint("venue", name=op.f("pk_venue_place")),
    )
    op.execute(
        "INSERT INTO venue_place (venue, address, tops_up, opening)"
        " SELECT venue, address, tops_up, opening FROM venue_place_before"
    )
    op.drop_table("venue_place_before")
    op.execute("ALTER TABLE programme_follow RENAME TO programme_follow_before")
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
        sa.CheckConstraint(_KINDS, name=op.f("ck_programme_follow_kind_known")),
        sa.CheckConstraint("(kind = 'network') = (about = '')", name=op.f("ck_programme_follow_about_something")),
        sa.CheckConstraint("language IN ('fr', 'en')", name=op.f("ck_programme_follow_language_known")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_programme_follow")),
        sa.UniqueConstraint("address", "kind", "about", name=op.f("uq_programme_follow_address_kind_about")),
    )
    op.execute("INSERT INTO programme_follow SELECT * FROM programme_follow_before")
    op.drop_table("programme_follow_before")
