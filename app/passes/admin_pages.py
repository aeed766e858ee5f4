"""Passes and subscriptions of one's venues: what is sold, how many, and a new one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Final, Literal
from uuid import UUID

from fastapi import APIRouter, Form, Request
from starlette.datastructures import FormData
from starlette.responses import RedirectResponse, Response

from app.currencies.service import Currency, currencies
from app.events.rules import Event
from app.events.service import events
from app.identity.admin_frame import render_admin
from app.identity.guard import Caller, SignedIn
from app.identity.roles import Principal
from app.money import AmountNotUnderstood, parse_amount
from app.passes.plans import end, make, plan_named, plans
from app.passes.rules import Date, Plan
from app.platform.clock import now_us
from app.platform.context import context_of
from app.platform.errors import Forbidden, Invalid
from app.rules.ids import uuid7
from app.venues.service import Venue, the_network, venues
from app.web import N_, texts_of

router = APIRouter(include_in_schema=False)

HERE: Final = "/admin/passes"
FIELDS: Final[Mapping[str, str]] = {
    "name": N_("Write its name."),
    "amount": N_("Write an amount such as 25 or 12.50."),
    "quota": N_("Write a number, or nothing for as many as there are places."),
    "dates": N_("Choose a price at two dates or more."),
    "places": N_("Write how many dates are chosen: at most as many as there are."),
    "currency": N_("All of its dates are sold in the money of the pass."),
}


@router.get(HERE)
async def passes_page(request: Request, caller: Caller, session: SignedIn) -> Response:
    now = now_us()
    async with context_of(request).reader.connect() as connection:
        network, there, known = await the_network(connection), await venues(connection), await currencies(connection)
        mine = [it for it in (await plans(connection)).values() if caller.may_see_venue(it.venue)]
        at = await events(connection, ids={date.event for it in mine for date in it.dates})
    return render_admin(
        request,
        session,
        "passes/admin.html",
        place=HERE,
        network_name=network.name,
        here=HERE,
        plans=[(it, sorted((at[date.event] for date in it.dates), key=lambda e: e.starts_at_us)) for it in mine],
        venues=there,
        currencies=known,
        now=now,
    )


@router.get(f"{HERE}/new")
async def new_pass_page(request: Request, caller: Caller, session: SignedIn) -> Response:
    return await _form(request, caller, session, {"kind": "pass"}, {})


@router.post(f"{HERE}/new")
async def make_pass(
    request: Request, caller: Caller, session: SignedIn, id: Annotated[UUID, Form()], venue: Annotated[UUID, Form()]
) -> Response:
    """The same form sent twice makes one."""
    texts, form = texts_of(request), await request.form()
    typed = {name: str(value).strip() for name, value in form.items()}
    async with context_of(request).reader.connect() as connection:
        known = await currencies(connection)
    try:
        async with context_of(request).engine.begin() as connection:
            at = await events(connection, ends_after_us=now_us())
            new = _plan(id, venue, typed, _dates(form, at.values()), known)
            require_venues(caller, [new.venue, *(at[date.event].venue for date in new.dates)])
            await make(connection, caller.actor, new)
    except Invalid as error:
        name = str(error.extra.get("field", "dates"))
        return await _form(request, caller, session, typed, {name: texts.gettext(FIELDS[name])})
    return RedirectResponse(HERE, 303)


@router.post(f"{HERE}/{{plan}}/end")
async def end_pass(request: Request, caller: Caller, plan: UUID) -> Response:
    async with context_of(request).engine.begin() as connection:
        require_venues(caller, [(await plan_named(connection, plan)).venue])
        await end(connection, caller.actor, plan)
    return RedirectResponse(HERE, 303)


def require_venues(caller: Principal, all_of: Iterable[UUID]) -> None:
    """A pass takes places of each of its dates: whoever makes it runs all of their venues."""
    for venue in all_of:
        if not caller.may_see_venue(venue):
            raise Forbidden("Your rights do not reach all of the venues of this pass.")


def _plan(
    id_: UUID, venue: UUID, typed: Mapping[str, str], dates: tuple[Date, ...], known: Mapping[str, Currency]
) -> Plan:
    kind: Literal["pass", "subscription"] = "subscription" if typed.get("kind") == "subscription" else "pass"
    money = known.get(typed.get("currency", ""))
    if money is None:
        raise Invalid("There is no such money.", field="currency")
    try:
        amount = parse_amount(typed.get("amount", ""), money.unit)
    except AmountNotUnderstood:
        raise Invalid("No amount.", field="amount") from None
    places = len(dates) if kind == "pass" else _number(typed.get("places", ""), "places")
    quota = _number(typed["quota"], "quota") if typed.get("quota") else None
    name_fr, name_en = (" ".join(typed.get(f"name_{it}", "").split()) for it in ("fr", "en"))
    return Plan(id_, venue, kind, name_fr, name_en, money.code, amount, places, quota, dates=dates)


def _dates(form: FormData, at: Iterable[Event]) -> tuple[Date, ...]:
    """Those at which a price was chosen; each weighs what its price costs."""
    found = []
    for event in at:
        chosen = next((it for it in event.prices if str(it.id) == form.get(f"date-{event.id}")), None)
        if chosen is not None:
            found.append(Date(event.id, chosen.id, max(1, chosen.amount)))
    return tuple(sorted(found, key=lambda it: it.event))


def _number(typed: str, field: str) -> int:
    if not typed.isdecimal() or len(typed) > 6:
        raise Invalid("No number.", field=field)
    return int(typed)


async def _form(
    request: Request, caller: Principal, session: SignedIn, typed: Mapping[str, str], wrong: Mapping[str, str]
) -> Response:
    async with context_of(request).reader.connect() as connection:
        network, there, known = await the_network(connection), await venues(connection), await currencies(connection)
        at = await events(connection, statuses=["draft", "published"], ends_after_us=now_us())
    mine: list[Venue] = [it for it in there.values() if caller.may_see_venue(it.id)]
    coming = [it for it in at.values() if caller.may_see_venue(it.venue) and it.prices]
    codes = {code for it in mine for code in it.accepted}
    return render_admin(
        request,
        session,
        "passes/new.html",
        place=HERE,
        status_code=422 if wrong else 200,
        network_name=network.name,
        here=HERE,
        id=uuid7(),
        sellers=[(str(it.id), it.name) for it in mine],
        moneys=[it for code, it in known.items() if code in codes],
        events=coming,
        venues=there,
        currencies=known,
        typed=typed,
        wrong=wrong,
    )
