"""Cards without hardware: chip models, what nfcpy reads them by (UDP, or a PN532), and the demo's card tray."""

from readers.emulator.cards import Card, Ntag213, Ntag215, Ntag216, UidCard, card_with_uid
from readers.emulator.desfire import Desfire
from readers.emulator.field import UdpCardField
from readers.emulator.ntag424 import Ntag424
from readers.emulator.pn532 import EmulatedPn532
from readers.emulator.torn import Torn
from readers.emulator.ultralight import UltralightAes

__all__ = [
    "Card",
    "Desfire",
    "EmulatedPn532",
    "Ntag213",
    "Ntag215",
    "Ntag216",
    "Ntag424",
    "Torn",
    "UdpCardField",
    "UidCard",
    "UltralightAes",
    "card_with_uid",
]
