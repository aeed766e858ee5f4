"""What time does to money: notices first, then, when they are over, the bookings; each once, whatever crashes.

`announce` tells holders what will lapse, `preview` and `book` decide in the same words what does. An operation's id
follows from its notice's, and all that decides stands in the ledger at the notice's due instant, so a run that was
killed is simply run again. Nothing here holds a lock: several processes may run it at once.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from app.currencies.policies import PolicyVersion, policies, policy_at
from app.currencies.service import Currency, currencies
from app.lapses import booking, store
from app.lapses.rules import (
    DAY_US,
    Calendar,
    Due,
    Effect,
    Wallet,
    demurrage_due,
    due_of,
    lapses,
    notice_id,
    taken,
    taken_under_notice,
)
from app.lapses.store import Group, Notice
from app.ledger.rules.operations import Operation, Refused
from app.ledger.service import Activity, Ledger, posted
from app.platform.clock import now_us
from app.platform.database import read_only
from app.platform.errors import NotFound
from app.rules.policy import Lapse
from app.venues.service import the_network

_log = structlog.get_logger("comptoir.lapses")

# An operation is stamped before it is committed; by then every one that was stamped before an instant is seen.
SETTLED_US = 5 * 60 * 1_000_000
PAGE = 200
# A wallet that is paid from at every look is left to the next run.
LOOKS = 5


@dataclass(frozen=True, slots=True)
class Rules:
    """What the network has written: its currencies, their policies, and when its days turn."""

    currencies: dict[str, Currency]
    versions: dict[str, list[PolicyVersion]]
    calendar: Calendar

    def at(self, code: str, at_us: int) -> PolicyVersion:
        return policy_at(self.versions[code], at_us)


@dataclass(frozen=True, slots=True)
class Decision:
    """What is booked for one notice: `amount` minor units, by the rules of `version`; perhaps nothing."""

    notice: Notice
    version: PolicyVersion
    amount: int


async def rules_of(engine: AsyncEngine) -> Rules | None:
    """None on a server without a network."""
    async with read_only(engine).connect() as connection:
        try:
            network = await the_network(connection)
        except NotFound:
            return None
        return Rules(await currencies(connection), await policies(connection), Calendar(network.settings.zone))


async def announce(engine: AsyncEngine, ledger: Ledger, at_us: int | None = None) -> int:
    """Give the notices that are to be given now (`at_us`: as if it were then): how many are new."""
    rules = await rules_of(engine)
    if rules is None:
        return 0
    now, given = now_us() if at_us is None else at_us, 0
    async for notices in _to_announce(engine, ledger, rules, now):
        async with engine.begin() as connection:
            given += await store.give(connection, notices)
    return given


async def foreseen(engine: AsyncEngine, ledger: Ledger, until_us: int) -> list[Decision]:
    """What would be booked until an instant if nothing else moved any more: of the notices that are open, and of those
    that are to be given now. In the order of the bookings; nothing is written."""
    rules = await rules_of(engine)
    if rules is None:
        return []
    now, groups = now_us(), dict[Group, dict[UUID, Notice]]()
    async with read_only(engine).connect() as connection:
        for of in await store.open_groups(connection, until_us):
            groups[of] = {it.id: it for it in await store.notices(connection, of)}
    async for notices in _to_announce(engine, ledger, rules, now):
        for it in notices:
            if it.due_us <= until_us:
                groups.setdefault(it.group, {}).setdefault(it.id, it)
    return await _in_order(ledger, rules, groups, now)


async def foreseen_of(engine: AsyncEngine, ledger: Ledger, owner: str) -> list[Decision]:
    """What would be booked of one wallet's open notices if nothing else moved any more; the nearest first."""
    rules = await rules_of(engine)
    if rules is None:
        return []
    async with read_only(engine).connect() as connection:
        groups = {it.group: {it.id: it} for it in await store.notices_of(connection, owner)}
    return await _in_order(ledger, rules, groups, now_us())


async def _in_order(
    ledger: Ledger, rules: Rules, groups: Mapping[Group, Mapping[UUID, Notice]], now: int
) -> list[Decision]:
    """The decisions of open notices, each after those before it."""
    found: list[Decision] = []
    gone: dict[tuple[str, str], list[tuple[int, int]]] = {}
    for of in sorted(groups, key=lambda it: it.order):
        notices = [it for it in groups[of].values() if it.taken is None]
        for decision in await _decided(ledger, rules, notices, gone, now):
            found.append(decision)
            gone.setdefault((of.currency, decision.notice.owner), []).append((of.due_us, decision.amount))
    return found


async def book(engine: AsyncEngine, ledger: Ledger, until_us: int | None = None) -> int:
    """Book what has fallen due: how many wallets something lapsed of. `until_us`: what fell due until then alone."""
    rules = await rules_of(engine)
    if rules is None:
        return 0
    settled_us = now_us() - SETTLED_US
    async with read_only(engine).connect() as connection:
        groups = await store.open_groups(connection, settled_us if until_us is None else min(until_us, settled_us))
    booked = 0
    for group in groups:
        booked += await _book_group(engine, ledger, rules, group)
    return booked


async def _book_group(engine: AsyncEngine, ledger: Ledger, rules: Rules, of: Group) -> int:
    booked = 0
    for _ in range(LOOKS):
        after: UUID | None = None
        while True:
            async with read_only(engine).connect() as connection:
                notices = await store.open_notices(connection, of, after, PAGE)
            if not notices:
                break
            booked += await _book_page(engine, ledger, rules, notices)
            after = notices[-1].id
        if after is None:
            break
    async with engine.begin() as connection:
        if await store.open_notices(connection, of, None, 1):
            _log.warning("some wallets could not be decided yet", currency=of.currency, period=str(of.period))
            return booked
        label = rules.at(of.currency, of.due_us).label
        await store.done(connection, of.currency, of.effect, of.period, of.due_us, label, now_us())
    _log.info("a period is done", currency=of.currency, effect=of.effect, period=str(of.period), wallets=booked)
    return booked


async def _book_page(engine: AsyncEngine, ledger: Ledger, rules: Rules, notices: Sequence[Notice]) -> int:
    """Those of the page that are decided are closed; what a holder's payment came in between of stays open."""
    known = await ledger.booked([it.id for it in notices])
    amounts = {id_: it.transfers[0].amount for id_, it in known.items()}
    decisions = await _decided(ledger, rules, [it for it in notices if it.id not in known])
    operations = await _operations(ledger, rules, [it for it in decisions if it.amount])
    outcomes = await ledger.post(operations)
    for asked, outcome in zip(operations, outcomes, strict=True):
        if not isinstance(outcome, Refused):
            amounts[asked.id] = posted(outcome).transfers[0].amount
    nothing = {it.notice.id: 0 for it in decisions if not it.amount}
    async with engine.begin() as connection:
        await store.close(connection, {**nothing, **amounts}, amounts.keys(), now_us())
    return len(amounts)


async def _operations(ledger: Ledger, rules: Rules, decisions: Sequence[Decision]) -> list[Operation]:
    """All of one group, so of one currency and one version of its rules."""
    if not decisions:
        return []
    version = decisions[0].version
    currency, lapse = rules.currencies[version.currency], version.policy.lapse
    books = booking.Books(ledger, currency, lapse)
    postings = await books.postings([it.notice.owner for it in decisions], [it.amount for it in decisions])
    today = rules.calendar.day_of(now_us())
    ground = lapse.legal_ground if currency.kind == "pegged" else ""
    return [
        booking.operation(it.notice, each, it.amount, version.label, ground, today)
        for it, each in zip(decisions, postings, strict=True)
    ]


async def _decided(
    ledger: Ledger,
    rules: Rules,
    notices: Sequence[Notice],
    gone: Mapping[tuple[str, str], Sequence[tuple[int, int]]] = MappingProxyType({}),
    now: int = 0,
) -> list[Decision]:
    """What is booked of notices of one group. `gone`: what of each wallet, by (currency, owner), is to lapse before:
    (when it falls due, how much); at `now` nothing of it is booked yet."""
    if not notices:
        return []
    code, effect, due_us = notices[0].currency, notices[0].effect, notices[0].due_us
    version, kind = rules.at(code, due_us), rules.currencies[code].kind
    lapse, amounts = version.policy.lapse, dict[str, int]()
    for start in range(0, len(notices), PAGE):
        told = {it.owner: it.amount for it in notices[start : start + PAGE]}
        for it in await _activity(ledger, code, lapse, due_us, owners=told.keys()):
            wallet = _wallet(it)
            for at_us, amount in gone.get((code, wallet.owner), ()):
                wallet = wallet.less(amount, before=at_us < due_us and due_us > now)
            amounts[wallet.owner] = taken_under_notice(told[wallet.owner], effect, kind, lapse, wallet, due_us)
    return [Decision(it, version, amounts.get(it.owner, 0)) for it in notices]


async def _to_announce(engine: AsyncEngine, ledger: Ledger, rules: Rules, now: int) -> AsyncIterator[list[Notice]]:
    for code, currency in rules.currencies.items():
        version = rules.at(code, now)
        lapse, effects = version.policy.lapse, lapses(currency.kind, version.policy.lapse)
        if "demurrage" in effects:
            for end in demurrage_due(lapse, version.valid_from_us, now, rules.calendar):
                async for wallets in _pages(ledger, code, lapse, end.at_us):
                    yield _notices(currency, version, "demurrage", [(it, end) for it in wallets], now)
        whole: list[Effect] = [it for it in effects if it != "demurrage"]
        if not whole:
            continue
        async with read_only(engine).connect() as connection:
            told = await store.told(connection, code)
        async for wallets in _pages(ledger, code, lapse, now):
            for effect in whole:
                near = [
                    (it, due)
                    for it in wallets
                    if (effect, it.owner) not in told
                    and (due := due_of(effect, lapse, it, now, rules.calendar)) is not None
                ]
                yield _notices(currency, version, effect, near, now)


def _notices(
    currency: Currency, version: PolicyVersion, effect: Effect, due: Sequence[tuple[Wallet, Due]], now: int
) -> list[Notice]:
    """What each of the wallets would lose if nothing moved any more."""
    found = []
    for wallet, when in due:
        amount = taken(effect, currency.kind, version.policy.lapse, wallet, when.at_us)
        if amount:
            id_ = notice_id(version.label, effect, wallet.owner, when.period)
            one = (wallet.owner, when.period, when.at_us, amount, version.label, now)
            found.append(Notice(id_, currency.code, effect, *one))
    return found


async def _pages(ledger: Ledger, code: str, lapse: Lapse, at_us: int) -> AsyncIterator[list[Wallet]]:
    after, full = 0, True
    while full:
        page = await _activity(ledger, code, lapse, at_us, after=after)
        full = len(page) == PAGE
        if page:
            after = page[-1].account
            yield [_wallet(it) for it in page]


async def _activity(
    ledger: Ledger, code: str, lapse: Lapse, at_us: int, *, owners: Collection[str] | None = None, after: int = 0
) -> list[Activity]:
    """Wallets as they were at an instant; at one that is still to come, as they are."""
    return await ledger.history.activity(
        code, at_us, at_us - lapse.grace_days * DAY_US, still=booking.KINDS, owners=owners, after=after, limit=PAGE
    )


def _wallet(it: Activity) -> Wallet:
    seasoned = max(0, it.earlier - it.spent_between)
    return Wallet(it.owner, it.balance, seasoned, it.spent_since, it.free, it.received_us, it.moved_us)
