"""MIFARE Ultralight AES (MF0AES(H)20 data sheet; AN13452): mutual authentication, and commands with a MAC.

It has no ISO/IEC 14443-4, so a tap takes three frames. nfcpy takes it for an Ultralight C; we speak to it ourselves.
"""

from __future__ import annotations

import os
from typing import Final

from app.rules.chips import aes
from readers.cardauth.errors import Draw, Exchange, Malformed, NotProven, Refused

DATA_KEY, UID_KEY = 0, 1
# GET_VERSION of an MF0AES20 (data sheet, 10.1).
VERSION: Final = bytes.fromhex("0004030104000f03")
_SIGNATURE = 48
_AUTHENTICATE, _MORE, _DONE = 0x1A, 0xAF, 0x00
_NONCE, _MAC = 16, 8
_ACK = 0x0A


class Session:
    """MACed commands, for chips that demand them (SEC_MSG_ACT). The counter rises with each frame, ours and theirs."""

    def __init__(self, exchange: Exchange, mac: bytes) -> None:
        self._exchange = exchange
        self._mac = mac
        self._counter = 0

    def read(self, page: int) -> bytes:
        """Four pages, 16 bytes."""
        return self._ask(bytes([0x30, page]), 16)

    def write(self, page: int, data: bytes) -> None:
        if len(data) != 4:
            raise ValueError("a page has 4 bytes")
        if self._ask(bytes([0xA2, page]) + data, 1) != bytes([_ACK]):
            raise Malformed("the card does not acknowledge what was written")

    def _ask(self, command: bytes, size: int) -> bytes:
        got = self._exchange(command + self._next_mac(command))
        if len(got) == 1:
            raise Refused("a command with a MAC", got[0])
        data, mac = got[:-_MAC], got[-_MAC:]
        if not aes.same(self._next_mac(data), mac):
            raise NotProven("the MAC of the card's answer is wrong")
        if len(data) != size:
            raise Malformed(f"the answer has {size} bytes, not {len(data)}")
        return data

    def _next_mac(self, data: bytes) -> bytes:
        counter = self._counter.to_bytes(2, "little")
        self._counter = (self._counter + 1) & 0xFFFF
        return aes.short_cmac(self._mac, counter + data)


def authenticate(exchange: Exchange, key_no: int, key: bytes, draw: Draw = os.urandom) -> Session:
    """Prove that the card holds `key`, and that we do. Raises NotProven, Refused, Malformed."""
    rnd_b = aes.decrypt(key, _part(exchange(bytes([_AUTHENTICATE, key_no])), _MORE))
    rnd_a = draw(_NONCE)
    got = exchange(bytes([_MORE]) + aes.encrypt(key, rnd_a + aes.rotated(rnd_b)))
    if len(got) == 1:
        raise NotProven("the card does not know this key")
    if not aes.same(aes.decrypt(key, _part(got, _DONE)), aes.rotated(rnd_a)):
        raise NotProven("the card does not know this key, and claims to")
    return Session(exchange, aes.cmac(key, aes.session_vector(b"\x5a\xa5", rnd_a, rnd_b)))


def signature(exchange: Exchange) -> bytes:
    """READ_SIG: the maker's 48 bytes over the UID. Raises Refused, Malformed."""
    got = exchange(b"\x3c\x00")
    if len(got) == 1:
        raise Refused("its signature", got[0])
    if len(got) != _SIGNATURE:
        raise Malformed(f"a signature has {_SIGNATURE} bytes, not {len(got)}")
    return got


def _part(got: bytes, code: int) -> bytes:
    if len(got) == 1:
        raise Refused("to authenticate", got[0])
    if len(got) != 1 + _NONCE or got[0] != code:
        raise Malformed("this is no part of an authentication")
    return got[1:]
