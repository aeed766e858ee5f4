"""The site hub: terminals on one LAN tell each other what they sold, so that a card spends its allowance once.

site      what one terminal knows of the others' rows
around    which others it hears of
messages  what is said, sealed
server    the hub's side
client    the terminal's side
finding   hubs that announce themselves, and those that are looked for
"""

from readers.hub.client import HubClient
from readers.hub.finding import Neighbourhood
from readers.hub.server import create_hub
from readers.hub.site import Site

__all__ = ["HubClient", "Neighbourhood", "Site", "create_hub"]
