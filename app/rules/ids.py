"""Ids that whoever starts an operation makes: UUIDv7 (RFC 9562, 5.7), sortable by time of birth; or UUIDv8 (5.8), made
of what the operation follows from, so that whoever starts over makes the same.
"""

from __future__ import annotations

import secrets
import time
from hashlib import sha256
from uuid import UUID


def uuid7(at_us: int | None = None) -> UUID:
    """A fresh id; its first 48 bits are milliseconds since the epoch, the rest is random."""
    milliseconds = (time.time_ns() // 1_000_000 if at_us is None else at_us // 1000) & (2**48 - 1)
    value = (milliseconds << 80) | secrets.randbits(80)
    value = (value & ~(0xF << 76)) | (0x7 << 76)
    value = (value & ~(0x3 << 62)) | (0x2 << 62)
    return UUID(int=value)


def derived(*parts: str | UUID | int) -> UUID:
    """The id that follows from these, and from no others in the same order: the first bits of their SHA-256."""
    said = "\x1f".join(str(it) for it in parts)
    value = int.from_bytes(sha256(said.encode()).digest()[:16], "big")
    value = (value & ~(0xF << 76)) | (0x8 << 76)
    value = (value & ~(0x3 << 62)) | (0x2 << 62)
    return UUID(int=value)
