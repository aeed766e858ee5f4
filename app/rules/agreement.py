"""What only one device can read: X25519 on the curve of the Ed25519 key that the device signs with already.

A key that signs can be turned into one that agrees (RFC 7748, section 4.1), so a device needs no second pair.
"""

from __future__ import annotations

import hashlib
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

_PUBLIC_BYTES: Final = 32
_PRIME: Final = 2**255 - 19
_SUITE: Final = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)


def agreeing_private(signing: Ed25519PrivateKey) -> X25519PrivateKey:
    return X25519PrivateKey.from_private_bytes(hashlib.sha512(signing.private_bytes_raw()).digest()[:32])


def agreeing_public(signing: bytes) -> X25519PublicKey:
    """Of the 32 bytes of an Ed25519 public key: u = (1 + y) / (1 - y). ValueError: no usable key."""
    if len(signing) != _PUBLIC_BYTES:
        raise ValueError(f"a public key has {_PUBLIC_BYTES} bytes, not {len(signing)}")
    y = int.from_bytes(signing, "little") & (2**255 - 1)
    return X25519PublicKey.from_public_bytes(((1 + y) * pow(1 - y, -1, _PRIME) % _PRIME).to_bytes(32, "little"))


def wrapped(content: bytes, device: bytes, about: bytes) -> bytes:
    """`content` as only the device with the Ed25519 public key `device` (32 bytes) can read it, and only as what it is
    about: HPKE (RFC 9180), base mode. Who wrapped it is not shown: that is what signatures are for."""
    return _SUITE.encrypt(content, agreeing_public(device), about)


def unwrapped(parcel: bytes, device: Ed25519PrivateKey, about: bytes) -> bytes:
    """What was wrapped for this device. ValueError: it was not, or is about something else, or was damaged."""
    try:
        return _SUITE.decrypt(parcel, agreeing_private(device), about)
    except InvalidTag as error:
        raise ValueError("a parcel for somebody else, or damaged") from error
