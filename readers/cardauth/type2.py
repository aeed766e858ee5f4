"""Pages of an NFC Forum Type 2 tag (NTAG21x, Ultralight AES): read, written, an address put on them, locked.

A page has 4 bytes. A card that is taken away in the middle of an address holds an empty one, until it is finished.
"""

from __future__ import annotations

from typing import Final

from readers.cardauth.errors import Exchange, Malformed, Refused

PAGE: Final = 4
FIRST: Final = 4
_READ, _WRITE, _ACK = 0x30, 0xA2, 0x0A
_READS = 4 * PAGE
_VERSION_BYTES = 8
_LOCK_PAGE, _CAPABILITY_PAGE = 2, 3
# NDEF of version 1.0, 144 bytes, free to read and to write (NFC Forum Type 2 Tag 1.1, 6.1).
_CAPABILITY: Final = bytes.fromhex("e1101200")
_NDEF, _TERMINATOR, _MAGIC = 0x03, 0xFE, 0xE1
_EMPTY: Final = bytes([_NDEF, 0, _TERMINATOR, 0])
_PAYLOAD_MAX: Final = 245
_HTTPS: Final = "https://"


def version(exchange: Exchange) -> bytes:
    """GET_VERSION: 8 bytes that name the chip. Raises Refused, Malformed."""
    got = exchange(b"\x60")
    if len(got) == 1:
        raise Refused("its version", got[0])
    if len(got) != _VERSION_BYTES:
        raise Malformed(f"a version has {_VERSION_BYTES} bytes, not {len(got)}")
    return got


def read(exchange: Exchange, page: int) -> bytes:
    """Four pages from this one on. Raises Refused, Malformed."""
    got = exchange(bytes([_READ, page]))
    if len(got) == 1:
        raise Refused(f"page {page} to be read", got[0])
    if len(got) != _READS:
        raise Malformed(f"four pages have {_READS} bytes, not {len(got)}")
    return got


def write(exchange: Exchange, page: int, data: bytes) -> None:
    """Raises Refused, Malformed."""
    if len(data) != PAGE:
        raise ValueError("a page has 4 bytes")
    got = exchange(bytes([_WRITE, page]) + data)
    if len(got) != 1:
        raise Malformed(f"{len(got)} bytes are no answer to a page that was written")
    if got[0] != _ACK:
        raise Refused(f"page {page} to be written", got[0])


def laid_out(address: str) -> bytes:
    """The pages that hold an https address as one NDEF record of type URI. ValueError: no such address, or too long."""
    if not address.startswith(_HTTPS) or not address.isascii():
        raise ValueError("the address begins with https:// and is ASCII")
    payload = b"\x04" + address.removeprefix(_HTTPS).encode()
    if len(payload) > _PAYLOAD_MAX:
        raise ValueError(f"the address is too long for the chip: {len(address)} characters")
    record = b"\xd1\x01" + bytes([len(payload)]) + b"U" + payload
    content = bytes([_NDEF, len(record)]) + record + bytes([_TERMINATOR])
    return content + bytes(-len(content) % PAGE)


def holds(exchange: Exchange, content: bytes) -> bool:
    """Whether these are the first pages of the user's. Raises Refused, Malformed."""
    return all(
        read(exchange, FIRST + at // PAGE)[: len(content) - at] == content[at : at + _READS]
        for at in range(0, len(content), _READS)
    )


def write_address(exchange: Exchange, content: bytes, last: int) -> None:
    """Put on the pages up to `last` what `laid_out` made, and read it back; what stands there already stays untouched,
    so that a card whose pages are locked is no trouble. Raises Refused, Malformed; ValueError: there is no room."""
    if FIRST + len(content) // PAGE - 1 > last:
        raise ValueError("the address is too long for the chip")
    if read(exchange, _CAPABILITY_PAGE)[0] != _MAGIC:
        write(exchange, _CAPABILITY_PAGE, _CAPABILITY)
    if holds(exchange, content):
        return
    write(exchange, FIRST, _EMPTY)
    for at in range(PAGE, len(content), PAGE):
        write(exchange, FIRST + at // PAGE, content[at : at + PAGE])
    write(exchange, FIRST, content[:PAGE])
    if not holds(exchange, content):
        raise Malformed("the address on the card is not the one that was written")


def lock(exchange: Exchange, dynamic: int, bits: bytes, *, whole: bool) -> None:
    """Lock pages 3 to 15, and those that `bits` (3 bytes) of the page of dynamic locks name; `whole`: the locks are
    closed themselves. Final: bits only rise. Raises Refused, Malformed."""
    _raise(exchange, dynamic, bits + b"\0")
    _raise(exchange, _LOCK_PAGE, b"\0\0" + (b"\xff\xff" if whole else b"\xf8\xff"))


def _raise(exchange: Exchange, page: int, bits: bytes) -> None:
    """Set these bits of a page that can only rise."""
    if not _risen(exchange, page, bits):
        write(exchange, page, bits)
        if not _risen(exchange, page, bits):
            raise Malformed(f"the locks of page {page} are not those that were set")


def _risen(exchange: Exchange, page: int, bits: bytes) -> bool:
    return all(have & bit == bit for have, bit in zip(read(exchange, page), bits, strict=False))
