"""How a terminal joins a venue, and how it says later that it is itself."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from app.wire.base import InstantUs, Message

PublicKey = Annotated[str, Field(max_length=64, description="base64 of the 32 bytes of an Ed25519 public key")]

# A hub sells nothing: it only passes on what the tills of its site tell each other.
DeviceKind = Literal["till", "hub"]


class PairingRequest(Message):
    """`code` is the one-time code an admin made; the private key never leaves the device."""

    code: Annotated[str, Field(min_length=4, max_length=32)]
    public_key: PublicKey
    version: Annotated[str, Field(max_length=40)]
    kind: DeviceKind = "till"


class PairingReply(Message):
    """`server_key` verifies snapshots. An epoch is issued by the server only: at pairing and at each re-pairing."""

    device: UUID
    epoch: int
    name: str
    venue: UUID
    venue_name: str
    server_key: PublicKey


class TokenRequest(Message):
    device: UUID
    at_us: InstantUs
    signature: Annotated[str, Field(max_length=128, description="base64 of Ed25519 over token_message()")]


class TokenReply(Message):
    """A bearer token for this device, good until `expires_at_us`."""

    token: str
    expires_at_us: InstantUs


def token_message(device: UUID, at_us: int) -> bytes:
    return b"comptoir-token-1" + device.bytes + at_us.to_bytes(8, "big")
