"""All that is held about a wallet's holder, and forgetting it.

Money is not forgotten: what is left stays on the card, which then names nobody. Errors: Conflict("money-left").
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

import app.mail.held
from app.cards.service import WALLET_KINDS, balances, cards_of_wallet
from app.currencies.service import currencies
from app.identity import audit_log
from app.identity.audit import audit
from app.identity.audit_log import Wanted
from app.ledger.service import Ledger
from app.platform.errors import Conflict
from app.privacy.registry import SOURCES, Records
from app.venues.service import venues

PAGE_LINES = 500
ACTS_MAX = 500
FORMAT = "comptoir-held-about-1"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


async def held_about(ledger: Ledger, wallet: UUID) -> dict[str, Records]:
    """Every room's records by its name, in the order of the table, and those that no single room has."""
    found: dict[str, Records] = {}
    async with ledger.reader.connect() as connection:
        for it in SOURCES:
            if it.held is not None:
                found[it.name] = await it.held(connection, wallet)
        found["emails"] = await app.mail.held.held_about(connection, await _letters(connection, wallet))
        found["acts"] = await _acts(connection, wallet)
    found["balances"] = await _balances(ledger, wallet)
    found["movements"] = await _movements(ledger, wallet)
    return found


async def erase(ledger: Ledger, actor: str, wallet: UUID, *, keep_money: bool) -> None:
    """Forget what names the holder, everywhere at once. `keep_money`: what is left stays on a card without a name.
    Raises Conflict("money-left") where money is left and nobody said so. Again it changes nothing."""
    if not keep_money and any(minor > 0 for minor in (await left(ledger, wallet)).values()):
        raise Conflict("There is money left on the card.", "money-left")
    async with ledger.engine.begin() as connection:
        ids = await _letters(connection, wallet)
        for it in SOURCES:
            if it.forget is not None:
                await it.forget(connection, wallet)
        await app.mail.held.forget(connection, ids)
        await audit(connection, actor, "holder.erase", f"wallet:{wallet}")


async def left(ledger: Ledger, wallet: UUID) -> dict[str, int]:
    """What the wallet holds, in minor units by currency, less what it owes."""
    async with ledger.reader.connect() as connection:
        known = await currencies(connection)
    return await balances(ledger, f"wallet:{wallet}", known)


async def _letters(connection: AsyncConnection, wallet: UUID) -> set[UUID]:
    return {id_ for it in SOURCES if it.letters is not None for id_ in await it.letters(connection, wallet)}


async def _acts(connection: AsyncConnection, wallet: UUID) -> Records:
    """What was done to the wallet's cards, from the log; by whom, without names of staff."""
    found = []
    for card in await cards_of_wallet(connection, wallet):
        for it in await audit_log.entries(connection, Wanted(person=card.id), None, ACTS_MAX):
            by = "staff" if it.actor.startswith("person:") else it.actor.partition(":")[0]
            found.append({"at_us": it.at_us, "what": it.action, "card": card.label, "by": by})
    return sorted(found, key=lambda it: str(it["at_us"]))


async def _balances(ledger: Ledger, wallet: UUID) -> Records:
    held = await left(ledger, wallet)
    return [{"currency": code, "amount": {"currency": code, "minor": minor}} for code, minor in held.items() if minor]


async def _movements(ledger: Ledger, wallet: UUID) -> Records:
    """Every transfer to and from the wallet, the newest first, as the books have it."""
    found: list[dict[str, Any]] = []
    before: int | None = None
    async with ledger.reader.connect() as connection:
        at = await venues(connection)
        while True:
            accounts, lines = await ledger.held_and_moved(
                connection, f"wallet:{wallet}", WALLET_KINDS, before=before, limit=PAGE_LINES
            )
            codes = {it.id: it.key.book.currency for it in accounts}
            for it in lines:
                details = json.loads(it.details)
                venue = at.get(it.venue) if it.venue else None
                told = {
                    "at_us": it.occurred_at_us,
                    "what": it.kind,
                    "amount": {"currency": codes[it.account], "minor": it.change},
                    "venue": venue.name if venue else None,
                    "till": details.get("terminal_name"),
                    "items": [f"{one['quantity']} × {one['name']}" for one in details.get("lines", ())],
                    "reason": details.get("reason"),
                    "operation": it.operation,
                }
                found.append({name: value for name, value in told.items() if value not in (None, [], "")})
            if len(lines) < PAGE_LINES:
                return found
            before = lines[-1].transfer


def as_json(held: Mapping[str, Records], network: str, now: int) -> str:
    """The file: times as text (ISO 8601, UTC), amounts in minor units."""
    document = {"format": FORMAT, "network": network, "made": _instant(now), **_plain(held)}
    return json.dumps(document, ensure_ascii=False, indent=1)


def _plain(value: Any, name: str = "") -> Any:
    match value:
        case Mapping():
            return {key.removesuffix("_us"): _plain(it, key) for key, it in value.items()}
        case int() if name.endswith("_us"):
            return _instant(value)
        case UUID() | date():
            return str(value)
        case str() | int() | None:
            return value
        case Sequence() | Collection():
            return [_plain(it) for it in value]
    return str(value)


def _instant(at_us: int) -> str:
    return (_EPOCH + timedelta(microseconds=at_us)).isoformat(timespec="seconds")
