"""How authors' rights are counted, as the venue's contract says."""

from __future__ import annotations

import sqlalchemy as sa

from app.platform.tables import metadata

# subject: an event's id, or its venue's for all that say nothing of their own. base: receipts without VAT, or with it.
# rate: basis points; NULL: the base alone is told.
authors_rights = sa.Table(
    "authors_rights",
    metadata,
    sa.Column("subject", sa.Uuid, primary_key=True),
    sa.Column("venue", sa.ForeignKey("venue.id"), nullable=False, index=True),
    sa.Column("base", sa.Text, nullable=False),
    sa.Column("rate", sa.Integer),
    sa.Column("minimum_cents", sa.BigInteger, nullable=False),
    sa.CheckConstraint("base IN ('net', 'gross')", name="base_known"),
    sa.CheckConstraint("rate BETWEEN 0 AND 10000", name="rate_a_rate"),
    sa.CheckConstraint("minimum_cents >= 0", name="minimum_not_negative"),
)
