"""A sale's receipt as its buyer reads it: what was bought, what paid for it, where and when."""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.currencies.service import Currency
from app.ledger.service import Ledger
from app.platform.context import Context
from app.rules.receipts import receipt_number, training_number
from app.rules.takings import Paid, SoldLine, paid_part
from app.sales import booking
from app.sales.records import is_taken_back
from app.sales.tables import intake
from app.terminals import service as terminals
from app.venues.service import Venue
from app.wire import SaleRow, SnapshotReceipts, TrainingRow, read_payload

PATH = "/r/"


@dataclass(frozen=True, slots=True)
class Line:
    """`amount`: minor units of `currency` for all of `quantity`."""

    name: str
    quantity: int
    amount: int
    currency: Currency
    vat: int | None = None


@dataclass(frozen=True, slots=True)
class Means:
    """What paid a part. `kind`: "card", or what the venue took itself; `card`: the end of the card's number."""

    kind: str
    amount: int
    currency: Currency
    card: str = ""


@dataclass(frozen=True, slots=True)
class Receipt:
    """`number`: the sale's at its terminal, "" while only the booking and not the terminal's row has come in.

    `vat`: (rate in basis points, currency, tax in what the lines of that rate cost), where the lines tell a rate.
    `total` is what the lines come to, `given` what was given on top of them: minor units by currency.
    """

    venue: Venue
    terminal: str
    number: str
    at_us: int
    lines: tuple[Line, ...]
    total: tuple[tuple[Currency, int], ...]
    given: tuple[tuple[Currency, int], ...]
    means: tuple[Means, ...]
    taken_back: bool
    training: bool = False
    vat: tuple[tuple[int, Currency, int], ...] = ()

    @property
    def by_card(self) -> bool:
        return any(it.kind == "card" for it in self.means)


def key_of(context: Context) -> bytes:
    """The key of all receipts' addresses of this server: made from its own, and of no use for anything else."""
    return hmac.digest(context.keys.token, b"comptoir-receipt-key-1", "sha256")


def told_to_terminals(context: Context) -> SnapshotReceipts:
    """What a terminal needs to make receipts' addresses by itself."""
    base = context.settings.base_url.rstrip("/")
    return SnapshotReceipts(address=f"{base}{PATH}", key=base64.b64encode(key_of(context)).decode())


async def receipt(
    ledger: Ledger, sale: UUID, currencies: Mapping[str, Currency], venues: Mapping[UUID, Venue]
) -> Receipt | None:
    """The receipt of a sale that is booked; None while it is not."""
    page = await ledger.history.operation(sale)
    booked = next((it for it in page.operations if it.kind == booking.KIND), None)
    venue = venues.get(booked.venue) if booked and booked.venue else None
    async with ledger.reader.connect() as connection:
        row = await _row(connection, sale)
        if booked is None and row is not None:
            return await _unbooked(connection, row, currencies, venues)
    if booked is None or venue is None:
        return None
    number = receipt_number(row.epoch, row.sequence) if row else ""
    details: dict[str, Any] = json.loads(booked.details)
    lines = tuple(_line(it, currencies) for it in details.get("lines", ()))
    more = details.get("round_up")
    return Receipt(
        venue=venue,
        terminal=str(details.get("terminal_name") or ""),
        number=number,
        at_us=booked.occurred_at_us,
        lines=lines,
        total=_summed((line.currency, line.amount) for line in lines),
        vat=_vat(lines, _means(details, lines, currencies)),
        given=((currencies[more["currency"]], int(more["amount"])),) if more else (),
        means=_means(details, lines, currencies),
        taken_back=bool(page.reversed_by),
    )


async def _row(connection: AsyncConnection, sale: UUID) -> Any:
    """The terminal's row of a sale, as it first came."""
    query = (
        sa.select(intake.c.device, intake.c.epoch, intake.c.sequence, intake.c.payload)
        .where(intake.c.event == sale)
        .order_by(intake.c.id)
        .limit(1)
    )
    return (await connection.execute(query)).one_or_none()


async def _unbooked(
    connection: AsyncConnection, row: Any, currencies: Mapping[str, Currency], venues: Mapping[UUID, Venue]
) -> Receipt | None:
    """The receipt of a sale that no card paid, or that was practised: it is in no book of ours, and only the terminal's
    row tells it."""
    payload = read_payload(row.payload)
    terminal = await terminals.listed(connection, row.device)
    venue = venues.get(terminal.venue)
    training = isinstance(payload, TrainingRow)
    sale = payload.sale if isinstance(payload, SaleRow | TrainingRow) else None
    if sale is None or venue is None or (sale.card and not training):
        return None
    lines = tuple(_line(line.model_dump(), currencies) for line in sale.lines)
    return Receipt(
        venue=venue,
        terminal=terminal.name,
        number=(
            training_number(payload.number)
            if isinstance(payload, TrainingRow)
            else receipt_number(row.epoch, row.sequence)
        ),
        at_us=sale.occurred_at_us,
        lines=lines,
        total=_summed((line.currency, line.amount) for line in lines),
        vat=_vat(lines),
        given=(),
        means=(
            *(Means("card", it.amount, currencies[it.currency], (it.card or sale.card)[-4:]) for it in sale.tenders),
            *(Means(it.means, it.amount, currencies[it.covers]) for it in sale.rest),
        ),
        taken_back=await is_taken_back(connection, sale.id),
        training=training,
    )


def _line(line: Mapping[str, Any], currencies: Mapping[str, Currency]) -> Line:
    quantity = int(line["quantity"])
    return Line(
        str(line["name"]), quantity, quantity * int(line["unit_price"]), currencies[line["currency"]], line.get("vat")
    )


def _means(details: Mapping[str, Any], lines: Iterable[Line], currencies: Mapping[str, Currency]) -> tuple[Means, ...]:
    own = str(details.get("card") or "")
    if "tenders" in details:
        paid = [(str(it.get("card") or own), str(it["currency"]), int(it["amount"])) for it in details["tenders"]]
    else:
        # The card paid each line in its own money. Where that went (to the venue, to the deposits, to the fund of the
        # tips) and what a wallet did not hold is one payment to whoever made it.
        paid = [(own, line.currency.code, line.amount) for line in lines]
    by_card: dict[tuple[str, str], int] = {}
    for card, code, amount in paid:
        by_card[card, code] = by_card.get((card, code), 0) + amount
    return (
        *(Means("card", amount, currencies[code], card[-4:]) for (card, code), amount in by_card.items() if amount),
        *(Means(str(it["means"]), int(it["amount"]), currencies[it["covers"]]) for it in details.get("rest", ())),
    )


def _summed(amounts: Any) -> tuple[tuple[Currency, int], ...]:
    total: dict[str, tuple[Currency, int]] = {}
    for currency, amount in amounts:
        total[currency.code] = (currency, total.get(currency.code, (currency, 0))[1] + amount)
    return tuple(total.values())


def _vat(lines: Sequence[Line], means: Iterable[Means] = ()) -> tuple[tuple[int, Currency, int], ...]:
    """Prices hold their tax: of 1,200 at 20 % it is 200, rounded once for all lines of a rate. What the house gave
    beside what was paid by `means` is off each rate, as in the books."""
    given: dict[str, int] = {}
    for it in means:
        if it.kind == "house":
            given[it.currency.code] = given.get(it.currency.code, 0) + it.amount
    known = {line.currency.code: line.currency for line in lines}
    sold = (SoldLine("", line.currency.code, line.amount, vat=line.vat) for line in lines)
    paid = paid_part(sold, [Paid("house", code, minor) for code, minor in given.items()]) if given else sold
    sums: dict[tuple[int, str], tuple[Currency, int]] = {}
    for part in paid:
        if part.vat is not None:
            key = (part.vat, part.currency)
            sums[key] = (known[part.currency], sums.get(key, (known[part.currency], 0))[1] + part.minor)
    return tuple(
        (rate, currency, (2 * amount * rate + 10_000 + rate) // (2 * (10_000 + rate)))
        for (rate, _), (currency, amount) in sorted(sums.items())
    )
