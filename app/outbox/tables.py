"""Webhooks: where each one leads, how far it has come, and which process is sending."""

from __future__ import annotations

import sqlalchemy as sa

from app.platform.tables import metadata

# cursor: the last operation that the receiver has confirmed. sending_upto: the last of the batch that is under way; a
# batch that was not confirmed is sent again as it was. The secret is not kept: app/outbox/signing.py makes it again.
webhook = sa.Table(
    "webhook",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("url", sa.Text, nullable=False, unique=True),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("secret_version", sa.Integer, nullable=False),
    sa.Column("old_secret_until_us", sa.BigInteger, nullable=False),
    sa.Column("cursor", sa.BigInteger, nullable=False),
    sa.Column("sending_upto", sa.BigInteger),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("failing_since_us", sa.BigInteger),
    sa.Column("next_attempt_at_us", sa.BigInteger, nullable=False),
    sa.Column("last_error", sa.Text),
    sa.Column("delivered_at_us", sa.BigInteger),
    sa.Column("leased_by", sa.Uuid),
    sa.Column("leased_until_us", sa.BigInteger, nullable=False),
    sa.Column("created_at_us", sa.BigInteger, nullable=False),
    sa.Column("created_by", sa.Text, nullable=False),
    sa.CheckConstraint("state IN ('active', 'paused', 'disabled')", name="state_known"),
    sa.CheckConstraint("cursor >= 0", name="cursor_not_negative"),
)
