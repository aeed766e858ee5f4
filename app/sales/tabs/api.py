"""Tabs, for terminals while they are online."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Request

from app.identity.guard import Caller
from app.ledger.service import ledger_of
from app.platform.context import context_of
from app.platform.errors import NotFound
from app.sales.booking import Counter
from app.sales.directory import directory_of
from app.sales.service import counter_of
from app.sales.tabs import service
from app.wire.tabs import AddToTab, CloseTab, OpenTab, Tab, TabClosed, Tabs

router = APIRouter(prefix="/api/v1/tabs", tags=["tabs"])


@router.get("", summary="The venue's open tabs")
async def list_tabs(request: Request, caller: Caller) -> Tabs:
    return await service.tabs(ledger_of(request), await _counter(request, caller))


@router.post("", status_code=201, summary="Open a tab: set money aside on a card")
async def open_tab(request: Request, caller: Caller, body: OpenTab) -> Tab:
    """The tab's own id is the idempotency key: asked again, nothing is set aside twice."""
    return await service.open_tab(ledger_of(request), await _counter(request, caller), body)


@router.post("/{tab}/items", summary="Add a round to a tab, or take something off it")
async def add_to_tab(request: Request, caller: Caller, tab: UUID, body: AddToTab) -> Tab:
    """Adding the same round again changes nothing."""
    return await service.add(ledger_of(request), await _counter(request, caller), tab, body)


@router.post("/{tab}/close", summary="Pay a tab: take what was drunk, and free the rest")
async def close_tab(request: Request, caller: Caller, tab: UUID, body: CloseTab) -> TabClosed:
    """Never more is taken from the card than was set aside, unless it was presented for that."""
    counter, directory = await _counter(request, caller), directory_of(request)
    return await service.close(ledger_of(request), directory, counter, tab, body.sale, presented=body.presented)


async def _counter(request: Request, caller: Caller) -> Counter:
    if caller.device is None or caller.epoch is None:
        raise NotFound("Only terminals keep tabs.")
    return await counter_of(context_of(request).reader, caller.device, caller.epoch)
