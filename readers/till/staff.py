"""Who is signed in at the till, by PIN."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from uuid import UUID

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from app.wire import SnapshotStaff
from readers.terminal.commands import TillError

ATTEMPTS_MAX = 5
WAIT_NS = 30 * 1_000_000_000


class SignIn:
    """One person at a time. After 5 wrong PINs in a row nobody can try for 30 s."""

    def __init__(self, monotonic_ns: Callable[[], int]) -> None:
        self._monotonic_ns = monotonic_ns
        self._hasher = PasswordHasher()
        self._checking = asyncio.Lock()
        self._wrong = 0
        self._locked_until_ns = 0
        self.who: UUID | None = None

    async def sign_in(self, pin: str, staff: Iterable[SnapshotStaff]) -> None:
        """TillError: wrong_pin, too_many_attempts."""
        # One at a time: guesses sent side by side must count one after the other.
        async with self._checking:
            if self._monotonic_ns() < self._locked_until_ns:
                raise TillError("too_many_attempts")
            # Argon2 takes its time on purpose, so the event loop goes on without it.
            found = await asyncio.to_thread(self._match, pin, list(staff))
            if found is not None:
                self.who, self._wrong = found, 0
                return
            self._wrong += 1
            if self._wrong >= ATTEMPTS_MAX:
                self._wrong, self._locked_until_ns = 0, self._monotonic_ns() + WAIT_NS
            raise TillError("wrong_pin")

    def sign_out(self) -> None:
        self.who = None

    def _match(self, pin: str, staff: list[SnapshotStaff]) -> UUID | None:
        for person in staff:
            try:
                self._hasher.verify(person.pin, pin)
            except (VerificationError, InvalidHashError):
                continue
            return person.id
        return None
