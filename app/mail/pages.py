"""What became of e-mail, for who runs the network: what was given up is sent again here."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from app.identity.admin_frame import render_admin
from app.identity.guard import SignedIn
from app.mail import service
from app.mail.sending import HERE
from app.platform.context import context_of
from app.venues.service import the_network
from app.web import N_

router = APIRouter(include_in_schema=False)

# What a message is, by its template.
KINDS = {
    "topups/receipt_mail": N_("Receipt of a top-up"),
    "lapses/reminder_mail": N_("Reminder of what will lapse"),
    "disputes/answer_mail": N_("Answer about a purchase"),
    "holders/parcel_mail": N_("Money sent to a friend"),
    "holders/link_mail": N_("Link to sign in"),
    "refunds/refund_mail": N_("Where a refund is"),
    "refunds/gift_mail": N_("Receipt of a gift"),
    "refunds/reminder_mail": N_("Reminder of the last day for refunds"),
    "programme/confirm_mail": N_("Question whether somebody follows the programme"),
    "programme/reminder_mail": N_("Reminder of an event"),
    "programme/cancelled_mail": N_("An event is cancelled"),
    "programme/digest_mail": N_("News of the programme"),
}


@router.get(HERE)
async def mail_page(request: Request, session: SignedIn) -> Response:
    context = context_of(request)
    async with context.reader.connect() as connection:
        network, rows = await the_network(connection), await service.listed(connection)
    return render_admin(
        request,
        session,
        "mail/mail.html",
        place=HERE,
        network_name=network.name,
        zone=network.settings.zone,
        rows=rows,
        kinds=KINDS,
        here=HERE,
        mail=context.settings.mail,
        shown_max=service.LISTED_MAX,
    )


@router.post(f"{HERE}/{{id}}/again")
async def send_mail_again(request: Request, session: SignedIn, id: UUID) -> Response:
    async with context_of(request).engine.begin() as connection:
        await service.send_again(connection, session.principal.actor, id)
    return RedirectResponse(HERE, 303)
