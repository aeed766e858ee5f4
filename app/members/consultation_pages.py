"""Consultations: asked and read by those who run the plan, answered on the card's page."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from app.cards.addresses import card_behind
from app.cards.service import Card
from app.cards.visits import require_tap
from app.identity.admin_frame import render_admin
from app.identity.guard import Caller, SignedIn
from app.identity.roles import Principal
from app.members import consultations, proof
from app.members.consultations import Consultation
from app.members.plans import Plan, plan_named, plans
from app.platform.clock import now_us
from app.platform.context import context_of
from app.platform.errors import DomainError, Forbidden, Invalid, NotFound
from app.rules.ids import uuid7
from app.venues.service import the_network
from app.web import N_, render, texts_of

router = APIRouter(include_in_schema=False)

HERE: Final = "/admin/consultations"

WRONG: Final[Mapping[str, str]] = {
    "consultation-closed": N_("This consultation is not open. Nothing was counted."),
    "voted": N_("You have voted already. Nothing was changed."),
    "not-entitled": N_("Only who was a member when it opened may vote. Nothing was counted."),
}
FIELDS: Final[Mapping[str, str]] = {
    "plan": N_("Choose whose members are asked."),
    "question": N_("Write the question, in 500 characters at most."),
    "options": N_("Write two to eight answers, one on each line, all different."),
    "closes": N_("Write when it opens, and a later end that is not past."),
    "quorum": N_("Write a share between 0 and 100."),
}

Line = Annotated[str, Form(max_length=300)]
Text = Annotated[str, Form(max_length=4000)]


@router.get("/c/{token}/consultations/{consultation}")
async def vote_page(request: Request, token: str, consultation: UUID) -> Response:
    card = await card_behind(request, token)
    await require_tap(request, card)
    return await _vote_page(request, card, consultation, {})


@router.post("/c/{token}/consultations/{consultation}")
async def cast_vote(
    request: Request, token: str, consultation: UUID, choice: Annotated[int, Form()] = -1, code: Line = ""
) -> Response:
    card, texts = await card_behind(request, token), texts_of(request)
    await require_tap(request, card)
    if card.status != "active":
        raise Forbidden("This card is blocked.", "card-blocked")
    wrong: dict[str, str] = {}
    try:
        await proof.require(request, card, code)
        await _rolls(request)
        async with context_of(request).engine.begin() as connection:
            it = await consultations.named(connection, consultation)
            await consultations.vote(connection, it, card.wallet, choice)
    except DomainError as error:
        field = error.extra.get("field")
        if field == "code":
            wrong["code"] = texts.gettext("This is not the code of this card. Nothing was counted.")
        elif field == "choice":
            wrong["choice"] = texts.gettext("Choose one of the answers.")
        elif error.code in WRONG:
            wrong["vote"] = texts.gettext(WRONG[error.code])
        else:
            raise
    if wrong:
        return await _vote_page(request, card, consultation, wrong)
    return RedirectResponse(f"/c/{token}/consultations/{consultation}", 303)


@router.get(HERE)
async def consultations_page(request: Request, caller: Caller, session: SignedIn) -> Response:
    await _rolls(request)
    async with context_of(request).reader.connect() as connection:
        network, own = await the_network(connection), _own(await plans(connection), caller)
        found = await consultations.of_plans(connection, list(own))
    return render_admin(
        request,
        session,
        "members/consultations.html",
        place=HERE,
        network_name=network.name,
        here=HERE,
        zone=network.settings.zone,
        now=now_us(),
        found=[(it, own[it.plan]) for it in found],
        plans=own,
    )


@router.get(f"{HERE}/new")
async def new_consultation_page(request: Request, caller: Caller, session: SignedIn) -> Response:
    return await _form(request, caller, session, {"quorum": "0", "secret": "yes"}, {})


@router.post(f"{HERE}/new")
async def ask_members(
    request: Request,
    caller: Caller,
    session: SignedIn,
    id: Annotated[UUID, Form()],
    plan: Line = "",
    question: Text = "",
    options: Text = "",
    opens: Line = "",
    closes: Line = "",
    quorum: Line = "",
    secret: Line = "",
) -> Response:
    """The same form sent twice asks once."""
    texts = texts_of(request)
    typed = {
        "plan": plan,
        "question": question,
        "options": options,
        "opens": opens,
        "closes": closes,
        "quorum": quorum,
        "secret": secret,
    }
    async with context_of(request).reader.connect() as connection:
        zone = (await the_network(connection)).settings.zone
        own = _own(await plans(connection), caller)
    try:
        new = Consultation(
            id,
            _chosen(own, plan),
            question.strip(),
            bool(secret),
            _share(quorum),
            _instant(opens, zone),
            _instant(closes, zone),
        )
        lines = [" ".join(it.split()) for it in options.splitlines() if it.strip()]
        async with context_of(request).engine.begin() as connection:
            await consultations.ask(connection, caller.actor, new, lines)
    except Invalid as error:
        name = str(error.extra.get("field", "question"))
        return await _form(request, caller, session, typed, {name: texts.gettext(FIELDS[name])})
    return RedirectResponse(f"{HERE}/{id}", 303)


@router.get(f"{HERE}/{{consultation}}")
async def consultation_page(request: Request, caller: Caller, session: SignedIn, consultation: UUID) -> Response:
    await _rolls(request)
    async with context_of(request).reader.connect() as connection:
        network = await the_network(connection)
        it = await consultations.named(connection, consultation)
        plan = await plan_named(connection, it.plan)
        if plan.id not in _own({plan.id: plan}, caller):
            raise NotFound("There is no such consultation.")
        told = await consultations.outcome(connection, it) if it.over(now_us()) else None
        names = await consultations.votes_by_name(connection, it)
        answers = await consultations.options(connection, it.id)
    return render_admin(
        request,
        session,
        "members/consultation.html",
        place=HERE,
        network_name=network.name,
        here=HERE,
        zone=network.settings.zone,
        now=now_us(),
        it=it,
        plan=plan,
        outcome=told,
        names=names,
        answers=answers,
    )


async def _rolls(request: Request) -> None:
    async with context_of(request).engine.begin() as connection:
        await consultations.draw_up_rolls(connection)


def _own(every: Mapping[UUID, Plan], caller: Principal) -> dict[UUID, Plan]:
    """A venue's people ask their own members; the network's, all."""
    return {it.id: it for it in every.values() if (caller.may_see_venue(it.venue) if it.venue else caller.sees_network)}


def _chosen(own: Mapping[UUID, Plan], typed: str) -> UUID:
    found = next((it for it in own if str(it) == typed), None)
    if found is None:
        raise Invalid("Whose members?", field="plan")
    return found


def _share(typed: str) -> int:
    if not typed.strip().isdecimal():
        raise Invalid("No share.", field="quorum")
    return int(typed)


def _instant(typed: str, zone: str) -> int:
    """Microseconds, of what a datetime-local input sends. Raises Invalid(field="closes")."""
    try:
        at = datetime.fromisoformat(typed.strip()).replace(tzinfo=ZoneInfo(zone))
    except ValueError:
        raise Invalid("No time.", field="closes") from None
    return int(at.timestamp()) * 1_000_000


async def _vote_page(request: Request, card: Card, id_: UUID, wrong: Mapping[str, str]) -> Response:
    await _rolls(request)
    seen, session = await proof.shown(request, card)
    async with context_of(request).reader.connect() as connection:
        network = await the_network(connection)
        it = await consultations.named(connection, id_)
        plan = await plan_named(connection, it.plan)
        roll = await consultations.on_roll(connection, card.wallet)
        told = await consultations.outcome(connection, it) if it.over(now_us()) else None
        answers = await consultations.options(connection, it.id)
    return render(
        request,
        "members/vote.html",
        status_code=422 if wrong else 200,
        network_name=network.name,
        card=card,
        home=f"/c/{card.token}",
        zone=network.settings.zone,
        now=now_us(),
        it=it,
        plan=plan,
        entitled=it.id in roll,
        voted=roll.get(it.id, False),
        outcome=told,
        answers=answers,
        shown=seen,
        session=session,
        wrong=wrong,
    )


async def _form(
    request: Request, caller: Principal, session: SignedIn, typed: Mapping[str, str], wrong: Mapping[str, str]
) -> Response:
    async with context_of(request).reader.connect() as connection:
        network, own = await the_network(connection), _own(await plans(connection), caller)
    return render_admin(
        request,
        session,
        "members/ask.html",
        place=HERE,
        status_code=422 if wrong else 200,
        network_name=network.name,
        here=HERE,
        id=uuid7(),
        plans=list(own.values()),
        typed=typed,
        wrong=wrong,
    )
