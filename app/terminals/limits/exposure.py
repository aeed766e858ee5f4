"""What the network can lose at most while terminals are without network, as its settings and its fleet are now."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from app.currencies.service import currencies
from app.ledger.service import in_wallets
from app.platform.clock import now_us
from app.rules.exposure import Exposure, sold_within_balance
from app.terminals.service import terminals
from app.venues.rules import NetworkSettings
from app.venues.service import venues


async def exposures(connection: AsyncConnection, settings: NetworkSettings) -> dict[str, Exposure]:
    """By currency, those that some venue takes. The amount on cards is what is there now, or what the organiser said
    that there will be, if that is more."""
    known = await currencies(connection)
    taken = {id_: venue.accepted for id_, venue in (await venues(connection)).items()}
    at = [row.venue for row in await terminals(connection) if may_still_sell(row, settings, now_us())]
    found = {}
    for code, it in known.items():
        if not any(code in accepted for accepted in taken.values()):
            continue
        here = _selling(at, code, taken)
        each = sold_within_balance(settings.limits_of(code, it.unit).values(), settings.backed_weight_percent)
        on_cards = max(await in_wallets(connection, code, each), settings.on_cards.get(code, 0))
        found[code] = Exposure(len(here), len(set(here)), settings.terminal_limit(code, it.unit), on_cards)
    return found


def may_still_sell(row: Any, settings: NetworkSettings, at_us: int) -> bool:
    """Whether a device (a row of the table) may be selling without network. A hub sells nothing. A till that was
    revoked and was not heard of since does not know it, and goes on until what it knows is too old."""
    if row.kind != "till":
        return False
    if row.status != "revoked":
        return True
    if row.seen_at_us >= row.revoked_at_us:
        return False
    return settings.snapshot_old == "lower" or at_us - row.seen_at_us <= settings.snapshot_stop_s * 1_000_000


def _selling(at: list[UUID], code: str, taken: Mapping[UUID, tuple[str, ...]]) -> list[UUID]:
    """The venue of each terminal that takes this currency."""
    return [venue for venue in at if code in taken.get(venue, ())]
