"""The second factor of who moves money, and its recovery codes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("session", sa.Column("second_factor_at_us", sa.BigInteger(), nullable=True))
    op.create_table(
        "second_factor",
        sa.Column("person", sa.Uuid(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("last_step", sa.BigInteger(), nullable=False),
        sa.Column("since_us", sa.BigInteger(), nullable=False),
        sa.Column("wrong", sa.Integer(), nullable=False),
        sa.Column("free_at_us", sa.BigInteger(), nullable=False),
        sa.Column("reset_at_us", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("(sealed IS NULL) = (reset_at_us IS NOT NULL)", name=op.f("ck_second_factor_reset")),
        sa.CheckConstraint("wrong >= 0", name=op.f("ck_second_factor_wrong_counted")),
        sa.ForeignKeyConstraint(["person"], ["person.id"], name=op.f("fk_second_factor_person")),
        sa.PrimaryKeyConstraint("person", name=op.f("pk_second_factor")),
    )
    op.create_table(
        "recovery_code",
        sa.Column("code_sha256", sa.LargeBinary(length=32), nullable=False),
        sa.Column("person", sa.Uuid(), nullable=False),
        sa.Column("used_at_us", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["person"], ["second_factor.person"], name=op.f("fk_recovery_code_person")),
        sa.PrimaryKeyConstraint("code_sha256", name=op.f("pk_recovery_code")),
    )
    op.create_index(op.f("ix_recovery_code_person"), "recovery_code", ["person"])
