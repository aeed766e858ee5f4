"""What the pages of issuing share: who gives, in which currency, and amounts and people as they are read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Annotated
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import Form, Request

from app.currencies.service import Currency, currencies
from app.identity.roles import Principal
from app.issuing.service import Terms, may_issue, terms_of
from app.ledger.service import Ledger, ledger_of
from app.money import AmountNotUnderstood, Unit, parse_amount
from app.platform.clock import now_us
from app.platform.context import context_of
from app.platform.errors import Forbidden
from app.rules.policy import CurrencyKind
from app.venues.service import Network, Venue, the_network, venues
from app.web import Texts, dates

# The menu's one entry for everything that is issued by hand.
PLACE = "/admin/issue"

Typed = Annotated[str, Form(max_length=300)]
SECOND_US = 1_000_000


@dataclass(frozen=True, slots=True)
class Desk:
    """What somebody may issue of one kind of currency: the terms by (giver, currency code); the giver is a venue's id,
    or "" for the network."""

    network: Network
    currencies: dict[str, Currency]
    venues: dict[UUID, Venue]
    ledger: Ledger
    choices: Mapping[tuple[str, str], Terms]

    @property
    def moneys(self) -> list[Currency]:
        """Those that can be chosen, in the order in which currencies are shown."""
        chosen = {code for _, code in self.choices}
        return [it for code, it in self.currencies.items() if code in chosen]

    @property
    def givers(self) -> list[tuple[str, str]]:
        """(value, name) of the network and of the venues that can be chosen."""
        found = dict.fromkeys(giver for giver, _ in self.choices)
        return [(it, self.venues[UUID(it)].name if it else self.network.name) for it in found]

    def terms(self, giver: str, code: str) -> Terms:
        """Raises Forbidden for what cannot be chosen."""
        if (giver, code) not in self.choices:
            raise Forbidden("The rules of this currency do not let you issue it here.")
        return self.choices[giver, code]


async def desk_of(request: Request, caller: Principal, kind: CurrencyKind) -> Desk:
    """What the caller may issue; nothing at all is no error."""
    ledger = ledger_of(request)
    async with context_of(request).reader.connect() as connection:
        network, known, all_venues = (
            await the_network(connection),
            await currencies(connection),
            await venues(connection),
        )
    givers: list[Venue | None] = [None, *(it for it in all_venues.values() if caller.may_see_venue(it.id))]
    choices = {}
    for code, currency in known.items():
        for giver in givers if currency.kind == kind else ():
            terms = await terms_of(ledger, network, giver, currency)
            if may_issue(caller, terms):
                choices["" if giver is None else str(giver.id), code] = terms
    return Desk(network, known, all_venues, ledger, choices)


def read_amount(typed: str, currency: Currency) -> int:
    """Raises AmountNotUnderstood, also for nothing at all."""
    amount = parse_amount(typed, currency.unit)
    if amount == 0:
        raise AmountNotUnderstood(typed)
    return amount


def amount_example(unit: Unit, texts: Texts) -> str:
    """What is said under a field whose amount was not understood."""
    if unit is Unit.MINUTE:
        return texts.gettext("Write a time such as 3 h, 2 h 30 or 45 min.")
    if unit is Unit.POINT:
        return texts.gettext("Write a whole number such as 10.")
    example = "12,50" if texts.language == "fr" else "12.50"
    return texts.gettext("Write an amount such as 25 or %(amount)s.", amount=example)


def last_day(until_us: int | None, zone: str, texts: Texts) -> str:
    """The last day before an instant, in words; "" where there is no end."""
    if until_us is None:
        return ""
    last = dates.local(until_us - SECOND_US, zone).date()
    return dates.day_in_words(last, dates.local(now_us(), zone).date(), texts)


def end_of_day_us(day: date, zone: str) -> int:
    """The instant at which a day is over on a network's clock."""
    after = datetime.combine(day + timedelta(days=1), time(), ZoneInfo(zone))
    return int(after.timestamp()) * SECOND_US
