"""What a ticket's QR code says: which ticket of which event, signed by the server, so that a terminal without network
knows that it was issued. Whether it was used or refunded since is not in it.

"T1:" and base45 (RFC 9285) of: event id (16 bytes), ticket id (16), Ed25519 signature (64). The letters are those of
QR's alphanumeric mode, which makes the code small.
"""

from __future__ import annotations

from typing import Final
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

PREFIX: Final = "T1:"
_LETTERS: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
_VALUES: Final = {letter: value for value, letter in enumerate(_LETTERS)}
# The key signs other things too: nothing else begins like this.
_DOMAIN: Final = b"comptoir ticket 1\x00"
_BYTES: Final = 16 + 16 + 64


class NoTicket(ValueError):
    """It is not a ticket, or nobody whom we know issued it."""


def encode(event: UUID, ticket: UUID, key: Ed25519PrivateKey) -> str:
    body = event.bytes + ticket.bytes
    return PREFIX + base45(body + key.sign(_DOMAIN + body))


def verified(text: str, key: Ed25519PublicKey) -> tuple[UUID, UUID]:
    """(event, ticket) of a code that was read. Raises NoTicket."""
    text = text.strip("\r\n")
    if not text.startswith(PREFIX):
        raise NoTicket("no ticket")
    content = unbase45(text[len(PREFIX) :])
    if len(content) != _BYTES:
        raise NoTicket("wrong length")
    body, signature = content[:32], content[32:]
    try:
        key.verify(signature, _DOMAIN + body)
    except InvalidSignature:
        raise NoTicket("wrong signature") from None
    return UUID(bytes=body[:16]), UUID(bytes=body[16:])


def base45(content: bytes) -> str:
    out = []
    for at in range(0, len(content), 2):
        pair = content[at : at + 2]
        value = int.from_bytes(pair, "big")
        for _ in range(len(pair) + 1):
            value, letter = divmod(value, 45)
            out.append(_LETTERS[letter])
    return "".join(out)


def unbase45(text: str) -> bytes:
    """Raises NoTicket."""
    out = bytearray()
    for at in range(0, len(text), 3):
        chunk = text[at : at + 3]
        if len(chunk) == 1 or any(it not in _VALUES for it in chunk):
            raise NoTicket("not base45")
        value = sum(_VALUES[letter] * 45**place for place, letter in enumerate(chunk))
        size = len(chunk) - 1
        if value >= 256**size:
            raise NoTicket("not base45")
        out += value.to_bytes(size, "big")
    return bytes(out)
