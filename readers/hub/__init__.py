"""The site hub: terminals on one LAN tell each other what they sold, so that a card spends its allowance once."""

from readers.hub.client import HubClient
from readers.hub.server import create_hub
from readers.hub.site import Site

__all__ = ["HubClient", "Site", "create_hub"]
