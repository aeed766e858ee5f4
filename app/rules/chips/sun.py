"""The message that an NTAG 424 DNA writes into its own address at each tap: secure unique NFC, "SUN" (NXP AN12196).

    https://example.org/c?e=EF963FF7828658A599F3041510671E88&c=94EED9EE65337086

`e` is the UID and a counter, encrypted under a key that all cards share; `c` is a MAC under a key of the card's own.
Who verifies it must also refuse a counter that did not rise: a copied address is valid for ever, but only once.
"""

from __future__ import annotations

from dataclasses import dataclass

from app.rules.chips.aes import BLOCK, cmac, decrypt, encrypt, same, short_cmac

_UID_SIZE, _COUNTER_SIZE, MAC_SIZE = 7, 3, 8
# PICCDataTag (NT4H2421Gx, 9.3.4): UID mirrored, counter mirrored, and the length of the UID.
_TAG = 0xC7
_MAC_MARK, _ENC_MARK = bytes.fromhex("3cc300010080"), bytes.fromhex("c33c00010080")


class NotSun(ValueError):
    """This is no SUN message under the keys given; the text says what is wrong, in English."""


@dataclass(frozen=True, slots=True)
class Sun:
    """What a card said of itself, not proven yet. `counter` rises by one at each tap, up to 2**24 - 1."""

    uid: bytes
    counter: int

    @property
    def _vector(self) -> bytes:
        return self.uid + self.counter.to_bytes(_COUNTER_SIZE, "little")


def read(meta_key: bytes, encrypted: str) -> Sun:
    """Decrypt the hexadecimal PICCData of an address. NotSun."""
    data = _bytes(encrypted, BLOCK, "the encrypted UID and counter")
    plain = decrypt(meta_key, data)
    if plain[0] != _TAG:
        raise NotSun("the encrypted UID and counter were not made with this key")
    counter = plain[1 + _UID_SIZE : 1 + _UID_SIZE + _COUNTER_SIZE]
    return Sun(plain[1 : 1 + _UID_SIZE], int.from_bytes(counter, "little"))


def verify(file_key: bytes, sun: Sun, mac: str, mac_input: bytes = b"") -> None:
    """Whether the card that holds `file_key` made this message. NotSun if not.

    `mac_input` is the part of the address from the SDMMACInputOffset to the MAC, as the card wrote it; by default none.
    """
    given = _bytes(mac, MAC_SIZE, "the MAC")
    if not same(short_cmac(cmac(file_key, _MAC_MARK + sun._vector), mac_input), given):
        raise NotSun("the MAC is wrong: another card, another key, or a changed address")


def decrypt_file(file_key: bytes, sun: Sun, encrypted: str) -> bytes:
    """The part of the file that the card mirrors encrypted (SDMENCFileData). NotSun: not whole blocks."""
    data = _bytes(encrypted, None, "the encrypted file data")
    session = cmac(file_key, _ENC_MARK + sun._vector)
    iv = encrypt(session, sun.counter.to_bytes(_COUNTER_SIZE, "little").ljust(BLOCK, b"\x00"))
    return decrypt(session, data, iv)


def make(meta_key: bytes, file_key: bytes, sun: Sun, fill: bytes, mac_input: bytes = b"") -> tuple[str, str]:
    """What the chip writes: PICCData and MAC in upper-case hexadecimal. `fill` is its 5 random bytes."""
    data = encrypt(meta_key, bytes([_TAG]) + sun._vector + fill)
    return data.hex().upper(), short_cmac(cmac(file_key, _MAC_MARK + sun._vector), mac_input).hex().upper()


def _bytes(text: str, size: int | None, what: str) -> bytes:
    try:
        data = bytes.fromhex(text) if text.isalnum() else None
    except ValueError:
        data = None
    if data is None or (len(data) != size if size else len(data) % BLOCK):
        raise NotSun(f"{what} is not {f'{size} bytes' if size else 'whole blocks'} in hexadecimal")
    return data
