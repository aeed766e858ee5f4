"""Who may read and erase all that is held about a card's holder: whoever has the card at their phone, is signed in to
the account that has it, or types a recovery code that staff made for who showed them the card. Its address alone is
printed on the card and proves nothing; nor does a code that the address made.

The code is asked for once; what it proved is kept in a cookie of the card's own pages, under a MAC, for a quarter of an
hour. It opens these pages alone: docs/decisions, "A recovery code follows from its form".
"""

from __future__ import annotations

import base64
import binascii
import hmac
import struct
from typing import Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.requests import Request
from starlette.responses import Response

from app.cards import recovery
from app.cards.recovery_pages import ALL_TRIES, TRIES
from app.cards.service import Card, cards_of_wallet
from app.cards.visits import visit_of
from app.holders.signed_in import holder_of
from app.holders.wallets import account_of
from app.identity import audit_log
from app.identity.audit_log import Wanted
from app.platform.clock import now_us
from app.platform.context import context_of
from app.platform.errors import Forbidden, Invalid
from app.platform.limits import client_address

COOKIE: Final = "comptoir_rights"
LOOKED_AT: Final = 1000
LIFETIME_S: Final = 15 * 60
_LABEL: Final = b"comptoir-rights-1"
_UNTIL: Final = struct.Struct(">Q")
_MAC_BYTES: Final = 16


async def proven(request: Request, card: Card) -> bool:
    """A blocked card at a phone proves nothing: it may have been found."""
    if card.status == "active" and visit_of(request, card) == "proven":
        return True
    if (session := await holder_of(request)) is not None:
        async with context_of(request).reader.connect() as connection:
            if await account_of(connection, card.wallet) == session.account:
                return True
    try:
        raw = base64.b64decode(request.cookies.get(COOKIE, ""), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return False
    until, mac = raw[: _UNTIL.size], raw[_UNTIL.size :]
    key = context_of(request).keys.token
    return hmac.compare_digest(mac, _mac(key, card.wallet, until)) and now_us() < _UNTIL.unpack(until)[0]


async def require(request: Request, card: Card) -> None:
    """Forbidden("proof-needed")."""
    if not await proven(request, card):
        raise Forbidden("Show that the card is yours first.", "proof-needed")


async def check_code(request: Request, connection: AsyncConnection, card: Card, typed: str) -> None:
    """Raises Invalid(field="code") for what is not the code of this card's wallet, Forbidden("code-not-enough") for one
    that its address made, and TooManyRequests."""
    TRIES.check(request, client_address(request))
    ALL_TRIES.check(request, "all")
    if await recovery.wallet_of(connection, context_of(request).keys.token, typed) != card.wallet:
        raise Invalid("This is not the recovery code of this card.", field="code")
    if not await _made_by_staff(connection, card.wallet):
        raise Forbidden("This code was made with the card's address alone.", "code-not-enough")


async def _made_by_staff(connection: AsyncConnection, wallet: UUID) -> bool:
    """By the log, of the wallet's newest code."""
    made = [
        entry
        for it in await cards_of_wallet(connection, wallet)
        for entry in await audit_log.entries(connection, Wanted(person=it.id, kind="changed"), None, LOOKED_AT)
        if entry.action == "card.recovery"
    ]
    return bool(made) and not max(made, key=lambda it: it.at_us).actor.startswith("holder")


def remember(request: Request, response: Response, card: Card) -> None:
    until = _UNTIL.pack(now_us() + LIFETIME_S * 1_000_000)
    key = context_of(request).keys.token
    response.set_cookie(
        COOKIE,
        base64.urlsafe_b64encode(until + _mac(key, card.wallet, until)).decode(),
        max_age=LIFETIME_S,
        path=f"/c/{card.token}/data",
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https" or context_of(request).settings.base_url.startswith("https://"),
    )


def _mac(key: bytes, wallet: UUID, until: bytes) -> bytes:
    return hmac.digest(key, _LABEL + wallet.bytes + until, "sha256")[:_MAC_BYTES]
