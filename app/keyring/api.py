"""Keys of cards: sets of them, what a card desk writes, and what a terminal is given."""

from __future__ import annotations

import asyncio
import base64
from dataclasses import asdict
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import Response

from app.cards.addresses import address_of
from app.cards.batches import join
from app.cards.service import Card, add_card, card_by_uid
from app.identity.audit import audit
from app.identity.guard import Caller
from app.keyring import service, writing
from app.platform.clock import now_us
from app.platform.context import context_of
from app.platform.errors import Conflict, NotFound
from app.rules.agreement import wrapped
from app.terminals.service import admitted, require_active
from app.venues.service import the_network, venue_named
from app.wire.base import CardUid
from app.wire.card_keys import about_keys
from app.wire.snapshot import SIGNATURE_HEADER

router = APIRouter(prefix="/api/v1", tags=["terminals"])
desk = APIRouter(prefix="/api/v1", tags=["cards"])

Name = Annotated[str, Field(min_length=1, max_length=60, examples=["2026"])]

Label = Annotated[str, Field(min_length=1, max_length=40)]

_BYTES = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}


@router.get(
    "/terminals/card-keys",
    summary="The keys by which cards prove themselves at a terminal",
    response_class=Response,
    responses={
        200: {"description": "Wrapped for this device: app.rules.agreement", "content": _BYTES},
        304: {"description": "As in the last answer"},
    },
)
async def card_keys(request: Request, caller: Caller) -> Response:
    """One key of each card that the terminal's venue may meet now, and no master key. Only the device can read them;
    the header `Comptoir-Signature` is base64 of the server's Ed25519 signature over the body."""
    if caller.device is None or caller.epoch is None:
        raise NotFound("Only terminals read cards here.")
    context = context_of(request)
    async with context.reader.connect() as connection:
        terminal = await admitted(connection, caller.device, caller.epoch)
        require_active(terminal)
        given = await service.given_to(connection, context.keys.token, terminal.venue, now_us())
    tag = f'"{terminal.epoch}.{given.mark}"'
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers={"ETag": tag})
    await service.note_given(context.engine, terminal.id, given)
    plain = await asyncio.to_thread(given.keys)
    parcel = wrapped(plain, terminal.public_key, about_keys(terminal.id, terminal.epoch))
    signature = base64.b64encode(context.keys.signing.sign(parcel)).decode()
    return Response(parcel, headers={"ETag": tag, SIGNATURE_HEADER: signature}, media_type="application/octet-stream")


class NewKeySet(BaseModel):
    """`venue`: only its terminals are given keys of the set; null: all. `from_us`, `until_us`: when (null: from now,
    without end), microseconds since the epoch."""

    model_config = ConfigDict(extra="forbid")

    name: Name
    venue: UUID | None = None
    from_us: Annotated[int, Field(ge=0, lt=2**63)] | None = None
    until_us: Annotated[int, Field(ge=0, lt=2**63)] | None = None


class KeySetShown(BaseModel):
    id: UUID
    name: str
    venue: UUID | None
    from_us: int
    until_us: int | None


class KeysAsked(BaseModel):
    """`label`: what is printed on the card, if it may not be known yet; it is added then, with an empty wallet.
    `batch`: it is given that label of this batch then, or else the next one. `chip`: what the desk found in it.
    `genuine`: whether its maker signed its number, as the desk verified; null: it did not look."""

    model_config = ConfigDict(extra="forbid")

    key_set: Name
    label: Label | None = None
    batch: UUID | None = None
    chip: Literal["ntag424", "desfire", "ultralight_aes"] = "ntag424"
    genuine: bool | None = None


class KeysToWrite(BaseModel):
    """All keys of the chip by number, hexadecimal. `before`: what it holds if nothing was written. `address`: what a
    phone is to be led to, on an NTAG 424 DNA with {e} and {c} where the card says who it is; null where this server has
    no https, and for a DESFire."""

    label: str
    version: int
    before: list[str]
    after: list[str]
    address: str | None


class AddressAsked(BaseModel):
    """`label`, `batch` and `genuine`: as where keys are asked for."""

    model_config = ConfigDict(extra="forbid")

    label: Label | None = None
    batch: UUID | None = None
    genuine: bool | None = None


class AddressToWrite(BaseModel):
    """`address`: of the card's page; null where this server has no https."""

    label: str
    address: str | None


class KeysWritten(BaseModel):
    model_config = ConfigDict(extra="forbid")

    version: Annotated[int, Field(ge=1, le=255)]


@desk.get("/card-key-sets", summary="Sets of card keys")
async def list_key_sets(request: Request) -> list[KeySetShown]:
    """Their names and when they are given out; the keys themselves are never told."""
    async with context_of(request).reader.connect() as connection:
        return [KeySetShown(**asdict(it)) for it in await service.key_sets(connection)]


@desk.post("/card-key-sets", status_code=201, summary="Make a set of card keys")
async def make_key_set(request: Request, caller: Caller, body: NewKeySet) -> KeySetShown:
    context = context_of(request)
    period = {"from_us": body.from_us, "until_us": body.until_us}
    async with context.engine.begin() as connection:
        if body.venue is not None:
            await venue_named(connection, body.venue)
        new = await service.make_set(connection, context.keys.token, body.name, venue=body.venue, **period)
        await audit(connection, caller.actor, "card-keys.make", f"card-key-set:{new.id}", name=new.name)
    return KeySetShown(**asdict(new))


@desk.post("/card-keys/{uid}", summary="The keys that a desk is to write on a card")
async def ask_card_keys(request: Request, caller: Caller, uid: CardUid, body: KeysAsked) -> KeysToWrite:
    """The same ones until they were written: a card that was taken away in the middle is laid down again."""
    context = context_of(request)
    async with context.engine.begin() as connection:
        await _require_genuine(connection, body.genuine)
        card = await _card(connection, caller.actor, uid, body.label, body.batch)
        found = await writing.begin(
            connection, context.keys.token, card.id, bytes.fromhex(uid), body.key_set, body.chip
        )
        details = {"key_set": body.key_set, "version": found.version}
        await audit(connection, caller.actor, "card-keys.ask", f"card:{card.id}", **details)
    address = None if body.chip == "desfire" else _address(request, card)
    return KeysToWrite(
        label=card.label,
        version=found.version,
        before=[it.hex() for it in found.before],
        after=[it.hex() for it in found.after],
        address=f"{address}?e={{e}}&c={{c}}" if address is not None and body.chip == "ntag424" else address,
    )


@desk.post("/card-addresses/{uid}", summary="The address that a desk is to write on a card without keys")
async def ask_card_address(request: Request, caller: Caller, uid: CardUid, body: AddressAsked) -> AddressToWrite:
    async with context_of(request).engine.begin() as connection:
        await _require_genuine(connection, body.genuine)
        card = await _card(connection, caller.actor, uid, body.label, body.batch)
    return AddressToWrite(label=card.label, address=_address(request, card))


async def _require_genuine(connection: AsyncConnection, genuine: bool | None) -> None:
    """Conflict("chip-not-genuine") where the network has signed chips written only."""
    if not genuine and (await the_network(connection)).settings.genuine_chips:
        raise Conflict("The maker did not sign this chip: a copy, or of another maker.", "chip-not-genuine")


async def _card(connection: AsyncConnection, actor: str, uid: str, label: str | None, batch: UUID | None) -> Card:
    """The card with this number; where it is not known it is added, as one of the batch or under `label`. NotFound, and
    what app.cards.batches.join raises."""
    try:
        return await card_by_uid(connection, uid)
    except NotFound:
        if batch is not None:
            return await join(connection, actor, batch, uid, label)
        if label is None:
            raise
    card = await add_card(connection, uid, label)
    await audit(connection, actor, "card.add", f"card:{card.id}", label=card.label)
    return card


def _address(request: Request, card: Card) -> str | None:
    """Phones open it at a tap, so only where what they say there is nobody else's to read."""
    address = address_of(request, card)
    return address if address.startswith("https://") else None


@desk.put("/card-keys/{uid}", status_code=204, summary="A desk has written a card's keys and read them back")
async def confirm_card_keys(request: Request, caller: Caller, uid: CardUid, body: KeysWritten) -> None:
    async with context_of(request).engine.begin() as connection:
        card = await card_by_uid(connection, uid)
        await writing.done(connection, card.id, body.version, addressed=_address(request, card) is not None)
        await audit(connection, caller.actor, "card-keys.written", f"card:{card.id}", version=body.version)
