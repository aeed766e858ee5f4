"""Gift vouchers that holders buy: money of their own, set aside for whoever has the code (W / fund "vouchers:<batch>").

A voucher is a batch of one, with the wallet that bought it. It is used as any other (app/issuing/vouchers.py). Until
then its buyer may take it back, and where the currency's rules let money lapse, its time ends as they say: both ways
the money is the buyer's again. It is money passed on: only where the rules let holders do that, and within what they
allow.
"""

from __future__ import annotations

import json
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from app.cards.service import Card, wallet_key
from app.issuing.batches import Batch, batch_of, content_of, keep, known_batch
from app.issuing.rules import code_hash, part_id, voucher_code
from app.issuing.service import Terms
from app.issuing.tables import issue_batch, voucher
from app.issuing.vouchers import BOUGHT, DAY_US, Voucher, fund_of, vouchers_of, withdraw
from app.ledger.rules.operations import Cap, Condition, Flow, Operation, Posting, Refused
from app.ledger.service import REFUSALS, Ledger, posted
from app.platform.errors import Conflict, DomainError, Forbidden, Invalid, NotFound

WORDS_MAX: Final = 80
SHOWN: Final = 50
# What of a day's money was passed on.
PASSED_ON: Final = ("move", "transfer", BOUGHT)


def sold(terms: Terms) -> bool:
    """Whether holders buy vouchers of this currency."""
    return terms.policy.transfer.allowed and terms.currency.kind != "mutual"


async def buy(
    ledger: Ledger, terms: Terms, key: bytes, card: Card, amount: int, id_: UUID, *, actor: str, words: str
) -> Batch:
    """A voucher of `amount` minor units, paid from the card; `words`: what its buyer writes on it. The same form again
    is the same voucher.

    Raises Forbidden("transfer-not-allowed"), Forbidden("card-blocked"), Invalid("invalid", field="amount" or "words"),
    Conflict("spending-limit"), DomainError("insufficient-funds"), Invalid("idempotency-key-reused").
    """
    content = content_of(terms.currency.code, card.wallet, words, amount)
    async with ledger.reader.connect() as connection:
        batch = await known_batch(connection, id_, content)
    if batch is None:
        batch = await _keep(ledger, terms, key, card, amount, id_, actor, words, content)
    wallet, fund = await ledger.accounts([wallet_key(card.owner, terms.currency), fund_of(terms.currency, id_)])
    conditions: tuple[Condition, ...] = ()
    if terms.policy.transfer.per_day is not None:
        today = Flow((wallet,), False, PASSED_ON, terms.day, terms.day)
        conditions = (Cap(today, terms.policy.transfer.per_day, "spending-limit"),)
    (outcome,) = await ledger.post(
        [
            Operation(
                id=id_,
                kind=BOUGHT,
                fingerprint=content,
                postings=(Posting(wallet, fund, amount),),
                actor=actor,
                occurred_at_us=batch.made_at_us,
                business_day=terms.day,
                policy=terms.version.label,
                details=json.dumps({"amount": amount, "vouchers": 1}, separators=(",", ":")),
                conditions=conditions,
            )
        ]
    )
    if isinstance(outcome, Refused):
        async with ledger.engine.begin() as connection:
            await connection.execute(sa.delete(voucher).where(voucher.c.batch == id_))
            await connection.execute(sa.delete(issue_batch).where(issue_batch.c.id == id_))
        raise DomainError(outcome.reason, REFUSALS[outcome.reason])
    posted(outcome)
    return batch


async def bought_by(ledger: Ledger, wallet: UUID) -> list[Voucher]:
    """Those that were paid, the newest first."""
    async with ledger.reader.connect() as connection:
        query = sa.select(issue_batch.c.id).where(issue_batch.c.wallet == wallet)
        query = query.order_by(issue_batch.c.made_at_us.desc(), issue_batch.c.id).limit(SHOWN)
        mine = [await batch_of(connection, id_) for id_ in (await connection.execute(query)).scalars().all()]
    paid = await ledger.booked([it.id for it in mine])
    return [one for it in mine if it.id in paid for one in await vouchers_of(ledger, it)]


async def bought_named(ledger: Ledger, card: Card, id_: UUID) -> Batch:
    """One that this card's wallet bought and paid. Raises NotFound."""
    async with ledger.reader.connect() as connection:
        found = await batch_of(connection, id_)
    if found.wallet != card.wallet or not await ledger.booked([id_]):
        raise NotFound("There is no such voucher.")
    return found


def code_of(key: bytes, batch: UUID) -> str:
    """Its code: the buyer may look it up as long as they like, for it is kept nowhere and made again each time."""
    return voucher_code(key, part_id(batch, "1"))


async def take_back(ledger: Ledger, terms: Terms, it: Voucher, *, actor: str) -> bool:
    """Its money, to the buyer's wallet, as long as nobody has used it: whether this did it."""
    return bool(await withdraw(ledger, terms, [it], actor=actor))


async def _keep(
    ledger: Ledger,
    terms: Terms,
    key: bytes,
    card: Card,
    amount: int,
    id_: UUID,
    actor: str,
    words: str,
    content: bytes,
) -> Batch:
    transfer, currency = terms.policy.transfer, terms.currency
    if not sold(terms):
        raise Forbidden(f"{currency.code} is not passed on between holders.", "transfer-not-allowed")
    if card.status != "active":
        raise Forbidden("This card is blocked.", "card-blocked")
    if amount <= 0:
        raise Invalid("Choose an amount.", field="amount")
    if len(words) > WORDS_MAX:
        raise Invalid("Write less on it.", field="words")
    if transfer.per_payment is not None and amount > transfer.per_payment:
        raise Conflict("More than may be passed on at once.", "spending-limit", most=transfer.per_payment)
    days = terms.policy.lapse.expires_after_days
    until = None if days is None else terms.now_us + days * DAY_US
    new = Batch(
        id_, "vouchers", currency.code, None, amount, 1, words, until, actor, content, terms.now_us, card.wallet
    )
    one = part_id(id_, "1")
    row = {"id": one, "batch": id_, "number": 1, "code_sha256": code_hash(voucher_code(key, one))}
    try:
        async with ledger.engine.begin() as connection:
            await keep(connection, new, [(voucher, [row])])
    except sa.exc.IntegrityError:
        # The same form came twice at once: both go on with what was kept.
        async with ledger.reader.connect() as connection:
            kept = await known_batch(connection, id_, content)
        if kept is None:
            raise
        return kept
    return new
