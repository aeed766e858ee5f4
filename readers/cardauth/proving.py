"""What a tap proves: the card's level of assurance, by the key that its UID is known to hold.

A card without a key here proves nothing and needs not be asked: level C, without a single frame more.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from app.rules.chips.keyring import CardKey, KeyedChip
from readers.cardauth import desfire, ev2, ntag424, ultralight
from readers.cardauth.errors import CardTrouble, Exchange, NotProven
from readers.cardauth.isodep import IsoDep
from readers.taps import Assurance


def prove(card: CardKey, exchange: Exchange) -> None:
    """Whether the card in the field holds its key. Raises NotProven, CardSilent, ReaderFault.

    A card that declines to authenticate, or speaks in riddles, has proven nothing either.
    """
    try:
        _PROOFS[card.chip](card, exchange)
    except NotProven:
        raise
    except CardTrouble as error:
        raise NotProven(f"the card does not authenticate: {error}") from error


def level(keys: Mapping[bytes, CardKey], uid: bytes, exchange: Exchange) -> Assurance:
    """What the card with this UID has proven by now. Raises NotProven, CardSilent, ReaderFault."""
    card = keys.get(uid)
    if card is None:
        return "C"
    prove(card, exchange)
    return "A"


def _ntag424(card: CardKey, exchange: Exchange) -> object:
    return ntag424.authenticate(IsoDep(exchange).transceive, card.key_no, card.key)


def _desfire(card: CardKey, exchange: Exchange) -> object:
    transceive = IsoDep(exchange).transceive
    desfire.select(transceive, card.application)
    return ev2.authenticate(transceive, card.key_no, card.key)


def _desfire_ev1(card: CardKey, exchange: Exchange) -> object:
    transceive = IsoDep(exchange).transceive
    desfire.select(transceive, card.application)
    return desfire.authenticate_aes(transceive, card.key_no, card.key)


def _ultralight_aes(card: CardKey, exchange: Exchange) -> object:
    return ultralight.authenticate(exchange, card.key_no, card.key)


_PROOFS: Mapping[KeyedChip, Callable[[CardKey, Exchange], object]] = {
    "ntag424": _ntag424,
    "desfire": _desfire,
    "desfire_ev1": _desfire_ev1,
    "ultralight_aes": _ultralight_aes,
}
