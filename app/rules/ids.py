"""UUIDv7 (RFC 9562, 5.7): ids that whoever starts an operation makes, sortable by time of birth."""

from __future__ import annotations

import secrets
import time
from uuid import UUID


def uuid7(at_us: int | None = None) -> UUID:
    """A fresh id; its first 48 bits are milliseconds since the epoch, the rest is random."""
    milliseconds = (time.time_ns() // 1_000_000 if at_us is None else at_us // 1000) & (2**48 - 1)
    value = (milliseconds << 80) | secrets.randbits(80)
    value = (value & ~(0xF << 76)) | (0x7 << 76)
    value = (value & ~(0x3 << 62)) | (0x2 << 62)
    return UUID(int=value)
