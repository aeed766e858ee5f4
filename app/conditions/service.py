"""What the network knows of a card, for the prices of an event that are not everybody's (app/rules/entitlement.py).

Hours are those credited for shifts anywhere in the network, in moneys counted in hours that the event's venue accepts.
Gifts are those given by hand, with a top-up or by a voucher, in moneys that the venue accepts. Spending them
takes nothing away: what counts is that they came.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from typing import Final

from app.cards.service import WALLET_KINDS, Card
from app.currencies.service import currencies
from app.events.rules import Event
from app.ledger.rules.operations import Flow
from app.ledger.service import Ledger
from app.members.terms import is_member
from app.platform.clock import now_us
from app.rules.entitlement import NOTHING, YEAR_DAYS, Known
from app.venues.service import venue_named

SHIFTS: Final = ("shift",)
# A bonus comes with the top-up that earns it; a voucher may bring any money.
GIVEN: Final = ("gift", "voucher", "topup.cash", "topup.online")
VOUCHERS: Final = ("voucher",)


async def known_of(ledger: Ledger, card: Card, at: Event) -> Known:
    """As far as the event's prices ask."""
    asked = {it.condition for it in at.prices}
    if asked <= {"none", "reduced"}:
        return NOTHING
    now, member = now_us(), False
    async with ledger.reader.connect() as connection:
        venue, kinds = await venue_named(connection, at.venue), await currencies(connection)
        if "member" in asked:
            member = await is_member(connection, card.wallet, now, venue=at.venue) or await is_member(
                connection, card.wallet, now
            )
    accounts: dict[str, list[int]] = {"time": [], "gift": [], "other": []}
    if asked & {"hours", "gift"}:
        for row in await ledger.balances(owners=[card.owner], kinds=WALLET_KINDS):
            code = row.key.book.currency
            if code in venue.accepted:
                accounts[kinds[code].kind if kinds[code].kind in accounts else "other"].append(row.id)

    async def came(into: Collection[int], by: tuple[str, ...]) -> int:
        day = venue.day_of(now)
        # Whatever was entered ahead of its day counts too.
        flow = Flow(tuple(into), True, by, day - timedelta(YEAR_DAYS), day + timedelta(1))
        return await ledger.flow(flow) if into else 0

    minutes = await came(accounts["time"], SHIFTS) if "hours" in asked else 0
    gifts = 0
    if "gift" in asked:
        gifts = await came(accounts["gift"], GIVEN) + await came(accounts["other"], VOUCHERS)
    return Known(member, minutes, gifts)
