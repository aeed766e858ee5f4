"""Events, an order and tickets on a holder's phone, behind the card's address."""

from __future__ import annotations

import io
from contextlib import suppress
from dataclasses import replace
from functools import lru_cache
from typing import Annotated, Any, Final
from uuid import UUID

import segno
from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import RedirectResponse, Response

from app.boxoffice.service import begin_payment, complete, topup_of
from app.cards.addresses import address_of, card_behind
from app.cards.service import Card, balances
from app.cards.visits import kept_back, require_tap
from app.conditions.service import known_of
from app.currencies.policies import policies, policy_at
from app.currencies.service import currencies
from app.events import orders
from app.events.booth import booth_of
from app.events.had import places_had
from app.events.orders import Ask, Order
from app.events.paying import missing_for, pay
from app.events.refunding import sent_on
from app.events.rules import PLACES_MAX, Event, OrderState, Price, sellable
from app.events.service import event_at, event_named, events
from app.events.tickets import tickets_of
from app.guests.views import line_for
from app.guests.waiting import offers_to
from app.ledger.service import ledger_of
from app.money import Unit, format_amount
from app.platform.clock import now_us
from app.platform.context import context_of
from app.platform.errors import Conflict, DomainError, Forbidden, NotFound, Unavailable
from app.platform.limits import RateLimit
from app.rules.entitlement import entitled
from app.rules.ids import uuid7
from app.rules.tickets import encode
from app.topups import online
from app.topups.provider import ProviderAway, ProviderRefused
from app.venues.service import the_network, venues
from app.web import render, texts_of

router = APIRouter(include_in_schema=False)

# Places that are held are others' to miss: nobody takes them to play.
ORDERS: Final = RateLimit("ticket-orders", "30/minute")
SHOWN: Final = 60


class OrderBody(BaseModel):
    """`id`: made by whoever asks, so that the same order sent twice is one. `places`: how many, by price."""

    model_config = ConfigDict(extra="forbid")

    id: UUID
    event: UUID
    places: Annotated[dict[UUID, Annotated[int, Field(ge=1, le=PLACES_MAX, strict=True)]], Field(max_length=20)]


class OrderAnswer(BaseModel):
    """`amount`: minor units."""

    id: UUID
    state: OrderState
    places: int
    currency: str
    amount: int


@router.get("/c/{token}/events")
async def card_events_page(request: Request, token: str) -> Response:
    card, now = await card_behind(request, token), now_us()
    async with context_of(request).reader.connect() as connection:
        network, at = await the_network(connection), await venues(connection)
        found = await events(connection, statuses=["published"], ends_after_us=now, limit=SHOWN)
        known = await currencies(connection)
        offered = [] if kept_back(request, card, network) else await offers_to(connection, card.wallet)
    language = texts_of(request).language
    shown = []
    for it in found.values():
        # The least that most pay: what is for others only is not advertised as a price.
        open_ = [price for price in it.prices if price.condition == "none" and sellable(it, price, "online", now)]
        least = min(open_, key=lambda price: price.amount, default=None)
        text = known[least.currency].text(least.amount, language) if least else ""
        shown.append({"it": it, "venue": at[it.venue], "standing": it.standing(now), "least": least, "from": text})
    home, kept = f"/c/{token}", [found[it.event] for it in offered if it.event in found]
    return render(
        request, "boxoffice/events.html", network_name=network.name, home=home, card=card, events=shown, kept=kept
    )


@router.get("/c/{token}/events/{slug}")
async def card_event_page(request: Request, token: str, slug: str) -> Response:
    card = await card_behind(request, token)
    async with context_of(request).reader.connect() as connection:
        at = await event_at(connection, slug)
    return await _choose(request, card, at)


@router.post("/c/{token}/events/{slug}")
async def order_from_page(request: Request, token: str, slug: str) -> Response:
    """The same form sent twice is one order; what is missing on the card leads to the payment page."""
    card = await card_behind(request, token)
    await require_tap(request, card)
    ORDERS.check(request, str(card.id))
    form = await request.form()
    async with context_of(request).reader.connect() as connection:
        at = await event_at(connection, slug)
    wanted = {price.id: _number(form.get(f"places-{price.id}")) for price in at.prices}
    try:
        id_ = UUID(str(form.get("id")))
    except ValueError:
        raise NotFound from None
    try:
        ledger = ledger_of(request)
        ask = Ask(id_, at.id, card, wanted, known=await known_of(ledger, card, at))
        made = await orders.hold(context_of(request).engine, ask)
        if made.state == "held" and made.amount and await missing_for(ledger, made):
            return await _to_payment(request, card, made)
        done = await pay(ledger, made)
    except DomainError as error:
        if isinstance(error, Unavailable):
            raise
        async with context_of(request).reader.connect() as connection:
            at = await event_at(connection, slug)
        return await _choose(request, card, at, wanted, error)
    return RedirectResponse(f"/c/{token}/tickets?order={done.id}", 303)


@router.post("/c/{token}/orders")
async def order_places(request: Request, token: str, body: OrderBody) -> OrderAnswer:
    """Places ordered and paid from the card at once; Conflict("sold-out", "not-on-sale", "price-had"),
    Forbidden("price-for-others"), insufficient-funds."""
    card = await card_behind(request, token)
    if card.taps:
        await require_tap(request, card)
    ORDERS.check(request, str(card.id))
    ask = Ask(body.id, body.event, card, body.places, paying=True)
    try:
        done = await booth_of(request).order(ask)
    except Forbidden as error:
        # Only now is it asked what is known of the card: a sale that opens has better to do.
        if error.code != "price-for-others":
            raise
        ledger = ledger_of(request)
        async with ledger.reader.connect() as connection:
            at = await event_named(connection, body.event)
        done = await booth_of(request).order(replace(ask, known=await known_of(ledger, card, at)))
    if done.state == "released":
        raise Conflict("The places are no longer kept for you.", "order-over")
    return OrderAnswer(id=done.id, state=done.state, places=done.places, currency=done.currency, amount=done.amount)


@router.get("/c/{token}/orders/{order}")
async def card_order_page(request: Request, token: str, order: UUID) -> Response:
    """What became of an order that is being paid online. Looking asks, so whoever comes back has their tickets."""
    card = await card_behind(request, token)
    await require_tap(request, card)
    ledger, context = ledger_of(request), context_of(request)
    async with context.reader.connect() as connection:
        it = await orders.order_named(connection, order)
    if it.wallet != card.wallet:
        raise NotFound
    topup = None
    with suppress(Unavailable, ProviderRefused, NotFound):
        topup = await online.settle(request, it.topup or topup_of(order))
    it = await complete(ledger, order)
    if it.state == "paid":
        return RedirectResponse(f"/c/{token}/tickets?order={it.id}", 303)
    async with context.reader.connect() as connection:
        network, at = await the_network(connection), await event_named(connection, it.event)
        known = await currencies(connection)
    waiting = it.state == "paying" or (topup is not None and topup.status == "pending")
    held = None if kept_back(request, card, network) else (await balances(ledger, card.owner, known))[it.currency]
    return render(
        request,
        "boxoffice/order.html",
        network_name=network.name,
        home=f"/c/{token}",
        order=it,
        event=at,
        topup=topup,
        waiting=waiting,
        currency=known[it.currency],
        held=held,
    )


@router.post("/c/{token}/orders/{order}")
async def pay_held_order(request: Request, token: str, order: UUID) -> Response:
    """Places that are kept already, as for who stood in line. What is missing leads to the payment page, and places
    that are not paid for stay kept until their time is over."""
    card = await card_behind(request, token)
    await require_tap(request, card)
    ORDERS.check(request, str(card.id))
    async with context_of(request).reader.connect() as connection:
        it = await orders.order_named(connection, order)
        at = await event_named(connection, it.event)
    if it.wallet != card.wallet:
        raise NotFound
    try:
        if it.state == "held" and it.amount and await missing_for(ledger_of(request), it):
            return await _to_payment(request, card, it, keep=True)
        done = await pay(ledger_of(request), it)
    except Unavailable:
        raise
    except DomainError as error:
        return await _choose(request, card, at, error=error)
    return RedirectResponse(f"/c/{token}/tickets?order={done.id}", 303)


@router.get("/c/{token}/tickets")
async def card_tickets_page(request: Request, token: str, order: UUID | None = None) -> Response:
    """Those that still count and those that were given back, the next event first. `order`: the one just paid."""
    card, context, now = await card_behind(request, token), context_of(request), now_us()
    await require_tap(request, card)
    async with context.reader.connect() as connection:
        found = await tickets_of(connection, card.wallet, {"valid", "refunded"})
        ordered = await orders.orders_of(connection, card.wallet, ["paid", "refunded"])
        back = [it for it in ordered if it.state == "refunded"]
        onward = await sent_on(connection, [it.id for it in back])
        known = await currencies(connection)
        at = await events(connection, ids={it.event for it in found} | {it.event for it in back})
        network, places = await the_network(connection), await venues(connection)
        rules = await policies(connection)
        bought = None
        if order is not None:
            with suppress(NotFound):
                it = await orders.order_named(connection, order)
                bought = it if it.wallet == card.wallet and it.state == "paid" else None
    shown: list[dict[str, Any]] = []
    language = texts_of(request).language
    refundable = any("holders" in policy_at(it, now).policy.redeem.who for it in rules.values())
    # Of a ticket that was handed on, the money is whose the order is.
    own = {it.id for it in ordered}
    for event in at.values():
        mine = [it for it in found if it.event == event.id and it.state == "valid"]
        given = [it for it in back if it.event == event.id]
        singly = sum(
            it.event == event.id and it.state == "refunded" and it.order_id in own - {one.id for one in given}
            for it in found
        )
        sums = {code: sum(it.amount for it in given if it.currency == code) for code in {it.currency for it in given}}
        code = [(it, event.price(it.price), encode(event.id, it.id, context.keys.signing)) for it in mine]
        shown.append(
            {
                "it": event,
                "venue": places[event.venue],
                "standing": event.standing(now),
                "back": [known[code].text(amount, language) for code, amount in sorted(sums.items()) if amount],
                "singly_back": singly,
                "from_friends": bool(mine) and not any(it.order_id in own for it in mine),
                "returnable": event.refund_until_us is not None and now < event.refund_until_us,
                "places_back": sum(it.places for it in given),
                "onward": [onward[it.id] for it in given if it.id in onward],
                "sent_on": refundable and any(it.topup is not None and it.id not in onward for it in given),
                "tickets": [{"it": it, "price": price, "code": _code(text)} for it, price, text in code],
            }
        )
    shown.sort(key=lambda it: (it["standing"] == "past", it["it"].starts_at_us))
    return render(
        request,
        "boxoffice/tickets.html",
        network_name=network.name,
        home=f"/c/{token}",
        card=card,
        events=shown,
        bought=bought,
    )


async def _to_payment(request: Request, card: Card, it: Order, *, keep: bool = False) -> Response:
    """What is missing on the card is paid on the provider's page. Raises DomainError where that cannot be; `keep`: then
    its places stay."""
    context, provider = context_of(request), request.app.state.provider
    async with context.reader.connect() as connection:
        network, known = await the_network(connection), await currencies(connection)
    currency = known[it.currency]
    if provider is None or currency.cents_per_unit is None:
        if not keep:
            await orders.release(context.engine, it)
        raise DomainError("insufficient-funds", "There is not enough on the card.")
    back = f"{address_of(request, card)}/orders/{it.id}"
    try:
        topup, url = await begin_payment(ledger_of(request), provider, network, card, currency, it, back)
    except (DomainError, ProviderAway, ProviderRefused):
        if not keep:
            await orders.release(context.engine, it)
        raise
    near = online.near(request, url)
    if near == url:
        near = f"/c/{card.token}/top-ups/{topup}/pay"
    return RedirectResponse(near, 303)


async def _choose(
    request: Request,
    card: Card,
    at: Event,
    wanted: dict[UUID, int] | None = None,
    error: DomainError | None = None,
) -> Response:
    """The form; again with what was chosen when that could not be."""
    now, ledger = now_us(), ledger_of(request)
    async with context_of(request).reader.connect() as connection:
        network, known = await the_network(connection), await currencies(connection)
        venue = (await venues(connection))[at.venue]
        limited = [it.id for it in at.prices if it.per_wallet is not None]
        had = await places_had(connection, [card.wallet], limited, now) if limited else {}
    holder = await known_of(ledger, card, at)
    language = texts_of(request).language
    hidden = kept_back(request, card, network)
    held = {} if hidden else await balances(ledger, card.owner, known)
    prices: list[dict[str, Any]] = []
    for it in at.prices:
        if it.sold_by("online"):
            text = known[it.currency].text(it.amount, language)
            open_ = sellable(at, it, "online", now)
            soon = it.sale_from_us if it.sale_from_us and it.sale_from_us > now else None
            others = not entitled(it.condition, it.least, holder)
            left = min(at.left_at(it), PLACES_MAX) if open_ and not others else 0
            mine = None if it.per_wallet is None else max(0, it.per_wallet - had.get((card.wallet, it.id), 0))
            prices.append(
                {
                    "it": it,
                    "text": text,
                    "open": open_,
                    "left": left if mine is None else min(left, mine),
                    "soon": soon,
                    "others": others,
                    "all_had": mine == 0,
                    "least": _least(it, language),
                    "given": None if hidden or it.condition != "hours" else _hours(holder.minutes, language),
                }
            )
    codes = dict.fromkeys(it["it"].currency for it in prices)
    full = [it["it"] for it in prices if it["open"] and not it["others"] and not at.left_at(it["it"])]
    async with context_of(request).reader.connect() as connection:
        mail = context_of(request).settings.mail != "none"
        line = await line_for(connection, at, card.wallet, full, language, mail)
    return render(
        request,
        "boxoffice/event.html",
        status_code=409 if error else 200,
        network_name=network.name,
        home=f"/c/{card.token}",
        card=card,
        event=at,
        venue=venue,
        standing=at.standing(now),
        prices=prices,
        wanted=wanted or {},
        error=error,
        id=uuid7(),
        line=line,
        waiting_error=request.query_params.get("waiting") == "email",
        balances=[known[code].text(held[code], language) for code in codes if code in held],
        online=request.app.state.provider is not None,
    )


def _least(it: Price, language: str) -> str | None:
    """What its condition asks for, as people write it."""
    if it.condition != "hours" or it.least is None:
        return None
    return _hours(it.least, language)


def _hours(minutes: int, language: str) -> str:
    return format_amount(minutes, Unit.MINUTE, "h", language)


def _number(typed: object) -> int:
    text = str(typed or "").strip()
    return min(int(text), PLACES_MAX + 1) if text.isdecimal() and len(text) < 6 else 0


@lru_cache(maxsize=512)
def _code(text: str) -> str:
    """An SVG to stand in a page."""
    out = io.BytesIO()
    segno.make(text, error="m").save(out, kind="svg", scale=8, border=4, light="#fff", omitsize=True, xmldecl=False)
    return out.getvalue().decode()
