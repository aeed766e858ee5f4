"""NTAG213, NTAG215, NTAG216 (NXP data sheet rev. 3.2, chapter 10). The chip has no cipher: a password travels in clear.

The reader hears a refusal (a 4-bit NAK) as one byte; over many drivers it looks like silence, and comes as CardSilent.
"""

from __future__ import annotations

from typing import Final, Literal

from readers.cardauth import type2
from readers.cardauth.errors import Exchange, Malformed, NotProven, Refused
from readers.taps import CardSilent

Model = Literal["NTAG213", "NTAG215", "NTAG216"]
MODELS: Final[dict[bytes, Model]] = {
    bytes.fromhex("0004040201000f03"): "NTAG213",
    bytes.fromhex("0004040201001103"): "NTAG215",
    bytes.fromhex("0004040201001303"): "NTAG216",
}
# The only counter that the chip has.
_COUNTER = 0x02


def model(exchange: Exchange) -> Model | None:
    """GET_VERSION; None: some other chip of the family."""
    return MODELS.get(type2.version(exchange))


def signature(exchange: Exchange) -> bytes:
    """READ_SIG: the maker's 32 bytes over the UID."""
    return _ask(exchange, "its signature", b"\x3c\x00", 32)


def taps(exchange: Exchange) -> int:
    """READ_CNT: how often the chip was read, if it was set up to count."""
    return int.from_bytes(_ask(exchange, "its counter", b"\x39" + bytes([_COUNTER]), 3), "little")


def unlock(exchange: Exchange, password: bytes, acknowledgement: bytes) -> None:
    """PWD_AUTH with 4 bytes, answered by 2. Raises NotProven where password or answer are not the card's."""
    if len(password) != 4 or len(acknowledgement) != 2:
        raise ValueError("a password has 4 bytes, its answer 2")
    try:
        got = exchange(b"\x1b" + password)
    except CardSilent as error:
        raise NotProven("the card does not take the password, or has left") from error
    if got != acknowledgement:
        raise NotProven("the card does not know the password's answer")


def _ask(exchange: Exchange, what: str, command: bytes, size: int) -> bytes:
    got = exchange(command)
    if len(got) == 1:
        raise Refused(what, got[0])
    if len(got) != size:
        raise Malformed(f"{what} has {size} bytes, not {len(got)}")
    return got
