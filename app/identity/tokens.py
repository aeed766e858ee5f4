"""Terminals' bearer tokens: who, which epoch, until when, and an HMAC over the three.

A token is `ct1_` and base64url of: device (16 bytes), epoch (4), expiry in microseconds since the epoch (8), and
HMAC-SHA256 over the prefix and those 28 bytes (32). Nothing is stored: whether the device was revoked since, or has a
newer epoch, is asked of the database by app.terminals.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from functools import lru_cache
from typing import NamedTuple
from uuid import UUID

from app.platform.errors import NotSignedIn

PREFIX = b"ct1_"
EPOCH_MAX = 2**32 - 1

_CLAIMS_BYTES = 28
_LENGTH = len(PREFIX) + 80  # base64 of 60 bytes has no padding


class TerminalToken(NamedTuple):
    device: UUID
    epoch: int
    expires_at_us: int


def issue_terminal_token(key: bytes, device: UUID, epoch: int, expires_at_us: int) -> str:
    claims = device.bytes + epoch.to_bytes(4, "big") + expires_at_us.to_bytes(8, "big")
    return (PREFIX + base64.urlsafe_b64encode(claims + _mac(key, claims))).decode()


def read_terminal_token(key: bytes, token: str, now_us: int) -> TerminalToken:
    """Raises NotSignedIn: "token-invalid" if we did not issue it, "token-expired" if it is past its time."""
    found = _verified(key, token)
    if found.expires_at_us <= now_us:
        raise NotSignedIn("The terminal's token has expired: ask for a new one.", "token-expired")
    return found


# A terminal shows the same token with every sale of an hour. What is not ours raises, and is never kept.
@lru_cache(maxsize=4096)
def _verified(key: bytes, token: str) -> TerminalToken:
    sealed = _sealed(token)
    claims = sealed[:_CLAIMS_BYTES]
    if not hmac.compare_digest(sealed[_CLAIMS_BYTES:], _mac(key, claims)):
        raise _invalid()
    return TerminalToken(
        UUID(bytes=claims[:16]), int.from_bytes(claims[16:20], "big"), int.from_bytes(claims[20:], "big")
    )


def _sealed(token: str) -> bytes:
    try:
        encoded = token.encode("ascii")
        if len(encoded) != _LENGTH or not encoded.startswith(PREFIX):
            raise _invalid()
        # Only the canonical spelling: a lenient decoder would skip foreign characters.
        return binascii.a2b_base64(encoded[len(PREFIX) :].translate(_STANDARD_ALPHABET), strict_mode=True)
    except (UnicodeEncodeError, binascii.Error):
        raise _invalid() from None


_STANDARD_ALPHABET = bytes.maketrans(b"-_", b"+/")


def _mac(key: bytes, claims: bytes) -> bytes:
    return hmac.digest(key, PREFIX + claims, "sha256")


def _invalid() -> NotSignedIn:
    return NotSignedIn("The terminal's token is not one of this server's.", "token-invalid")
