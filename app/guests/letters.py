"""The message that places are kept, and the way out of the line that stands in it; links of invitations.

A link carries the entry's id under a MAC of the server's key: whoever has the link may use it, and nothing else. The
card's address is not in it, for that opens what is on the card.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from typing import Final, Literal
from uuid import UUID, uuid5

from sqlalchemy.ext.asyncio import AsyncConnection

from app.events.orders import Order
from app.events.rules import Event
from app.guests.rules import Waiting
from app.mail.service import Letter, queue
from app.platform.context import Context
from app.venues.service import Venue, the_network

TEMPLATE: Final = "guests/offer_mail"
# What a link does: one for one thing opens no other.
LEAVING: Final = b"comptoir-waiting-1"
INVITED: Final = b"comptoir-invitation-1"
_MAC_BYTES: Final = 16


async def write(
    context: Context, connection: AsyncConnection, at: Event, venue: Venue, it: Waiting, order: Order
) -> None:
    """In the caller's transaction, where an address was left."""
    if it.email is None or context.settings.mail == "none":
        return
    language: Literal["fr", "en"] = "en" if it.language == "en" else "fr"
    data = {
        "network_name": (await the_network(connection)).name,
        "title": at.title(language),
        "venue": venue.name,
        "zone": venue.zone,
        "starts_us": at.starts_at_us,
        "places": it.places,
        "until_us": order.hold_until_us,
        "leave": f"/waiting/{token_of(context.keys.token, it.id)}",
    }
    await queue(connection, Letter(letter_of(it.id), TEMPLATE, language, it.email, data))


def letter_of(id_: UUID) -> UUID:
    """Written twice it is one message."""
    return uuid5(id_, "letter")


def token_of(key: bytes, id_: UUID, purpose: bytes = LEAVING) -> str:
    return base64.urlsafe_b64encode(id_.bytes + _mac(key, id_, purpose)).decode().rstrip("=")


def named_by(key: bytes, token: str, purpose: bytes = LEAVING) -> UUID | None:
    """None for anything that is no such token."""
    try:
        raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        id_ = UUID(bytes=raw[:16])
    except (binascii.Error, ValueError):
        return None
    return id_ if hmac.compare_digest(raw[16:], _mac(key, id_, purpose)) else None


def _mac(key: bytes, id_: UUID, purpose: bytes) -> bytes:
    return hmac.digest(key, purpose + id_.bytes, "sha256")[:_MAC_BYTES]
