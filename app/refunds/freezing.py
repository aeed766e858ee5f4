"""What stands between a request and its money: tills that do not know yet that the card is blocked, what they sold."""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256

from sqlalchemy.ext.asyncio import AsyncConnection

from app.cards.service import cards_of_wallet
from app.currencies.service import Currency
from app.ledger.rules.operations import Operation
from app.ledger.service import Ledger, wallets_with_holds
from app.platform.clock import now_us
from app.refunds.rules import Heard, waits_for
from app.refunds.store import Request
from app.rules.business_day import business_day
from app.rules.ids import derived
from app.sales.exceptions import of_blocked_cards
from app.sales.suspense import LINK, linked, waiting
from app.terminals import service as terminals
from app.terminals.status import told
from app.venues.service import Network

_US = 1_000_000


async def tills(connection: AsyncConnection) -> list[Heard]:
    """Every till that may sell. It knows what the server knew when its last look at prices, balances and blocked cards
    began."""
    words, found = await told(connection), []
    for row in await terminals.terminals(connection):
        if row.status != "active" or row.kind != "till":
            continue
        word = words.get(row.id)
        age_s = None if word is None else word.status.snapshot_age_s
        learnt = None if word is None or age_s is None else word.received_at_us - (age_s + 1) * _US
        waiting_rows = row.waiting if word is None else max(row.waiting, word.status.waiting)
        found.append(Heard(row.name, row.seen_at_us, learnt, waiting_rows))
    return found


async def waited_for(connection: AsyncConnection, network: Network, it: Request) -> list[Heard]:
    """Tills that may still bring a sale of this card."""
    grace_us = network.settings.refund_wait_s * _US
    return waits_for(await tills(connection), it.asked_at_us, now_us(), grace_us)


async def has_open_tab(connection: AsyncConnection, it: Request) -> bool:
    """Whether something is set aside on the wallet: it may be taken still."""
    return it.owner in await wallets_with_holds(connection)


async def charge_late_sales(ledger: Ledger, network: Network, known: Mapping[str, Currency], it: Request) -> int:
    """What was sold to these cards without network, and came in after they were blocked, they pay after all; how many
    sales. Taken again, nothing is paid twice."""
    async with ledger.reader.connect() as connection:
        uids = {card.uid for card in await cards_of_wallet(connection, it.wallet)}
        events = await of_blocked_cards(connection, uids, it.asked_at_us)
    booked = await ledger.booked(events)
    done = 0
    for event in events:
        of = booked.get(event)
        left = await waiting(ledger, of) if of is not None else []
        if of is None or not left:
            continue
        id_, now = derived("refund", it.id, "late", event), now_us()
        await ledger.post(
            [
                Operation(
                    id=id_,
                    kind=LINK,
                    fingerprint=sha256(id_.bytes).digest(),
                    postings=tuple(await linked(ledger, known, it.owner, left)),
                    actor=f"refund:{it.id}",
                    occurred_at_us=now,
                    business_day=business_day(now, network.settings.zone),
                    venue=of.venue,
                    details=json.dumps({"of": str(event), "refund": str(it.id)}),
                )
            ]
        )
        done += 1
    return done
