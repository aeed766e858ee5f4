"""Reminders by e-mail of what will lapse, to holders who agreed to them: one for each day on which something does."""

from __future__ import annotations

from typing import Final
from uuid import UUID, uuid5

from sqlalchemy.ext.asyncio import AsyncConnection

from app.cards.service import cards_of_wallet
from app.currencies.service import currencies
from app.lapses import service, store
from app.ledger.service import Ledger
from app.mail import consents
from app.mail.service import Letter, queue
from app.platform.clock import now_us
from app.platform.context import Context
from app.venues.service import the_network

TEMPLATE: Final = "lapses/reminder_mail"
# Time enough to drink a coffee with it.
AHEAD_US: Final = 30 * 24 * 3600 * 1_000_000


def letter_of(consent: UUID, day: str) -> UUID:
    """The id of the reminder of a day: written twice it is one message."""
    return uuid5(consent, f"reminder {day}")


async def remind(context: Context, ledger: Ledger) -> int:
    """How many reminders stand to be sent, those that were sent already among them."""
    async with context.reader.connect() as connection:
        agreed = await consents.all_for(connection, "reminders")
        network, known = await the_network(connection), await currencies(connection)
    count, until_us = 0, now_us() + AHEAD_US
    for it in agreed:
        due = await service.foreseen_of(context.engine, ledger, f"wallet:{it.wallet}")
        days: dict[str, list[dict[str, int | str]]] = {}
        for one in due:
            if one.amount and one.notice.due_us <= until_us:
                money = known[one.notice.currency]
                amount = {"amount": one.amount, "unit": money.unit.value, "symbol": money.symbol}
                told = amount | {"currency": money.names[it.language], "due_us": one.notice.due_us}
                days.setdefault(one.notice.period.isoformat(), []).append(told)
        for day, lines in days.items():
            async with context.engine.begin() as connection:
                # Withdrawn since it was read: nothing is sent.
                if await consents.of_wallet(connection, it.wallet, "reminders") != it:
                    break
                cards = await cards_of_wallet(connection, it.wallet)
                data = {
                    "network_name": network.name,
                    "zone": network.settings.zone,
                    "card_label": cards[-1].label if cards else "",
                    "lines": lines,
                    "stop": f"/mail/stop/{consents.stop_token(context.keys.token, it.id)}",
                }
                await queue(connection, Letter(letter_of(it.id, day), TEMPLATE, it.language, it.address, data))
            count += 1
    return count


async def letters(connection: AsyncConnection, wallet: UUID) -> list[UUID]:
    """Those that may have been written for this wallet: by its own consents, whoever else has the address."""
    days = {it.period.isoformat() for it in await store.notices_of(connection, f"wallet:{wallet}")}
    return [letter_of(id_, day) for id_ in await consents.ids_of(connection, wallet) for day in days]
