"""`comptoir lapse`: the scheduled run by hand, or what it would do, in lines of text."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date

from app.lapses import daily, growing, service
from app.lapses.service import Decision, Rules
from app.lapses.store import Grown
from app.ledger.service import Ledger
from app.platform.clock import now_us
from app.platform.context import Context

NO_NETWORK = "This server has no network yet."


async def run(context: Context, until: date | None) -> list[str]:
    rules = await service.rules_of(context.engine)
    if rules is None:
        return [NO_NETWORK]
    async with _ledger(context) as ledger:
        until_us = None if until is None else rules.calendar.start(until).at_us
        notices, booked, grown = await daily.run(context, ledger, until_us)
    return [
        f"{notices} new notices to holders",
        f"{booked} wallets of which something lapsed",
        f"{grown} credit limits that grew",
    ]


async def foreseen(context: Context, until: date | None) -> list[str]:
    """One line for each booking to come, in their order, and nothing changed."""
    rules = await service.rules_of(context.engine)
    if rules is None:
        return [NO_NETWORK]
    until_us = now_us() if until is None else rules.calendar.start(until).at_us
    # Not started: it reads, and posts nothing.
    async with _ledger(context, started=False) as ledger:
        decisions = await service.foreseen(context.engine, ledger, until_us)
        limits = await growing.foreseen(context.engine, ledger, until_us)
    lines = [_lapse(rules, it) for it in decisions if it.amount] + [_growth(rules, it) for it in limits]
    return [*lines, f"{len(lines)} in all. Nothing was changed."]


def _lapse(rules: Rules, it: Decision) -> str:
    amount = rules.currencies[it.notice.currency].text(it.amount, "en")
    return f"{it.notice.period}  {it.notice.effect:<9}  {it.notice.owner}  {amount}  {it.version.label}"


def _growth(rules: Rules, it: Grown) -> str:
    currency = rules.currencies[it.currency]
    before, after = currency.text(it.limit_before, "en"), currency.text(it.limit_after, "en")
    return f"{it.period}  growth     {it.owner}  credit {before} -> {after}  {it.policy}"


@asynccontextmanager
async def _ledger(context: Context, *, started: bool = True) -> AsyncIterator[Ledger]:
    ledger = Ledger.open(context.engine, context.settings.sqlalchemy_url, context.keys.signing)
    if started:
        await ledger.start()
    try:
        yield ledger
    finally:
        await ledger.stop()
