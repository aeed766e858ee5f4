"""Numbers of chips, as people, suppliers and readers spell them."""

from __future__ import annotations

import re
from typing import Final

_SEPARATORS: Final = re.compile(r"[\s:.\-_]+")
# 4, 7 or 10 bytes (ISO/IEC 14443-3, 6.5.4), as app.wire.base.CardUid has them.
_UID: Final = re.compile(r"(?:[0-9A-F]{8}|[0-9A-F]{14}|[0-9A-F]{20})")


def read_uid(text: str) -> str | None:
    """Upper-case hexadecimal, whole; None for what is no number of a chip. "04:a1:b2:c3", "0x04A1B2C3" are."""
    bare = _SEPARATORS.sub("", text).upper().removeprefix("0X")
    return bare if _UID.fullmatch(bare) else None
