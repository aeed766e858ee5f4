"""The network's moneys: which there are, how much of each, by which rules, and where it went."""

from __future__ import annotations

from datetime import date
from itertools import groupby
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import RedirectResponse, Response

from app.cards.service import labels_by_owner
from app.currencies.policies import PolicyVersion, policies, policy_at
from app.currencies.service import Currency, currencies, rename
from app.identity.admin_frame import render_admin
from app.identity.audit import audit
from app.identity.guard import Caller, SignedIn
from app.identity.service import names_of
from app.ledger.service import KindSum, ledger_of
from app.moneys import account_words, service
from app.moneys.account_words import Owners
from app.moneys.chart import chart
from app.moneys.draft import first
from app.moneys.words import ABOUT, KINDS, Rule, rules
from app.platform.clock import now_us
from app.platform.context import context_of
from app.venues.service import the_network, venues
from app.web import N_, Texts, dates, texts_of
from app.wire.base import CurrencyCode

router = APIRouter(include_in_schema=False)

HERE = "/admin/moneys"
ENTRIES_SHOWN = 60
DAYS_LABELLED = 3
SPANS = ((30, N_("30 days")), (90, N_("3 months")), (365, N_("One year")))


@router.get(HERE)
async def moneys_page(request: Request, session: SignedIn) -> Response:
    texts = texts_of(request)
    async with context_of(request).reader.connect() as connection:
        network, known = await the_network(connection), await currencies(connection)
        issuers = await _issuers(connection)
    circulating = await service.in_circulation(ledger_of(request), known)
    return render_admin(
        request,
        session,
        "moneys/list.html",
        place=HERE,
        network_name=network.name,
        zone=network.settings.zone,
        seen_at_us=now_us(),
        moneys=[
            {
                "currency": it,
                "kind": texts.gettext(KINDS[it.kind]),
                "about": texts.gettext(ABOUT[it.kind]),
                "issuer": issuers.get(it.issuer, ""),
                "circulating": circulating[code],
            }
            for code, it in known.items()
        ],
    )


@router.get(HERE + "/{currency}")
async def money_page(
    request: Request,
    caller: Caller,
    session: SignedIn,
    currency: CurrencyCode,
    days: Annotated[int, Query(ge=1, le=service.DAYS_MAX)] = 30,
    before: Annotated[int | None, Query(ge=1, le=2**62)] = None,
    saved: bool = False,
) -> Response:
    """Everything about one money; a venue's admins see of the journal what was booked at their venues."""
    texts, ledger, now = texts_of(request), ledger_of(request), now_us()
    async with context_of(request).reader.connect() as connection:
        of, network = await service.one(connection, currency), await the_network(connection)
        versions, at = (await policies(connection))[currency], await venues(connection)
        issuers = await _issuers(connection)
        authors = await names_of(connection, {it.author for it in versions})
    zone = network.settings.zone
    points = await service.supply(ledger, currency, days, zone)
    only = None if caller.sees_network else caller.venues
    journal = await service.journal(ledger, currency, cursor=before, limit=ENTRIES_SHOWN, venues=only)
    async with context_of(request).reader.connect() as connection:
        owners = Owners(
            await labels_by_owner(connection, {owner for it in journal.entries for _, owner in (it.debit, it.credit)}),
            {it.owner: it.name for it in at.values()},
        )
    sums = [it for it in await ledger.history.by_kind(currency) if it.balance or it.accounts]
    today = points[-1].day
    version = policy_at(versions, now)
    return render_admin(
        request,
        session,
        "moneys/money.html",
        place=HERE,
        network_name=network.name,
        zone=zone,
        seen_at_us=now,
        today=today,
        currency=of,
        kind=texts.gettext(KINDS[of.kind]),
        issuer=issuers.get(of.issuer, ""),
        saved=saved,
        points=points,
        spans=[(count, texts.gettext(name)) for count, name in SPANS],
        shown_days=days,
        chart=chart([it.amount for it in points], of.unit),
        chart_told=_told(of, points, texts),
        chart_days=[_short(it.day, today, texts) for it in _some(points)],
        rows=_changes(points),
        sums=_named(sums, texts),
        holds=_holds(version, zone, now, texts),
        coming=_coming(versions, zone, now, texts),
        topics=by_topic(rules(of, version.policy, texts, {it.slug: it.name for it in at.values()})),
        versions=[
            {
                "label": it.label,
                "valid_from_us": it.valid_from_us,
                "made_at_us": it.made_at_us,
                "author": authors.get(it.author, it.author),
            }
            for it in reversed(versions)
            if it.version
        ],
        entries=[
            {
                "at_us": it.booked_at_us,
                "operation": account_words.operation(it.kind, texts),
                "policy": it.policy,
                "debit": owners.account(*it.debit, texts),
                "credit": owners.account(*it.credit, texts),
                "amount": it.amount,
            }
            for it in journal.entries
        ],
        before=journal.next,
    )


@router.post(HERE + "/{currency}/name")
async def rename_money(request: Request, caller: Caller, currency: CurrencyCode) -> Response:
    """How it is called and written; what it is stays."""
    form = await request.form()
    typed = {name: [str(value) for value in form.getlist(name)] for name in form}
    names = {name: first(typed, name) for name in ("name_fr", "name_en", "symbol")}
    async with context_of(request).engine.begin() as connection:
        await rename(connection, currency, names["name_fr"], names["name_en"], names["symbol"])
        await audit(connection, caller.actor, "currency.rename", f"currency:{currency}", **names)
    return RedirectResponse(f"{HERE}/{currency}?saved=true", 303)


def by_topic(all_rules: list[Rule]) -> list[tuple[str, list[str]]]:
    """Sentences under their topics, in their order."""
    return [(topic, [it.text for it in some]) for topic, some in groupby(all_rules, key=lambda it: it.topic)]


async def _issuers(connection: AsyncConnection) -> dict[str, str]:
    """Names of the venues, by how a currency names its issuer."""
    return {it.owner: it.name for it in (await venues(connection)).values()}


def _told(of: Currency, points: list[service.SupplyPoint], texts: Texts) -> str:
    """The curve in words, for those who do not see it."""
    return texts.gettext(
        "In circulation: %(first)s at the start, %(last)s now, at most %(most)s.",
        first=of.text(points[0].amount, texts.language),
        last=of.text(points[-1].amount, texts.language),
        most=of.text(max(it.amount for it in points), texts.language),
    )


def _some(points: list[service.SupplyPoint]) -> list[service.SupplyPoint]:
    """The first, the middle and the last, where there are that many."""
    if len(points) <= DAYS_LABELLED:
        return points
    return [points[0], points[len(points) // 2], points[-1]]


def _short(day: date, today: date, texts: Texts) -> str:
    return dates.sentence(dates.day_in_words(day, today, texts))


def _changes(points: list[service.SupplyPoint]) -> list[dict[str, Any]]:
    """The newest first; what changed since the point before."""
    earlier = [points[0], *points[:-1]]
    rows = [
        {"day": it.day, "amount": it.amount, "change": it.amount - last.amount}
        for last, it in zip(earlier, points, strict=True)
    ]
    return rows[::-1]


def _named(sums: list[KindSum], texts: Texts) -> list[tuple[str, KindSum]]:
    order = list(account_words.KINDS)
    known = sorted(sums, key=lambda it: order.index(it.kind))
    return [(texts.gettext(account_words.KINDS[it.kind]), it) for it in known]


def _holds(version: PolicyVersion, zone: str, now: int, texts: Texts) -> str:
    if not version.version:
        return texts.gettext("What is usual holds: nothing was written yet.")
    since = dates.when(version.valid_from_us, zone, now, texts)
    return texts.gettext("Version %(version)s, since %(when)s.", version=version.label, when=since)


def _coming(versions: list[PolicyVersion], zone: str, now: int, texts: Texts) -> str:
    """The next version that is written and does not hold yet."""
    for it in versions:
        if it.valid_from_us > now:
            begins = dates.when(it.valid_from_us, zone, now, texts)
            return texts.gettext("Version %(version)s holds from %(when)s on.", version=it.label, when=begins)
    return ""
