"""What the server keeps for itself in the database, readable only with a key from its own secrets folder."""

from __future__ import annotations

import os
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_NONCE_BYTES: Final = 12


def seal(server_key: bytes, purpose: bytes, content: bytes, about: bytes) -> bytes:
    """Nonce and AES-256-GCM of `content`, under a key of this purpose alone (HKDF), bound to what it is `about`."""
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + _cipher(server_key, purpose).encrypt(nonce, content, about)


def unseal(server_key: bytes, purpose: bytes, sealed: bytes, about: bytes) -> bytes:
    """What was sealed. ValueError: with another key, for another purpose, about something else, or damaged."""
    try:
        return _cipher(server_key, purpose).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], about)
    except InvalidTag as error:
        raise ValueError("sealed with another key, or damaged") from error


def _cipher(server_key: bytes, purpose: bytes) -> AESGCM:
    return AESGCM(HKDF(SHA256(), 32, salt=None, info=purpose).derive(server_key))
