"""The device's key: made once, kept from others."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from readers.sync.keys import DeviceKey, signed_by


def test_the_key_is_made_once_and_readable_by_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "device.key"
    key = DeviceKey.load_or_make(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.chmod(0o644)
    assert DeviceKey.load_or_make(path).public == key.public
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_signature_stands_for_its_message_and_key_only(tmp_path: Path) -> None:
    key, other = (DeviceKey.load_or_make(tmp_path / name) for name in ("a.key", "b.key"))
    signature = key.sign(b"message")
    assert signed_by(key.public, b"message", signature)
    assert not signed_by(key.public, b"massage", signature)
    assert not signed_by(other.public, b"message", signature)
    assert not signed_by(key.public, b"message", "not base64")
    assert not signed_by("", b"message", signature)


def test_half_a_key_left_by_a_crash_is_no_obstacle(tmp_path: Path) -> None:
    (tmp_path / "device.new").write_bytes(b"-----BEGIN")
    assert DeviceKey.load_or_make(tmp_path / "device.key").public


def test_another_kind_of_key_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "device.key"
    path.write_bytes(X25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    with pytest.raises(ValueError, match="Ed25519"):
        DeviceKey.load_or_make(path)
