"""Details of an act as people read them: each by its name in words, with people, venues, roles and amounts as such.

A detail whose name is not here is told by the name that the log has.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from app.identity.roles import Role
from app.money import Unit, format_amount
from app.people.words import ROLES
from app.platform import clock
from app.web import N_, Texts, dates

DETAILS: Final[Mapping[str, str]] = {
    "account": N_("Bank details"),
    "address": N_("Address"),
    "tops_up": N_("Tops up"),
    "opening": N_("Opening hours"),
    "refund": N_("Refund"),
    "after": N_("After operation"),
    "amount_cents": N_("Amount"),
    "title": N_("Title"),
    "terminal": N_("Terminal"),
    "partner": N_("Partner"),
    "places": N_("Places"),
    "terminals": N_("Terminals"),
    "refund_opens": N_("First day of refunds"),
    "refund_closes": N_("Last day of refunds"),
    "town": N_("Town"),
    "point": N_("On the map"),
    "keep": N_("Tickets to sell"),
    "capacity": N_("Places"),
    "amount": N_("Amount"),
    "answer_days": N_("Days to answer"),
    "asked_by": N_("Asked for by"),
    "bank_delay_h": N_("Hours before bank details hold"),
    "cadence": N_("Settled"),
    "card": N_("Card"),
    "category": N_("Category"),
    "cents": N_("Amount"),
    "cents_per_unit": N_("Worth of one unit"),
    "changed": N_("Accounts"),
    "changes": N_("Changes"),
    "closing": N_("Closing"),
    "code": N_("Code"),
    "colour": N_("Colour"),
    "cover": N_("Who bears debts"),
    "credit": N_("Credit line"),
    "credit_line": N_("Photographer"),
    "currency": N_("Money"),
    "cut_off_us": N_("Up to"),
    "days": N_("Days"),
    "entries": N_("Entries"),
    "epoch": N_("Journal"),
    "given": N_("Card given"),
    "grants": N_("Roles"),
    "iban": N_("IBAN"),
    "issuer": N_("Issuer"),
    "kind": N_("Kind"),
    "known": N_("Known already"),
    "key_set": N_("Set of keys"),
    "label": N_("Label"),
    "leaving": N_("Leaves the network"),
    "left_out": N_("Venues left out"),
    "legal_name": N_("Legal name"),
    "limit_after": N_("Limit now"),
    "limit_before": N_("Limit before"),
    "line": N_("Line"),
    "lines": N_("Lines"),
    "login": N_("Login"),
    "lost": N_("Lost"),
    "means": N_("By"),
    "minimum_cents": N_("Smallest payment"),
    "month": N_("Month"),
    "most": N_("At most"),
    "name": N_("Name"),
    "name_en": N_("Name in English"),
    "name_fr": N_("Name in French"),
    "names": N_("Names"),
    "now": N_("Now"),
    "number": N_("How many"),
    "open_price": N_("Open price"),
    "operation": N_("Operation"),
    "operations": N_("Operations"),
    "owner": N_("Who has it"),
    "payout_days": N_("Days a payout may be on its way"),
    "payments": N_("Payments"),
    "percent": N_("Per cent"),
    "period": N_("Period"),
    "pin": N_("New PIN"),
    "place": N_("Place"),
    "policy": N_("Rules"),
    "price_cents": N_("Price"),
    "prices": N_("Prices"),
    "reason": N_("Reason"),
    "reference": N_("Reference"),
    "regime": N_("VAT regime"),
    "replaced": N_("In place of another"),
    "request": N_("Request"),
    "role": N_("Role"),
    "roles": N_("Roles"),
    "rows": N_("Rows"),
    "seq": N_("Up to transfer"),
    "shares_cents": N_("Of which shares"),
    "signed": N_("Signed"),
    "siren": N_("SIREN"),
    "sold": N_("Sold"),
    "source": N_("Source"),
    "symbol": N_("Symbol"),
    "text": N_("Text"),
    "to": N_("To"),
    "tries": N_("Tries"),
    "url": N_("Address"),
    "valid_from_us": N_("From"),
    "venue": N_("Venue"),
    "venue_share": N_("The venue’s share (hundredths of a per cent)"),
    "version": N_("Version"),
    "was": N_("Before"),
    "year_starts": N_("Year begins"),
}
# The query of an address that was looked at speaks for itself.
_BARE: Final = "asked"


@dataclass(frozen=True, slots=True)
class Reader:
    """To whom it is told: names of people and venues by id, and in which zone moments are."""

    texts: Texts
    zone: str
    people: Mapping[UUID, str]
    venues: Mapping[UUID, str]


def told(details: Mapping[str, Any], to: Reader) -> list[tuple[str, str]]:
    """(name in words, value), without what has no value; the query of an address has no name."""
    return [
        ("" if name == _BARE else _name(name, to), _value(name, value, to))
        for name, value in details.items()
        if value not in (None, "", [], {})
    ]


def who(said: str, to: Reader) -> str:
    """ "person:<id>" or "venue:<id>" by name, an id of either too; anything else as the log has it."""
    kind, _, rest = said.rpartition(":")
    known: dict[str, Mapping[UUID, str]] = {"person": to.people, "venue": to.venues, "": {**to.people, **to.venues}}
    try:
        return known[kind][UUID(rest)]
    except (KeyError, ValueError):
        return said


def _name(name: str, to: Reader) -> str:
    return to.texts.gettext(DETAILS[name]) if name in DETAILS else name


def _value(name: str, value: Any, to: Reader) -> str:
    texts = to.texts
    match value:
        case bool():
            return texts.gettext("Yes") if value else texts.gettext("No")
        case int() if name.endswith("_us"):
            return dates.when(value, to.zone, clock.now_us(), texts)
        case int() if name == "cents" or name.endswith("_cents"):
            return format_amount(value, Unit.CENT, "€", texts.language)
        case str():
            return _text(value, to)
        case Mapping() if set(value) == {"was", "now"}:
            return f"{_value(name, value['was'], to)} → {_value(name, value['now'], to)}"
        case Mapping():
            return ", ".join(f"{said}: {it}" if said else it for said, it in told(value, to))
        case Sequence():
            return ", ".join(_value(name, it, to) for it in value)
    return str(value)


def _text(value: str, to: Reader) -> str:
    role, at, where = value.partition("@")
    if role not in set(Role):
        return who(value, to)
    said = to.texts.gettext(ROLES[Role(role)])
    return f"{said}, {who(where, to)}" if at and where != "network" else said
