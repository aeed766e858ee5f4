"""The card that staff sign in with at a terminal, beside their PIN."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("person", sa.Column("card_uid", sa.Text(), nullable=True))
    op.create_index("ix_person_card_uid", "person", ["card_uid"], unique=True)
