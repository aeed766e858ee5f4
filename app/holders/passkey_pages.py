"""What the browser's own passkey dialogs talk to (app/web/static/passkey.js), and the button that removes one."""

from __future__ import annotations

import json
from typing import Annotated, Any

from fastapi import APIRouter, Body, Form, Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from app.cards.service import card_by_token
from app.holders import accounts, passkeys
from app.holders.passkeys import Party
from app.holders.signed_in import COOKIE, Holder, remember
from app.platform.context import context_of
from app.platform.errors import NotFound
from app.platform.limits import RateLimit, client_address
from app.venues.service import the_network

router = APIRouter(include_in_schema=False)

PER_CLIENT = RateLimit("holder-passkey", "60/minute")
NOT_KEPT = {"Cache-Control": "no-store"}

Credential = Annotated[dict[str, Any], Body(embed=True)]


@router.post("/me/passkeys/options")
async def new_passkey_options(request: Request, holder: Holder) -> Response:
    async with context_of(request).engine.begin() as connection:
        network = await the_network(connection)
        return _json(await passkeys.options_to_make(connection, _party(request), holder, network.name))


@router.post("/me/passkeys")
async def add_passkey(request: Request, holder: Holder, credential: Credential) -> Response:
    async with context_of(request).engine.begin() as connection:
        await passkeys.add(connection, _party(request), holder, credential)
    return JSONResponse({"to": "/me?done=passkey"}, headers=NOT_KEPT)


@router.post("/me/passkeys/remove")
async def remove_passkey(request: Request, holder: Holder, id: Annotated[str, Form(max_length=3000)]) -> Response:
    try:
        which = bytes.fromhex(id)
    except ValueError:
        raise NotFound from None
    async with context_of(request).engine.begin() as connection:
        await passkeys.remove(connection, holder, which)
    return RedirectResponse("/me?done=passkey-removed", 303)


@router.post("/me/passkey/options")
async def passkey_options(request: Request) -> Response:
    PER_CLIENT.check(request, client_address(request))
    async with context_of(request).engine.begin() as connection:
        return _json(await passkeys.options_to_sign_in(connection, _party(request)))


@router.post("/me/passkey")
async def sign_in_by_passkey(
    request: Request, credential: Credential, card: Annotated[str, Body(max_length=60)] = ""
) -> Response:
    """`card`: the token of the card whose page asked."""
    PER_CLIENT.check(request, client_address(request))
    agent, previous = request.headers.get("user-agent", ""), request.cookies.get(COOKIE, "")
    async with context_of(request).engine.begin() as connection:
        account = await passkeys.account_by(connection, _party(request), credential)
        token = await accounts.open_session(connection, account, agent, previous)
        back = f"/c/{(await card_by_token(connection, card)).token}/keep" if card else "/me"
    response = JSONResponse({"to": back}, headers=NOT_KEPT)
    remember(request, response, token)
    return response


def _party(request: Request) -> Party:
    found = passkeys.party_of(context_of(request).settings)
    if found is None:
        raise NotFound("This server is reached by a number: passkeys need a name.")
    return found


def _json(options: str) -> Response:
    return JSONResponse(json.loads(options), headers=NOT_KEPT)
