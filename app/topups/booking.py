"""What a top-up books: euros in, units out, and what comes with them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from hashlib import sha256
from typing import Any
from uuid import UUID

from app.cards.service import overdraft_key, wallet_key
from app.currencies.policies import PolicyVersion
from app.currencies.service import Currency, rates
from app.ledger.rules.kinds import AccountKey
from app.ledger.rules.operations import Cap, Condition, Flow, Operation, Posting, Within
from app.ledger.service import Ledger, currency_book, operating_book, reserve_book
from app.platform.clock import now_us
from app.topups.gifts import Donation, Gift

CASH, ONLINE = "topup.cash", "topup.online"
# The policy's day counts both: what is paid is on the card, however it was paid.
KINDS = (CASH, ONLINE)


def conditions_of(version: PolicyVersion, accounts: tuple[int, ...], day: date) -> tuple[Condition, ...]:
    """The day's cap and the ceiling of one wallet, whose overdraft and wallet `accounts` are."""
    found: list[Condition] = []
    if (per_day := version.policy.issue.per_day) is not None:
        found.append(Cap(Flow(accounts, True, KINDS, day, day), per_day, "daily-cap"))
    if (ceiling := version.policy.limits.ceiling) is not None:
        found.append(Within(accounts, "over-ceiling", most=ceiling))
    return tuple(found)


async def operation_of(
    ledger: Ledger,
    currencies: Mapping[str, Currency],
    currency: Currency,
    paid_into: AccountKey,
    owner: str,
    amount: int,
    euro_cents: int,
    id_: UUID,
    *,
    kind: str,
    version: PolicyVersion,
    limited: bool,
    actor: str,
    day: date,
    venue: UUID | None,
    details: dict[str, Any],
    fee_cents: int = 0,
    gift: Gift | None = None,
    given: Donation | None = None,
) -> Operation:
    """Reserve book: what was paid / liability. Currency book: issuance / what the wallet owes, then the wallet.

    `limited`: whether the rules may still refuse it; what was paid already is credited. `fee_cents`: what the provider
    keeps of it, which is the issuer's expense: due from operating / clearing, provider fees / due to reserve. `gift`:
    its own issuance / what the wallet owes of it, then the wallet. `given`: of `amount`, issuance / fund.
    """
    keys = [
        paid_into,
        AccountKey(reserve_book(currency.issuer), "liability", currency.code),
        AccountKey(currency_book(currency.issuer, currency.code), "issuance"),
        overdraft_key(owner, currency),
        wallet_key(owner, currency),
    ]
    paid, liability, issuance, overdraft, wallet = await ledger.accounts(keys, rates(currencies))
    return Operation(
        id=id_,
        kind=kind,
        fingerprint=sha256(json.dumps([kind, actor, owner, amount, details], sort_keys=True).encode()).digest(),
        postings=(
            Posting(paid, liability, euro_cents),
            *(await _fee(ledger, currency, paid, fee_cents) if fee_cents else ()),
            Posting(issuance, overdraft, amount - (given.amount if given else 0), credit_overflow=wallet),
            *((Posting(issuance, await _fund(ledger, currency, given.to), given.amount),) if given else ()),
            *(await _given(ledger, currencies[gift.currency], owner, gift.amount) if gift else ()),
        ),
        actor=actor,
        occurred_at_us=now_us(),
        business_day=day,
        venue=venue,
        policy=version.label,
        conditions=conditions_of(version, (overdraft, wallet), day) if limited else (),
        details=json.dumps(details, ensure_ascii=False, separators=(",", ":")),
    )


async def _fee(ledger: Ledger, currency: Currency, clearing: int, cents: int) -> tuple[Posting, Posting]:
    own = operating_book(currency.issuer)
    keys = [AccountKey(reserve_book(currency.issuer), "due_from", "operating")]
    keys += [AccountKey(own, kind) for kind in ("provider_fees", "due_to_reserve")]
    due_from, fees, due_to = await ledger.accounts(keys)
    return Posting(due_from, clearing, cents), Posting(fees, due_to, cents)


async def _fund(ledger: Ledger, currency: Currency, to: str) -> int:
    (fund,) = await ledger.accounts([AccountKey(currency_book(currency.issuer, currency.code), "fund", to)])
    return fund


async def _given(ledger: Ledger, of: Currency, owner: str, amount: int) -> tuple[Posting]:
    keys = [AccountKey(currency_book(of.issuer, of.code), "issuance"), overdraft_key(owner, of), wallet_key(owner, of)]
    issuance, overdraft, wallet = await ledger.accounts(keys)
    return (Posting(issuance, overdraft, amount, credit_overflow=wallet),)
