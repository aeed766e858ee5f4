"""Members trade on mutual credit, and holders give to each other.

A mutual currency has no issuance: what one member is up, others are down, and all balances sum to 0. A buyer goes down
to their credit limit. The commission is one of the same operation's postings, in the currency or in euros.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from app.cards.service import Card, overdraft_key, wallet_key
from app.currencies.service import Currency
from app.ledger.rules.kinds import AccountKey
from app.ledger.rules.operations import Cap, Condition, Flow, Posted, Posting, Within
from app.ledger.service import Ledger, currency_book, operating_book
from app.mutual.funds import COMMON_FUND
from app.mutual.ground import Ground, operation
from app.mutual.members import Member, open_credit
from app.mutual.rules import Commission, commission
from app.platform.clock import now_us
from app.platform.errors import Conflict, Forbidden, Invalid, NotFound
from app.rules.business_day import business_day
from app.rules.policy import Limits
from app.rules.vat import vat_within
from app.venues.service import Network

TRADE, TRANSFER = "trade", "transfer"
REVERSED = f"{TRADE}.reversal"
# What pays out of a wallet, and so counts for what it may pay in a day, a week or a month.
PAYMENTS = (TRADE, TRANSFER, "sale")
NETWORK = "network"


@dataclass(frozen=True, slots=True)
class Traded:
    """A trade or transfer as it is booked. `commission`: minor units of `commission_in`, a currency code or EUR."""

    seq: int
    amount: int
    commission: int = 0
    commission_in: str = ""


async def trade(
    engine: AsyncEngine,
    ledger: Ledger,
    ground: Ground,
    buyer: Member,
    seller: Member,
    amount: int,
    id_: UUID,
    *,
    actor: str,
    reason: str,
) -> Traded:
    """`amount` from buyer to seller, and the commission from whom the policy says.

    Raises Forbidden("card-blocked"), Invalid (with oneself), Conflict("spending-limit"), and what `Ledger.post_one`
    raises.
    """
    currency, policy = ground.currency, ground.rules.policy
    asked = {
        "currency": currency.code,
        "amount": amount,
        "buyer": buyer.card.uid,
        "seller": seller.card.uid,
        "reason": reason,
    }
    if not await ledger.booked([id_]):
        _check(buyer.card, seller.card, amount, policy.limits.per_payment)
        for who in (buyer, seller):
            await open_credit(engine, ledger, who, currency, policy)
    due = commission(amount, policy.commission)
    wallet_b, wallet_s, overdraft_s = await ledger.accounts(
        [
            wallet_key(buyer.owner, currency),
            wallet_key(seller.owner, currency),
            overdraft_key(seller.owner, currency),
        ]
    )
    postings: tuple[Posting, ...] = (Posting(wallet_b, overdraft_s, amount, credit_overflow=wallet_s),)
    found: dict[str, Any] = {}
    if due is not None:
        payer, wallet = (buyer, wallet_b) if due.payer == "buyer" else (seller, wallet_s)
        vat_bp = ground.network.settings.fee_vat_basis_points
        postings += await _commission(ledger, currency, due, payer.owner, wallet, vat_bp)
        found = {"commission": due.amount, "commission_in": "EUR" if due.in_euros else currency.code}
    conditions = _bounds(policy.limits, wallet_b, (wallet_s,), ground.day)
    return await _posted(ledger, ground, TRADE, id_, postings, actor, asked, found, conditions)


async def give(
    ledger: Ledger, ground: Ground, giver: Card, taker: Card, amount: int, id_: UUID, *, actor: str, reason: str
) -> Traded:
    """`amount` from one holder to another, where the currency's policy lets them.

    Mutual credit is never given, only traded: a gift would go round the commission. Raises
    Forbidden("transfer-not-allowed"), Forbidden("card-blocked"), Invalid (to oneself), Conflict("spending-limit").
    """
    currency, policy = ground.currency, ground.rules.policy
    asked = {
        "currency": currency.code,
        "amount": amount,
        "from": giver.uid,
        "to": taker.uid,
        "reason": reason,
    }
    terms = policy.transfer
    if not await ledger.booked([id_]):
        if not terms.allowed:
            raise Forbidden(f"{currency.code} is not passed on between holders.", "transfer-not-allowed")
        _check(giver, taker, amount, terms.per_payment, policy.limits.per_payment)
    wallet_g, wallet_t, overdraft_t = await ledger.accounts(
        [wallet_key(giver.owner, currency), wallet_key(taker.owner, currency), overdraft_key(taker.owner, currency)]
    )
    conditions = _bounds(policy.limits, wallet_g, (wallet_t, overdraft_t), ground.day)
    if terms.per_day is not None:
        today = Flow((wallet_g,), False, (TRANSFER,), ground.day, ground.day)
        conditions += (Cap(today, terms.per_day, "spending-limit"),)
    # What the taker owes after an offline sale is repaid first: a wallet holds no money beside a debt.
    postings = (Posting(wallet_g, overdraft_t, amount, credit_overflow=wallet_t),)
    return await _posted(ledger, ground, TRANSFER, id_, postings, actor, asked, {}, conditions)


async def take_back(ledger: Ledger, network: Network, original: UUID, id_: UUID, *, actor: str, reason: str) -> Posted:
    """A trade that was a mistake, taken back whole with its commission.

    Raises NotFound, and what the ledger refuses: what the seller can no longer give, and what was taken back before.
    """
    found = (await ledger.booked([original])).get(original)
    if found is None or found.kind != TRADE:
        raise NotFound("There is no such trade.")
    now = now_us()
    back = await ledger.reversal(
        found,
        id_,
        actor=actor,
        occurred_at_us=now,
        business_day=business_day(now, network.settings.zone),
        details=json.dumps({"reason": reason}, ensure_ascii=False),
    )
    # The last posting first: a seller gives back what they got only once they have their commission again.
    return await ledger.post_one(replace(back, postings=back.postings[::-1]))


async def _commission(
    ledger: Ledger, currency: Currency, due: Commission, payer: str, wallet: int, vat_basis_points: int
) -> tuple[Posting, ...]:
    """In the currency: payer's wallet / what the network or its common fund has taken. In euros: receivable / income,
    the VAT that it contains set apart."""
    if not due.in_euros:
        kind, owner = ("fund", COMMON_FUND) if due.beneficiary == "fund" else ("claim", NETWORK)
        book = currency_book(currency.issuer, currency.code)
        (taken,) = await ledger.accounts([AccountKey(book, kind, owner)])
        return (Posting(wallet, taken, due.amount),)
    book = operating_book(currency.issuer)
    receivable, income, vat = await ledger.accounts(
        [AccountKey(book, "receivable", payer), AccountKey(book, "fee_income"), AccountKey(book, "vat")]
    )
    tax = vat_within(due.amount, vat_basis_points)
    rows = ((income, due.amount - tax), (vat, tax))
    return tuple(Posting(receivable, account, part) for account, part in rows if part)


def _check(giver: Card, taker: Card, amount: int, *most: int | None) -> None:
    if "blocked" in {giver.status, taker.status}:
        raise Forbidden("This card is blocked.", "card-blocked")
    if giver.wallet == taker.wallet:
        raise Invalid("Nobody trades with themselves.")
    bounds = [it for it in most if it is not None]
    if bounds and amount > min(bounds):
        raise Conflict("More than may be paid at once.", "spending-limit", most=min(bounds))


def _bounds(limits: Limits, giver: int, takers: tuple[int, ...], day: date) -> tuple[Condition, ...]:
    """What the wallet may pay in a day, in seven and in thirty, and what the other may hold; seen under the lock."""
    conditions: list[Condition] = [
        Cap(Flow((giver,), False, PAYMENTS, day - timedelta(days - 1), day), most, "spending-limit")
        for days, most in ((1, limits.per_day), (7, limits.per_week), (30, limits.per_month))
        if most is not None
    ]
    if limits.ceiling is not None:
        conditions.append(Within(takers, "over-ceiling", most=limits.ceiling))
    return tuple(conditions)


async def _posted(
    ledger: Ledger,
    ground: Ground,
    kind: str,
    id_: UUID,
    postings: tuple[Posting, ...],
    actor: str,
    asked: Mapping[str, Any],
    found: Mapping[str, Any],
    conditions: tuple[Condition, ...],
) -> Traded:
    posted = await ledger.post_one(
        operation(
            id_,
            kind,
            postings,
            actor=actor,
            at_us=ground.at_us,
            day=ground.day,
            asked=asked,
            found=found,
            policy=ground.rules.label,
            conditions=conditions,
        )
    )
    # Posted again, it has the commission of its first day, whatever the rules say now.
    said = json.loads((await ledger.booked([id_]))[id_].details) if posted.replayed else {**asked, **found}
    return Traded(posted.seq, said["amount"], said.get("commission", 0), said.get("commission_in", ""))
