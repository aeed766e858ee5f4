"""The staff screen: one page on a local web server, drawn from what a `Till` shows and driving it."""

from readers.kiosk.server import create_kiosk

__all__ = ["create_kiosk"]
