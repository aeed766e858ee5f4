"""The fleet of terminals: which may sell, which need somebody, and the codes that pair new ones."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from app.identity.admin_frame import render_admin
from app.identity.audit import audit
from app.identity.guard import Caller, SignedIn
from app.identity.roles import Principal
from app.platform.context import context_of
from app.platform.errors import Invalid, NotFound
from app.terminals import logs, service
from app.terminals.fleet import Member, fleet
from app.terminals.limits.acceptance import acceptances, raised
from app.terminals.limits.exposure import exposures
from app.terminals.rules import Level
from app.terminals.words import LEVELS, duration, facts, in_words
from app.venues.service import Venue, the_network, venue_named, venues
from app.web import Texts, render, texts_of

router = APIRouter(include_in_schema=False)

HERE = "/admin/terminals"


@router.get(HERE)
async def terminals_page(request: Request, caller: Caller, session: SignedIn) -> Response:
    return await _page(request, caller, session)


@router.get(f"{HERE}/now")
async def terminals_now(request: Request, caller: Caller) -> Response:
    """The part of the page that changes by itself."""
    return render(request, "terminals/now.html", **await _fleet(request, caller))


@router.get(f"{HERE}/{{terminal}}")
async def terminal_page(request: Request, caller: Caller, session: SignedIn, terminal: UUID) -> Response:
    return await _one_page(request, caller, session, terminal)


@router.get(f"{HERE}/{{terminal}}/now")
async def terminal_now(request: Request, caller: Caller, terminal: UUID) -> Response:
    return render(request, "terminals/one_now.html", it=await _one(request, caller, terminal))


@router.post(HERE)
async def new_pairing_code(
    request: Request,
    caller: Caller,
    session: SignedIn,
    venue: Annotated[UUID, Form()],
    name: Annotated[str, Form(max_length=60)] = "",
    terminal: Annotated[UUID | None, Form()] = None,
) -> Response:
    """A code, shown this once. With `terminal` it pairs that one again instead of adding one."""
    caller.require_venue(venue)
    async with context_of(request).engine.begin() as connection:
        if terminal is not None:
            known = await service.terminal_named(connection, terminal)
            if known.venue != venue:
                raise NotFound("There is no such terminal at this venue.")
            name = known.name
        if not name.strip():
            raise Invalid("Name the terminal, such as the bar it stands at.")
        code = await service.make_pairing_code(connection, venue, name.strip(), terminal)
        await audit(connection, session.principal.actor, "terminal.pairing_code", f"venue:{venue}", name=name.strip())
    if terminal is not None:
        return await _one_page(request, caller, session, terminal, code)
    return await _page(request, caller, session, code, name.strip())


@router.post(f"{HERE}/{{terminal}}")
async def change_terminal(
    request: Request,
    caller: Caller,
    session: SignedIn,
    terminal: UUID,
    act: Annotated[Literal["rename", "move", "revoke", "ask_logs"], Form()],
    name: Annotated[str, Form(max_length=60)] = "",
    venue: Annotated[UUID | None, Form()] = None,
    lost: Annotated[bool, Form()] = False,
) -> Response:
    """Rename it, move it to another venue with a code shown this once, let it sell no more, or ask for its logs."""
    actor, code = session.principal.actor, ""
    async with context_of(request).engine.begin() as connection:
        known = await service.listed(connection, terminal)
        caller.require_venue(known.venue)
        if act == "rename":
            if not name.strip():
                raise Invalid("Name the terminal, such as the bar it stands at.")
            await service.rename(connection, terminal, name.strip())
            await audit(connection, actor, "terminal.rename", f"terminal:{terminal}", name=name.strip(), was=known.name)
        elif act == "revoke":
            await service.revoke(connection, terminal, lost=lost)
            await audit(connection, actor, "terminal.revoke", f"terminal:{terminal}", lost=lost)
        elif act == "ask_logs":
            await logs.ask(connection, terminal, session.principal)
            await audit(connection, actor, "terminal.ask_logs", f"terminal:{terminal}")
        else:
            if venue is None or venue == known.venue:
                raise Invalid("Choose another venue.")
            caller.require_venue(venue)
            await venue_named(connection, venue)
            code = await service.make_pairing_code(connection, venue, known.name, terminal, moves=True)
            await audit(connection, actor, "terminal.move", f"terminal:{terminal}", to=str(venue), was=str(known.venue))
    if code:
        return await _one_page(request, caller, session, terminal, code, moves=True)
    return RedirectResponse(f"{HERE}/{terminal}", 303)


@router.get(f"{HERE}/{{terminal}}/logs/{{bundle}}")
async def terminal_logs(request: Request, caller: Caller, terminal: UUID, bundle: UUID) -> Response:
    """The logs as the terminal sent them."""
    async with context_of(request).reader.connect() as connection:
        caller.require_venue((await service.listed(connection, terminal)).venue)
        content = await logs.content_of(connection, terminal, bundle)
    named = {"Content-Disposition": f'attachment; filename="terminal-{terminal}.log.gz"', "Cache-Control": "no-store"}
    return Response(content, media_type="application/gzip", headers=named)


async def _page(request: Request, caller: Principal, session: SignedIn, code: str = "", named: str = "") -> Response:
    accepted = True
    if caller.sees_network:
        async with context_of(request).reader.connect() as connection:
            figures = await exposures(connection, (await the_network(connection)).settings)
            newest = await acceptances(connection, 1)
        accepted = not raised(newest[0] if newest else None, figures)
    return render_admin(
        request,
        session,
        "terminals/fleet.html",
        place=HERE,
        headers=_kept_nowhere(code),
        exposure_accepted=accepted,
        **_code(request, code, named),
        **await _fleet(request, caller),
    )


async def _one_page(
    request: Request,
    caller: Principal,
    session: SignedIn,
    terminal: UUID,
    code: str = "",
    *,
    moves: bool = False,
) -> Response:
    it = await _one(request, caller, terminal)
    async with context_of(request).reader.connect() as connection:
        network = await the_network(connection)
        others = [at for id_, at in (await venues(connection)).items() if id_ != it["row"].venue]
    return render_admin(
        request,
        session,
        "terminals/one.html",
        place=HERE,
        headers=_kept_nowhere(code),
        network_name=network.name,
        it=it,
        others=[at for at in others if caller.may_see_venue(at.id)],
        **_code(request, code, it["row"].name, moves=moves, kind=it["row"].kind),
    )


def _kept_nowhere(code: str) -> dict[str, str] | None:
    return {"Cache-Control": "no-store"} if code else None


def _code(request: Request, code: str, named: str, *, moves: bool = False, kind: str = "till") -> dict[str, Any]:
    return {
        "code": code,
        "moves": moves,
        "kind": kind,
        "named": named,
        "kept_days": logs.KEPT_DAYS,
        "lives_minutes": service.CODE_LIFETIME_US // 60_000_000,
        "server_url": context_of(request).settings.base_url,
    }


async def _fleet(request: Request, caller: Principal) -> dict[str, Any]:
    texts = texts_of(request)
    async with context_of(request).reader.connect() as connection:
        network = await the_network(connection)
        at = {id_: it for id_, it in (await venues(connection)).items() if caller.may_see_venue(id_)}
        members = await fleet(connection, lambda venue: venue in at)
    return {
        "network_name": network.name,
        "venues": list(at.values()),
        "fleet": [_shown(it, at[it.row.venue], texts) for it in members],
        "needing": sum(it.judged.level is Level.NOW for it in members),
    }


async def _one(request: Request, caller: Principal, terminal: UUID) -> dict[str, Any]:
    """One terminal as the page shows it. NotFound, Forbidden."""
    async with context_of(request).reader.connect() as connection:
        caller.require_venue((await service.listed(connection, terminal)).venue)
        at = await venues(connection)
        (member,) = [it for it in await fleet(connection, lambda _: True) if it.row.id == terminal]
        bundles = await logs.bundles(connection, terminal)
    return {**_shown(member, at[member.row.venue], texts_of(request)), "bundles": bundles}


def _shown(it: Member, venue: Venue, texts: Texts) -> dict[str, Any]:
    words = (in_words(trouble, it.row.kind, texts) for trouble in it.judged.troubles)
    skew_s = abs(it.row.skew_ms) // 1000
    return {
        "row": it.row,
        "venue": venue,
        "may_sell": it.judged.may_sell,
        "troubles": [
            {
                "kind": said.kind,
                "title": said.title,
                "advice": said.advice,
                "tone": LEVELS[said.level][0],
                "icon": LEVELS[said.level][1],
            }
            for said in words
        ],
        "skew_s": skew_s,
        "skew": duration(skew_s, texts),
        "facts": facts(it.told.status, it.row.kind, texts) if it.told else [],
    }
