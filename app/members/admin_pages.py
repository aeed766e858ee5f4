"""Who is a member? The plans, the register with its files, one membership, and selling one at a counter."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Final, Literal
from uuid import UUID

from fastapi import APIRouter, Form, Query, Request
from starlette.responses import RedirectResponse, Response

from app.cards.service import Card, cards_described, labels_by_owner
from app.currencies.service import Currency, currencies
from app.identity.admin_frame import render_admin
from app.identity.guard import Caller, SignedIn
from app.identity.roles import Principal
from app.ledger.service import ledger_of
from app.mail.rules import address as mail_address
from app.members import buying, terms
from app.members.buying import Buyer, Offer, buy
from app.members.pages import WRONG
from app.members.plans import Plan, end_plan, make_plan, payable, plan_named, plans
from app.members.terms import MemberTerm, register
from app.money import AmountNotUnderstood, RateNotUnderstood, parse_amount, parse_rate
from app.platform.clock import now_us
from app.platform.context import context_of
from app.platform.errors import DomainError, Forbidden, Invalid, NotFound
from app.rules.business_day import business_day
from app.rules.ids import uuid7
from app.rules.membership import Rolling, Season, Standing, Term
from app.venues.service import Network, Venue, the_network, venues
from app.web import N_, texts_of
from app.web.sheets import as_csv, as_xlsx

router = APIRouter(include_in_schema=False)

HERE: Final = "/admin/memberships"

STANDINGS: Final[Mapping[Standing, str]] = {
    "later": N_("not yet"),
    "valid": N_("valid"),
    "soon": N_("expires soon"),
    "over": N_("expired"),
}
FIELDS: Final[Mapping[str, str]] = {
    "name": N_("Write its name in both languages."),
    "currency": N_("Memberships are not paid in this money here."),
    "price": N_("Write an amount such as 25 or 12.50."),
    "shares": N_("Not more than the price, and only for the network’s own."),
    "vat": N_("Write a rate such as 5.5 or 20, or nothing."),
    "term": N_("Write a number of months, or the first and the last day of a season."),
}

Line = Annotated[str, Form(max_length=300)]


@router.get(HERE)
async def memberships_page(
    request: Request, caller: Caller, session: SignedIn, plan: UUID | None = None, all: bool = False
) -> Response:
    network, known, at, own = await _ground(request, caller)
    chosen = [plan] if plan in own else list(own)
    async with context_of(request).reader.connect() as connection:
        found = await register(connection, chosen)
        labels = await labels_by_owner(connection, {f"wallet:{it.wallet}" for it in found})
    today = business_day(now_us(), network.settings.zone)
    told = [it for it in found if all or (it.state == "held" and it.standing(today) != "over")]
    return render_admin(
        request,
        session,
        "members/register.html",
        place=HERE,
        network_name=network.name,
        here=HERE,
        plans=list(own.values()),
        by_id=own,
        chosen=plan if plan in own else None,
        all=all,
        members=[(it, own[it.plan], it.standing(today), labels.get(f"wallet:{it.wallet}", "")) for it in told],
        venues=at,
        currencies=known,
        today=today,
    )


@router.get(f"{HERE}/register.{{ending}}")
async def memberships_table(
    request: Request, caller: Caller, ending: Literal["csv", "xlsx"], plan: UUID | None = None
) -> Response:
    """The register, whole: also who was a member once."""
    texts = texts_of(request)
    network, known, at, own = await _ground(request, caller)
    async with context_of(request).reader.connect() as connection:
        found = await register(connection, [plan] if plan in own else list(own))
        labels = await labels_by_owner(connection, {f"wallet:{it.wallet}" for it in found})
    today = business_day(now_us(), network.settings.zone)
    heads = [
        N_("Member"),
        N_("E-mail"),
        N_("Card"),
        N_("Membership"),
        N_("Of"),
        N_("First day"),
        N_("Last day"),
        N_("State"),
        N_("Price"),
        N_("Shares"),
        N_("Currency"),
    ]
    rows: list[list[str | date | float]] = [[texts.gettext(it) for it in heads]]
    for it in found:
        mine = own[it.plan]
        per = 100 if known[mine.currency].unit == "cent" else 1
        rows.append(
            [
                it.name,
                it.email or "",
                labels.get(f"wallet:{it.wallet}", ""),
                mine.name(texts.language),
                at[mine.venue].name if mine.venue else network.name,
                it.period.first,
                it.period.last,
                texts.gettext(N_("cancelled") if it.state == "cancelled" else STANDINGS[it.standing(today)]),
                it.price / per,
                it.shares / per,
                mine.currency,
            ]
        )
    if ending == "xlsx":
        return as_xlsx("members.xlsx", rows)
    comma = texts.language == "fr"
    told = [[_figure(it, comma=comma) if isinstance(it, float) else it for it in row] for row in rows]
    return as_csv("members.csv", texts, told)


@router.get(f"{HERE}/new")
async def new_membership_plan_page(request: Request, caller: Caller, session: SignedIn) -> Response:
    return await _plan_form(request, caller, session, {"months": "12"}, {})


@router.post(f"{HERE}/new")
async def make_membership_plan(
    request: Request,
    caller: Caller,
    session: SignedIn,
    id: Annotated[UUID, Form()],
    of: Line = "",
    name_fr: Line = "",
    name_en: Line = "",
    currency: Line = "",
    price: Line = "",
    shares: Line = "",
    months: Line = "",
    first: Line = "",
    last: Line = "",
    vat: Line = "",
) -> Response:
    """The same form sent twice makes one."""
    texts = texts_of(request)
    _, known, at, _ = await _ground(request, caller)
    venue = next((it for it in at.values() if str(it.id) == of), None)
    _require(caller, venue.id if venue else None)
    typed = {
        "of": of,
        "name_fr": name_fr,
        "name_en": name_en,
        "currency": currency,
        "price": price,
        "shares": shares,
        "months": months,
        "first": first,
        "last": last,
        "vat": vat,
    }
    money = known.get(currency)
    try:
        new = Plan(
            id,
            venue.id if venue else None,
            " ".join(name_fr.split()),
            " ".join(name_en.split()),
            currency,
            _amount(price, money, "price"),
            _term(months, first, last),
            _amount(shares, money, "shares") if shares.strip() else 0,
            vat=_rate(vat),
        )
        async with context_of(request).engine.begin() as connection:
            await make_plan(connection, caller.actor, new, money, venue)
    except Invalid as error:
        name = str(error.extra.get("field", "price"))
        return await _plan_form(request, caller, session, typed, {name: texts.gettext(FIELDS[name])})
    return RedirectResponse(HERE, 303)


@router.post(f"{HERE}/plans/{{plan}}/end")
async def end_membership_plan(request: Request, caller: Caller, plan: UUID) -> Response:
    async with context_of(request).engine.begin() as connection:
        _require(caller, (await plan_named(connection, plan)).venue)
        await end_plan(connection, caller.actor, plan)
    return RedirectResponse(HERE, 303)


@router.get(f"{HERE}/sell")
async def sell_membership_page(
    request: Request, caller: Caller, session: SignedIn, card: Annotated[str, Query(max_length=300)] = ""
) -> Response:
    return await _sell_form(request, caller, session, {"card": card}, {})


@router.post(f"{HERE}/sell")
async def sell_membership(
    request: Request,
    caller: Caller,
    session: SignedIn,
    id: Annotated[UUID, Form()],
    plan: Annotated[UUID, Form()],
    card: Line = "",
    name: Line = "",
    email: Line = "",
) -> Response:
    """At a counter, from the card that lies there. The same form sent twice sells once."""
    texts = texts_of(request)
    network, known, at, own = await _ground(request, caller)
    typed = {"card": card, "name": " ".join(name.split()), "email": email.strip(), "plan": str(plan)}
    if plan not in own:
        raise NotFound("There is no such membership.")
    mine = own[plan]
    _require(caller, mine.venue)
    offer = Offer(mine, known[mine.currency], at[mine.venue] if mine.venue else None, network)
    to = mail_address(email) if typed["email"] else None
    found = await _cards(request, card)
    wrong: dict[str, str] = {}
    if len(found) != 1:
        wrong["card"] = texts.gettext("No single card matches this. Check what is printed on it.")
    if typed["email"] and to is None:
        wrong["email"] = texts.gettext("This is no e-mail address.")
    if not typed["name"]:
        wrong["name"] = texts.gettext("Write the member’s name.")
    if not wrong:
        try:
            buyer = Buyer(typed["name"], to, texts.language)
            await buy(ledger_of(request), offer, found[0], buyer, id, actor=caller.actor)
        except DomainError as error:
            if error.code not in WRONG:
                raise
            wrong["money"] = texts.gettext(WRONG[error.code])
    if wrong:
        return await _sell_form(request, caller, session, typed, wrong)
    return RedirectResponse(f"{HERE}/{id}", 303)


@router.get(f"{HERE}/{{term}}")
async def membership_page(request: Request, caller: Caller, session: SignedIn, term: UUID) -> Response:
    return await _term_page(request, caller, session, term)


@router.post(f"{HERE}/{{term}}")
async def change_membership(
    request: Request,
    caller: Caller,
    session: SignedIn,
    term: UUID,
    act: Annotated[Literal["correct", "cancel", "give_back"], Form()],
    name: Line = "",
    email: Line = "",
    reason: Line = "",
) -> Response:
    """Correct how somebody is written; cancel; give the price of a cancelled one back. Each again changes nothing."""
    texts, ledger = texts_of(request), ledger_of(request)
    async with context_of(request).reader.connect() as connection:
        it = await terms.term_named(connection, term)
        _require(caller, (await plan_named(connection, it.plan)).venue)
    to = mail_address(email) if email.strip() else None
    wrong: dict[str, str] = {}
    if act == "correct" and email.strip() and to is None:
        wrong["email"] = texts.gettext("This is no e-mail address.")
    if not wrong:
        try:
            if act == "give_back":
                await buying.give_back(ledger, it, actor=caller.actor)
            else:
                async with context_of(request).engine.begin() as connection:
                    if act == "correct":
                        await terms.correct(connection, caller.actor, it, " ".join(name.split()), to)
                    else:
                        await terms.cancel(connection, caller.actor, it, " ".join(reason.split()))
        except DomainError as error:
            field = error.extra.get("field")
            if field == "name":
                wrong["name"] = texts.gettext("Write the member’s name.")
            elif field == "reason":
                wrong["reason"] = texts.gettext("Say why.")
            elif error.code in {"insufficient-funds", "over-ceiling", "already-reversed"}:
                wrong["money"] = texts.gettext("The ledger does not let it be given back. Nothing was moved.")
            else:
                raise
    if wrong:
        return await _term_page(request, caller, session, term, wrong)
    return RedirectResponse(f"{HERE}/{term}", 303)


def _figure(number: float, *, comma: bool) -> str:
    return f"{number:.2f}".replace(".", "," if comma else ".")


async def _ground(
    request: Request, caller: Principal
) -> tuple[Network, dict[str, Currency], dict[UUID, Venue], dict[UUID, Plan]]:
    """(the network, currencies, venues, the plans that the caller sees: a venue's people their own)."""
    await buying.finish(ledger_of(request))
    async with context_of(request).reader.connect() as connection:
        network, known, at = await the_network(connection), await currencies(connection), await venues(connection)
        every = await plans(connection)
    return network, known, at, {it.id: it for it in every.values() if _sees(caller, it.venue)}


def _sees(caller: Principal, venue: UUID | None) -> bool:
    return caller.sees_network if venue is None else caller.may_see_venue(venue)


def _require(caller: Principal, venue: UUID | None) -> None:
    if not _sees(caller, venue):
        raise Forbidden("Your rights do not reach this membership.")


def _amount(typed: str, money: Currency | None, field: str) -> int:
    if money is None:
        raise Invalid("There is no such money.", field="currency")
    try:
        return parse_amount(typed, money.unit)
    except AmountNotUnderstood:
        raise Invalid("No amount.", field=field) from None


def _rate(typed: str) -> int:
    try:
        return parse_rate(typed) if typed.strip() else 0
    except RateNotUnderstood:
        raise Invalid("No rate.", field="vat") from None


def _term(months: str, first: str, last: str) -> Term:
    """A season where its days are written, else months."""
    try:
        if first.strip() or last.strip():
            return Season(date.fromisoformat(first.strip()), date.fromisoformat(last.strip()))
        return Rolling(int(months))
    except ValueError:
        raise Invalid("No time.", field="term") from None


async def _cards(request: Request, typed: str) -> list[Card]:
    async with context_of(request).reader.connect() as connection:
        return await cards_described(connection, typed) if typed.strip() else []


async def _plan_form(
    request: Request, caller: Principal, session: SignedIn, typed: Mapping[str, str], wrong: Mapping[str, str]
) -> Response:
    network, known, at, _ = await _ground(request, caller)
    mine = [it for it in at.values() if caller.may_see_venue(it.id)]
    moneys = [
        it
        for it in known.values()
        if (caller.sees_network and payable(it, None)) or any(payable(it, venue) for venue in mine)
    ]
    return render_admin(
        request,
        session,
        "members/plan.html",
        place=HERE,
        status_code=422 if wrong else 200,
        network_name=network.name,
        here=HERE,
        id=uuid7(),
        sellers=[*([("", network.name)] if caller.sees_network else []), *((str(it.id), it.name) for it in mine)],
        shares_too=caller.sees_network,
        moneys=moneys,
        typed=typed,
        wrong=wrong,
    )


async def _sell_form(
    request: Request, caller: Principal, session: SignedIn, typed: Mapping[str, str], wrong: Mapping[str, str]
) -> Response:
    network, known, at, own = await _ground(request, caller)
    today = business_day(now_us(), network.settings.zone)
    return render_admin(
        request,
        session,
        "members/sell.html",
        place=HERE,
        status_code=422 if wrong else 200,
        network_name=network.name,
        here=HERE,
        id=uuid7(),
        plans=[(it, known[it.currency]) for it in own.values() if not it.over(today)],
        venues=at,
        by_mail=context_of(request).settings.mail != "none",
        typed=typed,
        wrong=wrong,
    )


async def _term_page(
    request: Request, caller: Principal, session: SignedIn, id_: UUID, wrong: Mapping[str, str] | None = None
) -> Response:
    network, known, at, own = await _ground(request, caller)
    async with context_of(request).reader.connect() as connection:
        it: MemberTerm = await terms.term_named(connection, id_)
        labels = await labels_by_owner(connection, {f"wallet:{it.wallet}"})
    if it.plan not in own:
        raise NotFound("There is no such membership.")
    plan = own[it.plan]
    today = business_day(now_us(), network.settings.zone)
    return render_admin(
        request,
        session,
        "members/term.html",
        place=HERE,
        status_code=422 if wrong else 200,
        network_name=network.name,
        here=HERE,
        it=it,
        plan=plan,
        currency=known[plan.currency],
        seller=_seller(plan, at, network.name),
        card=labels.get(f"wallet:{it.wallet}", ""),
        standing=it.standing(today),
        today=today,
        given_back=await ledger_of(request).taken_back_by(it.id) is not None,
        wrong=wrong or {},
    )


def _seller(plan: Plan, at: Mapping[UUID, Venue], network: str) -> str:
    return at[plan.venue].name if plan.venue else network
