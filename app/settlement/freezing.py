"""What a run is frozen to: figures and lines of every venue at the cut-off."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID

from app.currencies.policies import policies, policy_at
from app.currencies.service import currencies
from app.ledger.rules.kinds import BookKind
from app.ledger.service import Ledger, Moment, TrialRow
from app.rules.business_day import business_day
from app.settlement import store
from app.settlement.reading import Cover, Found, look
from app.settlement.rules.amounts import NETWORK, Figures, Part, Standing, State, settle, yearly_fee
from app.settlement.store import Line, Run
from app.settlement.terms import Cadence, VenueTerms, network_terms, venue_terms
from app.venues.service import Network, Venue, the_network, venues

NETWORK_FEE, SET_UP = "network_fee", "set_up"


@dataclass(frozen=True, slots=True)
class Frozen:
    """By venue. `covers`: of those that are settled, and of what went into no venue's claim."""

    states: dict[UUID, State]
    figures: dict[UUID, Figures]
    lines: dict[UUID, list[Line]]
    covers: list[Cover]


@dataclass(frozen=True, slots=True)
class Billing:
    """What is already billed: fees by (venue, year) and set-ups by venue, in euro cents; and turnover by (venue,
    year)."""

    fees: Mapping[tuple[UUID, int | None], int]
    set_ups: Mapping[tuple[UUID, int | None], int]
    turnover: Mapping[tuple[UUID, int | None], int]


@dataclass(frozen=True, slots=True)
class NewFee:
    kind: str
    year: int
    cents: int


async def frozen_of(ledger: Ledger, run: Run, at: Moment, before: Moment) -> Frozen:
    async with ledger.reader.connect() as connection:
        network, known = await the_network(connection), await currencies(connection)
        places = list((await venues(connection)).values())
        rules = {code: policy_at(of, run.cut_off_us) for code, of in (await policies(connection)).items()}
        terms, by_venue = await network_terms(connection), await venue_terms(connection)
        last = await store.last_settled(connection)
        billing = Billing(
            await store.settled_lines(connection, [NETWORK_FEE]),
            await store.settled_lines(connection, [SET_UP]),
            await store.settled_lines(connection, ["claim", "cover"]),
        )
    found = await look(ledger, places, known, rules, by_venue, terms.venue_bears, at, before)
    day = business_day(run.cut_off_us, network.settings.zone)
    venue_of = {it.owner: it for it in places}
    fees = {
        it.owner: list(_new_fees(venue_of[it.owner], it, network, billing, day, run.percent)) for it in found.standings
    }
    standings = [
        replace(
            it,
            its_turn=_its_turn(cadence, last.get(venue_of[it.owner].id), day, network),
            new_fees=sum(one.cents for one in fees[it.owner]),
        )
        for it in found.standings
        for cadence in [by_venue.get(it.owner, VenueTerms()).cadence]
    ]
    figures, states = settle([it for it in standings if not it.empty], run.percent)
    lines = {
        venue_of[it.owner].id: list(_numbered(_lines(it, of, found, fees[it.owner], at, before, day.year)))
        for it in standings
        if (of := figures.get(it.owner)) is not None
    }
    settled = {venue_of[owner].id for owner in figures}
    return Frozen(
        {venue_of[owner].id: state for owner, state in states.items()},
        {venue_of[owner].id: of for owner, of in figures.items()},
        lines,
        [it for it in found.covers if it.venue is None or it.venue in settled],
    )


def _its_turn(cadence: Cadence, last_us: int | None, day: date, network: Network) -> bool:
    """Weeks and months are the calendar's, in the network's time zone."""
    if cadence == "every_run" or last_us is None:
        return True
    before = business_day(last_us, network.settings.zone)
    if cadence == "weekly":
        return day.isocalendar()[:2] > before.isocalendar()[:2]
    return (day.year, day.month) > (before.year, before.month)


def _new_fees(
    venue: Venue, standing: Standing, network: Network, billing: Billing, day: date, percent: int
) -> Iterator[NewFee]:
    """The network fee of the tier: of this year at its rate; of a year that is over, and of a venue that leaves, with
    its floor."""
    tier = network.settings.fee_tiers.get(network.settings.venue_tiers.get(venue.slug, ""))
    if tier is None:
        return
    if tier.set_up_cents and not any(of == venue.id for of, _ in billing.set_ups):
        yield NewFee(SET_UP, day.year, tier.set_up_cents)
    # The year of a line is that of its run's cut-off; its cents are negative where the venue pays.
    years = {year for of, year in billing.turnover if of == venue.id and year is not None and year < day.year}
    for year in sorted(years):
        cents = yearly_fee(
            billing.turnover[venue.id, year], -billing.fees.get((venue.id, year), 0), tier.yearly, final=True
        )
        if cents:
            yield NewFee(NETWORK_FEE, year, cents)
    (own,) = settle([replace(standing, its_turn=True, minimum=0)], percent)[0].values()
    turnover = billing.turnover.get((venue.id, day.year), 0) + own.redeemed_cents
    cents = yearly_fee(turnover, -billing.fees.get((venue.id, day.year), 0), tier.yearly, final=standing.leaving)
    if cents:
        yield NewFee(NETWORK_FEE, day.year, cents)


def _lines(
    standing: Standing, of: Figures, found: Found, fees: list[NewFee], at: Moment, before: Moment, year: int
) -> Iterator[Line]:
    """Every line of one statement; their cents sum to `of.net`."""
    accounts = [it for it in found.accounts if it.key.owner == standing.owner]
    for part in of.parts:
        yield from _of_issuer(part, standing, found, accounts, at, before, year)
    if of.issued:
        yield Line(0, "issued", standing.owner, "EUR", of.issued, -of.issued)
    if of.owed_fees:
        row = next(it for it in accounts if it.key.kind == "receivable" and it.key.book.issuer == NETWORK)
        yield _about("fees_owed", row, found, at, before, of.owed_fees, -of.owed_fees)
    for it in fees:
        yield Line(0, it.kind, NETWORK, "EUR", it.cents, -it.cents, it.year)


def _of_issuer(
    part: Part,
    standing: Standing,
    found: Found,
    accounts: list[TrialRow],
    at: Moment,
    before: Moment,
    year: int,
) -> Iterator[Line]:
    accounts = [it for it in accounts if it.key.book.issuer == part.issuer]
    redeemed = {it.currency: it for it in part.redeemed}
    for taken in (it for it in standing.taken if it.issuer == part.issuer):
        row = next(it for it in accounts if it.key.kind == "claim" and it.key.book.currency == taken.currency)
        one, rate = redeemed.get(taken.currency), taken.cents_per_unit
        units = (one.units if one is not None else 0) + taken.borne_units
        if units or taken.claim_units:
            yield replace(_about("claim", row, found, at, before, units, units * rate), year=year)
        if taken.borne_units:
            borne = taken.borne_units
            yield Line(0, "cover", part.issuer, taken.currency, borne, -borne * rate, year)
        if taken.held_units:
            yield Line(0, "held_back", part.issuer, taken.currency, taken.held_units, 0)
        if one is not None and one.fee:
            yield Line(0, "redemption_fee", part.issuer, taken.currency, one.fee // rate, -one.fee)
    for kind, account, amount, sign in (
        ("carried", "payable", part.carried, 1),
        ("cash", "due_from", part.due, -1),
    ):
        if amount:
            row = next(it for it in accounts if it.key.kind == account and it.key.book.kind is BookKind.RESERVE)
            yield _about(kind, row, found, at, before, amount, sign * amount)


def _about(kind: str, row: TrialRow, found: Found, at: Moment, before: Moment, units: int, cents: int) -> Line:
    """A line that is made of the transfers of an account."""
    opening = found.opening.get(row.id, 0)
    return Line(
        0,
        kind,
        row.key.book.issuer,
        row.key.book.currency,
        units,
        cents,
        None,
        row.id,
        opening,
        row.balance,
        before.transfer,
        at.transfer,
    )


def _numbered(lines: Iterator[Line]) -> Iterator[Line]:
    for number, it in enumerate(lines, 1):
        yield replace(it, number=number)
