"""Back to the payment cards that a wallet was topped up with: the newest payment first, never more than it brought."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from app.currencies.service import Currency
from app.ledger.rules.kinds import AccountKey
from app.ledger.rules.operations import Operation
from app.ledger.service import Ledger, reserve_book
from app.platform.clock import now_us
from app.refunds import booking
from app.refunds.rules import Status, shared
from app.refunds.store import Line, Request
from app.rules.business_day import business_day
from app.rules.ids import derived
from app.topups import refunding
from app.topups.provider import Provider
from app.topups.refunding import GivenBack
from app.venues.service import Network

# Why a refund is ready again: its holder said where the money should go.
MENDED = "mended"


async def room(ledger: Ledger, wallet: UUID, code: str, provider: str | None) -> int:
    """Euro cents that payments of this wallet in this currency can still give back."""
    if provider is None:
        return 0
    async with ledger.reader.connect() as connection:
        return sum(cents for _, cents in await refunding.rooms(connection, wallet, code, provider))


async def plan(connection: AsyncConnection, it: Request, provider: Provider | None) -> None:
    """Which payments give back how much, in the caller's transaction. What nobody asked for was planned when it was
    written down."""
    if provider is None or it.topup is not None:
        return
    for line in it.lines:
        found = await refunding.rooms(connection, it.wallet, line.currency, provider.name, locked=True)
        parts = shared(line.cents or 0, [cents for _, cents in found])
        await refunding.plan(connection, it.id, [(of, cents) for (of, _), cents in zip(found, parts, strict=True)])


async def send(
    ledger: Ledger, provider: Provider | None, network: Network, known: Mapping[str, Currency], it: Request
) -> tuple[Status, str]:
    """Ask for what was not asked for, book what was paid back: (the state after, why it failed)."""
    async with ledger.reader.connect() as connection:
        rows = await refunding.of_request(connection, it.id)
    states: list[refunding.Status] = []
    for row in rows:
        status = row.status if provider is None else await refunding.send(ledger.engine, provider, row)
        states.append(status)
        if status == "paid":
            await ledger.post_one(await _given_back(ledger, network, known, it, row))
        elif status == "failed":
            await _came_back(ledger, network, it, row)
    if any(status in {"planned", "pending"} for status in states):
        return it.status, ""
    paid = sum(row.euro_cents for row, status in zip(rows, states, strict=True) if status == "paid")
    if paid == it.cents:
        return "paid", ""
    return "failed", next((row.reason for row in rows if row.reason), "")


async def came_back_late(ledger: Ledger, network: Network, connection: AsyncConnection, it: Request) -> list[GivenBack]:
    """Of a refund that goes on by the bank: payments that had been given back, and came back since then. Each is owed
    to the holder again, in the books too."""
    found, since_us = [], next((event.at_us for event in it.events if event.reason == MENDED), 0)
    for row in await refunding.of_request(connection, it.id):
        if row.status == "failed" and await ledger.booked([given_back_of(row.id)]):
            await _came_back(ledger, network, it, row)
            if row.changed_at_us > since_us:
                found.append(row)
    return found


async def left_of(connection: AsyncConnection, it: Request, *, locked: bool = False) -> list[Line] | None:
    """What payments did not give back of it; None where it never went that way."""
    rows = await refunding.of_request(connection, it.id, locked=locked)
    if not rows:
        return None
    paid: dict[str, int] = {}
    for row in rows:
        if row.status == "paid":
            paid[row.currency] = paid.get(row.currency, 0) + row.euro_cents
    return [replace(line, cents=(line.cents or 0) - paid.get(line.currency, 0)) for line in it.lines]


async def _given_back(
    ledger: Ledger, network: Network, known: Mapping[str, Currency], it: Request, row: GivenBack
) -> Operation:
    reserve = reserve_book(known[row.currency].issuer)
    leg = (AccountKey(reserve, "payable", it.owner), AccountKey(reserve, "clearing", row.provider), row.euro_cents)
    details = {"refund": str(it.id), "topup": str(row.topup), "reference": row.payment}
    return await booking.operation(ledger, network, known, given_back_of(row.id), booking.TO_CARD, it, [leg], details)


async def _came_back(ledger: Ledger, network: Network, it: Request, row: GivenBack) -> None:
    original = (await ledger.booked([given_back_of(row.id)])).get(given_back_of(row.id))
    if original is None:
        return
    now = now_us()
    back = await ledger.reversal(
        original,
        booking.back_of(given_back_of(row.id)),
        actor=f"refund:{it.id}",
        occurred_at_us=now,
        business_day=business_day(now, network.settings.zone),
        details=original.details,
    )
    await ledger.post_one(back)


def given_back_of(given: UUID) -> UUID:
    """The operation by which a payment's `payment_refund` is booked."""
    return derived("refund", "card", given)
