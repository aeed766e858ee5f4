"""What every act of this room looks at first: the network, the currency, and the rules that hold now."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from app.currencies.policies import PolicyVersion, policies, policy_at
from app.currencies.service import Currency, currencies
from app.ledger.rules.operations import Condition, Operation, Posting
from app.platform.clock import now_us
from app.platform.errors import Invalid
from app.rules.business_day import business_day
from app.rules.policy import CurrencyKind
from app.venues.service import Network, the_network


@dataclass(frozen=True, slots=True)
class Ground:
    """`at_us`: now; `day`: the network's business day; `rules`: the currency's policy that holds now."""

    network: Network
    currency: Currency
    rules: PolicyVersion
    at_us: int

    @property
    def day(self) -> date:
        return business_day(self.at_us, self.network.settings.zone)


async def ground_of(connection: AsyncConnection, code: str, *kinds: CurrencyKind) -> Ground:
    """Raises Invalid("currency-not-accepted") where there is no such currency, or it is of none of `kinds`."""
    at_us = now_us()
    currency = (await currencies(connection)).get(code)
    if currency is None:
        raise Invalid(f"There is no currency {code}.", "currency-not-accepted")
    if currency.kind not in kinds:
        raise Invalid(f"{code} is not used for this.", "currency-not-accepted")
    rules = policy_at((await policies(connection))[code], at_us)
    return Ground(await the_network(connection), currency, rules, at_us)


def fingerprint(kind: str, actor: str, asked: Mapping[str, Any]) -> bytes:
    """SHA-256 of what was asked for."""
    return sha256(json.dumps([kind, actor, asked], sort_keys=True, ensure_ascii=False).encode()).digest()


def told(details: Mapping[str, Any]) -> str:
    """Details as the ledger keeps them."""
    return json.dumps(details, ensure_ascii=False, separators=(",", ":"))


def operation(
    id_: UUID,
    kind: str,
    postings: tuple[Posting, ...],
    *,
    actor: str,
    at_us: int,
    day: date,
    asked: Mapping[str, Any],
    found: Mapping[str, Any] | None = None,
    venue: UUID | None = None,
    policy: str = "",
    captures: UUID | None = None,
    conditions: tuple[Condition, ...] = (),
) -> Operation:
    """`asked` is what the same id must always ask for; `found` is what followed from the rules of the day, and is kept
    beside it."""
    return Operation(
        id=id_,
        kind=kind,
        fingerprint=fingerprint(kind, actor, asked),
        postings=postings,
        actor=actor,
        occurred_at_us=at_us,
        business_day=day,
        venue=venue,
        policy=policy,
        details=told({**asked, **(found or {})}),
        captures=captures,
        conditions=conditions,
    )
