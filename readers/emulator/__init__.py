"""Cards without hardware: card models, a field that the real nfcpy reads over UDP, and the demo's card tray."""

from readers.emulator.cards import Card, Ntag213, UidCard, card_with_uid
from readers.emulator.field import UdpCardField

__all__ = ["Card", "Ntag213", "UdpCardField", "UidCard", "card_with_uid"]
