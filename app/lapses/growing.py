"""Credit limits that grow with what their members sold (policy `growth` of mutual currencies)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import timedelta

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from app.currencies.policies import PolicyVersion
from app.identity.audit import audit
from app.lapses import booking, store
from app.lapses.rules import Due, grown, period_ends
from app.lapses.service import PAGE, SETTLED_US, Rules, rules_of
from app.lapses.store import Grown
from app.ledger.service import Ledger, Period, Sold
from app.platform.clock import now_us
from app.platform.database import read_only

_log = structlog.get_logger("comptoir.lapses")


@dataclass(frozen=True, slots=True)
class Stretch:
    """One period of a currency's growth: what was sold from `from_us` on and before its end counts."""

    version: PolicyVersion
    from_us: int
    end: Due


async def grow(engine: AsyncEngine, ledger: Ledger, until_us: int | None = None) -> int:
    """Let the limits grow for every period that is over: how many did. Run again, it goes on where it was stopped."""
    rules = await rules_of(engine)
    if rules is None:
        return 0
    count = 0
    for stretch in await _over(engine, rules, until_us):
        code, end = stretch.version.currency, stretch.end
        async for sold in _pages(ledger, stretch):
            for it in sold:
                count += await _grow_one(engine, ledger, stretch, it)
        async with engine.begin() as connection:
            await store.done(connection, code, "growth", end.period, end.at_us, stretch.version.label, now_us())
        _log.info("a period is done", currency=code, effect="growth", period=str(end.period))
    return count


async def foreseen(engine: AsyncEngine, ledger: Ledger, until_us: int | None = None) -> list[Grown]:
    """How limits would grow for the periods that are over and not done. Nothing is written."""
    rules = await rules_of(engine)
    if rules is None:
        return []
    found: list[Grown] = []
    limits: dict[int, int] = {}
    for stretch in await _over(engine, rules, until_us):
        async for sold in _pages(ledger, stretch):
            async with read_only(engine).connect() as connection:
                bounds = await ledger.bounds(connection, [it.account for it in sold if it.account not in limits])
            limits |= {account: -(it.floor or 0) for account, it in bounds.items()}
            for it in sold:
                new = _grown(stretch, it, limits[it.account])
                if new.limit_after > new.limit_before:
                    limits[it.account] = new.limit_after
                    found.append(new)
    return found


async def _grow_one(engine: AsyncEngine, ledger: Ledger, stretch: Stretch, it: Sold) -> int:
    """The floor and its reason move in one transaction, so a period that was written has had its effect."""
    if it.amount <= 0:
        return 0
    async with engine.begin() as connection:
        floor = (await ledger.bounds(connection, [it.account], locked=True))[it.account].floor
        new = _grown(stretch, it, -(floor or 0))
        if new.limit_after <= new.limit_before or not await store.write_growth(connection, new):
            return 0
        await ledger.set_floor(connection, it.account, -new.limit_after)
        said = {"currency": new.currency, "period": new.period, "policy": new.policy}
        limits = {"limit_before": new.limit_before, "limit_after": new.limit_after, "sold": new.sold}
        await audit(connection, booking.ACTOR, "credit.grown", it.owner, **said, **limits)
    return 1


def _grown(stretch: Stretch, it: Sold, limit: int) -> Grown:
    version = stretch.version
    after = grown(version.policy.growth, limit, it.amount)
    return Grown(version.currency, it.owner, stretch.end.period, it.amount, limit, after, version.label, now_us())


async def _over(engine: AsyncEngine, rules: Rules, until_us: int | None) -> list[Stretch]:
    """Periods that ended and are not done, the oldest first."""
    settled_us = now_us() - SETTLED_US
    upto_us = settled_us if until_us is None else min(until_us, settled_us)
    found: list[Stretch] = []
    for code, currency in rules.currencies.items():
        if currency.kind == "mutual":
            async with read_only(engine).connect() as connection:
                last_us = await store.last_done_us(connection, code, "growth")
            found += _stretches(rules, code, last_us or 0, upto_us)
    return sorted(found, key=lambda it: (it.end.at_us, it.version.currency))


def _stretches(rules: Rules, code: str, after_us: int, upto_us: int) -> Iterator[Stretch]:
    """Each version's periods count from the day on which it began; what the next version cuts short is one too."""
    versions, calendar = rules.versions[code], rules.calendar
    for version, following in zip(versions, [*versions[1:], None], strict=True):
        growth = version.policy.growth
        if not growth.basis_points:
            continue
        begun = calendar.turn_after(version.valid_from_us)
        cut = None if following is None else calendar.turn_after(following.valid_from_us)
        for whole in period_ends(version.valid_from_us, growth.every_days, max(after_us, begun.at_us), calendar):
            from_us = calendar.start(whole.period - timedelta(days=growth.every_days)).at_us
            end = whole if cut is None or whole.at_us <= cut.at_us else cut
            if end.at_us > upto_us or end.at_us <= max(after_us, from_us):
                break
            yield Stretch(version, from_us, end)
            if end is cut:
                break


async def _pages(ledger: Ledger, stretch: Stretch) -> AsyncIterator[list[Sold]]:
    after, full = 0, True
    period = Period(stretch.from_us, stretch.end.at_us)
    while full:
        page = await ledger.history.sold(stretch.version.currency, period, after=after, limit=PAGE)
        full = len(page) == PAGE
        if page:
            after = page[-1].account
            yield page
