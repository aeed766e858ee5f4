"""Signing in to an account: asking for a link, opening it, and out again."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from app.cards.addresses import card_behind
from app.cards.service import card_by_id
from app.holders import accounts
from app.holders.passkeys import party_of
from app.holders.signed_in import COOKIE, SIGN_IN, Holder, forget, holder_of, remember
from app.mail.rules import address as mail_address
from app.platform.context import context_of
from app.platform.errors import NotFound
from app.platform.limits import RateLimit, client_address
from app.venues.service import the_network
from app.web import render, texts_of

router = APIRouter(include_in_schema=False)

# A mailbox is not to be flooded, and a network's mail server not blamed for it.
PER_EMAIL = RateLimit("holder-link-email", "5/hour")
PER_CLIENT = RateLimit("holder-link", "30/hour")
OPENED = RateLimit("holder-link-opened", "60/hour")

# With an address or a link in it: no browser keeps it.
NOT_KEPT = {"Cache-Control": "no-store"}


@router.get(SIGN_IN)
async def holder_sign_in_page(request: Request) -> Response:
    if await holder_of(request) is not None:
        return RedirectResponse("/me", 303)
    return await _form(request)


@router.post(SIGN_IN)
async def ask_holder_link(
    request: Request,
    email: Annotated[str, Form(max_length=300)] = "",
    card: Annotated[str, Form(max_length=60)] = "",
) -> Response:
    """The same answer whether there is such an account or not. `card`: the token of the card that it leads back to."""
    PER_CLIENT.check(request, client_address(request))
    to = mail_address(email)
    if to is None or context_of(request).settings.mail == "none":
        return await _form(request, email)
    PER_EMAIL.check(request, to.lower())
    found = await card_behind(request, card) if card else None
    await accounts.send_link(context_of(request), to, texts_of(request).language, found.id if found else None)
    return await _page(request, "holders/link_sent.html", email=to, minutes=accounts.LINK_US // 60_000_000)


@router.get("/me/in/{token}")
async def holder_link_page(request: Request, token: str) -> Response:
    """Looking uses nothing up."""
    OPENED.check(request, client_address(request))
    try:
        async with context_of(request).reader.connect() as connection:
            link = await accounts.link_behind(connection, token)
    except NotFound:
        return await _page(request, "holders/link_void.html", status_code=404)
    return await _page(request, "holders/link.html", email=link.email)


@router.post("/me/in/{token}")
async def use_holder_link(request: Request, token: str) -> Response:
    OPENED.check(request, client_address(request))
    context, agent = context_of(request), request.headers.get("user-agent", "")
    try:
        opened, link = await accounts.use_link(context, token, agent, request.cookies.get(COOKIE, ""))
    except NotFound:
        return await _page(request, "holders/link_void.html", status_code=404)
    back = "/me"
    if link.card is not None:
        async with context.reader.connect() as connection:
            back = f"/c/{(await card_by_id(connection, link.card)).token}/keep"
    response = RedirectResponse(back, 303)
    remember(request, response, opened)
    return response


@router.post("/me/sign-out")
async def holder_sign_out(request: Request, holder: Holder) -> Response:
    async with context_of(request).engine.begin() as connection:
        await accounts.end_sessions(connection, holder)
    response = RedirectResponse(SIGN_IN, 303)
    forget(request, response)
    return response


@router.post("/me/sign-out-elsewhere")
async def holder_sign_out_elsewhere(request: Request, holder: Holder) -> Response:
    async with context_of(request).engine.begin() as connection:
        await accounts.end_sessions(connection, holder, others=True)
    return RedirectResponse("/me?done=elsewhere", 303)


async def _form(request: Request, typed: str | None = None) -> Response:
    problem, texts = "", texts_of(request)
    if typed is not None:
        problem = texts.gettext("Write an address like awa@example.org.")
    mailing = context_of(request).settings.mail != "none"
    return await _page(
        request,
        "holders/sign_in.html",
        status_code=200 if typed is None else 422,
        typed=typed or "",
        problem=problem,
        card="",
        passkeys=party_of(context_of(request).settings) is not None,
        mailing=mailing,
    )


async def _page(request: Request, template: str, *, status_code: int = 200, **shown: object) -> Response:
    async with context_of(request).reader.connect() as connection:
        network = await the_network(connection)
    return render(request, template, status_code=status_code, headers=NOT_KEPT, network_name=network.name, **shown)
