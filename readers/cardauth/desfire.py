"""MIFARE DESFire: authentication within an application, by AES.

EV2 and EV3 authenticate as an NTAG 424 DNA does (`ev2.authenticate`); an EV1 knows AuthenticateAES only (AN0945;
AN12757, table 20), whose CBC runs on from message to message.
"""

from __future__ import annotations

import os

from app.rules.chips import aes
from readers.cardauth import native
from readers.cardauth.errors import Draw, Malformed, NotProven, Refused

_AES, _AUTHENTICATION_ERROR = 0xAA, 0xAE
_NONCE = 16


def select(transceive: native.Transceive, application: bytes) -> None:
    """The application with this 3-byte AID, low byte first as on the wire. Raises Refused, Malformed."""
    native.ask(transceive, "to select the application", 0x5A, application)


def authenticate_aes(transceive: native.Transceive, key_no: int, key: bytes, draw: Draw = os.urandom) -> bytes:
    """Prove that the card holds this key. Returns the key of the session. Raises NotProven, Refused, Malformed."""
    challenge = native.send(transceive, _AES, bytes([key_no]))
    if challenge.status != native.MORE:
        raise Refused("to authenticate", challenge.status)
    if len(challenge.data) != _NONCE:
        raise Malformed("the card's challenge is not 16 bytes long")
    rnd_b, rnd_a = aes.decrypt(key, challenge.data), draw(_NONCE)
    ours = aes.encrypt(key, rnd_a + aes.rotated(rnd_b), challenge.data)
    proof = native.send(transceive, native.MORE, ours)
    if proof.status == _AUTHENTICATION_ERROR:
        raise NotProven("the card does not know this key")
    if proof.status != native.OK:
        raise Refused("to authenticate", proof.status)
    if len(proof.data) != _NONCE:
        raise Malformed("the card's proof is not 16 bytes long")
    if not aes.same(aes.decrypt(key, proof.data, ours[-_NONCE:]), aes.rotated(rnd_a)):
        raise NotProven("the card does not know this key, and claims to")
    return rnd_a[:4] + rnd_b[:4] + rnd_a[12:] + rnd_b[12:]
