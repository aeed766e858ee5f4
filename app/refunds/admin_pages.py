"""Refunds as who pays them sees them: what needs somebody, the bank's file, what the bank said."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, File, Form, Request, UploadFile
from starlette.responses import RedirectResponse, Response

from app.cards.service import labels_by_owner
from app.identity.admin_frame import render_admin
from app.identity.guard import Caller, SignedIn
from app.identity.service import names_of
from app.ledger.service import ledger_of
from app.platform.clock import now_us
from app.platform.context import context_of
from app.platform.errors import Conflict, Invalid
from app.refunds import booking, freezing, letters, service, store, words
from app.settlement import outgoing
from app.settlement.bank_details import effective
from app.settlement.sepa import REPORT_MAX_BYTES, Kind, Report
from app.settlement.terms import NETWORK
from app.web import texts_of

router = APIRouter(include_in_schema=False)

HERE = "/admin/refunds"

Typed = Annotated[str, Form(max_length=300)]


@router.get(HERE)
async def refunds_page(request: Request, session: SignedIn) -> Response:
    async with context_of(request).reader.connect() as connection:
        at, rows = await service.world(connection), await store.listed(connection)
        labels = await labels_by_owner(connection, {it.owner for it in rows})
        waiting = {
            it.id: len(await freezing.waited_for(connection, at.network, it)) for it in rows if it.status == "waiting"
        }
        files = await outgoing.files(connection)
        ready = await service.dues(connection, at.network)
        names = await names_of(connection, {it.made_by for it in files} | {it.released_by or "" for it in files})
        has_account = NETWORK in await effective(connection, now_us())
    return render_admin(
        request,
        session,
        "refunds/refunds.html",
        place=HERE,
        here=HERE,
        network_name=at.network.name,
        zone=at.network.settings.zone,
        rows=rows,
        labels=labels,
        waiting=waiting,
        files=files,
        names=names,
        actor=session.principal.actor,
        ready=len(ready),
        ready_cents=sum(due.cents for _, due in ready),
        has_account=has_account,
        states=words.STATES,
        tints=words.TINTS,
        masked=letters.masked,
        known=at.known,
    )


@router.get(f"{HERE}/{{refund}}")
async def refund_page(request: Request, session: SignedIn, refund: UUID) -> Response:
    async with context_of(request).reader.connect() as connection:
        at, it = await service.world(connection), await store.named(connection, refund)
        labels = await labels_by_owner(connection, [it.owner])
        waiting = await freezing.waited_for(connection, at.network, it) if it.status == "waiting" else []
        sent = (await outgoing.sent(connection, [booking.paid_id(it)])).get(booking.paid_id(it))
        names = await names_of(connection, {one.actor for one in it.events})
        cancellable = await service.cancellable(connection, it)
    return render_admin(
        request,
        session,
        "refunds/refund.html",
        place=HERE,
        here=f"{HERE}/{refund}",
        network_name=at.network.name,
        zone=at.network.settings.zone,
        it=it,
        label=labels.get(it.owner, ""),
        waiting=waiting,
        sent=sent,
        names=names,
        cancellable=cancellable,
        states=words.STATES,
        tints=words.TINTS,
        masked=letters.masked,
        known=at.known,
    )


@router.post(f"{HERE}/files")
async def make_refund_file(request: Request, caller: Caller) -> Response:
    await service.make_file(ledger_of(request), actor=caller.actor)
    return RedirectResponse(HERE, 303)


@router.post(f"{HERE}/files/{{file}}/release")
async def release_refund_file(request: Request, caller: Caller, file: UUID) -> Response:
    await service.release_file(ledger_of(request), file, actor=caller.actor)
    return RedirectResponse(HERE, 303)


@router.get(f"{HERE}/files/{{file}}/bank.xml")
async def refund_file(request: Request, file: UUID) -> Response:
    async with context_of(request).reader.connect() as connection:
        name, document = await outgoing.document(connection, file)
    headers = {"Content-Disposition": f'attachment; filename="{name}.xml"', "Cache-Control": "no-store"}
    return Response(document.encode(), media_type="application/xml", headers=headers)


@router.post(f"{HERE}/answers")
async def read_refund_answer(request: Request, caller: Caller, document: Annotated[UploadFile, File()]) -> Response:
    """A pain.002 or camt.054 of the bank."""
    read = await document.read(REPORT_MAX_BYTES + 1)
    await outgoing.read_report(context_of(request).engine, read, actor=caller.actor)
    await service.hear(ledger_of(request), request.app.state.provider)
    return RedirectResponse(HERE, 303)


@router.post(f"{HERE}/{{refund}}/{{kind}}")
async def report_refund_from_page(
    request: Request, caller: Caller, refund: UUID, kind: Kind, reason: Typed = ""
) -> Response:
    """Somebody read it on the bank's own page."""
    await by_hand(request, caller.actor, refund, kind, reason)
    return RedirectResponse(f"{HERE}/{refund}", 303)


@router.post(f"{HERE}/{{refund}}/stop/cancel")
async def stop_refund_from_page(request: Request, caller: Caller, refund: UUID, reason: Typed = "") -> Response:
    if not reason.strip():
        raise Invalid(texts_of(request).gettext("Say why."))
    await service.cancel(
        ledger_of(request), request.app.state.provider, refund, actor=caller.actor, reason=reason.strip()
    )
    return RedirectResponse(f"{HERE}/{refund}", 303)


async def by_hand(request: Request, actor: str, id_: UUID, kind: Kind, reason: str) -> None:
    async with context_of(request).reader.connect() as connection:
        it = await store.named(connection, id_)
        sent = (await outgoing.sent(connection, [booking.paid_id(it)])).get(booking.paid_id(it))
    if sent is None or not sent.released:
        raise Conflict("The bank has not got this transfer.", "outgoing-not-released")
    report = Report(sent.end_to_end, kind, reason.strip())
    await outgoing.take_in(context_of(request).engine, [report], source="hand", actor=actor)
    await service.advance(ledger_of(request), request.app.state.provider, id_)
