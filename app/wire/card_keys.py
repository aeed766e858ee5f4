"""Keys of cards on their way to a terminal: bytes (app.rules.chips.keyring) wrapped for the device."""

from __future__ import annotations

from uuid import UUID


def about_keys(device: UUID, epoch: int) -> bytes:
    """What the parcel is about: keys for one device in one epoch, and nothing else that may ever be wrapped for it."""
    return b"comptoir card keys 1" + device.bytes + epoch.to_bytes(8)
