"""A card that answers by a script, so that every byte we send is held against a published trace."""

from __future__ import annotations

from collections.abc import Callable, Iterable


class Script:
    """Called as an `exchange`; hexadecimal, spaces allowed. `done` once all was said."""

    def __init__(self, *pairs: tuple[str, str]) -> None:
        self._left = [(bytes.fromhex(ask), bytes.fromhex(answer)) for ask, answer in pairs]

    def __call__(self, command: bytes) -> bytes:
        assert self._left, f"one command too many: {command.hex()}"
        ask, answer = self._left.pop(0)
        assert command.hex() == ask.hex()
        return answer

    @property
    def done(self) -> bool:
        return not self._left


def drawing(*nonces: str) -> Callable[[int], bytes]:
    """Random bytes that are known beforehand."""
    left = [bytes.fromhex(each) for each in nonces]
    return lambda _: left.pop(0)


def saying(answers: Iterable[bytes]) -> Callable[[bytes], bytes]:
    """A card that says this, one answer after the other and from the beginning again, whatever it is asked."""
    known = list(answers)
    count = 0

    def exchange(_: bytes) -> bytes:
        nonlocal count
        count += 1
        return known[(count - 1) % len(known)]

    return exchange
