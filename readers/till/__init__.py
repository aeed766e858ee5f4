"""The till: staff's commands and the card reader's events become journal rows, requests and a screen."""

from readers.till.carrying import Carrying
from readers.till.looks import Looks
from readers.till.shelf import SnapshotShelf
from readers.till.staff import SignIn
from readers.till.tap import Tap, TapSettings
from readers.till.till import CardTill

__all__ = ["CardTill", "Carrying", "Looks", "SignIn", "SnapshotShelf", "Tap", "TapSettings"]
