"""Memberships for programs: what is sold and to whom, the register, and what members are asked. The rights are those of
the pages: a venue's people see and sell their venue's own, the network's all."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Final, Literal, Self
from uuid import UUID

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field, model_validator
from sqlalchemy.ext.asyncio import AsyncConnection

from app.cards.service import cards_described
from app.currencies.service import currencies
from app.identity.guard import Caller
from app.identity.roles import Principal
from app.ledger.service import ledger_of
from app.mail.rules import address as mail_address
from app.members import buying, consultations, terms
from app.members.buying import Buyer, Offer
from app.members.consultations import OPTION_MAX, OPTIONS_MAX, QUESTION_MAX, Consultation
from app.members.plans import MONTHS_MAX, NAME_MAX, Plan, end_plan, make_plan, plan_named, plans
from app.members.terms import MemberTerm, State
from app.platform.clock import now_us
from app.platform.context import context_of
from app.platform.errors import Conflict, Forbidden, Invalid, NotFound
from app.rules.business_day import business_day
from app.rules.membership import Rolling, Season, Standing
from app.venues.service import the_network, venue_named, venues
from app.wire.base import CurrencyCode

router = APIRouter(prefix="/api/v1/memberships", tags=["memberships"])

Responses = dict[int | str, dict[str, Any]]
_NONE: Final[Responses] = {404: {"description": "not-found: there is none that you see; card-unknown"}}
_SOLD: Final[Responses] = {
    403: {"description": "forbidden, card-blocked"},
    409: {"description": "membership-over, membership-had"},
}

PlanName = Annotated[str, Field(min_length=1, max_length=NAME_MAX, pattern=r"^[^\r\n]*\S[^\r\n]*$")]
Instant = Annotated[int, Field(ge=0, lt=2**52, strict=True)]


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class PlanNames(Body):
    fr: PlanName
    en: PlanName


class PlanBody(Body):
    """`venue`: null for the network's own. `price`, and `shares` (the part of it that buys shares of the cooperative):
    minor units of `currency`. It lasts `months` from the day it is bought, or from `season_first` to `season_last`.
    `vat`: the rate that the price without the shares holds, in basis points; 0: outside of VAT."""

    venue: UUID | None = None
    names: PlanNames
    currency: CurrencyCode
    price: Annotated[int, Field(gt=0, strict=True)]
    shares: Annotated[int, Field(ge=0, strict=True)] = 0
    months: Annotated[int, Field(gt=0, le=MONTHS_MAX, strict=True)] | None = None
    season_first: date | None = None
    season_last: date | None = None
    vat: Annotated[int, Field(ge=0, le=10_000, strict=True)] = 0

    @model_validator(mode="after")
    def _lasts(self) -> Self:
        season = (self.season_first is not None, self.season_last is not None)
        if season not in {(True, True), (False, False)} or (self.months is None) != season[0]:
            raise ValueError("it lasts months, or a season from its first to its last day")
        return self

    def plan(self, id_: UUID) -> Plan:
        first, last = self.season_first, self.season_last
        term = Season(first, last) if first and last else Rolling(self.months or 0)
        fr, en = (" ".join(it.split()) for it in (self.names.fr, self.names.en))
        return Plan(id_, self.venue, fr, en, self.currency, self.price, term, self.shares, vat=self.vat)


class PlanShown(PlanBody):
    """`ended`: sold no more; who has it keeps it."""

    id: UUID
    ended: bool


class SaleBody(Body):
    """`card`: its number, its label, or the address on it. `name`: the member's, as the register has it. `email`: where
    one reminder goes before it ends; null: none is wanted. `language`: that of the reminder."""

    plan: UUID
    card: Annotated[str, Field(min_length=1, max_length=300)]
    name: Annotated[str, Field(min_length=1, max_length=terms.NAME_MAX, pattern=r"^[^\r\n]*\S[^\r\n]*$")]
    email: Annotated[str, Field(max_length=254)] | None = None
    language: Literal["fr", "en"] = "fr"


class MemberShown(BaseModel):
    """`price`, `shares`: minor units of the plan's currency, as they were paid. Days are business days, written
    YYYY-MM-DD; both are included."""

    id: UUID
    plan: UUID
    wallet: UUID
    name: str
    email: str | None
    price: int
    shares: int
    first_day: date
    last_day: date
    state: State
    standing: Standing
    reason: str | None


class Reason(Body):
    reason: Annotated[str, Field(min_length=1, max_length=terms.REASON_MAX, pattern=r"\S")]


class ConsultationBody(Body):
    """`quorum`: percent of those who may vote. Who is a member of the plan when it opens may vote, once."""

    plan: UUID
    question: Annotated[str, Field(min_length=1, max_length=QUESTION_MAX, pattern=r"\S")]
    answers: Annotated[
        list[Annotated[str, Field(min_length=1, max_length=OPTION_MAX, pattern=r"\S")]],
        Field(min_length=2, max_length=OPTIONS_MAX),
    ]
    anonymous: bool = True
    quorum: Annotated[int, Field(ge=0, le=100, strict=True)] = 0
    opens_at_us: Instant
    closes_at_us: Instant


class ConsultationShown(ConsultationBody):
    """`entitled`: how many may vote; null before it opened."""

    id: UUID
    entitled: int | None


class Count(BaseModel):
    answer: str
    votes: int


class Vote(BaseModel):
    name: str
    answer: str


class Result(BaseModel):
    """`turnout`: percent, rounded down. `votes`: by name, where the consultation is not anonymous."""

    counts: list[Count]
    voted: int
    entitled: int
    turnout: int
    quorum: int
    quorum_reached: bool
    votes: list[Vote]


@router.get("/plans", summary="What one may become a member of")
async def list_member_plans(request: Request, caller: Caller) -> list[PlanShown]:
    """Those of the venues that one sees, and the network's for who sees the network; ended ones too."""
    async with context_of(request).reader.connect() as connection:
        return [_plan(it) for it in (await plans(connection)).values() if _sees(caller, it.venue)]


@router.put("/plans/{plan}", summary="Put a membership on sale")
async def put_member_plan(request: Request, caller: Caller, plan: UUID, body: PlanBody) -> PlanShown:
    """Under an id that the caller makes: with other content it is refused (idempotency-key-reused), for a plan never
    changes. Make another, and end this one."""
    _require(caller, body.venue)
    new = body.plan(plan)
    async with context_of(request).engine.begin() as connection:
        venue = await venue_named(connection, body.venue) if body.venue else None
        money = (await currencies(connection)).get(body.currency)
        await make_plan(connection, caller.actor, new, money, venue)
        kept = await plan_named(connection, plan)
    _same(_plan(kept).model_dump(exclude={"ended"}), _plan(new).model_dump(exclude={"ended"}))
    return _plan(kept)


@router.post("/plans/{plan}/end", summary="Sell a membership no more", responses=_NONE)
async def end_member_plan(request: Request, caller: Caller, plan: UUID) -> PlanShown:
    """Who is a member stays one until their time is over."""
    async with context_of(request).engine.begin() as connection:
        await _own_plan(connection, caller, plan)
        await end_plan(connection, caller.actor, plan)
        return _plan(await plan_named(connection, plan))


@router.get("/register", summary="The register of members")
async def list_member_register(request: Request, caller: Caller, plan: UUID | None = None) -> list[MemberShown]:
    """By name; also who was a member once, and who was cancelled."""
    await buying.finish(ledger_of(request))
    async with context_of(request).reader.connect() as connection:
        seen = {it.id for it in (await plans(connection)).values() if _sees(caller, it.venue)}
        found = await terms.register(connection, seen if plan is None else seen & {plan})
        today = await _today(connection)
    return [_member(it, today) for it in found]


@router.get("/consultations", summary="What members are asked")
async def list_consultations(request: Request, caller: Caller) -> list[ConsultationShown]:
    """The newest first."""
    await _rolls(request)
    async with context_of(request).reader.connect() as connection:
        seen = [it.id for it in (await plans(connection)).values() if _sees(caller, it.venue)]
        return [await _asked(connection, it) for it in await consultations.of_plans(connection, seen)]


@router.put("/consultations/{consultation}", summary="Ask the members of a plan", responses=_NONE)
async def put_consultation(
    request: Request, caller: Caller, consultation: UUID, body: ConsultationBody
) -> ConsultationShown:
    """Under an id that the caller makes. A question never changes."""
    new = Consultation(
        consultation,
        body.plan,
        body.question.strip(),
        body.anonymous,
        body.quorum,
        body.opens_at_us,
        body.closes_at_us,
    )
    answers = [" ".join(it.split()) for it in body.answers]
    async with context_of(request).engine.begin() as connection:
        await _own_plan(connection, caller, body.plan)
        await consultations.ask(connection, caller.actor, new, answers)
        kept = await _asked(connection, await consultations.named(connection, consultation))
    told = body.model_copy(update={"question": new.question, "answers": answers})
    _same(kept.model_dump(exclude={"id", "entitled"}), told.model_dump())
    return kept


@router.get("/consultations/{consultation}/result", summary="How members answered", responses=_NONE)
async def show_consultation_result(request: Request, caller: Caller, consultation: UUID) -> Result:
    """Once it is over; before, a conflict (consultation-open), for nobody is told counts then."""
    await _rolls(request)
    async with context_of(request).reader.connect() as connection:
        it = await consultations.named(connection, consultation)
        if not _sees(caller, (await plan_named(connection, it.plan)).venue):
            raise NotFound("There is no such consultation.")
        found = await consultations.outcome(connection, it)
        votes = await consultations.votes_by_name(connection, it)
    return Result(
        counts=[Count(answer=answer, votes=number) for answer, number in found.options],
        voted=found.voted,
        entitled=found.entitled,
        turnout=found.turnout,
        quorum=found.quorum,
        quorum_reached=found.reached,
        votes=[Vote(name=name, answer=answer) for name, answer in votes],
    )


@router.get("/{term}", summary="One membership", responses=_NONE)
async def show_member(request: Request, caller: Caller, term: UUID) -> MemberShown:
    async with context_of(request).reader.connect() as connection:
        return _member(await _own_term(connection, caller, term), await _today(connection))


@router.put("/{term}", summary="Sell a membership from a card at a counter", responses=_NONE | _SOLD)
async def sell_member_term(request: Request, caller: Caller, term: UUID, body: SaleBody) -> MemberShown:
    """Under an id that the caller makes: sent again, it is paid once. Its price leaves the card that lies there."""
    to = mail_address(body.email) if body.email else None
    if body.email and to is None:
        raise Invalid("This is no e-mail address.", field="email")
    async with context_of(request).reader.connect() as connection:
        plan = await _own_plan(connection, caller, body.plan)
        network, known, at = await the_network(connection), await currencies(connection), await venues(connection)
        found = await cards_described(connection, body.card)
    if len(found) != 1:
        raise Invalid("No single card matches this.", "card-unknown", field="card")
    offer = Offer(plan, known[plan.currency], at[plan.venue] if plan.venue else None, network)
    buyer = Buyer(" ".join(body.name.split()), to, body.language)
    await buying.buy(ledger_of(request), offer, found[0], buyer, term, actor=caller.actor)
    async with context_of(request).engine.connect() as connection:
        return _member(await terms.term_named(connection, term), await _today(connection))


@router.post("/{term}/cancel", summary="End a membership before its time", responses=_NONE)
async def cancel_member_term(request: Request, caller: Caller, term: UUID, body: Reason) -> MemberShown:
    """They are no member by it any more. What was paid is given back in a step of its own."""
    async with context_of(request).engine.begin() as connection:
        it = await _own_term(connection, caller, term)
        await terms.cancel(connection, caller.actor, it, " ".join(body.reason.split()))
        return _member(await terms.term_named(connection, term), await _today(connection))


@router.post("/{term}/give-back", summary="Give the price of a cancelled membership back", responses=_NONE)
async def give_member_term_back(request: Request, caller: Caller, term: UUID) -> MemberShown:
    """To the wallet that paid it, once."""
    async with context_of(request).reader.connect() as connection:
        it, today = await _own_term(connection, caller, term), await _today(connection)
    await buying.give_back(ledger_of(request), it, actor=caller.actor)
    return _member(it, today)


def _sees(caller: Principal, venue: UUID | None) -> bool:
    return caller.sees_network if venue is None else caller.may_see_venue(venue)


def _require(caller: Principal, venue: UUID | None) -> None:
    if not _sees(caller, venue):
        raise Forbidden("Your rights do not reach this membership.")


def _same(kept: Mapping[str, Any], sent: Mapping[str, Any]) -> None:
    if kept != sent:
        raise Conflict("This id was used for other content.", "idempotency-key-reused")


async def _own_plan(connection: AsyncConnection, caller: Principal, id_: UUID) -> Plan:
    found = await plan_named(connection, id_)
    if not _sees(caller, found.venue):
        raise NotFound("There is no such membership.")
    return found


async def _own_term(connection: AsyncConnection, caller: Principal, id_: UUID) -> MemberTerm:
    found = await terms.term_named(connection, id_)
    await _own_plan(connection, caller, found.plan)
    return found


async def _today(connection: AsyncConnection) -> date:
    return business_day(now_us(), (await the_network(connection)).settings.zone)


async def _rolls(request: Request) -> None:
    async with context_of(request).engine.begin() as connection:
        await consultations.draw_up_rolls(connection)


async def _asked(connection: AsyncConnection, it: Consultation) -> ConsultationShown:
    return ConsultationShown(
        plan=it.plan,
        question=it.question,
        answers=await consultations.options(connection, it.id),
        anonymous=it.anonymous,
        quorum=it.quorum,
        opens_at_us=it.opens_at_us,
        closes_at_us=it.closes_at_us,
        id=it.id,
        entitled=it.entitled,
    )


def _plan(it: Plan) -> PlanShown:
    return PlanShown(
        venue=it.venue,
        names=PlanNames(fr=it.name_fr, en=it.name_en),
        currency=it.currency,
        price=it.price,
        shares=it.shares,
        months=it.months,
        season_first=it.season.first if it.season else None,
        season_last=it.season.last if it.season else None,
        vat=it.vat,
        id=it.id,
        ended=it.ended,
    )


def _member(it: MemberTerm, today: date) -> MemberShown:
    return MemberShown(
        id=it.id,
        plan=it.plan,
        wallet=it.wallet,
        name=it.name,
        email=it.email,
        price=it.price,
        shares=it.shares,
        first_day=it.period.first,
        last_day=it.period.last,
        state=it.state,
        standing=it.standing(today),
        reason=it.end_reason,
    )
