"""Where a sale's receipt is found: an address that only who was given it can know, made without asking the server.

A token is the sale's id and a code over it (HMAC-SHA256, cut to 8 bytes) under a key that the server hands to its
terminals, as URL-safe base64: 32 signs. The id alone has 74 random bits; the code tells a receipt of ours, whose sale
may still be on its way from a terminal without network, from an address that somebody made up.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from uuid import UUID

_CODE_BYTES = 8
_LABEL = b"comptoir-receipt-1"


def receipt_token(key: bytes, sale: UUID) -> str:
    return base64.urlsafe_b64encode(sale.bytes + _code(key, sale)).decode()


def sale_of_token(key: bytes, token: str) -> UUID | None:
    """The sale whose token this is; None if it is none that `key` made."""
    try:
        raw = base64.b64decode(token, altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    if len(raw) != 16 + _CODE_BYTES:
        return None
    sale = UUID(bytes=raw[:16])
    return sale if hmac.compare_digest(raw[16:], _code(key, sale)) else None


def receipt_number(epoch: int, sequence: int) -> str:
    """A sale's number at its terminal: the journal's epoch and the row in it, which is written once and never again."""
    return f"{epoch}-{sequence}"


def training_number(number: int) -> str:
    """The number of what was practised: of a count of its own, and never to be taken for a sale's."""
    return f"X-{number}"


def _code(key: bytes, sale: UUID) -> bytes:
    return hmac.digest(key, _LABEL + sale.bytes, "sha256")[:_CODE_BYTES]
