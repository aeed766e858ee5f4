"""Defining a money and changing its rules: written in a form, shown as others will see it, and only then saved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.responses import RedirectResponse, Response

from app.currencies.policies import defaults, policies
from app.currencies.service import NETWORK, UNITS, Currency, currencies
from app.identity.admin_frame import render_admin
from app.identity.guard import Caller, SignedIn
from app.money import Unit
from app.moneys import service
from app.moneys.draft import Draft, begins_us, draft_currency, draft_rules, first
from app.moneys.form import VENUES, Question, Typed, asked, filled
from app.moneys.pages.reading import HERE, by_topic
from app.moneys.problems import ISSUER
from app.moneys.words import ABOUT, KINDS, for_reader, rules
from app.platform.clock import now_us
from app.platform.context import context_of
from app.platform.errors import Conflict
from app.rules.policy import CurrencyKind
from app.venues.service import Network, Venue, the_network, venues
from app.web import Texts, dates, texts_of
from app.wire.base import CurrencyCode

router = APIRouter(include_in_schema=False)

# What the preview shows: a balance and a price of about the same worth, in minor units.
EXAMPLES: Mapping[Unit, tuple[int, int]] = {Unit.CENT: (1250, 350), Unit.MINUTE: (150, 30), Unit.POINT: (25, 5)}


@dataclass(frozen=True, slots=True)
class Ground:
    """What both forms stand on."""

    network: Network
    known: Mapping[str, Currency]
    venues: list[Venue]
    today: date


@router.get(HERE + "/new")
async def new_money_page(
    request: Request, session: SignedIn, kind: Annotated[CurrencyKind | None, Query()] = None
) -> Response:
    """First the kind, because the questions depend on it."""
    ground, texts = await _ground(request), texts_of(request)
    if kind is None:
        return render_admin(
            request,
            session,
            "moneys/choose.html",
            place=HERE,
            network_name=ground.network.name,
            kinds=[(it, texts.gettext(name), texts.gettext(ABOUT[it])) for it, name in KINDS.items()],
        )
    empty = Currency("", NETWORK, kind, UNITS[kind], "", "", "", None)
    values = filled(empty, defaults(kind), texts.language)
    values |= {"worth": ["1"], "accepted_by": [str(it.id) for it in ground.venues]}
    return _new_page(request, session, ground, kind, values)


@router.post(HERE + "/new")
async def define_money(request: Request, caller: Caller, session: SignedIn) -> Response:
    """Shows what others would see; saves only what was shown."""
    ground, texts, typed = await _ground(request), texts_of(request), await _typed(request)
    named = first(typed, "kind")
    kind = next((it for it in KINDS if it == named), None)
    if kind is None:
        return RedirectResponse(f"{HERE}/new", 303)
    draft = draft_currency(kind, defaults(kind), typed, texts, ground.today, len(ground.known))
    wrong = dict(draft.wrong)
    if draft.currency.code in ground.known:
        wrong["code"] = texts.gettext("There is a currency with this code already.")
    owners = {it.owner for it in ground.venues}
    if draft.currency.issuer != NETWORK and draft.currency.issuer not in owners:
        wrong["issuer"] = texts.gettext(ISSUER)
    if wrong or not _saves(typed, draft):
        return _new_page(request, session, ground, kind, typed, draft, wrong)
    accepted = [it.id for it in ground.venues if str(it.id) in draft.accepted_by]
    try:
        async with context_of(request).engine.begin() as connection:
            await service.define_currency(
                connection,
                draft.currency,
                draft.policy,
                caller.actor,
                valid_from_us=begins_us(draft, ground.network.settings.zone),
                accepted_by=accepted,
            )
    except Conflict as error:
        if error.code != "currency-known":
            raise
        wrong["code"] = texts.gettext("There is a currency with this code already.")
        return _new_page(request, session, ground, kind, typed, draft, wrong)
    return RedirectResponse(f"{HERE}/{draft.currency.code}?saved=true", 303)


@router.get(HERE + "/{currency}/rules")
async def new_rules_page(request: Request, session: SignedIn, currency: CurrencyCode) -> Response:
    ground, texts = await _ground(request), texts_of(request)
    async with context_of(request).reader.connect() as connection:
        of = await service.one(connection, currency)
        newest = (await policies(connection))[currency][-1]
    return _rules_page(request, session, ground, of, filled(of, newest.policy, texts.language))


@router.post(HERE + "/{currency}/rules")
async def add_rules(request: Request, caller: Caller, session: SignedIn, currency: CurrencyCode) -> Response:
    """Shows what others would see; saves only what was shown. Rules that were announced for later are not overtaken."""
    ground, texts, typed = await _ground(request), texts_of(request), await _typed(request)
    async with context_of(request).reader.connect() as connection:
        of = await service.one(connection, currency)
        newest = (await policies(connection))[currency][-1]
    draft = draft_rules(of, newest.policy, typed, texts, ground.today)
    wrong = dict(draft.wrong)
    if wrong or not _saves(typed, draft):
        return _rules_page(request, session, ground, of, typed, draft, wrong)
    zone = ground.network.settings.zone
    try:
        async with context_of(request).engine.begin() as connection:
            await service.add_version(connection, currency, draft.policy, caller.actor, begins_us(draft, zone))
    except Conflict as error:
        if error.code != "policy-too-early":
            raise
        begins = dates.when(error.extra["valid_from_us"], zone, now_us(), texts)
        wrong["begins"] = texts.gettext("Newer rules hold from %(when)s on: choose a later day.", when=begins)
        return _rules_page(request, session, ground, of, typed, draft, wrong)
    return RedirectResponse(f"{HERE}/{currency}?saved=true", 303)


def _saves(typed: Typed, draft: Draft) -> bool:
    return first(typed, "step") == "save" and first(typed, "seen") == draft.mark


async def _typed(request: Request) -> dict[str, list[str]]:
    form = await request.form()
    return {name: [str(value) for value in form.getlist(name)] for name in form}


async def _ground(request: Request) -> Ground:
    async with context_of(request).reader.connect() as connection:
        network = await the_network(connection)
        today = dates.local(now_us(), network.settings.zone).date()
        return Ground(network, await currencies(connection), list((await venues(connection)).values()), today)


def _new_page(
    request: Request,
    session: SignedIn,
    ground: Ground,
    kind: CurrencyKind,
    typed: Typed,
    draft: Draft | None = None,
    wrong: Mapping[str, str] | None = None,
) -> Response:
    texts = texts_of(request)
    at = [(str(it.id), it.name) for it in ground.venues]
    issuers = ((NETWORK, texts.gettext("The network")), *((it.owner, it.name) for it in ground.venues))
    hint = texts.gettext("Later ones can be added to each venue.")
    unit = UNITS[kind]
    identity = {
        "kind": kind,
        **{name: first(typed, name) for name in ("name_fr", "name_en", "code", "symbol", "worth")},
        "issuer": first(typed, "issuer") or NETWORK,
        "issuers": _shown(Question("issuer", texts.gettext("Who answers for it"), "one", options=issuers)),
        "accepting": _shown(
            Question("accepted_by", texts.gettext("Venues that take it"), "many", hint=hint, options=tuple(at))
        ),
        "accepted_by": list(typed.get("accepted_by", ())),
    }
    title = texts.gettext("Define a currency: %(kind)s", kind=texts.gettext(KINDS[kind]))
    return _page(
        request,
        session,
        ground,
        typed,
        draft,
        wrong or {},
        title=title,
        about=texts.gettext(ABOUT[kind]),
        action=f"{HERE}/new",
        back=f"{HERE}/new",
        back_text=texts.gettext("Which kind of money?"),
        identity=identity,
        topics=_topics(kind, first(typed, "symbol"), unit, ground, texts),
    )


def _rules_page(
    request: Request,
    session: SignedIn,
    ground: Ground,
    of: Currency,
    typed: Typed,
    draft: Draft | None = None,
    wrong: Mapping[str, str] | None = None,
) -> Response:
    texts = texts_of(request)
    name = of.names[texts.language]
    return _page(
        request,
        session,
        ground,
        typed,
        draft,
        wrong or {},
        title=texts.gettext("New rules for %(name)s", name=name),
        about=texts.gettext("Earlier versions are kept: every operation says by which rules it was made."),
        action=f"{HERE}/{of.code}/rules",
        back=f"{HERE}/{of.code}",
        back_text=name,
        identity=None,
        topics=_topics(of.kind, of.symbol, of.unit, ground, texts),
    )


def _page(
    request: Request,
    session: SignedIn,
    ground: Ground,
    typed: Typed,
    draft: Draft | None,
    wrong: Mapping[str, str],
    **said: Any,
) -> Response:
    labels = {it["path"]: it["label"] for _, questions in said["topics"] for it in questions}
    shown = draft is not None and not wrong
    return render_admin(
        request,
        session,
        "moneys/define.html",
        place=HERE,
        status_code=422 if wrong else 200,
        network_name=ground.network.name,
        values=typed,
        begins=first(typed, "begins"),
        wrong=wrong,
        told=[(name if name in labels else "", labels.get(name, ""), text) for name, text in wrong.items()],
        preview=_preview(draft, ground, texts_of(request)) if draft is not None and shown else None,
        **said,
    )


def _preview(draft: Draft, ground: Ground, texts: Texts) -> dict[str, Any]:
    """What a holder and a venue will be told, with an example of a balance and of a price."""
    of = draft.currency
    balance, price = EXAMPLES[of.unit]
    said = rules(of, draft.policy, texts, {it.slug: it.name for it in ground.venues})
    begins = (
        texts.gettext("These rules hold as soon as they are saved.")
        if draft.begins is None
        else texts.gettext(
            "These rules hold from %(day)s on.", day=dates.day_in_words(draft.begins, ground.today, texts)
        )
    )
    chosen = draft.policy.spending.venues
    place = next((it.name for it in ground.venues if not chosen or it.slug in chosen), "")
    return {
        "mark": draft.mark,
        "name": of.names[texts.language],
        "balance": of.text(balance, texts.language),
        "price": of.text(price, texts.language),
        "place": place,
        "begins": begins,
        "holder": by_topic(for_reader(said, "holder")),
        "venue": by_topic(for_reader(said, "venue")),
    }


def _topics(
    kind: CurrencyKind, symbol: str, unit: Unit, ground: Ground, texts: Texts
) -> list[tuple[str, list[dict[str, Any]]]]:
    """The questions in the reader's language; what the network itself knows is filled in."""
    units = {
        "amount": "" if unit is Unit.MINUTE else symbol,
        "credit": symbol,
        "rate": "%",
    }
    at = tuple((it.slug, it.name) for it in ground.venues)
    return [
        (
            texts.gettext(title),
            [
                _shown(
                    Question(
                        it.path,
                        texts.gettext(it.label),
                        it.input,
                        it.kinds,
                        texts.gettext(it.hint) if it.hint else "",
                        at if it.path == VENUES else tuple((value, texts.gettext(name)) for value, name in it.options),
                    ),
                    units.get(it.input, ""),
                )
                for it in questions
            ],
        )
        for title, questions in asked(kind)
    ]


def _shown(question: Question, unit: str = "") -> dict[str, Any]:
    return {
        "path": question.path,
        "label": question.label,
        "input": question.input,
        "hint": question.hint,
        "options": question.options,
        "unit": unit,
    }
