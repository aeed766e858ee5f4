"""A card's own key, derived from a master key: NXP AN10922, "Symmetric key diversifications", for AES-128.

Whoever opens one card learns one card's key. The master never leaves the server.
"""

from __future__ import annotations

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from app.rules.chips.aes import BLOCK, encrypt

_CONSTANT = b"\x01"
_INPUT_MAX = 31


def card_key(master: bytes, uid: bytes, purpose: bytes = b"") -> bytes:
    """The 16-byte key of the card with this UID. `purpose` sets keys of a card apart: application, key number, system.

    Together at most 31 bytes. ValueError: no UID, or too long.
    """
    material = uid + purpose
    if not uid or len(material) > _INPUT_MAX:
        raise ValueError(f"a key is derived from 1 to {_INPUT_MAX} bytes, not {len(material)}")
    message = _CONSTANT + material
    # Unlike RFC 4493, the message is always filled up to two blocks.
    short = len(message) < 2 * BLOCK
    padded = (message + b"\x80").ljust(2 * BLOCK, b"\x00") if short else message
    mask = _subkeys(master)[short]
    last = bytes(a ^ b for a, b in zip(padded[BLOCK:], mask, strict=True))
    return encrypt(master, padded[:BLOCK] + last)[BLOCK:]


def _subkeys(key: bytes) -> tuple[bytes, bytes]:
    """K1 and K2 of RFC 4493, 2.3."""
    cipher = Cipher(algorithms.AES128(key), modes.ECB()).encryptor()  # noqa: S305
    first = _doubled(int.from_bytes(cipher.update(bytes(BLOCK)) + cipher.finalize()))
    return first.to_bytes(BLOCK), _doubled(first).to_bytes(BLOCK)


def _doubled(number: int) -> int:
    """Multiplied by x in GF(2^128)."""
    return (number << 1) % (1 << 128) ^ (0x87 if number >> 127 else 0)
