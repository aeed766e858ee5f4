"""Defining moneys with their record in the audit log, and reading of the ledger how much of each there is."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from math import ceil
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncConnection

from app.currencies.policies import PolicyVersion, add_policy, policies
from app.currencies.policy_text import write_policy
from app.currencies.service import Currency, currencies, define
from app.identity.audit import audit
from app.ledger.rules.kinds import BookKind
from app.ledger.service import Ledger, OperationFilter, Period
from app.platform.clock import now_us
from app.platform.errors import Invalid, NotFound
from app.rules.policy import Policy
from app.rules.policy_check import problems
from app.venues.service import set_accepted, venues

# So many points show a year, and cost little enough to be read whenever somebody looks.
POINTS_MAX = 62
DAYS_MAX = 3660


@dataclass(frozen=True, slots=True)
class SupplyPoint:
    """Minor units in circulation at the end of `day`, on the clocks of the network; of today, as of now."""

    day: date
    amount: int


@dataclass(frozen=True, slots=True)
class Entry:
    """One transfer of a currency's book, in accounting form. `debit`, `credit`: (kind of account, owner)."""

    seq: int
    operation: UUID
    kind: str
    actor: str
    booked_at_us: int
    policy: str
    debit: tuple[str, str]
    credit: tuple[str, str]
    amount: int


@dataclass(frozen=True, slots=True)
class Journal:
    """`next`: the cursor of older entries, None where there are none."""

    entries: list[Entry]
    next: int | None


async def one(connection: AsyncConnection, code: str) -> Currency:
    found = (await currencies(connection)).get(code)
    if found is None:
        raise NotFound(f"There is no currency {code}.")
    return found


async def define_currency(
    connection: AsyncConnection,
    new: Currency,
    policy: Policy,
    author: str,
    *,
    valid_from_us: int | None = None,
    accepted_by: Collection[UUID] = (),
) -> PolicyVersion:
    """A new currency, taken at once by these venues. Raises as app.currencies.service.define, and Invalid for a venue
    that is not there."""
    at = await venues(connection)
    if new.issuer.startswith("venue:") and new.issuer not in {it.owner for it in at.values()}:
        raise Invalid("The venue that issues it is not in the network.", "currency-invalid", field="issuer")
    _check_venues(new, policy, [it.slug for it in at.values()])
    first = await define(connection, new, policy, author, valid_from_us)
    about = {"kind": new.kind, "issuer": new.issuer, "names": new.names, "cents_per_unit": new.cents_per_unit}
    await audit(connection, author, "currency.define", f"currency:{new.code}", **about, policy=write_policy(policy))
    for venue in accepted_by:
        await set_accepted(connection, venue, [*at[venue].accepted, new.code])
    return first


async def add_version(
    connection: AsyncConnection, code: str, policy: Policy, author: str, valid_from_us: int | None = None
) -> PolicyVersion:
    """The next version of a currency's rules, from now unless a date is given. What says nothing new is not added: it
    is the newest version that is answered. Raises as app.currencies.policies.add_policy."""
    currency = await one(connection, code)
    _check_venues(currency, policy, [it.slug for it in (await venues(connection)).values()])
    newest = (await policies(connection))[code][-1]
    if newest.version and newest.policy == policy and valid_from_us in {None, newest.valid_from_us}:
        return newest
    # Rules that were announced for later stay the newest: what is added meanwhile holds from then on too.
    begins_us = now_us() if valid_from_us is None else valid_from_us
    new = await add_policy(connection, code, policy, begins_us, author)
    about = {"version": new.version, "valid_from_us": begins_us, "policy": write_policy(policy)}
    await audit(connection, author, "currency.policy", f"currency:{code}", **about)
    return new


def _check_venues(currency: Currency, policy: Policy, slugs: Collection[str]) -> None:
    strangers = [it for it in problems(currency.kind, policy, known_venues=slugs) if it.code == "unknown-venue"]
    if strangers:
        told = [{"code": it.code, "field": it.field, "text": it.text} for it in strangers]
        raise Invalid(strangers[0].text, "policy-invalid", problems=told)


async def supply(ledger: Ledger, code: str, days: int, zone: str) -> list[SupplyPoint]:
    """The last `days` days up to now, evenly spaced, the newest last; never more than POINTS_MAX + 1 points."""
    today = datetime.fromtimestamp(now_us() / 1_000_000, ZoneInfo(zone)).date()
    step = ceil(days / POINTS_MAX)
    shown = [today - timedelta(days=back) for back in range(days - days % step, 0, -step)]
    at_us = [_end_of(day, zone) for day in shown]
    amounts = await ledger.history.supply(code, [*at_us, now_us()])
    return [SupplyPoint(day, amount) for day, amount in zip([*shown, today], amounts, strict=True)]


def begin_of(day: date, zone: str) -> int:
    """Midnight at its start, in microseconds."""
    return int(datetime.combine(day, time(), ZoneInfo(zone)).timestamp()) * 1_000_000


def _end_of(day: date, zone: str) -> int:
    return begin_of(day + timedelta(days=1), zone) - 1


async def in_circulation(ledger: Ledger, known: Mapping[str, Currency]) -> dict[str, int]:
    """Minor units by currency, as of now."""
    found = {}
    for code in known:
        (found[code],) = await ledger.history.supply(code, [now_us()])
    return found


async def journal(
    ledger: Ledger, code: str, *, cursor: int | None = None, limit: int = 100, venues: frozenset[UUID] | None = None
) -> Journal:
    """Transfers of a currency, of the newest operations first; `venues`: only what was booked there. A page may hold
    few entries, or none, and still have a `next` one."""
    history = ledger.history
    opened, closed = await history.between(Period())
    page = await history.operations(opened, closed, OperationFilter(venues=venues), cursor=cursor, limit=limit)
    entries = [
        Entry(
            it.seq,
            it.id,
            it.kind,
            it.actor,
            it.booked_at_us,
            it.policy,
            (page.accounts[t.debit].kind, page.accounts[t.debit].owner),
            (page.accounts[t.credit].kind, page.accounts[t.credit].owner),
            t.amount,
        )
        for it in page.operations
        for t in it.transfers
        if _is_of(page.accounts[t.debit].book.kind, page.accounts[t.debit].book.currency, code)
    ]
    return Journal(entries, page.next)


def _is_of(kind: BookKind, currency: str, code: str) -> bool:
    return kind is BookKind.CURRENCY and currency == code
