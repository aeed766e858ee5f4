"""The device's own key: made here, kept here, never sent."""

from __future__ import annotations

import base64
import os
from pathlib import Path
from typing import Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from app.rules.agreement import agreeing_private, agreeing_public, unwrapped


class DeviceKey:
    """An Ed25519 key pair in a file of mode 0600."""

    def __init__(self, private: Ed25519PrivateKey) -> None:
        self._private = private

    @classmethod
    def load_or_make(cls, path: Path) -> Self:
        """The key in `path`; a new one if there is no such file. ValueError if the file holds something else."""
        if path.exists():
            path.chmod(0o600)
            key = load_pem_private_key(path.read_bytes(), None)
            if not isinstance(key, Ed25519PrivateKey):
                raise ValueError(f"{path} holds no Ed25519 key")
            return cls(key)
        key = Ed25519PrivateKey.generate()
        # Written aside and renamed: half a key after a power cut would keep the terminal from ever starting again.
        aside = path.with_suffix(".new")
        aside.unlink(missing_ok=True)
        file = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(file, "wb") as out:
            out.write(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
            out.flush()
            os.fsync(out.fileno())
        aside.replace(path)
        return cls(key)

    @property
    def public(self) -> str:
        """Base64 of the 32 bytes of the public key."""
        return base64.b64encode(self._private.public_key().public_bytes_raw()).decode()

    def sign(self, message: bytes) -> str:
        """Base64 of the signature."""
        return base64.b64encode(self._private.sign(message)).decode()

    def agree(self, other: str) -> bytes:
        """The secret (32 bytes) that only this device and the holder of the Ed25519 key `other` (base64) can make.

        ValueError: no usable key.
        """
        public = agreeing_public(base64.b64decode(other, validate=True))
        return agreeing_private(self._private).exchange(public)

    def unwrap(self, parcel: bytes, about: bytes) -> bytes:
        """What the server wrapped for this device (app.rules.agreement). ValueError."""
        return unwrapped(parcel, self._private, about)


def signed_by(key: str, message: bytes, signature: str) -> bool:
    """Whether `signature` (base64) over `message` was made with the private half of `key` (base64)."""
    try:
        public = Ed25519PublicKey.from_public_bytes(base64.b64decode(key, validate=True))
        public.verify(base64.b64decode(signature, validate=True), message)
    except (InvalidSignature, ValueError):
        return False
    return True
