"""Following by e-mail: asking for it, saying yes to the first message's link, and ending it with one press."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import APIRouter, Form, Query, Request
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import Response

from app.artists.service import artist_at
from app.artists.service import artists as all_artists
from app.mail.rules import ADDRESS_MAX
from app.mail.rules import address as address_of
from app.platform.context import context_of
from app.platform.errors import NotFound
from app.platform.limits import RateLimit, client_address
from app.programme import following
from app.programme.following import Follow, Kind
from app.programme.near import Near, towns
from app.programme.places import place_at, places
from app.programme.reading import show_at, shows_by_id
from app.programme.views import HERE, base_of
from app.venues.service import the_network
from app.web import Texts, render, texts_of

router = APIRouter(include_in_schema=False)

ASK: Final = f"{HERE}/follow"
# A question goes to whatever address somebody typed: few from one place, and few to one mailbox.
ASKED = RateLimit("follow", "10/minute")
ALL_ASKED = RateLimit("follow-all", "120/minute")
ASKED_OF_ONE = RateLimit("follow-address", "6/hour")
USED = RateLimit("follow-link", "60/minute")
_NOT_KEPT: Final = {"Cache-Control": "no-store"}

What = Annotated[str, Query(max_length=20)]
Slug = Annotated[str, Query(max_length=100)]


@dataclass(frozen=True, slots=True)
class Followed:
    """`about`: an id, "" for the network. `home`: its public page."""

    kind: Kind
    about: str
    title: str
    home: str


@router.get(ASK)
async def follow_page(request: Request, kind: What = "network", about: Slug = "") -> Response:
    _require_mail(request)
    return await _form(request, kind, about)


@router.post(ASK)
async def ask_to_follow(
    request: Request,
    kind: Annotated[str, Form(max_length=20)] = "network",
    about: Annotated[str, Form(max_length=100)] = "",
    address: Annotated[str, Form(max_length=ADDRESS_MAX * 2)] = "",
) -> Response:
    """The answer is the same whether somebody follows already or not: it tells nobody who does."""
    _require_mail(request)
    ASKED.check(request, client_address(request))
    ALL_ASKED.check(request, "all")
    plain = address_of(address)
    if plain is None:
        return await _form(request, kind, about, typed=address)
    ASKED_OF_ONE.check(request, plain.lower())
    context, texts = context_of(request), texts_of(request)
    async with context.engine.begin() as connection:
        network = await the_network(connection)
        it = await _followed(connection, kind, about, network.name, texts)
        await following.ask(
            connection,
            context.keys.token,
            base_of(request),
            plain,
            texts.language,
            it.kind,
            it.about,
            it.title,
            network.name,
        )
    return render(
        request, "programme/follow_asked.html", headers=_NOT_KEPT, network_name=network.name, it=it, address=plain
    )


@router.get("/follow/{token}")
async def follow_link_page(request: Request, token: str) -> Response:
    """Where the first message leads. Nothing happens by looking: mailboxes look at links too."""
    return await _link_page(request, token)


@router.post("/follow/{token}")
async def confirm_follow(request: Request, token: str) -> Response:
    USED.check(request, client_address(request))
    context = context_of(request)
    async with context.engine.begin() as connection:
        it = await following.behind(connection, context.keys.token, token)
        if it is not None:
            await following.confirm(connection, it.id)
    return await _link_page(request, token, done="confirmed")


@router.get("/follow/{token}/end")
async def end_follow_page(request: Request, token: str) -> Response:
    return await _link_page(request, token, ending=True)


@router.post("/follow/{token}/end")
async def end_follow(
    request: Request, token: str, everything: Annotated[str, Form(alias="all", max_length=10)] = ""
) -> Response:
    """Also for a mailbox's own button (RFC 8058), which sends `List-Unsubscribe=One-Click`. Twice is once. `all`: of
    everything that this address follows."""
    USED.check(request, client_address(request))
    context = context_of(request)
    async with context.engine.begin() as connection:
        it = await following.behind(connection, context.keys.token, token)
        if it is not None and everything:
            await following.end_all(connection, it.address)
        elif it is not None:
            await following.end(connection, it.id)
    return await _link_page(request, token)


async def _link_page(request: Request, token: str, *, done: str = "", ending: bool = False) -> Response:
    context, texts = context_of(request), texts_of(request)
    async with context.reader.connect() as connection:
        network = await the_network(connection)
        it = await following.behind(connection, context.keys.token, token)
        title = "" if it is None else await _title(connection, it, network.name, texts)
    return render(
        request,
        "programme/follow_link.html",
        headers=_NOT_KEPT,
        network_name=network.name,
        it=it,
        title=title,
        token=token,
        done=done,
        ending=ending,
    )


async def _form(request: Request, kind: str, about: str, typed: str | None = None) -> Response:
    texts = texts_of(request)
    async with context_of(request).reader.connect() as connection:
        network = await the_network(connection)
        it = await _followed(connection, kind, about, network.name, texts)
    error = "" if typed is None else texts.gettext("This is no e-mail address.")
    return render(
        request,
        "programme/follow.html",
        status_code=200 if typed is None else 422,
        headers=_NOT_KEPT,
        network_name=network.name,
        it=it,
        slug=about,
        typed=typed or "",
        error=error,
    )


async def _followed(connection: AsyncConnection, kind: str, slug: str, network: str, texts: Texts) -> Followed:
    """What is followed, by the address of its page. NotFound."""
    match kind:
        case "network":
            return Followed("network", "", network, HERE)
        case "venue":
            place = (await place_at(connection, slug)).place
            return Followed("venue", str(place.id), place.name, f"/venues/{slug}")
        case "artist":
            artist = await artist_at(connection, slug)
            return Followed("artist", str(artist.id), artist.name, f"/artists/{slug}")
        case "near":
            near = Near.read(slug)
            if near is not None and near.town in towns(it.place for it in (await places(connection)).values()):
                return Followed("near", slug, near.text(texts), f"{HERE}?{near.query}")
        case "event":
            show = await show_at(connection, slug)
            return Followed("event", str(show.id), show.title(texts.language), f"{HERE}/{slug}")
    raise NotFound("There is nothing of this kind to follow.")


async def _title(connection: AsyncConnection, it: Follow, network: str, texts: Texts) -> str:
    """What is followed, in words; "" for what is no more."""
    if it.kind == "network":
        return network
    if it.kind == "venue":
        return next((at.place.name for id_, at in (await places(connection)).items() if str(id_) == it.about), "")
    if it.kind == "near":
        near = Near.read(it.about)
        return "" if near is None else near.text(texts)
    if it.kind == "artist":
        found = await all_artists(connection)
        return next((one.name for id_, one in found.items() if str(id_) == it.about), "")
    shows = await shows_by_id(connection, [it.about])
    return shows[0].title(texts.language) if shows else ""


def _require_mail(request: Request) -> None:
    if context_of(request).settings.mail == "none":
        raise NotFound("This server sends no e-mail.")
