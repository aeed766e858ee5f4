"""Writing our keys and the holder's address on a MIFARE Ultralight AES (MF0AES(H)20 data sheet, 8.5), and reading back.

The chip does not say which key it holds, so a mark says it: in a page that anyone reads, and that like all others is
written by who knows the key only, once the chip is closed (AUTH0). While it is written it is open, so a card that was
taken away in the middle is written from the beginning. It is closed when it has shown that it knows the new key: some
chips know a new key only when they are laid down again, and then `AgainFirst` is raised.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from readers.cardauth import type2, ultralight
from readers.cardauth.errors import CardTrouble, Exchange, Malformed, NotProven

KEYS: Final = 2
_LAST, _MARK_PAGE = 0x26, 0x27
_DYNAMIC_LOCKS, _CONFIGURATION = 0x28, 0x29
_KEY_PAGES: Final = (0x30, 0x34)
# The first page that only who knows the key writes: all of the user's, or none.
_CLOSED, _OPEN = type2.FIRST, 0x3C
_WRITTEN, _ASKED = 1, 2
# Pages 16 to 37: two pages a bit; the mark's page stays free for new keys.
_LOCKS: Final = bytes.fromhex("ff0700")


class AgainFirst(CardTrouble):
    """All is written; the chip shows that it knows its new key only once it was taken away and laid down again."""


def write_ultralight(
    exchange: Exchange,
    before: Sequence[bytes],
    after: Sequence[bytes],
    version: int,
    address: str | None,
    *,
    lock: bool = False,
) -> None:
    """Make the card hold the two keys `after` under this version (1 to 255), where it held `before` or was half way.

    `address`: None: its pages stay as they are. `lock`: nobody changes the address again, who knows the key neither.
    Raises AgainFirst, NotProven (the card holds other keys), Refused, Malformed, CardSilent, ReaderFault; ValueError:
    the address does not fit.
    """
    content = None if address is None else type2.laid_out(address)
    done, asked = (_mark(version, state) for state in (_WRITTEN, _ASKED))
    mark = type2.read(exchange, _MARK_PAGE)[: type2.PAGE]
    if _first_closed(exchange) <= _MARK_PAGE:
        if mark in (done, asked):
            ultralight.authenticate(exchange, ultralight.DATA_KEY, after[ultralight.DATA_KEY])
            _finish(exchange, after, content, lock=lock)
            return
        ultralight.authenticate(exchange, ultralight.DATA_KEY, before[ultralight.DATA_KEY])
        _close(exchange, _OPEN)
    fresh = mark == done
    if fresh:
        # If it does not know the key now, all is written anew the next time.
        type2.write(exchange, _MARK_PAGE, asked)
    else:
        type2.write(exchange, _MARK_PAGE, bytes(type2.PAGE))
        if content is not None:
            type2.write_address(exchange, content, _LAST)
        for first, key in zip(_KEY_PAGES, after, strict=True):
            _write_key(exchange, first, key)
        type2.write(exchange, _MARK_PAGE, done)
    try:
        ultralight.authenticate(exchange, ultralight.DATA_KEY, after[ultralight.DATA_KEY])
    except NotProven:
        if fresh:
            raise
        raise AgainFirst("take the card away and lay it down once more") from None
    _finish(exchange, after, content, lock=lock)


def _finish(exchange: Exchange, keys: Sequence[bytes], content: bytes | None, *, lock: bool) -> None:
    """After a proof of the new data key: close the chip, and read back what stands there. Somebody may have changed
    the address while the chip was open. The data key is proven last: its session is the one that goes on."""
    if content is not None:
        type2.write_address(exchange, content, _LAST)
    _close(exchange, _CLOSED)
    if _first_closed(exchange) != _CLOSED:
        raise Malformed("the chip is not closed")
    for number in (ultralight.UID_KEY, ultralight.DATA_KEY):
        ultralight.authenticate(exchange, number, keys[number])
    if lock:
        type2.lock(exchange, _DYNAMIC_LOCKS, _LOCKS, whole=False)


def _first_closed(exchange: Exchange) -> int:
    return type2.read(exchange, _CONFIGURATION)[3]


def _close(exchange: Exchange, page: int) -> None:
    """From which page on only who knows the key writes; the rest of the configuration stays as it is."""
    now = type2.read(exchange, _CONFIGURATION)[: type2.PAGE]
    type2.write(exchange, _CONFIGURATION, now[:3] + bytes([page]))


def _write_key(exchange: Exchange, first: int, key: bytes) -> None:
    """A key stands there backwards, its last byte first."""
    backwards = key[::-1]
    for at in range(0, len(backwards), type2.PAGE):
        type2.write(exchange, first + at // type2.PAGE, backwards[at : at + type2.PAGE])


def _mark(version: int, state: int) -> bytes:
    return b"CM" + bytes([version, state])
