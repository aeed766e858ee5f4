"""Trades between members, gifts between holders, round-ups for common causes."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from app.cards.service import card_by_uid
from app.identity.guard import Caller
from app.ledger.service import ledger_of
from app.mutual import funds, trades
from app.mutual.api.shapes import Body, Key, Party, Reason, party
from app.mutual.ground import ground_of
from app.platform.context import context_of
from app.venues.service import the_network
from app.wire.base import CardUid, CurrencyCode, Minor

router = APIRouter(prefix="/api/v1", tags=["mutual"])


class Trade(Body):
    currency: CurrencyCode
    buyer: Party
    seller: Party
    amount: Minor
    reason: Reason


class Traded(BaseModel):
    """`booked`: its number in the ledger. `commission`: minor units of `commission_in`, a currency or EUR."""

    booked: int
    amount: int
    commission: int
    commission_in: str


class Reversal(Body):
    reason: Reason


class Booked(BaseModel):
    booked: int


class Transfer(Body):
    currency: CurrencyCode
    giver: CardUid
    taker: CardUid
    amount: Minor
    reason: Annotated[str, Field(max_length=200)] = ""


class RoundUp(Body):
    """`basket`: what was just paid, in minor units; what is missing to the next whole unit is given."""

    card: CardUid
    currency: CurrencyCode
    basket: Minor


class RoundedUp(BaseModel):
    amount: int


class FundShown(BaseModel):
    beneficiary: str
    currency: str
    balance: int


@router.post("/trades", status_code=201, summary="A member buys from another on mutual credit")
async def book_trade(request: Request, caller: Caller, body: Trade, key: Key) -> Traded:
    context = context_of(request)
    async with context.reader.connect() as connection:
        ground = await ground_of(connection, body.currency, "mutual")
        buyer, seller = await party(connection, body.buyer), await party(connection, body.seller)
    return _traded(
        await trades.trade(
            context.engine,
            ledger_of(request),
            ground,
            buyer,
            seller,
            body.amount,
            key,
            actor=caller.actor,
            reason=body.reason,
        )
    )


@router.post("/trades/{trade}/reversal", status_code=201, summary="Take a trade back, its commission too")
async def reverse_trade(request: Request, caller: Caller, trade: UUID, body: Reversal, key: Key) -> Booked:
    async with context_of(request).reader.connect() as connection:
        network = await the_network(connection)
    posted = await trades.take_back(ledger_of(request), network, trade, key, actor=caller.actor, reason=body.reason)
    return Booked(booked=posted.seq)


@router.post("/transfers", status_code=201, summary="A holder gives to another, where the currency allows it")
async def give_to_holder(request: Request, caller: Caller, body: Transfer, key: Key) -> Traded:
    async with context_of(request).reader.connect() as connection:
        ground = await ground_of(connection, body.currency, "pegged", "time", "gift", "points")
        giver, taker = await card_by_uid(connection, body.giver), await card_by_uid(connection, body.taker)
    return _traded(
        await trades.give(
            ledger_of(request),
            ground,
            giver,
            taker,
            body.amount,
            key,
            actor=caller.actor,
            reason=body.reason,
        )
    )


@router.post("/round-ups", status_code=201, summary="Round what was paid up, for the beneficiary of the currency")
async def round_up_basket(request: Request, caller: Caller, body: RoundUp, key: Key) -> RoundedUp:
    async with context_of(request).reader.connect() as connection:
        ground = await ground_of(connection, body.currency, "pegged", "gift")
        card = await card_by_uid(connection, body.card)
    amount = await funds.round_up_basket(ledger_of(request), ground, card, body.basket, key, actor=caller.actor)
    return RoundedUp(amount=amount)


@router.get("/funds", summary="What was given to each common cause")
async def list_funds(request: Request) -> list[FundShown]:
    return [
        FundShown(beneficiary=it.beneficiary, currency=it.currency, balance=it.balance)
        for it in await funds.funds(ledger_of(request))
    ]


def _traded(it: trades.Traded) -> Traded:
    return Traded(booked=it.seq, amount=it.amount, commission=it.commission, commission_in=it.commission_in)
