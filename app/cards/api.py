"""Cards, for programs of the network's admins: list, add, block."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.exc import IntegrityError

from app.cards import service
from app.currencies.service import currencies
from app.identity.audit import audit
from app.identity.guard import Caller
from app.identity.rights import allows
from app.ledger.service import ledger_of
from app.platform.context import context_of
from app.platform.errors import Conflict
from app.wire.base import CardUid

router = APIRouter(prefix="/api/v1", tags=["cards"])


class NewCard(BaseModel):
    """`uid` as read from the chip, upper-case hexadecimal; `label` as printed on the card."""

    model_config = ConfigDict(extra="forbid")

    uid: CardUid
    label: Annotated[str, Field(min_length=1, max_length=40)]
    assurance: Literal["A", "B", "C"] = "C"


class CardShown(BaseModel):
    """`page`: the holder's page, as the card's QR code has it. Whoever knows it may act for the holder, so it is null
    for who only reads."""

    id: UUID
    uid: str
    label: str
    status: str
    assurance: str
    page: str | None


class CardBalances(BaseModel):
    """Minor units by currency, less what is owed after offline sales."""

    uid: str
    status: str
    balances: dict[str, int]


@router.get("/cards", summary="All cards")
async def list_cards(request: Request, caller: Caller) -> list[CardShown]:
    context = context_of(request)
    async with context.reader.connect() as connection:
        found = await service.all_cards(connection)
    acts = allows(caller, "add_card")
    return [_shown(it, context.settings.base_url if acts else None) for it in found]


@router.post("/cards", status_code=201, summary="Add a card with a new, empty wallet")
async def add_card(request: Request, body: NewCard) -> CardShown:
    context = context_of(request)
    try:
        async with context.engine.begin() as connection:
            new = await service.add_card(connection, body.uid, body.label, body.assurance)
    except IntegrityError as error:
        raise Conflict("There is a card with this number already.", "card-exists") from error
    return _shown(new, context.settings.base_url)


@router.get("/cards/{uid}/balances", summary="What a card holds")
async def show_balances(request: Request, uid: CardUid) -> CardBalances:
    async with context_of(request).reader.connect() as connection:
        card, known = await service.card_by_uid(connection, uid), await currencies(connection)
    held = await service.balances(ledger_of(request), card.owner, known)
    return CardBalances(uid=uid, status=card.status, balances=held)


@router.post("/cards/{uid}/{status}", status_code=204, summary="Block a card, or lift the block")
async def set_card_status(request: Request, caller: Caller, uid: CardUid, status: Literal["active", "blocked"]) -> None:
    async with context_of(request).engine.begin() as connection:
        card = await service.card_by_uid(connection, uid)
        await service.set_status(connection, card.id, status)
        await audit(connection, caller.actor, f"card.{status}", f"card:{card.id}")


def _shown(it: service.Card, base_url: str | None) -> CardShown:
    return CardShown(
        id=it.id,
        uid=it.uid,
        label=it.label,
        status=it.status,
        assurance=it.assurance,
        page=None if base_url is None else f"{base_url.rstrip('/')}/c/{it.token}",
    )
