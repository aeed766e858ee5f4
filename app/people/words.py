"""Roles as people read them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final
from uuid import UUID

from app.identity.roles import Grant, Role
from app.web import N_, Texts

ROLES: Final[Mapping[Role, str]] = {
    Role.NETWORK_ADMIN: N_("Network admin"),
    Role.NETWORK_ACCOUNTANT: N_("Network accountant"),
    Role.AUDITOR: N_("Auditor"),
    Role.VENUE_ADMIN: N_("Venue admin"),
    Role.VENUE_ACCOUNTANT: N_("Venue accountant"),
    Role.VENUE_AUDITOR: N_("Venue auditor"),
    Role.SHIFT_MANAGER: N_("Shift manager"),
    Role.CASHIER: N_("Cashier"),
}
ABOUT: Final[Mapping[Role, str]] = {
    Role.NETWORK_ADMIN: N_("Answers for everything, and releases payments"),
    Role.NETWORK_ACCOUNTANT: N_("Keeps the books and prepares settlements; changes no rules, releases no payment"),
    Role.AUDITOR: N_("Reads everything, changes nothing"),
    Role.VENUE_ADMIN: N_("Answers for the venue"),
    Role.VENUE_ACCOUNTANT: N_("Keeps the venue’s books, accepts or disputes its statements"),
    Role.VENUE_AUDITOR: N_("Reads everything of the venue, changes nothing"),
    Role.SHIFT_MANAGER: N_("Runs the evening: tills, sales taken back, cashiers"),
    Role.CASHIER: N_("Sells, tops up, looks cards up"),
}
# In the order in which roles are told.
ORDER: Final = {role: number for number, role in enumerate(ROLES)}


def in_order(grants: Iterable[Grant]) -> list[Grant]:
    return sorted(grants, key=lambda it: (ORDER[it.role], str(it.venue)))


def said(it: Grant, venues: Mapping[UUID, str], texts: Texts) -> str:
    """Like "Cashier, La Raffinerie"."""
    name = texts.gettext(ROLES[it.role])
    return name if it.venue is None else f"{name}, {venues.get(it.venue, '?')}"
