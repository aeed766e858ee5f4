"""The hot paths (a sale while the card is in the hand, a terminal's journal) and voids by hand."""

from __future__ import annotations

import re
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from app.cards.service import card_by_uid
from app.identity.guard import Caller
from app.identity.roles import Principal
from app.identity.staff import staff_at
from app.identity.thin import ThinRoute
from app.ledger.service import ledger_of
from app.platform.context import context_of
from app.platform.errors import Conflict, Invalid, NotFound, NotSignedIn
from app.platform.limits import RateLimit
from app.sales import intake, receipts, service
from app.sales.booking import Counter
from app.sales.deltas import Document, snapshots_of
from app.sales.directory import directory_of
from app.sales.exceptions import open_exceptions
from app.sales.late import Why
from app.sales.rows import undoing
from app.terminals.service import check_signature, of_epoch, polled, require_active, require_till, terminal_named
from app.venues.service import venue_named
from app.wire import ActReply, AskedRow, Batch, RefundRow, Sale, SaleReply, SyncReply, TerminalSnapshot, VoidRow
from app.wire.snapshot import SIGNATURE_HEADER

router = APIRouter(prefix="/api/v1", tags=["sales"])
hot = APIRouter(prefix="/api/v1", tags=["sales"], route_class=ThinRoute)

JSON = "application/json"
RANGE = re.compile(r"bytes=(\d{1,12})-")
# A whole journal of 10,000 rows is 20 batches.
HANDOVER = RateLimit("terminal-handover", "120/minute")

IdempotencyKey = Annotated[
    UUID, Header(alias="Idempotency-Key", description="The operation's id (UUID). The same key books nothing twice.")
]


class VoidRequest(BaseModel):
    model_config = ConfigDict(extra="forbid")

    reason: Annotated[str, Field(min_length=1, max_length=200, examples=["Erreur de saisie"])]


class Voided(BaseModel):
    """`booked`: the reversal's number in the ledger."""

    sale: UUID
    booked: int


class ExceptionShown(BaseModel):
    """Something that was booked, or could not be, and that a person should look at."""

    id: UUID
    event: UUID
    kind: str
    venue: UUID
    details: dict[str, object]
    opened_at_us: int


@hot.post(
    "/sales",
    status_code=201,
    response_model=SaleReply,
    summary="Sell: book a basket paid with a card",
    responses={
        200: {"description": "This sale was booked before; the first answer again"},
        402: {"description": "insufficient-funds; `balances` and `other_cards` tell what the cards hold"},
        403: {"description": "card-blocked, card-not-proven"},
        404: {"description": "card-unknown"},
        409: {"description": "price-changed, spending-limit, deposit-not-held, or cancelled"},
        422: {
            "description": "currency-not-accepted, tender-not-allowed (with its `reasons`), idempotency-key-reused, or "
            "a body that makes no sense"
        },
    },
)
async def sell(request: Request, sale: Sale) -> Response:
    """The sale's own id is its idempotency key: sent again, it is answered as the first time and booked once. A header
    `Idempotency-Key`, if there is one, says the same id."""
    key = request.headers.get("idempotency-key")
    if key is not None and key.lower() != str(sale.id):
        raise Invalid("Idempotency-Key is not the sale's id.")
    caller: Principal = request.state.principal
    device, epoch = _device(caller)
    reply, replayed = await service.sell(ledger_of(request), directory_of(request), device, epoch, sale)
    return Response(reply.__pydantic_serializer__.to_json(reply), 200 if replayed else 201, media_type=JSON)


@hot.post("/terminals/sync", summary="Deliver a piece of a terminal's journal", response_model=SyncReply)
async def sync(request: Request, batch: Batch) -> Response:
    """Rows are kept first, then booked by their ids. A sale that is delivered here is always booked."""
    counter = await directory_of(request).counter(*_device(request.state.principal))
    if batch.device != counter.terminal.id:
        raise NotSignedIn("This batch is another terminal's.", "wrong-signature")
    require_till(counter.terminal)
    check_signature(counter.terminal, batch.signature, batch.message())
    context = context_of(request)
    over = batch.epoch != counter.terminal.epoch
    if over:
        counter = await service.counter_of_epoch(context.reader, batch.device, batch.epoch)
    handlers = request.app.state.row_handlers
    reply = await intake.receive(context.engine, ledger_of(request), counter, batch, handlers, over=over)
    return Response(reply.model_dump_json(), media_type=JSON)


@router.post("/terminals/handover", dependencies=[Depends(HANDOVER)], summary="Hand over rows that wait for a review")
async def hand_over(request: Request, batch: Batch) -> SyncReply:
    """For a terminal that was revoked, or whose epoch is over: what it had sold is kept for a person to decide. Signed
    with the key of its epoch; no token is needed."""
    context = context_of(request)
    async with context.reader.connect() as connection:
        at, now = await of_epoch(connection, batch.device, batch.epoch), await terminal_named(connection, batch.device)
    check_signature(at, batch.signature, batch.message())
    if now.status != "revoked" and now.epoch == batch.epoch:
        raise Conflict("This terminal may still deliver its journal itself.")
    why: Why = "revoked" if now.status == "revoked" else "old_epoch"
    return await intake.receive_late(context.engine, at, batch, why)


@router.post(
    "/terminals/acts",
    status_code=201,
    summary="Top up, refund or credit a card that lies on a terminal's reader",
    responses={
        403: {
            "description": "forbidden (the cashier lacks the right, or the rules do not let them), card-blocked, "
            "card-not-proven"
        },
        404: {"description": "card-unknown"},
        409: {"description": "daily-cap, over-ceiling, terminals-away, or cancelled"},
        422: {"description": "currency-not-accepted, amount-out-of-range, too-much-at-once, not-allowed"},
    },
)
async def act(request: Request, caller: Caller, row: AskedRow) -> ActReply:
    """The row's own id is its idempotency key; the same row comes in again with the terminal's journal."""
    context, ledger = context_of(request), ledger_of(request)
    counter = await _counter(request, caller)
    require_active(counter.terminal)
    async with context.reader.connect() as connection:
        staff = await staff_at(connection, counter.venue.id, row.cashier)
        if isinstance(row, RefundRow):
            card = await card_by_uid(connection, row.card)
            await service.require_proven(connection, counter.venue, card, row.assurance)
    booked = await request.app.state.row_asks[type(row)](ledger, counter, staff, row)
    return ActReply(id=row.id, booked=booked.seq, balances=await service.card_balances(ledger, row.card))


@router.post(
    "/terminals/voids",
    status_code=201,
    summary="Take back a top-up, refund or credit of this terminal",
    responses={
        402: {"description": "insufficient-funds: the money was spent since"},
        403: {"description": "forbidden: another's, or too late; it takes the right to void"},
        404: {"description": "not-found; also while the row of what is taken back has not come in"},
        409: {"description": "already-reversed, terminals-away (cash would go out), or cancelled"},
    },
)
async def undo_act(request: Request, caller: Caller, row: VoidRow) -> ActReply:
    """Asked before any cash changes hands. The row's own id is its idempotency key; the same row comes in again with
    the terminal's journal."""
    context, ledger = context_of(request), ledger_of(request)
    counter = await _counter(request, caller)
    require_active(counter.terminal)
    if row.cashier is None:
        raise Invalid("A void says who asks for it.")
    async with context.reader.connect() as connection:
        staff = await staff_at(connection, counter.venue.id, row.cashier)
    posted, card = await undoing.ask(ledger, counter, staff, row)
    return ActReply(id=row.id, booked=posted.seq, balances=await service.card_balances(ledger, card))


@router.get(
    "/terminals/snapshot",
    summary="What a terminal must know to sell without network",
    response_model=TerminalSnapshot,
    responses={304: {"description": "Nothing but the time has changed"}},
)
async def terminal_snapshot(request: Request, caller: Caller, base: str = "", plans: bool = False) -> Response:
    """The header `Comptoir-Signature` is base64 of the server's Ed25519 signature over the body's bytes, before
    compression. With `base`, the `content` of the snapshot that the terminal holds, the answer may be a delta
    (SnapshotDelta) instead. A whole snapshot whose download broke off is gone on with by `Range` and `If-Range`.
    With `plans`, what cards are members of is told too.
    """
    context, held = context_of(request), request.headers.get("if-none-match", "")
    snapshots, counter = snapshots_of(request), await _counter(request, caller)
    await polled(context.engine, counter.terminal)
    tag = request.headers.get("if-range", "").strip('"')
    begun = snapshots.download(counter.terminal.id, tag)
    first = RANGE.fullmatch(request.headers.get("range", ""))
    if begun and first and int(first[1]) < len(begun.packed):
        return _packed(begun, int(first[1]))
    content = base or held.strip('"').partition(".")[0]
    told = receipts.told_to_terminals(context)
    found = await snapshots.answer(counter.terminal, told, content, delta=bool(base), plans=plans)
    return Response(status_code=304, headers={"ETag": held}) if found is None else _packed(found)


def _packed(document: Document, start: int = 0) -> Response:
    headers = {"ETag": f'"{document.tag}"', SIGNATURE_HEADER: document.signature, "Content-Encoding": "gzip"}
    if start:
        size = len(document.packed)
        headers["Content-Range"] = f"bytes {start}-{size - 1}/{size}"
    return Response(document.packed[start:], 206 if start else 200, headers, JSON)


@router.post("/venues/{venue}/sales/{sale}/void", status_code=201, summary="Undo a sale")
async def void_sale(
    request: Request, caller: Caller, venue: UUID, sale: UUID, body: VoidRequest, idempotency_key: IdempotencyKey
) -> Voided:
    """The money goes back to the card it came from, by a reversing operation that names the sale."""
    caller.require_venue(venue)
    context = context_of(request)
    async with context.reader.connect() as connection:
        at = await venue_named(connection, venue)
    posted = await service.void(ledger_of(request), at, sale, idempotency_key, actor=caller.actor, reason=body.reason)
    return Voided(sale=sale, booked=posted.seq)


@router.get("/exceptions", summary="What needs a person")
async def list_exceptions(request: Request, caller: Caller) -> list[ExceptionShown]:
    """Open exceptions of the venues that the caller may see, newest first."""
    async with context_of(request).reader.connect() as connection:
        found = await open_exceptions(connection, None if caller.sees_network else caller.venues)
    return [ExceptionShown(**it) for it in found]


async def _counter(request: Request, caller: Principal) -> Counter:
    return await service.counter_of(context_of(request).reader, *_device(caller))


def _device(caller: Principal) -> tuple[UUID, int]:
    if caller.device is None or caller.epoch is None:
        raise NotFound("Only terminals sell here.")
    return caller.device, caller.epoch
