"""A webhook's secret, and the signature over what is sent to it.

    Comptoir-Signature: t=<seconds since the epoch>,v1=<hex HMAC-SHA256 of "<t>.<body>" under the secret>

The secret is not stored anywhere: it is an HMAC of the webhook's id and the secret's version under the server's own
key, so a copy of the database alone can sign nothing.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Iterable
from uuid import UUID

HEADER = "Comptoir-Signature"
PREFIX = "whsec_"


def secret_of(key: bytes, webhook: UUID, version: int) -> str:
    """The secret that its receiver was shown. Another `version` is another secret."""
    made = hmac.digest(key, b"comptoir-webhook-1" + webhook.bytes + version.to_bytes(8, "big"), "sha256")
    return PREFIX + base64.urlsafe_b64encode(made).decode().rstrip("=")


def signature(secrets: Iterable[str], body: bytes, at_s: int) -> str:
    """The header's value; with several secrets (one is being replaced) one signature by each."""
    message = f"{at_s}.".encode() + body
    signed = [f"v1={hmac.new(secret.encode(), message, 'sha256').hexdigest()}" for secret in secrets]
    return ",".join([f"t={at_s}", *signed])
