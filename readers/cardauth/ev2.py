"""AuthenticateEV2First with AES, and secure messaging in its session (NT4H2421Gx data sheet, 9.1; AN12196, 5).

Card and reader show each other that they know the key without saying it, and derive two session keys. From then on
commands carry a MAC over a counter that both sides keep, so that none can be changed, repeated or left out.
"""

from __future__ import annotations

import os
from typing import Literal

from app.rules.chips import aes
from readers.cardauth import native
from readers.cardauth.errors import Draw, Malformed, NotProven, Refused

Mode = Literal["plain", "mac", "full"]
"""How a command travels: open, open with a MAC, or encrypted with a MAC."""

_FIRST = 0x71
_AUTHENTICATION_ERROR = 0xAE
_NONCE, _PROOF, _TI = 16, 32, 4
_MAC = 8
_COUNTER_MAX = 0xFFFF


class Session:
    """What was agreed. After any error the card has closed it, and so has this object."""

    def __init__(self, transceive: native.Transceive, enc: bytes, mac: bytes, ti: bytes, counter: int = 0) -> None:
        self._transceive = transceive
        self._enc = enc
        self._mac = mac
        self._ti = ti
        self._counter = counter
        self._open = True

    def command(self, name: str, instruction: int, header: bytes = b"", data: bytes = b"", *, mode: Mode) -> bytes:
        """Send a command and return the data of its verified answer. `header` is never encrypted, `data` is in `full`.

        Raises Refused, NotProven, Malformed; ValueError once the session is closed.
        """
        if not self._open or self._counter >= _COUNTER_MAX:
            raise ValueError("the session with the card is closed")
        self._open = False
        body = self._protected(instruction, header, data, mode)
        answer = native.send(self._transceive, instruction, body)
        if answer.status not in (native.OK, 0x90):
            raise Refused(name, answer.status)
        self._counter += 1
        opened = self._verified(answer, mode)
        self._open = True
        return opened

    def close_with(self, name: str, instruction: int, header: bytes, data: bytes) -> None:
        """A fully protected command after which the card has no session any more: its answer carries no MAC."""
        if not self._open:
            raise ValueError("the session with the card is closed")
        self._open = False
        answer = native.send(self._transceive, instruction, self._protected(instruction, header, data, "full"))
        if answer.status != native.OK:
            raise Refused(name, answer.status)

    def _protected(self, instruction: int, header: bytes, data: bytes, mode: Mode) -> bytes:
        if mode == "plain":
            return header + data
        if mode == "full" and data:
            data = aes.encrypt(self._enc, aes.pad(data), self._iv(b"\xa5\x5a"))
        return header + data + self._mac_of(instruction, header + data)

    def _verified(self, answer: native.Answer, mode: Mode) -> bytes:
        if mode == "plain":
            return answer.data
        data, mac = answer.data[:-_MAC], answer.data[-_MAC:]
        if not aes.same(self._mac_of(answer.status, data), mac):
            raise NotProven("the MAC of the card's answer is wrong")
        if mode == "mac" or not data:
            return data
        try:
            return aes.unpad(aes.decrypt(self._enc, data, self._iv(b"\x5a\xa5")))
        except ValueError as error:
            raise Malformed(f"the card's answer cannot be decrypted: {error}") from error

    def _mac_of(self, code: int, data: bytes) -> bytes:
        return aes.short_cmac(self._mac, bytes([code]) + self._count + self._ti + data)

    def _iv(self, mark: bytes) -> bytes:
        return aes.encrypt(self._enc, (mark + self._ti + self._count).ljust(aes.BLOCK, b"\x00"))

    @property
    def _count(self) -> bytes:
        return self._counter.to_bytes(2, "little")


def authenticate(transceive: native.Transceive, key_no: int, key: bytes, draw: Draw = os.urandom) -> Session:
    """Prove that the card holds `key` as its number `key_no`, and that we do. Raises NotProven, Refused, Malformed."""
    challenge = native.send(transceive, _FIRST, bytes([key_no, 0]))
    if challenge.status != native.MORE:
        raise Refused("to authenticate", challenge.status)
    if len(challenge.data) != _NONCE:
        raise Malformed("the card's challenge is not 16 bytes long")
    rnd_b, rnd_a = aes.decrypt(key, challenge.data), draw(_NONCE)
    proof = native.send(transceive, native.MORE, aes.encrypt(key, rnd_a + aes.rotated(rnd_b)))
    if proof.status == _AUTHENTICATION_ERROR:
        raise NotProven("the card does not know this key")
    if proof.status != native.OK:
        raise Refused("to authenticate", proof.status)
    if len(proof.data) != _PROOF:
        raise Malformed("the card's proof is not 32 bytes long")
    plain = aes.decrypt(key, proof.data)
    if not aes.same(plain[_TI : _TI + _NONCE], aes.rotated(rnd_a)):
        raise NotProven("the card does not know this key, and claims to")
    enc, mac = session_keys(key, rnd_a, rnd_b)
    return Session(transceive, enc, mac, plain[:_TI])


def session_keys(key: bytes, rnd_a: bytes, rnd_b: bytes) -> tuple[bytes, bytes]:
    """(for encryption, for MACs)"""
    enc, mac = (aes.session_vector(mark, rnd_a, rnd_b) for mark in (b"\xa5\x5a", b"\x5a\xa5"))
    return aes.cmac(key, enc), aes.cmac(key, mac)
