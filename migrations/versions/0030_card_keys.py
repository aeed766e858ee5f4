"""Sets of card keys, the chips that hold keys of them, and which terminal was given them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from app.keyring.tables import GUARDS

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("terminal", sa.Column("lost_at_us", sa.BigInteger(), nullable=True))
    op.create_table(
        "card_key_set",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("venue", sa.Uuid(), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("from_us", sa.BigInteger(), nullable=False),
        sa.Column("until_us", sa.BigInteger(), nullable=True),
        sa.Column("made_at_us", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("until_us IS NULL OR until_us > from_us", name=op.f("ck_card_key_set_period")),
        sa.ForeignKeyConstraint(["venue"], ["venue.id"], name=op.f("fk_card_key_set_venue")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_card_key_set")),
        sa.UniqueConstraint("name", name=op.f("uq_card_key_set_name")),
    )
    op.create_table(
        "card_chip",
        sa.Column("card", sa.Uuid(), nullable=False),
        sa.Column("chip", sa.Text(), nullable=False),
        sa.Column("key_set", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("written_at_us", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "chip IN ('ntag424', 'desfire', 'desfire_ev1', 'ultralight_aes')", name=op.f("ck_card_chip_chip_known")
        ),
        sa.CheckConstraint("version BETWEEN 1 AND 255", name=op.f("ck_card_chip_version_fits")),
        sa.ForeignKeyConstraint(["card"], ["card.id"], name=op.f("fk_card_chip_card")),
        sa.ForeignKeyConstraint(["key_set"], ["card_key_set.id"], name=op.f("fk_card_chip_key_set")),
        sa.PrimaryKeyConstraint("card", name=op.f("pk_card_chip")),
    )
    op.create_index(op.f("ix_card_chip_key_set"), "card_chip", ["key_set"])
    op.create_table(
        "card_key_grant",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("terminal", sa.Uuid(), nullable=False),
        sa.Column("key_set", sa.Uuid(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["terminal"], ["terminal.id"], name=op.f("fk_card_key_grant_terminal")),
        sa.ForeignKeyConstraint(["key_set"], ["card_key_set.id"], name=op.f("fk_card_key_grant_key_set")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_card_key_grant")),
    )
    op.create_index(op.f("ix_card_key_grant_terminal"), "card_key_grant", ["terminal"])
    op.create_index(op.f("ix_card_key_grant_key_set"), "card_key_grant", ["key_set"])
    GUARDS.install(op.get_bind())
