"""Settlement runs, for programs: the same steps that people take on the pages, with the same rights."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from app.identity.guard import Caller
from app.identity.roles import Principal
from app.ledger.service import ledger_of
from app.platform.context import context_of
from app.platform.errors import NotFound
from app.settlement import booking, invoices, paying, runs, store
from app.settlement.paying import Payment
from app.settlement.sepa import Kind, Report
from app.settlement.statement_csv import statements_csv
from app.settlement.store import Run, Statement
from app.settlement.terms import NETWORK, NetworkTerms, VenueTerms, network_terms, set_terms, venue_terms
from app.venues.service import venue_named, venues
from app.web import texts_of

router = APIRouter(prefix="/api/v1", tags=["settlement"])


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class RunAsked(_Body):
    """`cut_off_us`: what was booked by then belongs to the run. `percent` of what can be redeemed is."""

    cut_off_us: Annotated[int, Field(ge=0, le=2**53, strict=True)]
    percent: Annotated[int, Field(ge=1, le=100, strict=True)] = 100


class Approval(_Body):
    """`leave_out`: venues that wait for the next run, as disputed ones do."""

    leave_out: list[UUID] = []


class Reason(_Body):
    reason: Annotated[str, Field(max_length=500)] = ""


class Answer(_Body):
    """`line` null: the whole statement. A dispute names a line and says why in `text`."""

    answer: Literal["accepted", "disputed"]
    line: int | None = None
    text: Annotated[str, Field(max_length=500)] = ""


class EventShown(BaseModel):
    kind: store.Step
    actor: str
    at_us: int
    seq: int
    reason: str


class LineShown(BaseModel):
    """`cents`: what the line adds to what the venue is owed. `account`: its statement between the two transfers."""

    number: int
    kind: str
    issuer: str
    currency: str
    units: int
    cents: int
    year: int | None
    account: int | None
    opening: int
    closing: int
    from_transfer: int
    upto_transfer: int


class LaterShown(BaseModel):
    """What of a line waits for the next run: `units` of it, `cents` of what the venue is owed, who sees to it."""

    line: int
    units: int
    cents: int
    reason: str
    owner: str


class StatementShown(BaseModel):
    """Euro cents. `net`: the sum of the lines less `later`; `payment` is made of it, and the rest carries over."""

    venue: UUID
    state: str
    answered: store.Answered
    left_out: str | None
    net: int
    payment: int
    still_due: int
    fees_left: int
    lines: list[LineShown]
    disputes: dict[int, str]
    later: list[LaterShown]


class PaymentShown(BaseModel):
    venue: UUID
    end_to_end: str
    cents: int
    iban: str
    said: list[str]


class InvoiceShown(BaseModel):
    """Euro cents, VAT included."""

    issuer: str
    name: str
    venue: UUID
    redemption: int
    network: int
    vat: int


class RunShown(BaseModel):
    id: UUID
    number: int
    cut_off_us: int
    percent: int
    state: store.Step
    events: list[EventShown]


class RunWhole(RunShown):
    """Statements, payments and invoices of the venues that the caller may see."""

    statements: list[StatementShown]
    payments: list[PaymentShown]
    invoices: list[InvoiceShown]


class NetworkTermsBody(_Body):
    cover: Literal["network", "venue", "shared"] = "network"
    venue_share: Annotated[int, Field(ge=0, le=10_000, strict=True)] = 5_000
    bank_delay_h: Annotated[int, Field(ge=0, le=720, strict=True)] = 48
    answer_days: Annotated[int, Field(ge=0, le=60, strict=True)] = 5
    payout_days: Annotated[int, Field(ge=1, le=60, strict=True)] = 7


class VenueTermsBody(_Body):
    cadence: Literal["every_run", "weekly", "monthly"] = "every_run"
    minimum_cents: Annotated[int, Field(ge=0, le=10_000_000, strict=True)] = 0
    leaving: bool = False


class TermsShown(BaseModel):
    network: NetworkTermsBody
    venues: dict[str, VenueTermsBody]


@router.get("/settlements", summary="Settlement runs, the newest first")
async def list_settlements(request: Request) -> list[RunShown]:
    async with context_of(request).reader.connect() as connection:
        return [RunShown(**_run(it)) for it in await store.runs(connection)]


@router.post("/settlements", status_code=201, summary="Begin a settlement run")
async def begin_settlement(request: Request, caller: Caller, body: RunAsked) -> RunShown:
    return RunShown(**_run(await runs.begin(ledger_of(request), body.cut_off_us, body.percent, actor=caller.actor)))


@router.get("/settlements/{run}", summary="One run with its statements, payments and invoices")
async def show_settlement(request: Request, caller: Caller, run: UUID) -> RunWhole:
    return await _whole(request, caller, run)


@router.post("/settlements/{run}/freeze", summary="Write down what every venue is owed at the cut-off")
async def freeze_settlement(request: Request, caller: Caller, run: UUID) -> RunWhole:
    await runs.freeze(ledger_of(request), run, actor=caller.actor)
    return await _whole(request, caller, run)


@router.post("/settlements/{run}/statements/{venue}/answer", summary="Accept or dispute a statement")
async def answer_settlement(request: Request, caller: Caller, run: UUID, venue: UUID, body: Answer) -> StatementShown:
    caller.require_venue(venue)
    found = await runs.answer(
        ledger_of(request), run, venue, body.answer, line=body.line, text=body.text, actor=caller.actor
    )
    return statement_shown(found)


@router.post("/settlements/{run}/approve", summary="Approve and book a run that somebody else made")
async def approve_settlement(request: Request, caller: Caller, run: UUID, body: Approval) -> RunWhole:
    """Approved again, it is booked from where it stopped."""
    await runs.approve(ledger_of(request), run, leave_out=body.leave_out, actor=caller.actor)
    await booking.book(ledger_of(request), run, actor=caller.actor)
    return await _whole(request, caller, run)


@router.post("/settlements/{run}/cancel", summary="Cancel a run that is not approved")
async def cancel_settlement(request: Request, caller: Caller, run: UUID, body: Reason) -> RunWhole:
    await runs.cancel(ledger_of(request), run, reason=body.reason, actor=caller.actor)
    return await _whole(request, caller, run)


@router.post("/settlements/{run}/send", summary="Make the file for the bank and book its payments")
async def send_settlement(request: Request, caller: Caller, run: UUID) -> RunWhole:
    await paying.send(ledger_of(request), run, actor=caller.actor)
    return await _whole(request, caller, run)


@router.post("/settlements/{run}/close", summary="Close a run that the bank has answered")
async def close_settlement(request: Request, caller: Caller, run: UUID) -> RunWhole:
    await runs.close(ledger_of(request), run, actor=caller.actor)
    return await _whole(request, caller, run)


@router.get("/settlements/{run}/file", summary="The file for the bank (pain.001.001.09)", response_class=Response)
async def settlement_file(request: Request, run: UUID) -> Response:
    async with context_of(request).reader.connect() as connection:
        found, document = await store.run_named(connection, run), await paying.file_of(connection, run)
    if document is None or found.event("sent") is None:
        raise NotFound("This run has no file for the bank yet.")
    headers = {"Content-Disposition": f'attachment; filename="{paying.message_of(found)}.xml"'}
    return Response(document.encode(), media_type="application/xml", headers={**headers, "Cache-Control": "no-store"})


@router.post("/settlements/{run}/bank-answers", summary="Read the bank's answer (pain.002 or camt.054)")
async def read_bank_answer(request: Request, caller: Caller, run: UUID) -> RunWhole:
    """The file itself is the body. Read again, it changes nothing."""
    await paying.read_report(ledger_of(request), run, await request.body(), actor=caller.actor)
    return await _whole(request, caller, run)


@router.post("/settlements/{run}/payments/{payee}/{kind}", summary="Say what became of a payment, without a file")
async def report_payment(
    request: Request, caller: Caller, run: UUID, payee: UUID, kind: Kind, body: Reason
) -> RunWhole:
    await by_hand(request, caller, run, payee, kind, body.reason)
    return await _whole(request, caller, run)


@router.get("/settlements/{run}/statements.csv", summary="Statements as a table", response_class=Response)
async def settlement_table(
    request: Request, caller: Caller, run: UUID, language: Annotated[Literal["fr", "en"] | None, Query()] = None
) -> Response:
    async with context_of(request).reader.connect() as connection:
        found, kept = await store.run_named(connection, run), await store.statements(connection, run)
        places = [it for it in (await venues(connection)).values() if caller.may_see_venue(it.id)]
    texts = texts_of(request)
    text = statements_csv(found, [(it, kept[it.id]) for it in places if it.id in kept], language or texts.language)
    headers = {"Content-Disposition": f'attachment; filename="R{found.number}.csv"', "Cache-Control": "no-store"}
    return Response(text.encode("utf-8-sig"), media_type="text/csv", headers=headers)


@router.get("/settlement-terms", summary="On what terms venues are settled")
async def show_settlement_terms(request: Request) -> TermsShown:
    async with context_of(request).reader.connect() as connection:
        network, by_venue = await network_terms(connection), await venue_terms(connection)
    return TermsShown(
        network=NetworkTermsBody.model_validate(network, from_attributes=True),
        venues={it: VenueTermsBody.model_validate(of, from_attributes=True) for it, of in by_venue.items()},
    )


@router.put("/settlement-terms", status_code=204, summary="Change the network's terms of settlement")
async def set_network_terms(request: Request, caller: Caller, body: NetworkTermsBody) -> None:
    async with context_of(request).engine.begin() as connection:
        await set_terms(connection, NETWORK, NetworkTerms(**body.model_dump()), actor=caller.actor)


@router.put("/settlement-terms/{payee}", status_code=204, summary="Change a venue's terms of settlement")
async def set_venue_terms(request: Request, caller: Caller, payee: UUID, body: VenueTermsBody) -> None:
    async with context_of(request).engine.begin() as connection:
        at = await venue_named(connection, payee)
        await set_terms(connection, at.owner, VenueTerms(**body.model_dump()), actor=caller.actor)


async def by_hand(request: Request, caller: Principal, run: UUID, payee: UUID, kind: Kind, reason: str) -> None:
    """Somebody read it on the bank's own page."""
    async with context_of(request).reader.connect() as connection:
        await store.run_named(connection, run)
        names = [it.end_to_end for it in await paying.payments(connection, run) if it.venue == payee]
    if not names:
        raise NotFound("This venue is not paid in this run.")
    report = Report(names[0], kind, reason.strip())
    await paying.take_in(ledger_of(request), run, [report], source=caller.actor, actor=caller.actor)


async def _whole(request: Request, caller: Principal, run: UUID) -> RunWhole:
    async with context_of(request).reader.connect() as connection:
        found = await store.run_named(connection, run)
        kept = await store.statements(connection, run)
        paid, billed = await paying.payments(connection, run), await invoices.invoices(connection, run)
        places = await venues(connection)
    seen = [it for it in places if caller.may_see_venue(it)]
    return RunWhole(
        **_run(found),
        statements=[statement_shown(kept[it]) for it in seen if it in kept],
        payments=[_payment(it) for it in paid if it.venue in seen],
        invoices=[
            InvoiceShown(
                issuer=it.issuer, name=it.name, venue=it.venue, redemption=it.redemption, network=it.network, vat=it.vat
            )
            for it in billed
            if it.venue in seen
        ],
    )


def _run(it: Run) -> dict[str, Any]:
    events = [
        EventShown(kind=one.kind, actor=one.actor, at_us=one.at_us, seq=one.at.seq, reason=one.reason)
        for one in it.events
    ]
    own = {"id": it.id, "number": it.number, "cut_off_us": it.cut_off_us, "percent": it.percent}
    return {**own, "state": it.state, "events": events}


def statement_shown(it: Statement) -> StatementShown:
    of = it.figures
    return StatementShown(
        venue=it.venue,
        state=it.state,
        answered=it.answered,
        left_out=it.left_out,
        net=of.net if of is not None else 0,
        payment=of.payment if of is not None else 0,
        still_due=of.still_due if of is not None else 0,
        fees_left=of.fees_left if of is not None else 0,
        lines=[LineShown.model_validate(one, from_attributes=True) for one in it.lines],
        disputes={line: one.text for line, one in it.disputed.items()},
        later=[LaterShown.model_validate(one, from_attributes=True) for one in it.later],
    )


def _payment(it: Payment) -> PaymentShown:
    said = [one.kind for one in it.said]
    return PaymentShown(
        venue=it.venue, end_to_end=it.end_to_end, cents=it.cents, iban=it.account.details.iban, said=list(said)
    )
