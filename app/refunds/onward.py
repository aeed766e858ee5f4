"""Money that came back to a wallet goes on to the payment that had brought it: a refund that nobody has to ask for.

The cards stay open: it is a fixed amount, set aside at once, and not what a card still holds once every till has told
what it sold. What was spent meanwhile is not sent. What of the payment is to be given back is planned in the
transaction that writes the refund down, so nobody else gives it back meanwhile; where the provider will not give it
back, it is on the card again.
"""

from __future__ import annotations

from contextlib import suppress
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.cards.service import Card, balances
from app.holders.tables import holder_account, holder_wallet
from app.ledger.service import Ledger
from app.platform.clock import now_us
from app.platform.errors import Conflict, NotFound
from app.refunds import service, store
from app.refunds.store import Line, Request
from app.topups import refunding
from app.topups.provider import Provider
from app.topups.service import Topup


async def send_on(
    ledger: Ledger, provider: Provider | None, card: Card, of: Topup, units: int, id_: UUID, reason: str
) -> Request | None:
    """At most so many minor units of the top-up's money. The same `id_` again is the same refund. None: nothing of it
    goes that way, for the rules of the money, the provider, or what that payment gave back already.

    Conflict("refund-open"): the wallet has another refund under way; later, it may be tried again.
    """
    async with ledger.reader.connect() as connection:
        try:
            return await store.named(connection, id_)
        except NotFound:
            at = await service.world(connection)
    money = service.refundable(at).get(of.currency)
    if money is None or provider is None or provider.name != of.provider or of.status != "credited":
        return None
    rate, now = money.cents_per_unit or 0, now_us()
    held = (await balances(ledger, f"wallet:{of.wallet}", {money.code: money}))[money.code]
    try:
        async with ledger.engine.begin() as connection:
            found = dict(await refunding.rooms(connection, of.wallet, of.currency, of.provider, locked=True))
            # Whoever was quicker has written it down by now, and planned what the payment had left.
            with suppress(NotFound):
                return await store.named(connection, id_)
            sent = min(units, held, found.get(of.id, 0) // rate)
            if sent <= 0:
                return None
            address = await _address(connection, of.wallet)
            new = Request(
                id_, of.wallet, card.id, "cards", "staff", "", "", address, "fr", "setting", 1, 0, now, now,
                lines=(Line(of.currency, sent),), topup=of.id,
            )  # fmt: skip
            await store.add(connection, new, [], "server", reason)
            await store.set_lines(connection, new, [Line(of.currency, sent, sent, sent * rate, 0)])
            await refunding.plan(connection, id_, [(of.id, sent * rate)])
    except sa.exc.IntegrityError as error:
        raise Conflict("A refund of this card is under way already.", "refund-open") from error
    return await service.advance(ledger, provider, id_)


async def _address(connection: AsyncConnection, wallet: UUID) -> str:
    """Of the account that has the wallet; "" where there is none."""
    query = sa.select(holder_account.c.email).join(holder_wallet, holder_wallet.c.account == holder_account.c.id)
    return str(await connection.scalar(query.where(holder_wallet.c.wallet == wallet).limit(1)) or "")
