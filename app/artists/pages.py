"""Who plays in the network? The list of artists, the form of one, and their photos."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Annotated, Final, Literal
from uuid import UUID

from fastapi import APIRouter, File, Form, Request, UploadFile
from starlette.responses import RedirectResponse, Response

from app.artists import service
from app.artists.pictures import UPLOAD_MAX_BYTES, PictureRefused, picture_of
from app.artists.rules import LINE_MAX, LINKS_MAX, WORDS_MAX, links_of, typed_links
from app.artists.service import Artist
from app.identity.admin_frame import render_admin
from app.identity.guard import Caller, SignedIn
from app.platform.context import context_of
from app.platform.errors import Conflict, NotFound
from app.rules.ids import uuid7
from app.venues.service import the_network
from app.web import Texts, texts_of

router = APIRouter(include_in_schema=False)

HERE = "/admin/artists"
# Photos may be as large as telephones make them; every other address keeps the usual limit.
LARGER = {f"{HERE}/": UPLOAD_MAX_BYTES + 64 * 1024}
_NAMES: Final = ("name", "line_fr", "line_en", "words_fr", "words_en", "links", "shown")
_FOREVER: Final = "public, max-age=31536000, immutable"

Line = Annotated[str, Form(max_length=LINE_MAX * 2)]


@router.get(HERE)
async def artists_page(request: Request, session: SignedIn) -> Response:
    async with context_of(request).reader.connect() as connection:
        network, found = await the_network(connection), await service.artists(connection)
    return render_admin(
        request,
        session,
        "artists/artists.html",
        place=HERE,
        network_name=network.name,
        artists=list(found.values()),
    )


@router.get(f"{HERE}/new")
async def new_artist_page(request: Request, session: SignedIn) -> Response:
    return await _form(request, session, None, {"shown": "yes"}, {})


@router.post(f"{HERE}/new")
async def add_artist(
    request: Request,
    caller: Caller,
    session: SignedIn,
) -> Response:
    typed = await _form_sent(request)
    new, wrong = _understood(uuid7(), typed, texts_of(request))
    if wrong:
        return await _form(request, session, None, typed, wrong)
    async with context_of(request).engine.begin() as connection:
        await service.add_artist(connection, caller.actor, new)
    return RedirectResponse(f"{HERE}/{new.id}", 303)


@router.get(f"{HERE}/{{artist}}")
async def artist_form(request: Request, session: SignedIn, artist: UUID) -> Response:
    async with context_of(request).reader.connect() as connection:
        found = await service.artist_named(connection, artist)
    return await _form(request, session, found, _typed(found), {})


@router.post(f"{HERE}/{{artist}}")
async def change_artist(
    request: Request,
    caller: Caller,
    session: SignedIn,
    artist: UUID,
) -> Response:
    typed = await _form_sent(request)
    now, wrong = _understood(artist, typed, texts_of(request))
    if wrong:
        async with context_of(request).reader.connect() as connection:
            found = await service.artist_named(connection, artist)
        return await _form(request, session, found, typed, wrong)
    async with context_of(request).engine.begin() as connection:
        await service.change_artist(connection, caller.actor, now)
    return RedirectResponse(HERE, 303)


@router.post(f"{HERE}/{{artist}}/photos")
async def add_artist_photo(
    request: Request,
    caller: Caller,
    session: SignedIn,
    artist: UUID,
    photo: Annotated[UploadFile, File()],
    credit: Line = "",
) -> Response:
    texts, context = texts_of(request), context_of(request)
    uploaded = await photo.read(UPLOAD_MAX_BYTES + 1)
    async with context.reader.connect() as connection:
        found = await service.artist_named(connection, artist)
    try:
        picture = await asyncio.to_thread(picture_of, uploaded)
        async with context.engine.begin() as connection:
            await service.add_photo(connection, caller.actor, artist, picture, " ".join(credit.split())[:LINE_MAX])
    except PictureRefused as refused:
        return await _form(request, session, found, _typed(found), {"photo": texts.gettext(str(refused))})
    except Conflict:
        enough = texts.gettext("There are enough photos: take one away first.")
        return await _form(request, session, found, _typed(found), {"photo": enough})
    return RedirectResponse(f"{HERE}/{artist}#photos", 303)


@router.post(f"{HERE}/{{artist}}/photos/{{photo}}")
async def change_artist_photo(
    request: Request, caller: Caller, artist: UUID, photo: UUID, act: Annotated[Literal["first", "remove"], Form()]
) -> Response:
    async with context_of(request).engine.begin() as connection:
        if act == "remove":
            await service.remove_photo(connection, caller.actor, artist, photo)
        else:
            await service.first_photo(connection, artist, photo)
    return RedirectResponse(f"{HERE}/{artist}#photos", 303)


@router.get("/photos/{photo}/{size}-{mark}.jpg")
async def artist_photo(request: Request, photo: UUID, size: Literal["large", "small"], mark: str) -> Response:
    """An address names the picture's hash, so what is behind it never changes."""
    etag = f'"{size}-{mark}"'
    headers = {"Cache-Control": _FOREVER, "ETag": etag}
    async with context_of(request).reader.connect() as connection:
        content, known = await service.photo_bytes(connection, photo, size)
    if mark != known:
        raise NotFound("There is no such photo.")
    if request.headers.get("if-none-match") == etag:
        return Response(status_code=304, headers=headers)
    return Response(content, media_type="image/jpeg", headers=headers)


async def _form_sent(request: Request) -> dict[str, str]:
    sent = await request.form()
    return {name: it for name in _NAMES if isinstance(it := sent.get(name, ""), str)}


def _typed(it: Artist) -> dict[str, str]:
    kept = {"links": typed_links(it.links), "shown": "yes" if it.shown else ""}
    return {name: getattr(it, name) for name in _NAMES} | kept


def _understood(id_: UUID, typed: Mapping[str, str], texts: Texts) -> tuple[Artist, dict[str, str]]:
    """(the artist, what is wrong by input)."""
    wrong: dict[str, str] = {}
    said = {name: typed.get(name, "") for name in _NAMES}
    lines = {name: " ".join(said[name].split()) for name in ("name", "line_fr", "line_en")}
    words = {name: said[name].replace("\r\n", "\n").strip() for name in ("words_fr", "words_en")}
    for kept, most in ((lines, LINE_MAX), (words, WORDS_MAX)):
        for name, text in kept.items():
            if len(text) > most:
                wrong[name] = texts.gettext("This is too long: %(num)s characters at most.", num=most)
    if not lines["name"]:
        wrong["name"] = texts.gettext("Write a name.")
    links, bad = links_of(said["links"])
    if bad:
        wrong["links"] = texts.gettext(
            "Not understood: %(line)s. An address begins with https://, and there are %(most)s at most.",
            line=bad[0][:80],
            most=LINKS_MAX,
        )
    told = (lines["name"], lines["line_fr"], lines["line_en"], words["words_fr"], words["words_en"])
    return Artist(id_, "", *told, links=tuple(links), shown=said["shown"] == "yes"), wrong


async def _form(
    request: Request, session: SignedIn, it: Artist | None, typed: Mapping[str, str], wrong: Mapping[str, str]
) -> Response:
    async with context_of(request).reader.connect() as connection:
        network = await the_network(connection)
    return render_admin(
        request,
        session,
        "artists/artist.html",
        place=HERE,
        status_code=422 if wrong else 200,
        network_name=network.name,
        artist=it,
        typed=typed,
        wrong=wrong,
    )
