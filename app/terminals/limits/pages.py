"""What terminals may do without network, what that can cost at most, and its acceptance in writing."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.datastructures import UploadFile
from starlette.responses import RedirectResponse, Response

from app.currencies.service import Currency, currencies
from app.identity.admin_frame import render_admin
from app.identity.audit import audit, newest
from app.identity.guard import SignedIn
from app.identity.people import people
from app.platform.context import context_of
from app.rules.exposure import Exposure
from app.rules.offline import CardLimits
from app.terminals.limits import acceptance, form
from app.terminals.limits.exposure import exposures
from app.terminals.limits.words import differences, in_force, reasons, sentence
from app.venues.rules import NetworkSettings
from app.venues.service import Network, change_settings, the_network
from app.web import Texts, texts_of

router = APIRouter(include_in_schema=False)

HERE = "/admin/limits"
SHOWN = 20
SIGNED_MAX = 120


@router.get(HERE)
async def limits_page(request: Request, session: SignedIn) -> Response:
    return await _page(request, session)


@router.post(HERE)
async def accept_exposure(
    request: Request,
    session: SignedIn,
    seen: Annotated[str, Form(max_length=64)],
    signed: Annotated[str, Form(max_length=SIGNED_MAX)] = "",
    agreed: Annotated[str, Form(max_length=8)] = "",
) -> Response:
    """Accept in writing what can be lost: exactly the figures that were on the page."""
    texts, signed = texts_of(request), signed.strip()
    async with context_of(request).engine.begin() as connection:
        network, known = await the_network(connection), await currencies(connection)
        figures = await exposures(connection, network.settings)
        if seen == _mark(figures) and agreed and signed:
            said = sentence(network.name, figures, known, texts)
            await acceptance.accept(connection, session.principal.actor, signed, said, figures)
            await audit(
                connection,
                session.principal.actor,
                "network.accept_exposure",
                "network",
                signed=signed,
                most={code: it.most for code, it in figures.items()},
            )
            return RedirectResponse(HERE, 303)
    if seen != _mark(figures):
        problem = texts.gettext("The figures have changed while you read. Look at them again.")
    else:
        problem = texts.gettext("Write your name, and tick that you accept.")
    return await _page(request, session, problem, signed)


@router.get(f"{HERE}/change")
async def change_limits_page(request: Request, session: SignedIn) -> Response:
    async with context_of(request).reader.connect() as connection:
        network, known = await the_network(connection), await currencies(connection)
    typed = form.filled(network.settings, known, texts_of(request).language)
    return _form_page(request, session, network, known, typed, {}, _settings_mark(network.settings))


@router.post(f"{HERE}/change")
async def change_limits(request: Request, session: SignedIn) -> Response:
    """New limits hold from the next snapshot of each terminal on."""
    texts, body = texts_of(request), await request.form()
    typed = {name: value for name, value in body.items() if not isinstance(value, UploadFile)}
    async with context_of(request).engine.begin() as connection:
        network, known = await the_network(connection), await currencies(connection)
        settings, wrong = form.understood(network.settings, known, typed, texts)
        seen = _settings_mark(network.settings)
        if typed.get("seen") != seen:
            wrong[""] = texts.gettext("Somebody else changed the limits meanwhile. Look at yours once more, then save.")
        elif not wrong:
            await change_settings(connection, network.settings, settings)
            if now := form.changed(network.settings, settings):
                changes = {name: {"was": was, "now": is_} for name, (was, is_) in now.items()}
                await audit(connection, session.principal.actor, "network.limits", "network", **changes)
            return RedirectResponse(HERE, 303)
    return _form_page(request, session, network, known, typed, wrong, seen, status_code=422)


async def _page(request: Request, session: SignedIn, problem: str = "", signed: str = "") -> Response:
    texts = texts_of(request)
    async with context_of(request).reader.connect() as connection:
        network, known = await the_network(connection), await currencies(connection)
        figures = await exposures(connection, network.settings)
        accepted = await acceptance.acceptances(connection, SHOWN)
        changes = await _changes(connection, known, texts)
    settings = network.settings
    raised = acceptance.raised(accepted[0] if accepted else None, figures)
    return render_admin(
        request,
        session,
        "terminals/limits.html",
        place=HERE,
        status_code=422 if problem else 200,
        network_name=network.name,
        zone=settings.zone,
        figures=[(known[code], it, _example(settings, known[code], it)) for code, it in figures.items()],
        raised=[it for one in raised if accepted for it in reasons(one, known, texts)],
        outdated=bool(raised),
        accepted=accepted,
        sentence=sentence(network.name, figures, known, texts),
        mark=_mark(figures),
        limits=[(known[code], _limits(settings, known[code])) for code in figures],
        in_force=in_force(settings, texts),
        changes=changes,
        problem=problem,
        signed=signed or session.name,
        signed_max=SIGNED_MAX,
    )


def _form_page(
    request: Request,
    session: SignedIn,
    network: Network,
    known: Mapping[str, Currency],
    typed: Mapping[str, str],
    wrong: Mapping[str, str],
    seen: str,
    *,
    status_code: int = 200,
) -> Response:
    return render_admin(
        request,
        session,
        "terminals/limits_change.html",
        place=HERE,
        status_code=status_code,
        network_name=network.name,
        topics=form.TOPICS,
        levels=form.LEVELS,
        currencies=list(known.values()),
        typed=typed,
        wrong=wrong,
        seen=seen,
    )


def _limits(settings: NetworkSettings, it: Currency) -> dict[str, Any]:
    levels: Mapping[Any, CardLimits] = settings.limits_of(it.code, it.unit)
    return {
        "levels": [(level, levels[level]) for level in form.LEVELS],
        "terminal": settings.terminal_limit(it.code, it.unit),
    }


def _example(settings: NetworkSettings, currency: Currency, it: Exposure) -> dict[str, int]:
    """What one empty card of level C can cost: its limit at each terminal, or once at each site."""
    each = min(settings.limits_of(currency.code, currency.unit)["C"].per_card, it.per_terminal)
    return {"each": each, "alone": each * it.terminals, "hubs": each * it.sites}


async def _changes(connection: AsyncConnection, known: Mapping[str, Currency], texts: Texts) -> list[dict[str, Any]]:
    """Who changed what, the newest first."""
    names = {f"person:{it.id}": it.name for it in (await people(connection)).values()}
    return [
        {"at_us": it.at_us, "who": names.get(it.actor, it.actor), "lines": differences(it.details, known, texts)}
        for it in await newest(connection, "network.limits", SHOWN)
    ]


def _mark(figures: Mapping[str, Exposure]) -> str:
    """Names the figures that somebody looked at."""
    text = json.dumps({code: asdict(it) for code, it in sorted(figures.items())})
    return hashlib.sha256(text.encode()).hexdigest()


def _settings_mark(settings: NetworkSettings) -> str:
    return hashlib.sha256(settings.write().encode()).hexdigest()
