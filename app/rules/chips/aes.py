"""AES-128 as NXP's chips use it: CBC without padding of its own, CMAC (RFC 4493), and CMACs cut to 8 bytes.

All keys are 16 bytes. Compare MACs and nonces with `same`, which takes equally long whatever differs.
"""

from __future__ import annotations

import hmac

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.cmac import CMAC

BLOCK = 16
ZERO_IV = bytes(BLOCK)


def encrypt(key: bytes, data: bytes, iv: bytes = ZERO_IV) -> bytes:
    """CBC of whole blocks. ValueError: not whole blocks, or a key of another size."""
    cipher = Cipher(algorithms.AES128(key), modes.CBC(iv)).encryptor()
    return cipher.update(data) + cipher.finalize()


def decrypt(key: bytes, data: bytes, iv: bytes = ZERO_IV) -> bytes:
    """The reverse of `encrypt`. ValueError: not whole blocks, or a key of another size."""
    cipher = Cipher(algorithms.AES128(key), modes.CBC(iv)).decryptor()
    return cipher.update(data) + cipher.finalize()


def cmac(key: bytes, message: bytes) -> bytes:
    """The whole CMAC, 16 bytes."""
    mac = CMAC(algorithms.AES128(key))
    mac.update(message)
    return mac.finalize()


def short_cmac(key: bytes, message: bytes) -> bytes:
    """The CMAC as it travels, 8 bytes: every second one, from the second (NT4H2421Gx data sheet, 9.1.3)."""
    return cmac(key, message)[1::2]


def pad(data: bytes) -> bytes:
    """ISO/IEC 9797-1, method 2: 80, then zeros up to a whole block; a whole block becomes one block more."""
    return data + b"\x80" + bytes(-(len(data) + 1) % BLOCK)


def unpad(data: bytes) -> bytes:
    """The reverse of `pad`. ValueError: this was not padded."""
    body = data.rstrip(b"\x00")
    if not body.endswith(b"\x80") or len(data) - len(body) >= BLOCK:
        raise ValueError("not padded by ISO/IEC 9797-1, method 2")
    return body[:-1]


def same(one: bytes, other: bytes) -> bool:
    return hmac.compare_digest(one, other)


def rotated(nonce: bytes) -> bytes:
    """One byte to the left: how each side shows that it could read the other's nonce."""
    return nonce[1:] + nonce[:1]


def session_vector(mark: bytes, rnd_a: bytes, rnd_b: bytes) -> bytes:
    """What the keys of a session are derived from: `mark` and both nonces, 32 bytes (NT4H2421Gx, 9.1.7)."""
    mixed = bytes(a ^ b for a, b in zip(rnd_a[2:8], rnd_b[:6], strict=True))
    return mark + b"\x00\x01\x00\x80" + rnd_a[:2] + mixed + rnd_b[6:] + rnd_a[8:]
