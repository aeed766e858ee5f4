"""The memberships of a card, seen and bought on its page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from app.cards.addresses import card_behind
from app.cards.service import Card, balances
from app.cards.visits import require_tap
from app.currencies.service import currencies
from app.identity.guard import Caller
from app.ledger.service import ledger_of
from app.mail.rules import address as mail_address
from app.members import proof
from app.members.buying import Buyer, Offer, buy, finish
from app.members.consultations import draw_up_rolls, of_plans, on_roll
from app.members.plans import Plan, plans
from app.members.terms import terms_of_wallet
from app.platform.clock import now_us
from app.platform.context import context_of
from app.platform.errors import DomainError, NotFound
from app.platform.limits import RateLimit
from app.rules.business_day import business_day
from app.rules.ids import uuid7
from app.rules.membership import next_period
from app.venues.service import the_network, venues
from app.web import N_, render, texts_of

router = APIRouter(include_in_schema=False)

BOUGHT = RateLimit("membership-card", "10/hour")

# Why nothing was bought, by the problem's code.
WRONG: Final[Mapping[str, str]] = {
    "insufficient-funds": N_("There is not enough on the card. Nothing was taken. Top it up first."),
    "card-blocked": N_("This card is blocked. Nothing was taken."),
    "membership-over": N_("This membership is sold no more. Nothing was taken."),
    "membership-had": N_("You have this membership already. Nothing was taken."),
    "idempotency-key-reused": N_("This form was sent before. Look at your memberships first."),
}

Line = Annotated[str, Form(max_length=200)]


@router.get("/c/{token}/memberships")
async def card_memberships_page(request: Request, token: str, done: UUID | None = None) -> Response:
    card = await card_behind(request, token)
    await require_tap(request, card)
    return await _list(request, card, done)


@router.get("/c/{token}/memberships/{plan}")
async def buy_membership_page(request: Request, token: str, plan: UUID) -> Response:
    card = await card_behind(request, token)
    await require_tap(request, card)
    return await _form(request, card, await _offer(request, plan), {}, {})


@router.post("/c/{token}/memberships/{plan}")
async def buy_membership(
    request: Request,
    caller: Caller,
    token: str,
    plan: UUID,
    id: Annotated[UUID, Form()],
    name: Line = "",
    email: Annotated[str, Form(max_length=300)] = "",
    agreed: Line = "",
    code: Line = "",
) -> Response:
    """The same form sent twice buys once."""
    card, texts = await card_behind(request, token), texts_of(request)
    await require_tap(request, card)
    BOUGHT.check(request, str(card.id))
    offer = await _offer(request, plan)
    typed = {"name": " ".join(name.split()), "email": email.strip(), "agreed": agreed}
    wrong: dict[str, str] = {}
    to = mail_address(email) if typed["email"] else None
    if typed["email"] and to is None:
        wrong["email"] = texts.gettext("This is no e-mail address.")
    if offer.plan.shares and not typed["name"]:
        wrong["name"] = texts.gettext("Shares are in somebody’s name: write yours.")
    if offer.plan.shares and not agreed:
        wrong["agreed"] = texts.gettext("Tick it if you want to buy shares.")
    if not wrong:
        try:
            await proof.require(request, card, code)
            buyer = Buyer(typed["name"], to, texts.language)
            await buy(ledger_of(request), offer, card, buyer, id, actor=caller.actor)
        except DomainError as error:
            if error.extra.get("field") == "code":
                wrong["code"] = texts.gettext("This is not the code of this card. Nothing was taken.")
            elif error.code in WRONG:
                wrong["money"] = texts.gettext(WRONG[error.code])
            else:
                raise
    if wrong:
        return await _form(request, card, offer, typed, wrong)
    return RedirectResponse(f"/c/{token}/memberships?done={id}", 303)


async def _offer(request: Request, plan: UUID) -> Offer:
    async with context_of(request).reader.connect() as connection:
        found = (await plans(connection)).get(plan)
        if found is None:
            raise NotFound("There is no such membership.")
        network, known, at = await the_network(connection), await currencies(connection), await venues(connection)
    return Offer(found, known[found.currency], at[found.venue] if found.venue else None, network)


async def _list(request: Request, card: Card, done: UUID | None) -> Response:
    await finish(ledger_of(request), card.wallet)
    async with context_of(request).engine.begin() as connection:
        await draw_up_rolls(connection)
    async with context_of(request).reader.connect() as connection:
        network, known, at = await the_network(connection), await currencies(connection), await venues(connection)
        every, mine = await plans(connection), await terms_of_wallet(connection, card.wallet)
        roll = await on_roll(connection, card.wallet)
        asked = [it for it in await of_plans(connection, list(every)) if it.id in roll]
    today = business_day(now_us(), network.settings.zone)
    held = [it for it in mine if it.state == "held"]

    def sold(plan: Plan) -> bool:
        last = next((it.period for it in held if it.plan == plan.id), None)
        return not plan.over(today) and next_period(plan.term, today, last) is not None

    return render(
        request,
        "members/memberships.html",
        network_name=network.name,
        card=card,
        home=f"/c/{card.token}",
        done=next((it for it in held if it.id == done), None),
        mine=[(it, every[it.plan], it.standing(today)) for it in held],
        asked=[(it, roll[it.id]) for it in asked],
        now=now_us(),
        sold=[it for it in every.values() if sold(it)],
        owned={it.plan for it in held},
        venues=at,
        currencies=known,
        today=today,
    )


async def _form(
    request: Request, card: Card, offer: Offer, typed: Mapping[str, str], wrong: Mapping[str, str]
) -> Response:
    context, ledger, plan = context_of(request), ledger_of(request), offer.plan
    seen, session = await proof.shown(request, card)
    async with context.reader.connect() as connection:
        mine = await terms_of_wallet(connection, card.wallet)
    today = business_day(now_us(), offer.network.settings.zone)
    last = next((it.period for it in mine if it.plan == plan.id and it.state == "held"), None)
    period = None if plan.over(today) else next_period(plan.term, today, last)
    before = next((it for it in mine if it.plan == plan.id), None)
    kept: dict[str, Any] = {"name": before.name, "email": before.email or ""} if before and seen else {}
    return render(
        request,
        "members/buy.html",
        status_code=422 if wrong else 200,
        network_name=offer.network.name,
        card=card,
        home=f"/c/{card.token}",
        plan=plan,
        currency=offer.currency,
        venue=offer.venue,
        period=period,
        today=today,
        renews=last is not None,
        holds=(await balances(ledger, card.owner, {plan.currency: offer.currency}))[plan.currency],
        shown=seen,
        session=session,
        by_mail=context.settings.mail != "none",
        id=uuid7(),
        typed={**kept, **typed},
        wrong=wrong,
    )
