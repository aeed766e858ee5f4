"""Codes of an authenticator (TOTP, RFC 6238: SHA-1, six digits, steps of 30 s) and recovery codes; nothing is stored.

A secret leaves this module sealed (AES-GCM) with a key that is derived from the server's (HKDF), and bound to its
person: a copy of the database makes no codes, and nobody's secret serves for another. Of recovery codes only the
SHA-256 is kept: they have 80 random bits.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from typing import Final
from uuid import UUID

import pyotp

from app.platform import sealing

RECOVERY_CODES: Final = 10
ISSUER: Final = "Comptoir"

_STEP_US = 30 * 1_000_000
_PURPOSE = b"comptoir second factor"
# Without signs that look like others; 16 of them are 80 bits.
_SIGNS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
_SIGNS_EACH = 16

# After this many wrong codes in a row none is taken for so long; from the last on, after every further five.
WAITS_US: Final = {5: 15 * 60 * 1_000_000, 10: 3600 * 1_000_000, 15: 24 * 3600 * 1_000_000}
_EACH = 5


def new_secret() -> str:
    """160 bits in base32, as authenticators read them."""
    return pyotp.random_base32()


def address(secret: str, login: str) -> str:
    """What the QR code says to an authenticator."""
    return pyotp.TOTP(secret).provisioning_uri(name=login, issuer_name=ISSUER)


def matching_step(secret: str, code: str, now_us: int) -> int | None:
    """The step whose code this is: the present one, or its neighbours, for clocks that differ a little."""
    typed, totp, present = _plain(code), pyotp.TOTP(secret), now_us // _STEP_US
    for step in (present, present - 1, present + 1):
        if hmac.compare_digest(totp.generate_otp(step).encode(), typed.encode()):
            return step
    return None


def wait_us(wrong: int) -> int:
    """How long no code is taken after so many wrong ones in a row: an attacker with somebody's session has 15 tries on
    the first day and 5 on every other, of a million codes of which three are right."""
    if wrong <= 0 or wrong % _EACH:
        return 0
    return WAITS_US[min(wrong, max(WAITS_US))]


def seal(server_key: bytes, person: UUID, secret: str) -> bytes:
    return sealing.seal(server_key, _PURPOSE, secret.encode(), person.bytes)


def unseal(server_key: bytes, person: UUID, sealed: bytes) -> str | None:
    """None: it was sealed with another server's key, or for somebody else."""
    try:
        return sealing.unseal(server_key, _PURPOSE, sealed, person.bytes).decode()
    except ValueError:
        return None


def new_recovery_code() -> str:
    signs = "".join(secrets.choice(_SIGNS) for _ in range(_SIGNS_EACH))
    return "-".join(signs[at : at + 4] for at in range(0, _SIGNS_EACH, 4))


def is_recovery_code(code: str) -> bool:
    """By its looks: as many signs as one has, however they are grouped."""
    return len(_plain(code)) == _SIGNS_EACH


def recovery_sha256(person: UUID, code: str) -> bytes:
    return hashlib.sha256(person.bytes + _plain(code).encode()).digest()


def _plain(code: str) -> str:
    return "".join(code.split()).replace("-", "").upper()
