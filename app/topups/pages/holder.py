"""The holder tops up: choose an amount, pay on the provider's page, come back to what became of it."""

from __future__ import annotations

from contextlib import suppress
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from app.cards import recovery
from app.cards.addresses import address_of, any_card_behind, card_behind
from app.cards.recovery_pages import offer_of
from app.cards.service import Card, balances
from app.cards.visits import kept_back
from app.currencies.policies import policies, policy_at
from app.currencies.service import Currency, currencies
from app.ledger.service import ledger_of
from app.mail.rules import address as mail_address
from app.money import AmountNotUnderstood
from app.platform.clock import now_us
from app.platform.context import context_of
from app.platform.errors import DomainError, Invalid, NotFound, Unavailable
from app.rules.ids import uuid7
from app.rules.policy import Policy
from app.topups import amounts, online, receipts, service
from app.topups.gifts import gift_for, gifts_of, rounded_up
from app.topups.provider import ProviderAway, ProviderRefused
from app.venues.service import Network, the_network
from app.web import render, texts_of

router = APIRouter(include_in_schema=False)

# An unpaid payment page that was opened longer ago was left.
WAITING_US = 15 * 60 * 1_000_000

Typed = Annotated[str, Form(max_length=40)]


@router.get("/c/{token}/top-up")
async def topup_form(request: Request, token: str) -> Response:
    card = await card_behind(request, token)
    network, known = await _network(request)
    return await _form(request, card, network, known)


@router.post("/c/{token}/top-up")
async def begin_topup(
    request: Request,
    token: str,
    id: Annotated[UUID, Form()],
    currency: Typed,
    amount: Typed = "",
    other: Typed = "",
    email: Annotated[str, Form(max_length=300)] = "",
    again: Annotated[str, Form(max_length=8)] = "",
    round_up: Annotated[str, Form(max_length=8)] = "",
) -> Response:
    """The same form sent twice leads to the same payment; changed after coming back, to another one. `email`: where the
    receipt goes. `again`: back to the same payment, from a page that asks for no address."""
    card, provider = await card_behind(request, token), online.provider_of(request)
    network, known = await _network(request)
    if currency not in known:
        raise Invalid(f"{currency} cannot be topped up here.", "currency-not-accepted")
    chosen, engine = known[currency], context_of(request).engine
    return_url = f"{address_of(request, card)}/top-ups/{{id}}"
    to = mail_address(email) if email.strip() else ""
    if to is None:
        return await _form(request, card, network, known, currency, other, amount, email=email, round_up=round_up)
    try:
        minor = amounts.chosen_amount(amount, other, chosen)
        moneys, rules = await _rules(request)
        gift = gift_for(moneys, rules, chosen, minor)
        given = rounded_up(rules[currency], minor) if round_up else None
        minor += given.amount if given else 0
        await service.check_room(ledger_of(request), network, card, chosen, minor)
        asked = (network, card, chosen, minor, return_url)
        try:
            begun, url = await service.begin(engine, provider, *asked, id, gift, given)
        except Invalid as error:
            if error.code != "idempotency-key-reused":
                raise
            begun, url = await service.begin(engine, provider, *asked, uuid7(), gift, given)
    except (AmountNotUnderstood, Invalid, ProviderAway, ProviderRefused) as error:
        if isinstance(error, Invalid) and error.code != "amount-out-of-range":
            raise
        return await _form(
            request, card, network, known, currency, other, amount, error=error, email=email, round_up=round_up
        )
    if not again and context_of(request).settings.mail != "none":
        await receipts.ask(engine, begun.id, to, texts_of(request).language)
    near = online.near(request, url)
    if near == url:
        # A form may end at our own origin only; from a page of ours a browser may go anywhere.
        near = f"/c/{token}/top-ups/{begun.id}/pay"
    return RedirectResponse(near, 303)


@router.get("/c/{token}/top-ups/{id}/pay")
async def topup_payment(request: Request, token: str, id: UUID) -> Response:
    """On the way to the provider's payment page, while there is something to pay."""
    card = await card_behind(request, token)
    found = await service.named(context_of(request).engine, id)
    if found.wallet != card.wallet:
        raise NotFound
    if found.status != "pending" or found.url is None or found.paid_at_us is not None:
        return RedirectResponse(f"/c/{token}/top-ups/{id}", 303)
    network, _ = await _network(request)
    return render(
        request, "topups/leaving.html", network_name=network.name, home=f"/c/{token}", topup=found, url=found.url
    )


@router.get("/c/{token}/top-ups/{id}")
async def topup_state(request: Request, token: str, id: UUID) -> Response:
    """What became of a top-up. Looking asks the provider, so whoever comes back from paying is credited at once."""
    # Whoever paid while the card was replaced is told too, and nothing else about its holder.
    card, end = await any_card_behind(request, token)
    context = context_of(request)
    found = await service.named(context.engine, id)
    if found.wallet != card.wallet:
        raise NotFound
    with suppress(Unavailable, ProviderRefused):
        # What is known stays on the page while the provider does not answer, or will not.
        found = await online.settle(request, id)
    async with context.reader.connect() as connection:
        network, known = await the_network(connection), await currencies(connection)
        made_at_us = await recovery.made_at_us(connection, card.wallet)
    hidden = end is not None or kept_back(request, card, network)
    held = await balances(ledger_of(request), card.owner, known)
    return render(
        request,
        "topups/state.html",
        network_name=network.name,
        home=f"/c/{token}",
        topup=found,
        currency=known[found.currency],
        gift=known[found.gift] if found.gift else None,
        held=None if hidden else held[found.currency],
        card=card,
        offer=None if hidden else offer_of(request, card, made_at_us),
    )


async def _network(request: Request) -> tuple[Network, dict[str, Currency]]:
    """The network, and those of its currencies that are bought with euros."""
    async with context_of(request).reader.connect() as connection:
        network, known = await the_network(connection), await currencies(connection)
    return network, {code: it for code, it in known.items() if it.cents_per_unit is not None}


def _picked(chips: list[int], picked: str) -> int | None:
    return next((it for it in chips if str(it) == picked), None)


async def _rules(request: Request) -> tuple[dict[str, Currency], dict[str, Policy]]:
    """All currencies, and the rules that hold for them now."""
    async with context_of(request).reader.connect() as connection:
        known, now = await currencies(connection), now_us()
        return known, {code: policy_at(of, now).policy for code, of in (await policies(connection)).items()}


async def _form(
    request: Request,
    card: Card,
    network: Network,
    known: dict[str, Currency],
    chosen: str = "",
    typed: str = "",
    picked: str = "",
    error: AmountNotUnderstood | DomainError | None = None,
    email: str = "",
    round_up: str = "",
) -> Response:
    """The form, again with what was typed when that was not right. Its id is the top-up's."""
    texts, offered = texts_of(request), context_of(request).settings.payments != "none"
    common: dict[str, Any] = {"network_name": network.name, "home": f"/c/{card.token}", "card": card}
    if not known or not offered or card.status != "active":
        return render(request, "topups/not_here.html", **common)
    currency = known.get(chosen) or next(iter(known.values()))
    limits = amounts.limits_of(network.settings, currency)
    chips = amounts.chips_of(currency, limits)
    async with context_of(request).reader.connect() as connection:
        waiting = await service.waiting(connection, card.wallet, now_us() - WAITING_US)
    moneys, rules = await _rules(request)
    if kept_back(request, card, network):
        waiting = []
    away = isinstance(error, ProviderAway | ProviderRefused)
    wrong = ""
    if email.strip() and mail_address(email) is None:
        wrong = texts.gettext("Write an address like awa@example.org. Nothing was charged.")
    return render(
        request,
        "topups/form.html",
        status_code=503 if away else 422 if error or wrong else 200,
        **common,
        id=uuid7(),
        currencies=list(known.values()),
        currency=currency,
        chips=chips,
        picked=_picked(chips, picked) if error or wrong else chips[min(1, len(chips) - 1)] if chips else None,
        by_mail=context_of(request).settings.mail != "none",
        email=email,
        round_up=bool(round_up),
        round_ups=sorted(
            {
                texts.gettext("Round up to the next whole euro, for %(name)s", name=name)
                for code in known
                if (name := rules[code].spending.top_up_round_up)
            }
        ),
        email_problem=wrong,
        limits=amounts.limits_in_words(limits, currency, texts),
        gifts=[
            amounts.gift_in_words(known[code], moneys[it.gift], it, texts)
            for code, it in gifts_of(moneys, rules).items()
            if code in known
        ],
        prices=[words for it in known.values() if (words := amounts.price_in_words(it, texts))],
        typed=typed,
        away=away,
        waiting=[{"id": it.id, "amount": known[it.currency].text(it.amount, texts.language)} for it in waiting],
        problem="" if error is None or away else amounts.problem_in_words(error, limits, currency, texts),
    )
