"""Holders with money left are reminded of the last day on which it is refunded: once, by e-mail, if they have an
account and have not asked for silence.

The link that ends reminders carries the account under a MAC: whoever has the mail may end them, and nobody else.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from datetime import date, timedelta
from typing import Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from app.cards.lifecycle import ends_of
from app.cards.service import cards_of_wallet
from app.holders.tables import holder_account, holder_wallet
from app.ledger.service import Ledger, wallet_balances
from app.mail.service import Letter, queue
from app.platform.clock import now_us
from app.platform.errors import NotFound
from app.refunds import service
from app.refunds.rules import part
from app.refunds.service import World
from app.refunds.tables import refund_reminder, refund_silence
from app.rules.business_day import business_day
from app.rules.ids import derived
from app.web import dates
from app.web.i18n import texts_in

TEMPLATE: Final = "refunds/reminder_mail"
_LABEL: Final = b"comptoir-reminder-1"
_MAC_BYTES: Final = 12


def due_on(at: World, today: date) -> dict[str, date]:
    """By currency that is refunded: the last day, where it is time to tell."""
    found = {}
    for code in service.refundable(at):
        terms = at.rules[code].refund
        if terms.closes and terms.remind_days:
            last = date.fromisoformat(terms.closes)
            if last - timedelta(days=terms.remind_days) <= today <= last:
                found[code] = last
    return found


async def remind(ledger: Ledger, key: bytes) -> int:
    """How many were reminded now; run again, nobody twice."""
    async with ledger.reader.connect() as connection:
        at = await service.world(connection)
        due = due_on(at, business_day(now_us(), at.network.settings.zone))
        if not due:
            return 0
        quiet = sa.select(refund_silence.c.account)
        query = sa.select(holder_wallet.c.wallet, holder_account.c.id, holder_account.c.email).join_from(
            holder_wallet, holder_account
        )
        mine = {row.wallet: row for row in await connection.execute(query.where(holder_account.c.id.not_in(quiet)))}
        held = await wallet_balances(connection, [f"wallet:{it}" for it in mine])
    told = 0
    for wallet, account in mine.items():
        for code, last in due.items():
            units, of = held.get(f"wallet:{wallet}", {}).get(code, 0), at.known[code]
            if part(code, of.issuer, units, at.rules[code].refund, of.cents_per_unit or 0) is None:
                continue
            async with ledger.engine.begin() as connection:
                told += await _tell(connection, at, wallet, account.id, account.email, code, units, last, key)
    return told


async def _tell(
    connection: AsyncConnection,
    at: World,
    wallet: UUID,
    account: UUID,
    email: str,
    code: str,
    units: int,
    last: date,
    key: bytes,
) -> int:
    insert = (sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert)(refund_reminder)
    row = {"wallet": wallet, "currency": code, "closes": last.isoformat(), "at_us": now_us()}
    if not (await connection.execute(insert.values(row).on_conflict_do_nothing())).rowcount:
        return 0
    cards = await cards_of_wallet(connection, wallet)
    ended = await ends_of(connection, [it.id for it in cards])
    card = next((it for it in reversed(cards) if it.id not in ended and it.status == "active"), None)
    if card is None:
        return 0
    data = {
        "network_name": at.network.name,
        "card_label": card.label,
        "amount": units,
        "unit": at.known[code].unit.value,
        "symbol": at.known[code].symbol,
        "closes": dates.day_in_words(last, business_day(now_us(), at.network.settings.zone), texts_in("fr")),
        "path": f"/c/{card.token}/refund",
        "give_path": f"/c/{card.token}/give",
        "stop_path": f"/reminders/{mark(key, account)}",
    }
    # Accounts keep no language: French is the network's first, and the pages that it leads to speak both.
    await queue(connection, Letter(derived("reminder", wallet, code, last.isoformat()), TEMPLATE, "fr", email, data))
    return 1


def mark(key: bytes, account: UUID) -> str:
    return base64.urlsafe_b64encode(account.bytes + _mac(key, account)).decode().rstrip("=")


def account_of(key: bytes, marked: str) -> UUID:
    """Raises NotFound."""
    try:
        raw = base64.b64decode(f"{marked}{'=' * (-len(marked) % 4)}", altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if len(raw) != 16 + _MAC_BYTES:
        raise NotFound
    account = UUID(bytes=raw[:16])
    if not hmac.compare_digest(raw[16:], _mac(key, account)):
        raise NotFound
    return account


async def stop(connection: AsyncConnection, account: UUID) -> None:
    """No more reminders to this account; said again, it changes nothing."""
    insert = (sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert)(refund_silence)
    await connection.execute(insert.values(account=account, at_us=now_us()).on_conflict_do_nothing())


def _mac(key: bytes, account: UUID) -> bytes:
    return hmac.digest(key, _LABEL + account.bytes, "sha256")[:_MAC_BYTES]
