"""The audit log is only ever added to: the database keeps it so."""

from __future__ import annotations

from alembic import op

from app.identity.audit import GUARDS

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    GUARDS.install(op.get_bind())
