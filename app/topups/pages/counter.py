"""Cash top-ups by hand: find the card, see what is on it, take the cash, credit."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID, uuid4

from fastapi import APIRouter, Form, Query, Request
from starlette.responses import RedirectResponse, Response

from app.cards.counter import ChosenVenue, Counter, TypedCard, counter_of
from app.cards.service import balances, card_by_uid
from app.currencies.service import Currency, currencies
from app.identity.admin_frame import render_admin
from app.identity.guard import Caller, SignedIn
from app.identity.roles import Principal
from app.ledger.service import ledger_of
from app.money import AmountNotUnderstood
from app.platform.context import context_of
from app.platform.errors import Invalid
from app.rules.ids import uuid7
from app.topups import amounts, service
from app.topups.amounts import Limits
from app.web import texts_of

router = APIRouter(include_in_schema=False)

HERE = "/admin/counter"

Typed = Annotated[str, Form(max_length=300)]


@dataclass(frozen=True, slots=True)
class Receipt:
    """A top-up that was just booked: `amount` and `held` (what the card holds now) in minor units of `currency`."""

    label: str
    card: UUID
    currency: Currency
    amount: int
    held: int


@router.get(HERE)
async def counter_page(
    request: Request,
    caller: Caller,
    session: SignedIn,
    card: TypedCard = "",
    venue: ChosenVenue = None,
    done: Annotated[UUID | None, Query()] = None,
) -> Response:
    receipt = None if done is None else await _receipt(request, caller, done)
    return _page(request, session, await counter_of(request, caller, card, venue), receipt=receipt)


@router.post(HERE)
async def top_up_at_counter(
    request: Request,
    caller: Caller,
    session: SignedIn,
    id: Annotated[UUID, Form()],
    venue: Annotated[UUID, Form()],
    card: Typed,
    currency: Typed,
    amount: Typed = "",
    other: Typed = "",
) -> Response:
    """The form's id is the operation's: sent twice, it is booked once."""
    counter = await counter_of(request, caller, card, venue)
    chosen = counter.currencies.get(currency)
    if counter.card is None or chosen is None or chosen not in _sold(counter):
        raise Invalid("This cannot be topped up here.", "currency-not-accepted")
    try:
        minor = amounts.chosen_amount(amount, other, chosen)
    except AmountNotUnderstood as error:
        return _page(request, session, counter, chosen=chosen, typed=other or amount, error=error)
    if not _limits(counter, chosen).within(minor):
        beyond = Invalid("More than may be topped up at once.", "amount-out-of-range")
        return _page(request, session, counter, chosen=chosen, typed=other or amount, error=beyond)
    ledger = ledger_of(request)
    await service.require_seller(ledger, caller, counter.venue, chosen)
    await service.at_the_counter(ledger, counter.venue, counter.card, chosen, minor, id, actor=session.principal.actor)
    return RedirectResponse(f"{HERE}?venue={venue}&done={id}", 303)


def _sold(counter: Counter) -> list[Currency]:
    """Currencies that the venue takes cash for."""
    return [
        it
        for code, it in counter.currencies.items()
        if it.cents_per_unit is not None and code in counter.venue.accepted
    ]


def _limits(counter: Counter, currency: Currency) -> Limits:
    """No least amount: at a counter nobody pays a fee per payment."""
    return Limits(1, amounts.limits_of(counter.network.settings, currency).most)


async def _receipt(request: Request, caller: Principal, id_: UUID) -> Receipt | None:
    """What the ledger says of a top-up at one of the caller's venues."""
    found = (await ledger_of(request).booked([id_])).get(id_)
    if found is None or found.kind != "topup.cash" or found.venue is None or not caller.may_see_venue(found.venue):
        return None
    said: dict[str, Any] = json.loads(found.details)
    async with context_of(request).reader.connect() as connection:
        card, known = await card_by_uid(connection, said["card"]), await currencies(connection)
    held = await balances(ledger_of(request), card.owner, known)
    return Receipt(card.label, card.id, known[said["currency"]], said["amount"], held[said["currency"]])


def _page(
    request: Request,
    session: SignedIn,
    counter: Counter,
    receipt: Receipt | None = None,
    chosen: Currency | None = None,
    typed: str = "",
    error: AmountNotUnderstood | Invalid | None = None,
) -> Response:
    texts, sold = texts_of(request), _sold(counter)
    currency = chosen or next(iter(sold), None)
    limits = None if currency is None else _limits(counter, currency)
    problem = ""
    if error is not None and currency is not None and limits is not None:
        problem = amounts.problem_in_words(error, limits, currency, texts)
    return render_admin(
        request,
        session,
        "topups/counter.html",
        place=HERE,
        status_code=200 if error is None else 422,
        network_name=counter.network.name,
        action=HERE,
        counter=counter,
        receipt=receipt,
        sold=sold,
        currency=currency,
        chips=[] if currency is None or limits is None else amounts.chips_of(currency, limits),
        id=uuid7(),
        form=uuid4(),
        typed=typed,
        problem=problem,
    )
