"""Cards, for programs of the network: list, add, block, replace, link, retire."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.exc import IntegrityError

from app.cards import lifecycle, service
from app.currencies.service import currencies
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


Reason = Annotated[str, Field(max_length=lifecycle.REASON_MAX, examples=["lost"])]


class Why(BaseModel):
    """`reason`: kept in the audit log, for staff."""

    model_config = ConfigDict(extra="forbid")

    reason: Reason = ""


class OtherCard(BaseModel):
    """`label`: what is printed on it, if the card may not be known yet; it is added then. A card that is known must be
    one that nobody has used."""

    model_config = ConfigDict(extra="forbid")

    uid: CardUid
    label: Annotated[str, Field(min_length=1, max_length=40)] | None = None


class Replacement(OtherCard):
    reason: Reason = ""


class CardShown(BaseModel):
    """`ended`: that it is out of use for good; it stays blocked then. `page`: the holder's page, as the card's QR code
    has it. Whoever knows it may act for the holder, so it is null for who only reads."""

    id: UUID
    uid: str
    label: str
    status: str
    ended: Literal["replaced", "retired"] | None
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
        found, ends = await service.all_cards(connection), await lifecycle.ends_of(connection)
    acts = allows(caller, "add_card")
    base_url = context.settings.base_url if acts else None
    return [_shown(it, base_url, ends.get(it.id)) for it in found]


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


@router.post("/cards/{uid}/blocked", status_code=204, summary="Block a card")
async def block_card(request: Request, caller: Caller, uid: CardUid, body: Why | None = None) -> None:
    """Terminals learn of it within seconds, and without network when they have one again."""
    async with context_of(request).engine.begin() as connection:
        card = await service.card_by_uid(connection, uid)
        await lifecycle.set_blocked(connection, caller.actor, card.id, True, _reason(body))


@router.post("/cards/{uid}/active", status_code=204, summary="Lift the block of a card")
async def unblock_card(request: Request, caller: Caller, uid: CardUid, body: Why | None = None) -> None:
    """Of a card that was replaced or retired the block stays: `card-ended`."""
    async with context_of(request).engine.begin() as connection:
        card = await service.card_by_uid(connection, uid)
        await lifecycle.set_blocked(connection, caller.actor, card.id, False, _reason(body))


@router.post("/cards/{uid}/replaced", summary="Replace a card by another one")
async def replace_card(request: Request, caller: Caller, uid: CardUid, body: Replacement) -> CardShown:
    """What is on the wallet stays there; the other card opens it from now on, and this one is out of use for good. The
    same again changes nothing. `card-in-use` where the other card's own wallet was used."""
    async with context_of(request).engine.begin() as connection:
        card = await service.card_by_uid(connection, uid)
        new = await lifecycle.replace(connection, caller.actor, card.id, body.uid, body.label, body.reason)
    return _shown(new, None)


@router.post("/cards/{uid}/linked", summary="Let another card open the same wallet")
async def link_card(request: Request, caller: Caller, uid: CardUid, body: OtherCard) -> CardShown:
    """Also of a card that ended. The same again changes nothing. `card-in-use` as above."""
    async with context_of(request).engine.begin() as connection:
        card = await service.card_by_uid(connection, uid)
        other = await lifecycle.link(connection, caller.actor, card.id, body.uid, body.label)
    return _shown(other, None)


@router.post("/cards/{uid}/retired", status_code=204, summary="Put a card out of use for good")
async def retire_card(request: Request, caller: Caller, uid: CardUid, body: Why | None = None) -> None:
    """It stays blocked, and what is on its wallet stays there: link another card to it to pay with that."""
    async with context_of(request).engine.begin() as connection:
        card = await service.card_by_uid(connection, uid)
        await lifecycle.retire(connection, caller.actor, card.id, _reason(body))


def _reason(body: Why | None) -> str:
    return "" if body is None else body.reason


def _shown(it: service.Card, base_url: str | None, end: lifecycle.End | None = None) -> CardShown:
    return CardShown(
        id=it.id,
        uid=it.uid,
        label=it.label,
        status=it.status,
        ended=None if end is None else end.outcome,
        assurance=it.assurance,
        page=None if base_url is None else f"{base_url.rstrip('/')}/c/{it.token}",
    )
