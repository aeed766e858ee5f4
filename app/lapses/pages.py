"""What lapses, for the network's admins (before it does, and after), and for the holder whose money it is."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from app.cards.addresses import card_behind
from app.cards.service import Card, labels_by_owner
from app.cards.visits import require_tap
from app.currencies.service import Currency, currencies
from app.identity.admin_frame import render_admin
from app.identity.guard import SignedIn
from app.lapses import reading, service, store
from app.lapses.reading import PeriodLines
from app.lapses.rules import Effect
from app.ledger.service import ledger_of
from app.mail import consents
from app.mail.rules import address as mail_address
from app.money import Unit
from app.platform.clock import now_us
from app.platform.context import context_of
from app.platform.limits import RateLimit
from app.venues.service import Network, the_network
from app.web import N_, Texts, dates, render, texts_of

router = APIRouter(include_in_schema=False)

HERE = "/admin/lapses"
REMINDERS = RateLimit("reminders", "10/hour")

EFFECTS: Final[Mapping[str, str]] = {
    "demurrage": N_("Melting"),
    "dormancy": N_("Not used for long"),
    "expiry": N_("Expiry"),
}
# A cell that begins with one of these is run as a formula by spreadsheets.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@router.get(HERE)
async def lapses_page(request: Request, session: SignedIn) -> Response:
    """What is announced, what is over, and whose credit grew."""
    async with context_of(request).reader.connect() as connection:
        network, known = await the_network(connection), await currencies(connection)
        coming = await store.summaries(connection, is_open=True)
        over = await store.summaries(connection, is_open=False)
        growths = await store.growths(connection)
    return render_admin(
        request,
        session,
        "lapses/lapses.html",
        place=HERE,
        network_name=network.name,
        coming=coming,
        over=over,
        growths=growths,
        labels=await _labels(request, [it.owner for it in growths]),
        currencies=known,
        effects=_effects(texts_of(request)),
        today=_today(network),
    )


@router.get(f"{HERE}/{{currency}}/{{effect}}/{{period}}")
async def lapse_page(request: Request, session: SignedIn, currency: str, effect: Effect, period: date) -> Response:
    """One period, wallet by wallet."""
    found, network, known = await _period(request, currency, effect, period)
    return render_admin(
        request,
        session,
        "lapses/period.html",
        place=HERE,
        network_name=network.name,
        found=found,
        currency=known,
        labels=await _labels(request, [it.notice.owner for it in found.lines]),
        effect=_effects(texts_of(request))[effect],
        today=_today(network),
        zone=network.settings.zone,
    )


@router.get(f"{HERE}/{{currency}}/{{effect}}/{{period}}/table.csv")
async def lapse_table(request: Request, currency: str, effect: Effect, period: date) -> Response:
    """The same for a spreadsheet, in the reader's language."""
    found, _, known = await _period(request, currency, effect, period)
    labels = await _labels(request, [it.notice.owner for it in found.lines])
    text = lapse_csv(found, known, labels, texts_of(request))
    name = f"{currency}-{effect}-{period}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Response(text.encode("utf-8-sig"), media_type="text/csv", headers=headers)


@router.get("/c/{token}/notices")
async def notices_page(request: Request, token: str) -> Response:
    """What of a card's money will lapse, and when, if it is not used until then."""
    card = await card_behind(request, token)
    await require_tap(request, card)
    return await _notices(request, card)


@router.post("/c/{token}/notices/reminders")
async def ask_reminders(
    request: Request,
    token: str,
    act: Annotated[Literal["ask", "stop"], Form()],
    email: Annotated[str, Form(max_length=300)] = "",
    agreed: Annotated[str, Form(max_length=8)] = "",
) -> Response:
    """Be reminded by e-mail, or no longer. Nothing is ticked for anybody, and nothing sent without the tick."""
    card = await card_behind(request, token)
    await require_tap(request, card)
    REMINDERS.check(request, str(card.id))
    to = mail_address(email)
    if act == "ask" and (to is None or not agreed):
        return await _notices(request, card, wrong="email" if to is None else "agreed", typed=email)
    async with context_of(request).engine.begin() as connection:
        if act == "ask" and to is not None:
            await consents.give(connection, card.wallet, "reminders", to, texts_of(request).language)
        else:
            await consents.forget(connection, card.wallet)
    return RedirectResponse(f"/c/{token}/notices#reminders", 303)


async def _notices(request: Request, card: Card, wrong: str = "", typed: str = "") -> Response:
    context = context_of(request)
    decisions = await service.foreseen_of(context.engine, ledger_of(request), card.owner)
    async with context.reader.connect() as connection:
        network, known = await the_network(connection), await currencies(connection)
        consent = await consents.of_wallet(connection, card.wallet, "reminders")
    return render(
        request,
        "lapses/notices.html",
        status_code=422 if wrong else 200,
        network_name=network.name,
        card=card,
        home=f"/c/{card.token}",
        lines=[(it, known[it.notice.currency]) for it in decisions if it.amount],
        today=_today(network),
        zone=network.settings.zone,
        by_mail=context.settings.mail != "none",
        consent=consent,
        wrong=wrong,
        typed=typed,
    )


def lapse_csv(found: PeriodLines, currency: Currency, labels: Mapping[str, str], texts: Texts) -> str:
    """One row for each wallet. Money in major units; time in whole minutes, as a spreadsheet can add them."""
    french = texts.language == "fr"
    unit = texts.gettext("minutes") if currency.unit is Unit.MINUTE else currency.symbol
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";" if french else ",")
    would, did = texts.gettext("Would lapse (%(unit)s)", unit=unit), texts.gettext("Lapsed (%(unit)s)", unit=unit)
    told = texts.gettext("Told at most (%(unit)s)", unit=unit)
    writer.writerow(
        [
            texts.gettext("Card"),
            texts.gettext("Due date"),
            told,
            would if found.is_open else did,
            texts.gettext("Rules"),
        ]
    )
    for it in found.lines:
        label = labels.get(it.notice.owner, it.notice.owner)
        amounts = [_figure(it.notice.amount, currency.unit, french), _figure(it.amount, currency.unit, french)]
        plain = f"'{label}" if label.startswith(_FORMULA) else label
        writer.writerow([plain, it.notice.period.isoformat(), *amounts, it.label])
    return out.getvalue()


def _figure(minor: int, unit: Unit, french: bool) -> str:
    if unit is not Unit.CENT:
        return str(minor)
    whole, cents = divmod(minor, 100)
    return f"{whole}{',' if french else '.'}{cents:02d}"


async def _period(
    request: Request, currency: str, effect: Effect, period: date
) -> tuple[PeriodLines, Network, Currency]:
    context = context_of(request)
    found = await reading.period_of(context, ledger_of(request), currency, effect, period)
    async with context.reader.connect() as connection:
        return found, await the_network(connection), (await currencies(connection))[currency]


async def _labels(request: Request, owners: Iterable[str]) -> dict[str, str]:
    """What is printed on the card of each of these wallets."""
    async with context_of(request).reader.connect() as connection:
        return await labels_by_owner(connection, owners)


def _effects(texts: Texts) -> dict[str, str]:
    return {name: texts.gettext(said) for name, said in EFFECTS.items()}


def _today(network: Network) -> date:
    return dates.local(now_us(), network.settings.zone).date()
