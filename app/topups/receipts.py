"""The receipt of an online top-up, by e-mail to whoever asked for one.

The address is kept beside the top-up until it is credited; then the message is queued in the transaction that says so,
and the address goes with it.
"""

from __future__ import annotations

from typing import Literal
from uuid import UUID, uuid5

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.cards.service import card_by_id
from app.currencies.service import currencies
from app.mail.service import Letter, queue
from app.platform.clock import now_us
from app.platform.database import is_sqlite
from app.topups.rules import LAST_US
from app.topups.tables import topup, topup_receipt
from app.venues.service import the_network

TEMPLATE = "topups/receipt_mail"


async def ask(engine: AsyncEngine, id_: UUID, address: str, language: Literal["fr", "en"]) -> None:
    """Send the receipt of this top-up there, or no longer to anybody (""). Once it is credited, it stays as it was."""
    insert = sqlite.insert if is_sqlite(engine) else postgresql.insert
    async with engine.begin() as connection:
        # Locked, so that it is not credited in between.
        pending = sa.select(topup.c.id).where(topup.c.id == id_, topup.c.status != "credited").with_for_update()
        if (await connection.execute(pending)).one_or_none() is None:
            return
        await connection.execute(sa.delete(topup_receipt).where(topup_receipt.c.topup == id_))
        if address:
            row = {"topup": id_, "address": address, "language": language}
            await connection.execute(insert(topup_receipt).values(row).on_conflict_do_nothing())


async def send(connection: AsyncConnection, id_: UUID) -> None:
    """In the transaction that marks the top-up as credited."""
    here = topup_receipt.c.topup == id_
    asked = (await connection.execute(sa.select(topup_receipt).where(here))).one_or_none()
    if asked is None:
        return
    it = (await connection.execute(sa.select(topup).where(topup.c.id == id_))).one()
    network, card = await the_network(connection), await card_by_id(connection, it.card)
    currency = (await currencies(connection))[it.currency]
    data = {
        "network_name": network.name,
        "zone": network.settings.zone,
        "card_label": card.label,
        "amount": it.amount - (it.given or 0),
        "given": it.given or 0,
        "given_to": it.given_to or "",
        "unit": currency.unit.value,
        "symbol": currency.symbol,
        "currency": currency.names[asked.language],
        "euro_cents": it.euro_cents,
        "at_us": it.paid_at_us or now_us(),
        "number": str(id_),
    }
    await queue(connection, Letter(letter_of(id_), TEMPLATE, asked.language, asked.address, data))
    await connection.execute(sa.delete(topup_receipt).where(here))


def letter_of(id_: UUID) -> UUID:
    """The id of the e-mail that is this top-up's receipt."""
    return uuid5(id_, "receipt")


async def forget_old(engine: AsyncEngine) -> None:
    """Addresses of those who never paid."""
    old = sa.select(topup.c.id).where(topup.c.created_at_us < now_us() - LAST_US)
    async with engine.begin() as connection:
        await connection.execute(sa.delete(topup_receipt).where(topup_receipt.c.topup.in_(old)))
