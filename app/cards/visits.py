"""What the visitor of a card's page has shown of the card, kept in a short-lived cookie of this card's addresses.

    proven    the card itself was at the visitor's phone a moment ago: its message was never used before
    seen      the same message once more, just after: the page loaded again; enough to look, not to act
    address   nothing but the card's address, as its QR code has it

The cookie says what was shown and until when, under a MAC over the card; nothing is kept at the server.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import struct
from typing import Final, Literal, get_args
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from app.cards.service import Card
from app.platform.clock import now_us
from app.platform.context import context_of
from app.platform.errors import Forbidden
from app.venues.service import Network, the_network

Visit = Literal["proven", "seen", "address"]

COOKIE: Final = "comptoir_card"
LIFETIME_S: Final = 15 * 60
_KINDS: Final[tuple[Visit, ...]] = get_args(Visit)
_LABEL: Final = b"comptoir-card-visit-1"
_CLAIMS: Final = struct.Struct(">BQ")
_MAC_BYTES: Final = 16


def visit_of(request: Request, card: Card) -> Visit:
    """By the cookie that the request bears; whatever else it bears counts for nothing."""
    return read(context_of(request).keys.token, card.id, request.cookies.get(COOKIE, ""), now_us())


def read(key: bytes, card: UUID, cookie: str, at_us: int) -> Visit:
    """What a cookie shows of this card at this instant; any text may be given."""
    try:
        raw = base64.b64decode(cookie, altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return "address"
    claims, mac = raw[: _CLAIMS.size], raw[_CLAIMS.size :]
    if not hmac.compare_digest(mac, _mac(key, card, claims)):
        return "address"
    kind, until_us = _CLAIMS.unpack(claims)
    return _KINDS[kind] if at_us < until_us else "address"


def written(key: bytes, card: UUID, visit: Visit, until_us: int) -> str:
    """The cookie that shows this until then."""
    claims = _CLAIMS.pack(_KINDS.index(visit), until_us)
    return base64.urlsafe_b64encode(claims + _mac(key, card, claims)).decode()


def remember(request: Request, response: Response, card: Card, visit: Visit) -> None:
    """Let the browser show it again, at this card's addresses alone. What was shown before is not taken back by less:
    a page that was proven and is loaded again stays proven until its time is over."""
    if _KINDS.index(visit_of(request, card)) < _KINDS.index(visit):
        return
    response.set_cookie(
        COOKIE,
        written(context_of(request).keys.token, card.id, visit, now_us() + LIFETIME_S * 1_000_000),
        max_age=LIFETIME_S,
        path=f"/c/{card.token}",
        httponly=True,
        samesite="lax",
        # Behind a proxy that ends TLS the request itself looks like plain http; the address people type tells.
        secure=request.url.scheme == "https" or context_of(request).settings.base_url.startswith("https://"),
    )


def kept_back(request: Request, card: Card, network: Network) -> bool:
    """Whether this visitor is not told what is on the card: the network wants a tap first, and the card makes one."""
    return card.taps and network.settings.page_by_tap and visit_of(request, card) == "address"


async def require_tap(request: Request, card: Card) -> None:
    """Forbidden("tap-needed")."""
    async with context_of(request).reader.connect() as connection:
        network = await the_network(connection)
    if kept_back(request, card, network):
        raise Forbidden("Hold the card to the phone to see this.", "tap-needed")


def _mac(key: bytes, card: UUID, claims: bytes) -> bytes:
    return hmac.digest(key, _LABEL + card.bytes + claims, "sha256")[:_MAC_BYTES]
