"""Money moved between wallets of one account: an operation of its own kind, once for each form.

Pegged money that does not lapse may always be moved: it stays with whom it belongs to, as where a card is replaced.
What was earned, given or lent under rules of its own moves only where the currency's policy lets holders pass it on,
and within that policy's limits, for whoever has two cards could else get round them.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from hashlib import sha256
from uuid import UUID

from app.cards.service import overdraft_key, wallet_key
from app.currencies.policies import PolicyVersion, policies, policy_at
from app.currencies.service import Currency, currencies
from app.holders.accounts import Session
from app.holders.wallets import Wallet
from app.ledger.rules.operations import Cap, Condition, Flow, Operation, Posted, Posting, Within
from app.ledger.service import Ledger
from app.platform.clock import now_us
from app.platform.errors import Conflict, Forbidden, Invalid
from app.rules.business_day import business_day
from app.rules.policy import Lapse
from app.venues.service import Network, the_network

MOVE = "move"


@dataclass(frozen=True, slots=True)
class Terms:
    """Under which rules something is moved now."""

    network: Network
    currency: Currency
    version: PolicyVersion
    at_us: int

    @property
    def free(self) -> bool:
        """Whether it moves between somebody's own wallets whatever holders may do among each other."""
        return self.currency.kind == "pegged" and self.version.policy.lapse == Lapse()

    @property
    def moves(self) -> bool:
        return self.currency.kind != "mutual" and (self.free or self.version.policy.transfer.allowed)


async def terms_of(ledger: Ledger) -> dict[str, Terms]:
    """By currency, what holds now."""
    now = now_us()
    async with ledger.reader.connect() as connection:
        network, known = await the_network(connection), await currencies(connection)
        versions = await policies(connection)
    return {code: Terms(network, it, policy_at(versions[code], now), now) for code, it in known.items()}


async def move(
    ledger: Ledger, terms: Terms, session: Session, giver: Wallet, taker: Wallet, amount: int, id_: UUID
) -> Posted:
    """`amount` minor units from one wallet to another of the same account. The same form again changes nothing.

    Raises Forbidden("transfer-not-allowed"), Invalid (to itself, nothing), Conflict("spending-limit"), and what
    Ledger.post_one raises: DomainError("insufficient-funds", "over-ceiling", "spending-limit").
    """
    policy, currency = terms.version.policy, terms.currency
    if not await ledger.booked([id_]):
        if not terms.moves:
            raise Forbidden(f"{currency.code} is not passed on between cards.", "transfer-not-allowed")
        if giver.id == taker.id or amount <= 0:
            raise Invalid("Choose an amount, and another card than the one that it comes from.")
        most = policy.transfer.per_payment
        if not terms.free and most is not None and amount > most:
            raise Conflict("More than may be passed on at once.", "spending-limit", most=most)
    wallet_g, wallet_t, overdraft_t = await ledger.accounts(
        [wallet_key(giver.owner, currency), wallet_key(taker.owner, currency), overdraft_key(taker.owner, currency)]
    )
    day = business_day(terms.at_us, terms.network.settings.zone)
    conditions: list[Condition] = []
    if policy.limits.ceiling is not None:
        conditions.append(Within((wallet_t, overdraft_t), "over-ceiling", most=policy.limits.ceiling))
    if not terms.free and policy.transfer.per_day is not None:
        today = Flow((wallet_g,), False, (MOVE, "transfer"), day, day)
        conditions.append(Cap(today, policy.transfer.per_day, "spending-limit"))
    asked = {"currency": currency.code, "amount": amount, "from": str(giver.id), "to": str(taker.id)}
    return await ledger.post_one(
        Operation(
            id=id_,
            kind=MOVE,
            fingerprint=sha256(json.dumps([session.actor, asked], sort_keys=True).encode()).digest(),
            # What the other one owes after an offline sale is repaid first: a wallet holds no money beside a debt.
            postings=(Posting(wallet_g, overdraft_t, amount, credit_overflow=wallet_t),),
            actor=session.actor,
            occurred_at_us=terms.at_us,
            business_day=day,
            policy=terms.version.label,
            details=json.dumps(asked, separators=(",", ":")),
            conditions=tuple(conditions),
        )
    )
