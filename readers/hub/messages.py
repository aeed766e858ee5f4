"""What terminals say to a hub, sealed for it alone.

Sealed: ChaCha20-Poly1305 under a key that is made for one message from the two devices' agreed secret (X25519 of their
Ed25519 keys), with a random salt. Whoever can open it knows that the other device made it. A reply is bound to its
request by the request's salt, and a request to one run of the hub by its session, so that neither can be played back.
"""

from __future__ import annotations

import os
from typing import Annotated
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from pydantic import Field

from app.wire import Batch
from app.wire.base import Message

BODY_BYTES_MAX = 1024 * 1024
HELLO_BYTES_MAX = 1024
SALT_BYTES = 32


class Hello(Message):
    """Who the hub is. `session` is new with each start of it."""

    device: UUID
    session: str


class Exchange(Message):
    """`since`: how far the hub's batches are known; `wait_s`: how long the hub may hold its reply for news."""

    session: str
    since: Annotated[int, Field(ge=0)] = 0
    wait_s: Annotated[float, Field(ge=0, le=20)] = 0
    batches: tuple[Batch, ...] = ()


class Exchanged(Message):
    """`until`: the `since` of the next exchange; `around`: the terminals that the hub has heard of lately."""

    until: int
    batches: tuple[Batch, ...]
    around: tuple[UUID, ...]


def seal(secret: bytes, sender: UUID, receiver: UUID, plain: bytes, answers: bytes = b"") -> bytes:
    """Salt, then what only the receiver can open. `answers`: the salt of the request that this replies to."""
    salt = os.urandom(SALT_BYTES)
    return salt + _cipher(secret, sender, receiver, salt).encrypt(bytes(12), plain, answers)


def unseal(secret: bytes, sender: UUID, receiver: UUID, sealed: bytes, answers: bytes = b"") -> bytes:
    """ValueError: not made by `sender` for `receiver`, or not in answer to that request."""
    salt, rest = sealed[:SALT_BYTES], sealed[SALT_BYTES:]
    try:
        return _cipher(secret, sender, receiver, salt).decrypt(bytes(12), rest, answers)
    except InvalidTag as error:
        raise ValueError("not sealed by that device for this one") from error


def _cipher(secret: bytes, sender: UUID, receiver: UUID, salt: bytes) -> ChaCha20Poly1305:
    """A key for one message: with a salt of its own for each, the nonce may be the same for all."""
    info = b"comptoir-site-1" + sender.bytes + receiver.bytes
    return ChaCha20Poly1305(HKDF(SHA256(), 32, salt, info).derive(secret))
