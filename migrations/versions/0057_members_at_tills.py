"""Tills learn at once of who becomes a member."""

from __future__ import annotations

from alembic import op

from app.platform import revision as revision_triggers

revision = "0057"
down_revision = "0056"
branch_labels = None
depends_on = None


def upgrade() -> None:
    revision_triggers.install(op.get_bind())
