"""What is missing on the card for a gift voucher is topped up online, and the voucher is bought by itself once it is
there: once, whoever looks first. Whatever keeps it from being bought then, the money is on the card.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
import structlog
from sqlalchemy.dialects import postgresql, sqlite

from app.cards.service import Card, balances, card_by_id
from app.currencies.service import Currency, currencies
from app.giftbasket.tables import gift_basket
from app.issuing import bought
from app.issuing.service import Terms, terms_of
from app.ledger.service import REFUSALS, Ledger
from app.platform.clock import now_us
from app.platform.database import is_sqlite
from app.platform.errors import Conflict, DomainError, Forbidden, NotFound, Unavailable
from app.rules.ids import derived
from app.topups import service as topups
from app.topups.provider import Provider
from app.venues.service import Network, the_network

_log = structlog.get_logger("comptoir.giftbasket")

EVERY_S: Final = 5.0
# A basket whose payment never began was left on the way there.
LEFT_US: Final = 3600 * 1_000_000


def topup_of(voucher: UUID) -> UUID:
    """The id of the top-up that brings what is missing for it."""
    return derived("gift-topup", voucher)


async def begin(
    ledger: Ledger,
    provider: Provider,
    network: Network,
    terms: Terms,
    card: Card,
    amount: int,
    words: str,
    id_: UUID,
    actor: str,
    return_url: str,
) -> tuple[UUID, str]:
    """(top-up, its payment page) for what is missing on the card. `id_`: the voucher's; the same form again is the same
    basket. Raises as `bought.buy` would before it takes any money, and as `topups.check_room` and `topups.begin`."""
    _require_sold(terms, card, amount)
    currency: Currency = terms.currency
    held = (await balances(ledger, card.owner, {currency.code: currency}))[currency.code]
    least, _ = network.settings.top_up_limits(currency.cents_per_unit)
    missing, topup = max(amount - max(0, held), least), topup_of(id_)
    known = await _topup(ledger, topup)
    if known is None:
        await topups.check_room(ledger, network, card, currency, missing)
    row = {"id": id_, "card": card.id, "wallet": card.wallet, "currency": currency.code, "amount": amount}
    row |= {"words": words, "actor": actor, "topup": topup, "made_at_us": now_us()}
    async with ledger.engine.begin() as connection:
        insert = sqlite.insert if is_sqlite(connection) else postgresql.insert
        await connection.execute(insert(gift_basket).values(row).on_conflict_do_nothing())
    wanted = known.amount if known is not None else missing
    begun, url = await topups.begin(ledger.engine, provider, network, card, currency, wanted, return_url, topup)
    return begun.id, url


async def complete(ledger: Ledger, key: bytes, id_: UUID) -> bool:
    """Buy a voucher whose money has come; as often as anyone likes. Whether it still waits."""
    async with ledger.reader.connect() as connection:
        row = (await connection.execute(sa.select(gift_basket).where(gift_basket.c.id == id_))).one_or_none()
    if row is None:
        return False
    paid = await _topup(ledger, row.topup)
    if paid is None:
        if now_us() - row.made_at_us < LEFT_US:
            return True
    elif paid.status == "pending":
        return True
    elif paid.status == "credited":
        try:
            await _buy(ledger, key, row)
        except Unavailable:
            raise
        except DomainError as error:
            _log.info("voucher not bought", id=str(id_), code=error.code)
    async with ledger.engine.begin() as connection:
        await connection.execute(sa.delete(gift_basket).where(gift_basket.c.id == id_))
    return False


async def complete_all(ledger: Ledger, key: bytes) -> None:
    """One round."""
    async with ledger.reader.connect() as connection:
        waiting = list((await connection.execute(sa.select(gift_basket.c.id))).scalars())
    for id_ in waiting:
        try:
            await complete(ledger, key, id_)
        except Exception:
            _log.exception("voucher not completed", id=str(id_))


async def complete_for_ever(ledger: Ledger, key: bytes, every_s: float = EVERY_S) -> None:
    """Again and again, until cancelled. What goes wrong is logged and tried the next time."""
    while True:
        try:
            await complete_all(ledger, key)
        except Exception:
            _log.exception("vouchers could not be completed")
        await asyncio.sleep(every_s)


async def _buy(ledger: Ledger, key: bytes, row: Any) -> None:
    async with ledger.reader.connect() as connection:
        network, known = await the_network(connection), await currencies(connection)
        card = await card_by_id(connection, row.card)
    terms = await terms_of(ledger, network, None, known[row.currency])
    await bought.buy(ledger, terms, key, card, row.amount, row.id, actor=row.actor, words=row.words)


def _require_sold(terms: Terms, card: Card, amount: int) -> None:
    transfer = terms.policy.transfer
    if not bought.sold(terms):
        raise Forbidden(f"{terms.currency.code} is not passed on between holders.", "transfer-not-allowed")
    if card.status != "active":
        raise Forbidden("This card is blocked.", "card-blocked")
    if transfer.per_payment is not None and amount > transfer.per_payment:
        raise Conflict("More than may be passed on at once.", "spending-limit", most=transfer.per_payment)
    if terms.currency.cents_per_unit is None:
        raise DomainError("insufficient-funds", REFUSALS["insufficient-funds"])


async def _topup(ledger: Ledger, id_: UUID) -> topups.Topup | None:
    try:
        return await topups.named(ledger.engine, id_)
    except NotFound:
        return None
