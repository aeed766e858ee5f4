"""The server's own keys: files that only its user can read, made on first use.

`data/secrets/signing-key` is the Ed25519 key that signs snapshots for terminals; `data/secrets/token-key` is the HMAC
key of terminals' tokens. They are part of every backup: with other keys, every terminal would have to be paired again.
"""

from __future__ import annotations

import base64
import os
import secrets
import stat
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from app.platform.errors import SecretsExposed

KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class ServerKeys:
    """`token` signs terminals' tokens (HMAC-SHA256); neither key ever appears in a repr or a log."""

    signing: Ed25519PrivateKey = field(repr=False)
    token: bytes = field(repr=False)

    @property
    def public_key(self) -> str:
        """Base64 of the 32 bytes that verify what `signing` signed."""
        raw = self.signing.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        return base64.b64encode(raw).decode()


def secrets_folder(data: Path) -> Path:
    return data / "secrets"


def load_keys(data: Path) -> ServerKeys:
    """The keys of the server whose data folder is `data`, made if they are not there yet."""
    folder = secrets_folder(data)
    return ServerKeys(
        signing=Ed25519PrivateKey.from_private_bytes(load_or_create(folder / "signing-key", KEY_BYTES)),
        token=load_or_create(folder / "token-key", KEY_BYTES),
    )


def load_or_create(path: Path, size_bytes: int) -> bytes:
    """The secret in `path`: `size_bytes` random bytes, made if there is no such file.

    Whoever comes first makes it and all others read that one, even when several processes start at once.
    Raises SecretsExposed if group or others can touch the file, or if it is not `size_bytes` long.
    """
    if not path.exists():
        _create(path, secrets.token_bytes(size_bytes))
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        raise SecretsExposed(
            f"{path} can be used by others (mode {mode:04o}). If nobody else has read it, run: chmod 600 '{path}'. "
            "If somebody may have, restore a backup elsewhere or make new keys, and pair the terminals again."
        )
    secret = path.read_bytes()
    if len(secret) != size_bytes:
        raise SecretsExposed(f"{path} has {len(secret)} bytes instead of {size_bytes}: restore it from a backup.")
    return secret


def write_private(path: Path, content: bytes) -> None:
    """Writes a new file of mode 0600 and waits until it is on the disk. Raises FileExistsError if there is one."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with open(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Makes names created or replaced in `folder` survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _create(path: Path, secret: bytes) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    write_private(draft, secret)
    try:
        # A hard link, unlike a rename, never replaces a file that another process made meanwhile.
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
    sync_folder(path.parent)
