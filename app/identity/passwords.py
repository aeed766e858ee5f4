"""Passwords and PINs: what is accepted, and Argon2id in threads of its own."""

from __future__ import annotations

import asyncio
import re
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from app.platform.errors import Invalid

T = TypeVar("T")

PASSWORD_LENGTH_MIN = 10
PASSWORD_LENGTH_MAX = 256

_PIN = re.compile(r"[0-9]{4,8}")

# argon2-cffi's defaults are RFC 9106's second choice: 64 MiB and about 50 ms of each hash.
_hasher = PasswordHasher()
# A PIN is checked on a Raspberry Pi, where 64 MiB are dear: OWASP's smallest recommended cost (19 MiB, 2 passes).
_pin_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
# Two at a time: a flood of sign-ins waits in line instead of taking 64 MiB each.
_threads = ThreadPoolExecutor(max_workers=2, thread_name_prefix="argon2")


def check_password(password: str) -> None:
    """Raises Invalid if nobody should protect a till with it."""
    if not PASSWORD_LENGTH_MIN <= len(password) <= PASSWORD_LENGTH_MAX:
        raise Invalid(f"A password has {PASSWORD_LENGTH_MIN} to {PASSWORD_LENGTH_MAX} characters.")


def check_pin(pin: str) -> None:
    if not _PIN.fullmatch(pin):
        raise Invalid("A PIN has 4 to 8 digits.")


async def hash_secret(secret: str) -> str:
    return await _run(lambda: _hasher.hash(_canonical(secret)))


async def hash_pin(pin: str) -> str:
    return await _run(lambda: _pin_hasher.hash(_canonical(pin)))


async def verify_secret(stored: str | None, secret: str) -> bool:
    """Whether `secret` is the one hashed in `stored`. Takes as long when nothing is stored as when it is wrong."""
    return await _run(lambda: _verify(stored, secret))


def needs_rehash(stored: str) -> bool:
    """Whether `stored` was made with weaker parameters than today's."""
    return _hasher.check_needs_rehash(stored)


def _verify(stored: str | None, secret: str) -> bool:
    try:
        _hasher.verify(_nobody() if stored is None else stored, _canonical(secret))
    except (VerificationError, InvalidHashError):
        return False
    return stored is not None


@cache
def _nobody() -> str:
    """A hash of the same cost as everybody's, for logins that do not exist."""
    return _hasher.hash("nobody")


def _canonical(secret: str) -> str:
    # The same keys give composed or decomposed accents, depending on the system that was typed on.
    return unicodedata.normalize("NFKC", secret)[:PASSWORD_LENGTH_MAX]


async def _run(work: Callable[[], T]) -> T:
    return await asyncio.get_running_loop().run_in_executor(_threads, work)
