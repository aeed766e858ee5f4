"""Issuing onto one card what is not bought: hours of volunteers, gifts, points for what somebody contributed.

The currency's policy says who may issue, how much at once and how much onto one card on one business day; the day's cap
and the ceiling are decided under the ledger's lock, so two requests at once cannot both use what is left. Everything
issued is an operation with its author, its reason and the version of the rules.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from uuid import UUID

from app.cards.service import Card, overdraft_key, wallet_key
from app.currencies.policies import PolicyVersion, policies, policy_at
from app.currencies.service import Currency
from app.identity.roles import Principal
from app.issuing.rules import Role
from app.ledger.rules.kinds import AccountKey
from app.ledger.rules.operations import Cap, Condition, Flow, Operation, Posted, Posting, Within
from app.ledger.service import Ledger, currency_book
from app.platform.clock import now_us
from app.platform.errors import Conflict, DomainError, Forbidden, Invalid
from app.rules.business_day import business_day
from app.rules.policy import Policy
from app.venues.service import Network, Venue

SHIFT, GIFT, CONTRIBUTION = "shift", "gift", "contribution"
# What the operations of each kind of currency are called; the others are not issued by hand.
ISSUED_AS = {"time": SHIFT, "gift": GIFT, "points": CONTRIBUTION}


@dataclass(frozen=True, slots=True)
class Terms:
    """Under which rules, where and on which business day something is issued. `per_day`: the cap onto one card."""

    currency: Currency
    version: PolicyVersion
    venue: Venue | None
    day: date
    now_us: int
    per_day: int | None

    @property
    def policy(self) -> Policy:
        return self.version.policy

    @property
    def kind(self) -> str:
        return ISSUED_AS[self.currency.kind]


async def terms_of(ledger: Ledger, network: Network, venue: Venue | None, currency: Currency) -> Terms:
    """What holds now. `venue` is None for what the network itself issues."""
    now = now_us()
    async with ledger.reader.connect() as connection:
        version = policy_at((await policies(connection))[currency.code], now)
    day = business_day(now, network.settings.zone) if venue is None else venue.day_of(now)
    per_day = version.policy.issue.per_day
    if per_day is None and currency.kind == "time":
        per_day = network.settings.shift_max_minutes_per_day
    return Terms(currency, version, venue, day, now, per_day)


def may_issue(caller: Principal, terms: Terms) -> bool:
    """Whether the policy lets them, by a role that reaches the venue (the network's own: a role of the network). What
    one venue issues is issued there alone."""
    at = None if terms.venue is None else terms.venue.id
    if terms.currency.issuer not in {"network", f"venue:{at}"}:
        return False
    return caller.holds_role(terms.policy.issue.roles, at)


def require_issuer(caller: Principal, terms: Terms) -> None:
    """Raises Forbidden."""
    if not may_issue(caller, terms):
        raise Forbidden(f"The rules of {terms.currency.code} do not let you issue it here.")


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

    Raises Forbidden("card-blocked"), Invalid("currency-not-accepted"), Invalid("too-much-at-once"), and
    Conflict("daily-cap") with `cap` and `credited`, in minutes.
    """
    if currency.kind != "time":
        raise Invalid(f"{currency.code} does not count hours.", "currency-not-accepted")
    terms = await terms_of(ledger, network, venue, currency)
    details = {"card": card.uid, "reason": reason, "minutes": minutes}
    return await credit(ledger, terms, card, minutes, id_, actor=actor, details=details)


async def record_contribution(
    ledger: Ledger,
    network: Network,
    venue: Venue,
    card: Card,
    currency: Currency,
    points: int,
    id_: UUID,
    *,
    actor: str,
    role: Role,
    reason: str,
) -> tuple[Posted, int]:
    """`points` onto a card for what its holder did as `role`: (posted, points the card holds after).

    Points are never convertible. Raises as `credit_shift` does.
    """
    if currency.kind != "points":
        raise Invalid(f"{currency.code} does not count points.", "currency-not-accepted")
    terms = await terms_of(ledger, network, venue, currency)
    details = {"card": card.uid, "reason": reason, "points": points, "role": role}
    return await credit(ledger, terms, card, points, id_, actor=actor, details=details)


async def credit(
    ledger: Ledger, terms: Terms, card: Card, amount: int, id_: UUID, *, actor: str, details: Mapping[str, object]
) -> tuple[Posted, int]:
    """(posted, what the card holds after, less what it still owes). What was credited before stays so: asked for again,
    it gets the first answer, whatever has changed since. Raises as `credit_shift` does."""
    if not await ledger.booked([id_]):
        if card.status != "active":
            raise Forbidden("This card is blocked.", "card-blocked")
        check_amount(terms, amount)
    (operation,) = await issue_operations(ledger, terms, [(id_, card, amount, details)], actor=actor)
    try:
        posted = await ledger.post_one(operation)
    except DomainError as error:
        if error.code != "daily-cap":
            raise
        raise await over_the_cap(ledger, terms, operation) from None
    # The last one filled the wallet, or went into what is still owed.
    return posted, posted.transfers[-1].credit_after


def check_amount(terms: Terms, amount: int) -> None:
    """Raises Invalid("too-much-at-once") for more than the policy lets anybody issue in one operation."""
    most = terms.policy.issue.per_operation
    if most is not None and amount > most:
        raise Invalid("This is more than may be issued at once.", "too-much-at-once", most=most)


async def issue_operations(
    ledger: Ledger,
    terms: Terms,
    parts: Sequence[tuple[UUID, Card, int, Mapping[str, object]]],
    *,
    actor: str,
) -> list[Operation]:
    """One operation for each (id, card, amount, details): issuance / what the wallet owes, then the wallet."""
    currency = terms.currency
    issuance_key = AccountKey(currency_book(currency.issuer, currency.code), "issuance")
    owners = [card.owner for _, card, _, _ in parts]
    keys = [key for owner in owners for key in (overdraft_key(owner, currency), wallet_key(owner, currency))]
    issuance, *pairs = await ledger.accounts([issuance_key, *keys])
    venue = None if terms.venue is None else terms.venue.id
    return [
        Operation(
            id=id_,
            kind=terms.kind,
            fingerprint=sha256(json.dumps([actor, str(venue), details], sort_keys=True).encode()).digest(),
            postings=(Posting(issuance, overdraft, amount, credit_overflow=wallet),),
            actor=actor,
            occurred_at_us=terms.now_us,
            business_day=terms.day,
            venue=venue,
            policy=terms.version.label,
            details=json.dumps(details, ensure_ascii=False, separators=(",", ":")),
            conditions=_conditions(terms, (overdraft, wallet)),
        )
        for (id_, _, amount, details), overdraft, wallet in zip(parts, pairs[::2], pairs[1::2], strict=True)
    ]


def _conditions(terms: Terms, accounts: tuple[int, ...]) -> tuple[Condition, ...]:
    """The day's cap and the ceiling of one wallet, whose overdraft and wallet `accounts` are."""
    held: list[Condition] = []
    if terms.per_day is not None:
        held.append(Cap(Flow(accounts, True, (terms.kind,), terms.day, terms.day), terms.per_day, "daily-cap"))
    if terms.policy.limits.ceiling is not None:
        held.append(Within(accounts, "over-ceiling", most=terms.policy.limits.ceiling))
    return tuple(held)


async def over_the_cap(ledger: Ledger, terms: Terms, operation: Operation) -> Conflict:
    """The refusal of `operation`, with what a day takes and what the card has got of it already, in minor units."""
    flow = next(it.flow for it in operation.conditions if isinstance(it, Cap))
    credited = await ledger.flow(flow)
    return Conflict("More than one day allows.", "daily-cap", cap=terms.per_day, credited=credited)
