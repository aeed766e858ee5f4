"""Accountants, auditors and shift managers; a role in the network is held once."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

_KNOWN = (
    "role IN ('network_admin', 'network_accountant', 'auditor', 'venue_admin', 'venue_accountant',"
    " 'venue_auditor', 'shift_manager', 'cashier')"
)
_SCOPE = "(role IN ('network_admin', 'network_accountant', 'auditor')) = (venue IS NULL)"


def upgrade() -> None:
    # Nothing kept two network-wide grants of one person apart until now.
    op.execute(
        "DELETE FROM person_role WHERE venue IS NULL AND EXISTS (SELECT 1 FROM person_role o WHERE o.venue IS NULL"
        " AND o.person = person_role.person AND o.role = person_role.role AND o.id < person_role.id)"
    )
    if op.get_bind().dialect.name == "sqlite":
        # A check cannot be changed where it stands: the table is written anew.
        op.execute("ALTER TABLE person_role RENAME TO person_role_before")
        op.drop_index("ix_person_role_person", "person_role_before")
        op.create_table(
            "person_role",
            sa.Column("id", sa.Uuid(), nullable=False),
            sa.Column("person", sa.Uuid(), nullable=False),
            sa.Column("role", sa.Text(), nullable=False),
            sa.Column("venue", sa.Uuid(), nullable=True),
            sa.CheckConstraint(_KNOWN, name=op.f("ck_person_role_role_known")),
            sa.CheckConstraint(_SCOPE, name=op.f("ck_person_role_scope")),
            sa.ForeignKeyConstraint(["person"], ["person.id"], name=op.f("fk_person_role_person")),
            sa.PrimaryKeyConstraint("id", name=op.f("pk_person_role")),
            sa.UniqueConstraint("person", "role", "venue", name=op.f("uq_person_role_person_role_venue")),
        )
        op.execute("INSERT INTO person_role SELECT id, person, role, venue FROM person_role_before")
        op.drop_table("person_role_before")
        op.create_index("ix_person_role_person", "person_role", ["person"], unique=False)
    else:
        for name, text in (("role_known", _KNOWN), ("scope", _SCOPE)):
            op.drop_constraint(op.f(f"ck_person_role_{name}"), "person_role")
            op.create_check_constraint(op.f(f"ck_person_role_{name}"), "person_role", text)
    alone = sa.text("venue IS NULL")
    op.create_index(
        "ix_person_role_network",
        "person_role",
        ["person", "role"],
        unique=True,
        sqlite_where=alone,
        postgresql_where=alone,
    )
