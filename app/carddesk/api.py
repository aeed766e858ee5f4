"""Batches of cards, for programs and for the desk at a reader."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from app.carddesk.printing import Wanted, labels_file
from app.carddesk.rules import LINES_MAX, Entry
from app.cards import batches, importing
from app.cards.importing import Naming
from app.cards.rules import read_uid
from app.identity.guard import Caller
from app.platform.context import context_of
from app.venues.service import the_network
from app.wire.base import CardUid

router = APIRouter(prefix="/api/v1", tags=["cards"])

_PDF = {"application/pdf": {"schema": {"type": "string", "format": "binary"}}}


class BatchShown(BaseModel):
    """`cards`: how many labels there are; `joined`: of how many the chip is known."""

    id: UUID
    name: str
    made_at_us: int
    cards: int
    joined: int


class NewBatch(BaseModel):
    """Labels are `prefix` and a number, from `first` on, with as many digits as it has: "Carte", "001"."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(min_length=1, max_length=batches.NAME_MAX, examples=["Festival 2026"])]
    prefix: Annotated[str, Field(max_length=batches.LABEL_MAX, examples=["Carte"])] = ""
    first: Annotated[str, Field(pattern="^[0-9]{1,8}$", examples=["001"])] = "1"
    cards: Annotated[int, Field(ge=1, le=batches.CARDS_MAX)]


class ChipJoined(BaseModel):
    """`label`: what is printed on it, or its address; null: the next label that is free."""

    model_config = ConfigDict(extra="forbid")

    uid: CardUid
    label: Annotated[str, Field(min_length=1, max_length=300)] | None = None


class ListedChip(BaseModel):
    """`uid` in any spelling ("04:a1:b2:…"); `label`: what is printed on it."""

    model_config = ConfigDict(extra="forbid")

    uid: Annotated[str, Field(max_length=60)]
    label: Annotated[str, Field(max_length=batches.LABEL_MAX)] = ""


class CardList(BaseModel):
    """Chips without a label are given the next ones of `batch`, or `prefix` and a number from `first` on."""

    model_config = ConfigDict(extra="forbid")

    cards: Annotated[list[ListedChip], Field(min_length=1, max_length=LINES_MAX)]
    batch: UUID | None = None
    prefix: Annotated[str, Field(max_length=batches.LABEL_MAX)] = ""
    first: Annotated[str, Field(max_length=8)] = ""


class CardsAdded(BaseModel):
    added: int


class JoinedCard(BaseModel):
    id: UUID
    uid: str
    label: str


@router.get("/card-batches", summary="Batches of cards")
async def list_card_batches(request: Request) -> list[BatchShown]:
    """The newest first."""
    async with context_of(request).reader.connect() as connection:
        return [BatchShown(**asdict(it)) for it in await batches.batches(connection)]


@router.post("/card-batches", status_code=201, summary="Make a batch of cards ahead")
async def make_card_batch(request: Request, caller: Caller, body: NewBatch) -> BatchShown:
    """Each gets its label and the address of its page, so that both can be printed; their chips are joined later."""
    async with context_of(request).engine.begin() as connection:
        made = await batches.make(connection, caller.actor, body.name, body.prefix, body.first, body.cards)
    return BatchShown(**asdict(made))


@router.get(
    "/card-batches/{batch}/labels.pdf",
    summary="The labels of a batch, to print",
    response_class=Response,
    responses={200: {"description": "QR code, label and the network's name on each", "content": _PDF}},
)
async def card_batch_labels(request: Request, batch: UUID, wanted: Annotated[Wanted, Depends()]) -> Response:
    """Whoever knows such an address may act for the holder of its card. 500 labels a file: `part`."""
    context = context_of(request)
    async with context.reader.connect() as connection:
        await batches.batch_with(connection, batch)
        found, network = await batches.blanks(connection, batch), await the_network(connection)
    return await labels_file(found, context.settings.base_url, network.name, wanted, context.keys.token)


@router.post("/card-lists", summary="Add the cards of a list")
async def import_cards(request: Request, caller: Caller, body: CardList) -> CardsAdded:
    """All of them or none: `list-wrong` says in `lines` what is wrong with which (the first is line 1). The same list
    again adds none."""
    entries = [Entry(it, chip.uid, read_uid(chip.uid), chip.label.strip()) for it, chip in enumerate(body.cards, 1)]
    async with context_of(request).engine.begin() as connection:
        naming = Naming(body.batch, body.prefix, body.first)
        return CardsAdded(added=await importing.take_in(connection, caller.actor, entries, naming))


@router.post("/card-batches/{batch}/cards", summary="Give a chip its label")
async def join_card(request: Request, caller: Caller, batch: UUID, body: ChipJoined) -> JoinedCard:
    """A new card with an empty wallet and the address that was printed. The same again changes nothing."""
    async with context_of(request).engine.begin() as connection:
        card = await batches.join(connection, caller.actor, batch, body.uid, body.label)
    return JoinedCard(id=card.id, uid=card.uid, label=card.label)
