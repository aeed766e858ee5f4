"""What was paid for a cancelled event, looked through by its venue and given back with one confirmation."""

from __future__ import annotations

from dataclasses import replace
from typing import Final
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from app.cards.service import labels_by_owner
from app.currencies.service import currencies
from app.events.refunding import sent_on
from app.events.service import event_named
from app.identity.admin_frame import render_admin
from app.identity.guard import Caller, SignedIn
from app.identity.service import names_of
from app.ledger.service import ledger_of
from app.platform.context import context_of
from app.refunds.service import refundable, world
from app.returns.reading import online_for, onward_for, paid_for, sums
from app.returns.service import confirm, give_back, run_of
from app.venues.service import the_network, venues
from app.web import texts_of

router = APIRouter(include_in_schema=False)

HERE: Final = "/admin/events/{event}/giving-back"
# Whoever confirms sees the first go; the rounds see to the rest.
PORTIONS_AT_ONCE: Final = 1
SHOWN: Final = 300


@router.get(HERE)
async def giving_back_page(request: Request, session: SignedIn, event: UUID) -> Response:
    principal, language = session.principal, texts_of(request).language
    async with context_of(request).reader.connect() as connection:
        it = await event_named(connection, event)
        principal.require_venue(it.venue)
        network, known, venue = (
            await the_network(connection),
            await currencies(connection),
            (await venues(connection))[it.venue],
        )
        run, paid = await run_of(connection, event), await paid_for(connection, event)
        rates = {code: money.cents_per_unit or 0 for code, money in refundable(await world(connection)).items()}
        provider = request.app.state.provider
        online = await online_for(connection, paid, provider.name if provider else None, rates)
        onward, went = await onward_for(connection, event), await sent_on(connection, [one.id for one in paid])
        shown = [one for one in paid if one.state in {"paid", "refunded"}]
        # Who comes is known to the event's own venue, and to nobody else.
        own = it.venue in principal.venues
        labels = await labels_by_owner(connection, {one.owner for one in shown[:SHOWN]}) if own else {}
        names = await names_of(connection, {run.actor} if run else set())

    def said(of: dict[str, int]) -> list[str]:
        return [known[code].text(amount, language) for code, amount in of.items()]

    return render_admin(
        request,
        session,
        "returns/giving_back.html",
        place="/admin/box-office",
        network_name=network.name,
        here=f"/admin/events/{event}/giving-back",
        event=it,
        venue=venue,
        run=run,
        by=names.get(run.actor, "") if run else "",
        own=own,
        orders=[
            (
                one,
                labels.get(one.owner, ""),
                known[one.currency].text(one.amount, language),
                known[one.currency].text(online[one.id], language) if one.id in online else "",
                went[one.id].state if one.id in went else "",
            )
            for one in shown[:SHOWN]
        ],
        split=any(one.id in online for one in shown),
        to_payments=said(sums([replace(one, amount=online.get(one.id, 0)) for one in paid], "paid")),
        to_cards=said(sums([replace(one, amount=one.amount - online.get(one.id, 0)) for one in paid], "paid")),
        more=max(0, len(shown) - SHOWN),
        cards=len({one.wallet for one in shown if one.state == "paid"}),
        due=said(sums(paid, "paid")),
        open=sum(one.state == "paid" for one in paid),
        back=said(sums(paid, "refunded")),
        done=sum(one.state == "refunded" for one in paid),
        onward=onward,
        paying=sum(one.state in {"held", "paying"} for one in paid),
    )


@router.post(HERE)
async def confirm_giving_back(request: Request, caller: Caller, event: UUID) -> Response:
    """Once and for all; again changes nothing."""
    ledger = ledger_of(request)
    async with context_of(request).reader.connect() as connection:
        caller.require_venue((await event_named(connection, event)).venue)
    run = await confirm(context_of(request).engine, caller.actor, event)
    await give_back(ledger, run, PORTIONS_AT_ONCE)
    return RedirectResponse(f"/admin/events/{event}/giving-back", 303)
