"""Devices that are no till but a site hub."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    kind = sa.Column("kind", sa.Text(), nullable=False, server_default="till")
    if op.get_bind().dialect.name == "sqlite":
        # The only way to a constraint on a table that stands: the check is part of the column.
        op.execute(
            "ALTER TABLE terminal ADD COLUMN kind TEXT NOT NULL DEFAULT 'till'"
            " CONSTRAINT ck_terminal_kind_known CHECK (kind IN ('till', 'hub'))"
        )
        return
    op.add_column("terminal", kind)
    op.create_check_constraint(op.f("ck_terminal_kind_known"), "terminal", "kind IN ('till', 'hub')")
