"""The network's moneys, their rules and how much of each there is, for programs."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from app.currencies.policies import PolicyVersion, policies, policy_at
from app.currencies.policy_text import PolicyNotUnderstood, read_policy, write_policy
from app.currencies.service import NAME_MAX, NETWORK, SYMBOL_MAX, UNITS, Currency, currencies
from app.identity.guard import Caller
from app.ledger.service import ledger_of
from app.moneys import service
from app.platform.clock import now_us
from app.platform.context import context_of
from app.platform.errors import Invalid, NotFound
from app.rules.policy import CurrencyKind, Policy
from app.venues.service import the_network
from app.wire.base import CurrencyCode

router = APIRouter(prefix="/api/v1", tags=["currencies"])

Plain = Annotated[
    dict[str, Any], Field(description="rules that differ from what is usual", examples=[{"limits": {"ceiling": 25000}}])
]
Instant = Annotated[int | None, Field(ge=0, le=2**62, strict=True, description="None: from now on")]


class PolicyShown(BaseModel):
    """`version` 0 is what holds while nothing was said. `policy`: what differs from what is usual."""

    version: int
    label: str
    valid_from_us: int
    policy: dict[str, Any]
    author: str
    made_at_us: int


class CurrencyShown(BaseModel):
    """`cents_per_unit`: euro cents per minor unit of a pegged currency. `circulating`: minor units, as of now."""

    code: str
    kind: CurrencyKind
    unit: Literal["cent", "minute", "point"]
    names: dict[str, str]
    symbol: str
    issuer: str
    cents_per_unit: int | None
    circulating: int
    policy: PolicyShown


class Names(BaseModel):
    model_config = ConfigDict(extra="forbid")

    fr: Annotated[str, Field(min_length=1, max_length=NAME_MAX)]
    en: Annotated[str, Field(min_length=1, max_length=NAME_MAX)]


class NewCurrency(BaseModel):
    """`issuer`: "network" or "venue:" and the id of a venue. `cents_per_unit`: for pegged money only."""

    model_config = ConfigDict(extra="forbid")

    code: CurrencyCode
    kind: CurrencyKind
    names: Names
    symbol: Annotated[str, Field(min_length=1, max_length=SYMBOL_MAX)]
    issuer: str = NETWORK
    cents_per_unit: Annotated[int | None, Field(strict=True)] = None
    policy: Plain = {}
    valid_from_us: Instant = None


class NewPolicy(BaseModel):
    model_config = ConfigDict(extra="forbid")

    policy: Plain
    valid_from_us: Instant = None


class SupplyShown(BaseModel):
    """`amount`: minor units in circulation at the end of `day`; of today, as of now."""

    day: date
    amount: int


@router.get("/currencies", summary="Currencies with the rules that hold now")
async def list_currencies(request: Request) -> list[CurrencyShown]:
    async with context_of(request).reader.connect() as connection:
        known, versions = await currencies(connection), await policies(connection)
    circulating = await service.in_circulation(ledger_of(request), known)
    now = now_us()
    return [_shown(it, circulating[code], policy_at(versions[code], now)) for code, it in known.items()]


@router.post("/currencies", status_code=201, summary="Define a currency")
async def define_currency(request: Request, caller: Caller, body: NewCurrency) -> CurrencyShown:
    """What it is (kind, issuer, worth) never changes; its rules do, version by version."""
    async with context_of(request).engine.begin() as connection:
        new = Currency(
            body.code,
            body.issuer,
            body.kind,
            UNITS[body.kind],
            body.names.fr,
            body.names.en,
            body.symbol,
            body.cents_per_unit,
            len(await currencies(connection)),
        )
        first = await service.define_currency(
            connection, new, _policy(body.policy), caller.actor, valid_from_us=body.valid_from_us
        )
    return _shown(new, 0, first)


@router.get("/currencies/{currency}/policies", summary="A currency's rules, version by version")
async def list_policies(request: Request, currency: CurrencyCode) -> list[PolicyShown]:
    async with context_of(request).reader.connect() as connection:
        found = (await policies(connection)).get(currency)
    if found is None:
        raise NotFound(f"There is no currency {currency}.")
    return [_version(it) for it in found]


@router.post("/currencies/{currency}/policies", status_code=201, summary="Add a version of a currency's rules")
async def add_policy(request: Request, caller: Caller, currency: CurrencyCode, body: NewPolicy) -> PolicyShown:
    """The whole of the rules: what the body leaves out is as usual, not as before."""
    async with context_of(request).engine.begin() as connection:
        policy = _policy(body.policy)
        return _version(await service.add_version(connection, currency, policy, caller.actor, body.valid_from_us))


@router.get("/currencies/{currency}/supply", summary="How much of a currency is in circulation, day by day")
async def currency_supply(
    request: Request,
    currency: CurrencyCode,
    days: Annotated[int, Query(ge=1, le=service.DAYS_MAX)] = 30,
) -> list[SupplyShown]:
    """Long stretches are told in fewer, evenly spaced days."""
    async with context_of(request).reader.connect() as connection:
        await service.one(connection, currency)
        network = await the_network(connection)
    points = await service.supply(ledger_of(request), currency, days, network.settings.zone)
    return [SupplyShown(day=it.day, amount=it.amount) for it in points]


def _policy(plain: dict[str, Any]) -> Policy:
    try:
        return read_policy(plain)
    except PolicyNotUnderstood as error:
        raise Invalid(str(error), "policy-invalid") from None


def _version(it: PolicyVersion) -> PolicyShown:
    return PolicyShown(
        version=it.version,
        label=it.label,
        valid_from_us=it.valid_from_us,
        policy=write_policy(it.policy),
        author=it.author,
        made_at_us=it.made_at_us,
    )


def _shown(it: Currency, circulating: int, version: PolicyVersion) -> CurrencyShown:
    return CurrencyShown(
        code=it.code,
        kind=it.kind,
        unit=it.unit.value,
        names=it.names,
        symbol=it.symbol,
        issuer=it.issuer,
        cents_per_unit=it.cents_per_unit,
        circulating=circulating,
        policy=_version(version),
    )
