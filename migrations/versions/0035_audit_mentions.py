"""The audit log is found by person and by venue: what each row names, by an index. Rows that are there are read once."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from alembic import op

from app.identity.audit import MENTIONS
from app.identity.mentions import mentioned

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None

_BATCH = 2000


def upgrade() -> None:
    mention = op.create_table(
        "audit_mention",
        sa.Column("word", sa.Text(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.Column("entry", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["entry"], ["audit.id"], name=op.f("fk_audit_mention_entry")),
        sa.PrimaryKeyConstraint("word", "at_us", "entry", name=op.f("pk_audit_mention")),
    )
    connection = op.get_bind()
    last: tuple[int, UUID] = (-1, UUID(int=0))
    while rows := connection.execute(_after(*last)).all():
        found = [
            {"word": word, "at_us": row.at_us, "entry": row.id}
            for row in rows
            for word in mentioned(row.actor, row.subject, row.details, str(json.loads(row.details).get("asked", "")))
        ]
        if found:
            connection.execute(mention.insert(), found)
        last = (rows[-1].at_us, rows[-1].id)
    MENTIONS.install(connection)


def _after(at_us: int, id_: UUID) -> sa.Select[Any]:
    """The next rows: a long log takes no more memory than a short one."""
    audit = sa.table("audit", sa.column("id", sa.Uuid()), *map(sa.column, ("at_us", "actor", "subject", "details")))
    at, id_of = audit.c.at_us, audit.c.id
    return sa.select(audit).where((at > at_us) | ((at == at_us) & (id_of > id_))).order_by(at, id_of).limit(_BATCH)
