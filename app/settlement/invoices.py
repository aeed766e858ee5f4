"""Invoices for what a run withholds: redemption fees of each issuer, and the network's fee by tier."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.platform.clock import now_us
from app.platform.errors import Conflict
from app.rules.business_day import business_day
from app.rules.vat import vat_within
from app.settlement import tables
from app.settlement.rules.amounts import NETWORK, Figures
from app.settlement.store import Run, Statement
from app.venues.service import the_network


@dataclass(frozen=True, slots=True)
class Invoice:
    """Euro cents, VAT included; `vat` is what of it is VAT. `name`: what people call it by."""

    issuer: str
    year: int
    number: int
    run: UUID
    venue: UUID
    redemption: int
    network: int
    vat: int
    at_us: int

    @property
    def total(self) -> int:
        return self.redemption + self.network

    @property
    def name(self) -> str:
        return f"{self.year}-{self.number:04d}"


def fees_of(figures: Figures) -> dict[str, tuple[int, int]]:
    """(redemption fees, network fees) by issuer; issuers that bill nothing are left out."""
    found: dict[str, tuple[int, int]] = {}
    for part in figures.parts:
        redemption = sum(it.fee for it in part.redeemed)
        if redemption:
            found[part.issuer] = (redemption, 0)
    if figures.new_fees:
        found[NETWORK] = (found.get(NETWORK, (0, 0))[0], figures.new_fees)
    return found


async def bill(connection: AsyncConnection, run: Run, settled: Sequence[Statement]) -> None:
    """Number the invoices of a run that is being approved, in the caller's transaction."""
    settings = (await the_network(connection)).settings
    now = now_us()
    year = business_day(now, settings.zone).year
    query = sa.select(tables.invoice.c.issuer, sa.func.max(tables.invoice.c.number).label("last"))
    rows = await connection.execute(query.where(tables.invoice.c.year == year).group_by(tables.invoice.c.issuer))
    last: dict[str, int] = {row.issuer: row.last for row in rows}
    for it in settled:
        for issuer, (redemption, network) in fees_of(it.figures).items() if it.figures is not None else ():
            last[issuer] = last.get(issuer, 0) + 1
            row = {
                "issuer": issuer,
                "year": year,
                "number": last[issuer],
                "run": run.id,
                "venue": it.venue,
                "redemption_cents": redemption,
                "network_cents": network,
                "vat_cents": vat_within(redemption, settings.fee_vat_basis_points)
                + vat_within(network, settings.fee_vat_basis_points),
                "at_us": now,
            }
            try:
                await connection.execute(sa.insert(tables.invoice).values(row))
            except sa.exc.IntegrityError as error:
                raise Conflict("Somebody took another step meanwhile.", "run-moved-on") from error


async def invoices(connection: AsyncConnection, run: UUID) -> list[Invoice]:
    query = sa.select(tables.invoice).where(tables.invoice.c.run == run)
    rows = await connection.execute(query.order_by(tables.invoice.c.issuer, tables.invoice.c.number))
    return [
        Invoice(
            row.issuer,
            row.year,
            row.number,
            row.run,
            row.venue,
            row.redemption_cents,
            row.network_cents,
            row.vat_cents,
            row.at_us,
        )
        for row in rows
    ]
