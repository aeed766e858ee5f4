"""What does the public see? Where each venue's programme is found and taken over by other websites, and the words by
which a venue presents itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from app.artists.rules import LINKS_MAX, WORDS_MAX, links_of, typed_links
from app.identity.admin_frame import render_admin
from app.identity.guard import Caller, SignedIn
from app.platform.context import context_of
from app.platform.errors import NotFound
from app.programme.pages import EMBED
from app.programme.places import About, places, tell
from app.programme.views import base_of
from app.venues.service import the_network
from app.web import Texts, texts_of

router = APIRouter(include_in_schema=False)

HERE: Final = "/admin/programme"
_NAMES: Final = ("words_fr", "words_en", "links")


@router.get(HERE)
async def programme_admin_page(request: Request, caller: Caller, session: SignedIn) -> Response:
    base = base_of(request)
    async with context_of(request).reader.connect() as connection:
        network, at = await the_network(connection), await places(connection)
    return render_admin(
        request,
        session,
        "programme/admin.html",
        place=HERE,
        network_name=network.name,
        venues=[it.place for it in at.values() if caller.may_see_venue(it.place.id)],
        base=base,
        embed=f"{base}{EMBED}",
    )


@router.get(f"{HERE}/venues/{{venue}}")
async def venue_words_form(request: Request, caller: Caller, session: SignedIn, venue: UUID) -> Response:
    caller.require_venue(venue)
    was = await _about(request, venue)
    typed = {"words_fr": was.words_fr, "words_en": was.words_en, "links": typed_links(was.links)}
    return await _form(request, session, was, typed, {})


@router.post(f"{HERE}/venues/{{venue}}")
async def change_venue_words(request: Request, caller: Caller, session: SignedIn, venue: UUID) -> Response:
    caller.require_venue(venue)
    was, sent = await _about(request, venue), await request.form()
    typed = {name: it for name in _NAMES if isinstance(it := sent.get(name, ""), str)}
    now, wrong = _understood(was, typed, texts_of(request))
    if wrong:
        return await _form(request, session, was, typed, wrong)
    async with context_of(request).engine.begin() as connection:
        await tell(connection, caller.actor, now)
    return RedirectResponse(HERE, 303)


async def _about(request: Request, venue: UUID) -> About:
    async with context_of(request).reader.connect() as connection:
        found = (await places(connection)).get(venue)
    if found is None:
        raise NotFound("There is no such venue.")
    return found


def _understood(was: About, typed: Mapping[str, str], texts: Texts) -> tuple[About, dict[str, str]]:
    wrong: dict[str, str] = {}
    words = {name: typed.get(name, "").replace("\r\n", "\n").strip() for name in ("words_fr", "words_en")}
    for name, text in words.items():
        if len(text) > WORDS_MAX:
            wrong[name] = texts.gettext("This is too long: %(num)s characters at most.") % {"num": WORDS_MAX}
    links, bad = links_of(typed.get("links", ""))
    if bad:
        wrong["links"] = texts.gettext(
            "Not understood: %(line)s. An address begins with https://, and there are %(most)s at most.",
            line=bad[0][:80],
            most=LINKS_MAX,
        )
    return replace(was, words_fr=words["words_fr"], words_en=words["words_en"], links=tuple(links)), wrong


async def _form(
    request: Request, session: SignedIn, it: About, typed: Mapping[str, str], wrong: Mapping[str, str]
) -> Response:
    async with context_of(request).reader.connect() as connection:
        network = await the_network(connection)
    return render_admin(
        request,
        session,
        "programme/words.html",
        place=HERE,
        status_code=422 if wrong else 200,
        network_name=network.name,
        venue=it.place,
        typed=typed,
        wrong=wrong,
    )
