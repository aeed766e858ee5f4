"""Volunteers' hours: a shift manager credits minutes to a card, with a reason and a daily cap."""

from __future__ import annotations

import json
from hashlib import sha256
from uuid import UUID

from app.cards.service import Card, wallet_key
from app.currencies.service import Currency
from app.ledger.rules.kinds import AccountKey
from app.ledger.rules.operations import Operation, Posted, Posting
from app.ledger.service import Ledger, currency_book
from app.platform.clock import now_us
from app.platform.errors import Conflict, Forbidden, Invalid
from app.venues.service import Network, Venue

KIND = "shift"
# Enough of a statement to hold a day's credits of one card.
LINES_LOOKED_AT = 200


async def credit_shift(
    ledger: Ledger,
    network: Network,
    venue: Venue,
    card: Card,
    currency: Currency,
    minutes: int,
    id_: UUID,
    *,
    actor: str,
    reason: str,
) -> tuple[Posted, int]:
    """`minutes` of volunteering onto a card: (posted, minutes the card holds after). Time is never worth euros.

    Raises Forbidden("card-blocked"), Invalid("currency-not-accepted"), Conflict("daily-cap").
    """
    if card.status != "active":
        raise Forbidden("This card is blocked.", "card-blocked")
    if currency.kind != "time":
        raise Invalid(f"{currency.code} does not count hours.", "currency-not-accepted")
    issuance, wallet = await ledger.accounts(
        [AccountKey(currency_book(currency.issuer, currency.code), "issuance"), wallet_key(card.owner, currency)]
    )
    now = now_us()
    day = venue.day_of(now)
    lines = await ledger.statement([wallet_key(card.owner, currency)], limit=LINES_LOOKED_AT)
    today = sum(x.change for x in lines if x.kind == KIND and x.business_day == day and x.operation != id_)
    cap = network.settings.shift_max_minutes_per_day
    if today + minutes > cap:
        raise Conflict("More hours than one day allows.", "daily-cap", cap_minutes=cap, credited_minutes=today)
    details = {"card": card.uid, "reason": reason, "minutes": minutes}
    operation = Operation(
        id=id_,
        kind=KIND,
        fingerprint=sha256(json.dumps([actor, str(venue.id), details], sort_keys=True).encode()).digest(),
        postings=(Posting(issuance, wallet, minutes),),
        actor=actor,
        occurred_at_us=now,
        business_day=day,
        venue=venue.id,
        details=json.dumps(details, ensure_ascii=False, separators=(",", ":")),
    )
    posted = await ledger.post_one(operation)
    return posted, posted.transfers[0].credit_after
