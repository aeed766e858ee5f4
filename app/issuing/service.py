"""Volunteers' hours: a shift manager credits minutes to a card, with a reason and a daily cap."""

from __future__ import annotations

import json
from datetime import date
from hashlib import sha256
from uuid import UUID

from app.cards.service import Card, overdraft_key, wallet_key
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
    now = now_us()
    day = venue.day_of(now)
    # What was credited before stays so: asked for again, it gets the first answer, whatever has changed since.
    if not await ledger.booked([id_]):
        await _check(ledger, network, card, currency, minutes, day)
    keys = [
        AccountKey(currency_book(currency.issuer, currency.code), "issuance"),
        overdraft_key(card.owner, currency),
        wallet_key(card.owner, currency),
    ]
    issuance, overdraft, wallet = await ledger.accounts(keys)
    details = {"card": card.uid, "reason": reason, "minutes": minutes}
    operation = Operation(
        id=id_,
        kind=KIND,
        fingerprint=sha256(json.dumps([actor, str(venue.id), details], sort_keys=True).encode()).digest(),
        postings=(Posting(issuance, overdraft, minutes, credit_overflow=wallet),),
        actor=actor,
        occurred_at_us=now,
        business_day=day,
        venue=venue.id,
        details=json.dumps(details, ensure_ascii=False, separators=(",", ":")),
    )
    posted = await ledger.post_one(operation)
    # The last one filled the wallet, or went into what is still owed.
    return posted, posted.transfers[-1].credit_after


async def _check(ledger: Ledger, network: Network, card: Card, currency: Currency, minutes: int, day: date) -> None:
    if card.status != "active":
        raise Forbidden("This card is blocked.", "card-blocked")
    if currency.kind != "time":
        raise Invalid(f"{currency.code} does not count hours.", "currency-not-accepted")
    keys = [wallet_key(card.owner, currency), overdraft_key(card.owner, currency)]
    lines = await ledger.statement(keys, limit=LINES_LOOKED_AT)
    today = sum(x.change for x in lines if x.kind == KIND and x.business_day == day)
    cap = network.settings.shift_max_minutes_per_day
    if today + minutes > cap:
        raise Conflict("More hours than one day allows.", "daily-cap", cap_minutes=cap, credited_minutes=today)
