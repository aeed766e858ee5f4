"""Passes and subscriptions on a holder's phone, behind the card's address; and for programs that act for a card."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Form, Request
from pydantic import BaseModel, ConfigDict
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import RedirectResponse, Response

from app.boxoffice.pages import ORDERS
from app.cards.addresses import address_of, card_behind
from app.cards.service import Card, balances
from app.cards.visits import kept_back, require_tap
from app.currencies.service import currencies
from app.events import orders
from app.events.orders import Order
from app.events.rules import Event, OrderState
from app.events.service import events
from app.ledger.service import ledger_of
from app.passes import sales
from app.passes.basket import begin_payment, complete, topup_of
from app.passes.paying import choose, missing_for, pay
from app.passes.plans import dates_of, plan_named, plans
from app.passes.rules import Plan, State
from app.passes.sales import Sale
from app.passes.tables import pass_plan
from app.platform.clock import now_us
from app.platform.context import context_of
from app.platform.errors import DomainError, NotFound, Unavailable
from app.rules.ids import uuid7
from app.topups import online
from app.topups.provider import ProviderAway, ProviderRefused
from app.venues.service import the_network, venues
from app.web import N_, render, texts_of

router = APIRouter(include_in_schema=False)

# Why nothing was bought, by the problem's code.
WRONG: Final[Mapping[str, str]] = {
    "insufficient-funds": N_("There is not enough on the card. Nothing was paid. Top it up first."),
    "sold-out": N_("One of its dates has no places left. Nothing was paid."),
    "not-on-sale": N_("One of its dates is no longer sold. Nothing was paid."),
    "pass-over": N_("It is sold no more. Nothing was paid."),
    "too-many-held": N_("Places are kept for you already. Pay for those first, or wait some minutes."),
    "card-blocked": N_("This card is blocked. Nothing was paid."),
    "order-over": N_("The places are no longer kept for you. Nothing was paid."),
    "idempotency-key-reused": N_("This form was sent before. Look at your passes first."),
}


class PassBody(BaseModel):
    """`id`: made by whoever asks, so that the same pass sent twice is one."""

    model_config = ConfigDict(extra="forbid")

    id: UUID
    plan: UUID


class ChoiceBody(BaseModel):
    model_config = ConfigDict(extra="forbid")

    event: UUID


class PassAnswer(BaseModel):
    """`amount`: minor units."""

    id: UUID
    state: State
    currency: str
    amount: int


class PlaceAnswer(BaseModel):
    """`id`: of the order by which the pass has its place. `amount`: what of its price is for this date."""

    id: UUID
    event: UUID
    state: OrderState
    currency: str
    amount: int


@router.get("/c/{token}/passes")
async def card_passes_page(request: Request, token: str) -> Response:
    card, now = await card_behind(request, token), now_us()
    await require_tap(request, card)
    async with context_of(request).reader.connect() as connection:
        network, there = await the_network(connection), await venues(connection)
        known = await currencies(connection)
        mine = await sales.sales_of(connection, card.wallet)
        bought = await plans(connection, pass_plan.c.id.in_({it.plan for it in mine}))
        sold = [it for it in (await plans(connection, pass_plan.c.ended_at_us.is_(None))).values() if it.on_sale(now)]
        at = await events(connection, ids={date.event for it in sold for date in it.dates}, statuses=["published"])
    # One that has no place at one of its dates any more is not for sale.
    sold = [it for it in sold if it.left != 0 and _open(it, at, now)]
    return render(
        request,
        "passes/passes.html",
        network_name=network.name,
        home=f"/c/{token}",
        mine=[(it, bought[it.plan]) for it in mine],
        sold=sold,
        venues=there,
        currencies=known,
    )


@router.get("/c/{token}/passes/{plan}")
async def card_pass_page(request: Request, token: str, plan: UUID) -> Response:
    card = await card_behind(request, token)
    await require_tap(request, card)
    return await _form(request, card, plan)


@router.post("/c/{token}/passes/{plan}")
async def buy_pass_from_page(request: Request, token: str, plan: UUID, id: Annotated[UUID, Form()]) -> Response:
    """The same form sent twice is one pass; what is missing on the card leads to the payment page."""
    card, ledger = await card_behind(request, token), ledger_of(request)
    await require_tap(request, card)
    ORDERS.check(request, str(card.id))
    try:
        made = await sales.hold(ledger.engine, plan, card, id)
        if made.state == "held" and await missing_for(ledger, made):
            return await _to_payment(request, card, made)
        await pay(ledger, made)
    except DomainError as error:
        if isinstance(error, Unavailable | NotFound) or error.code not in WRONG:
            raise
        return await _form(request, card, plan, WRONG[error.code])
    return RedirectResponse(f"/c/{token}/my-passes/{id}", 303)


@router.get("/c/{token}/my-passes/{sale}")
async def card_my_pass_page(request: Request, token: str, sale: UUID) -> Response:
    """What a pass has places for; of one that is being paid online, what became of it. Looking asks."""
    card = await card_behind(request, token)
    await require_tap(request, card)
    return await _mine(request, card, sale)


@router.post("/c/{token}/my-passes/{sale}")
async def choose_date_from_page(request: Request, token: str, sale: UUID, event: Annotated[UUID, Form()]) -> Response:
    """A place of a subscription. The same again is the same place."""
    card = await card_behind(request, token)
    await require_tap(request, card)
    ORDERS.check(request, str(card.id))
    try:
        made = await choose(ledger_of(request), sale, card, event)
    except DomainError as error:
        if error.code not in {"sold-out", "not-on-sale", "pass-used-up", "card-blocked"}:
            raise
        return await _mine(request, card, sale, error.code)
    return RedirectResponse(f"/c/{token}/tickets?order={made.id}", 303)


@router.post("/c/{token}/pass-orders")
async def order_pass(request: Request, token: str, body: PassBody) -> PassAnswer:
    """A pass, paid from the card at once, with its places; Conflict("sold-out", "not-on-sale", "pass-over"),
    insufficient-funds."""
    card, ledger = await card_behind(request, token), ledger_of(request)
    if card.taps:
        await require_tap(request, card)
    ORDERS.check(request, str(card.id))
    made = await sales.hold(ledger.engine, body.plan, card, body.id)
    try:
        done = await pay(ledger, made)
    except DomainError as error:
        if error.code == "insufficient-funds":
            await sales.release(ledger.engine, made)
        raise
    return PassAnswer(id=done.id, state=done.state, currency=done.currency, amount=done.amount)


@router.post("/c/{token}/pass-orders/{sale}/places")
async def choose_pass_date(request: Request, token: str, sale: UUID, body: ChoiceBody) -> PlaceAnswer:
    """A place of a subscription at one of its dates; Conflict("pass-used-up", "sold-out", "not-on-sale")."""
    card = await card_behind(request, token)
    if card.taps:
        await require_tap(request, card)
    ORDERS.check(request, str(card.id))
    made = await choose(ledger_of(request), sale, card, body.event)
    return PlaceAnswer(id=made.id, event=made.event, state=made.state, currency=made.currency, amount=made.amount)


def _open(plan: Plan, at: Mapping[UUID, Event], now: int) -> bool:
    """Whether places are left at all of its dates; of a subscription, at as many as it has places."""
    some = 0
    for it in plan.dates:
        event = at.get(it.event)
        price = event.price(it.price) if event is not None else None
        some += event is not None and price is not None and event.standing(now) == "open" and event.left_at(price) > 0
    return some >= (len(plan.dates) if plan.kind == "pass" else plan.places)


async def _form(request: Request, card: Card, id_: UUID, wrong: str | None = None) -> Response:
    now, ledger, texts = now_us(), ledger_of(request), texts_of(request)
    async with context_of(request).reader.connect() as connection:
        network, there = await the_network(connection), await venues(connection)
        known, plan = await currencies(connection), await plan_named(connection, id_)
        at = await dates_of(connection, plan)
    hidden = kept_back(request, card, network)
    held = None if hidden else (await balances(ledger, card.owner, known))[plan.currency]
    sold = plan.on_sale(now) and plan.left != 0 and _open(plan, at, now)
    return render(
        request,
        "passes/pass.html",
        status_code=409 if wrong else 200,
        network_name=network.name,
        home=f"/c/{card.token}",
        plan=plan,
        dates=[(it, there[it.venue], it.standing(now)) for it in at.values()],
        venue=there[plan.venue],
        currency=known[plan.currency],
        held=held,
        sold=sold,
        online=request.app.state.provider is not None,
        wrong=texts.gettext(wrong) if wrong else None,
        id=uuid7(),
    )


async def _mine(request: Request, card: Card, id_: UUID, wrong: str | None = None) -> Response:
    context, now = context_of(request), now_us()
    it = await _own(request, card, id_)
    topup = None
    if it.topup is not None:
        with suppress(Unavailable, ProviderRefused, NotFound):
            topup = await online.settle(request, topup_of(it.id))
        it = await complete(ledger_of(request), it.id)
    async with context.reader.connect() as connection:
        network, there = await the_network(connection), await venues(connection)
        plan, known = await plan_named(connection, it.plan), await currencies(connection)
        at, mine = await dates_of(connection, plan), await _places(connection, it)
    dates: list[dict[str, Any]] = []
    for event in at.values():
        date, order = plan.date(event.id), mine.get(event.id)
        price = event.price(date.price) if date is not None else None
        standing = event.standing(now)
        left = price is not None and standing == "open" and event.left_at(price) > 0
        dates.append({"it": event, "venue": there[event.venue], "standing": standing, "order": order, "left": left})
    return render(
        request,
        "passes/mine.html",
        status_code=409 if wrong else 200,
        network_name=network.name,
        home=f"/c/{card.token}",
        sale=it,
        plan=plan,
        currency=known[it.currency],
        topup=topup,
        waiting=it.state in {"held", "paying"} and (it.state == "paying" or bool(topup and topup.status == "pending")),
        dates=dates,
        left=plan.places - len(mine) if it.state == "paid" else 0,
        wrong=wrong,
    )


async def _own(request: Request, card: Card, id_: UUID) -> Sale:
    async with context_of(request).reader.connect() as connection:
        it = await sales.sale_named(connection, id_)
    if it.wallet != card.wallet:
        raise NotFound("There is no such pass.")
    return it


async def _places(connection: AsyncConnection, it: Sale) -> dict[UUID, Order]:
    """By event, those that it has."""
    mine = await orders.orders_paid_by(connection, [it.id])
    return {one.event: one for one in mine if one.state != "released"}


async def _to_payment(request: Request, card: Card, it: Sale) -> Response:
    """What is missing on the card is paid on the provider's page. Raises DomainError where that cannot be."""
    context, provider = context_of(request), request.app.state.provider
    async with context.reader.connect() as connection:
        network, known = await the_network(connection), await currencies(connection)
    currency = known[it.currency]
    if provider is None or currency.cents_per_unit is None:
        await sales.release(context.engine, it)
        raise DomainError("insufficient-funds", "There is not enough on the card.")
    back = f"{address_of(request, card)}/my-passes/{it.id}"
    try:
        topup, url = await begin_payment(ledger_of(request), provider, network, card, currency, it, back)
    except (DomainError, ProviderAway, ProviderRefused):
        await sales.release(context.engine, it)
        raise
    near = online.near(request, url)
    return RedirectResponse(f"/c/{card.token}/top-ups/{topup}/pay" if near == url else near, 303)
