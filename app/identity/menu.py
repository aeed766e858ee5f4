"""The menu of the pages for people who signed in: every entry once, in the group in which it is looked for.

A room adds its page with one line: its address, its name in a word, and the endpoint whose rights open it.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from app.identity.rights import RIGHTS
from app.identity.roles import Role
from app.web import N_

# A menu of so few entries is shown as it is: nobody opens a group to find one page.
PLAIN_MAX: Final = 5


@dataclass(frozen=True, slots=True)
class Place:
    """A page of the menu: its address, its name in a word, and who is shown the way there (the rights decide)."""

    url: str
    name: str
    roles: frozenset[Role]


@dataclass(frozen=True, slots=True)
class Group:
    name: str
    places: tuple[Place, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """What one reader is shown: a way (`url`), or a group that opens to its ways (`ways`, no `url`)."""

    name: str
    here: bool
    url: str = ""
    ways: tuple[Entry, ...] = ()


MENU: Final = (
    Group(
        N_("Accounts"),
        (
            Place("/admin", N_("Positions"), RIGHTS["list_positions"]),
            Place("/admin/today", N_("Today"), RIGHTS["today_page"]),
            Place("/admin/circulation", N_("In circulation"), RIGHTS["circulation_page"]),
            Place("/admin/settlements", N_("Settlements"), RIGHTS["settlements_page"]),
            Place("/admin/refunds", N_("Refunds"), RIGHTS["refunds_page"]),
            Place("/admin/statements", N_("Bank"), RIGHTS["statements_page"]),
            Place("/admin/handovers", N_("Cash"), RIGHTS["handovers_page"]),
            Place("/admin/reserve", N_("Reserve"), RIGHTS["reserve_page"]),
            Place("/admin/books", N_("Books"), RIGHTS["books_page"]),
        ),
    ),
    Group(
        N_("Tills"),
        (
            Place("/admin/exceptions", N_("To look at"), RIGHTS["exceptions_page"]),
            Place("/admin/disputes", N_("Disputes"), RIGHTS["disputes_page"]),
            Place("/admin/rush", N_("Rush"), RIGHTS["rush_page"]),
            Place("/admin/closings", N_("Closings"), RIGHTS["closings_page"]),
            Place("/admin/products", N_("Products"), RIGHTS["products_page"]),
            Place("/admin/terminals", N_("Terminals"), RIGHTS["terminals_page"]),
        ),
    ),
    Group(
        N_("Programme"),
        (
            Place("/admin/events", N_("Events"), RIGHTS["events_page"]),
            Place("/admin/ticket-counter", N_("Sell tickets"), RIGHTS["ticket_counter_page"]),
            Place("/admin/box-office", N_("Ticket sales"), RIGHTS["box_office_page"]),
            Place("/admin/passes", N_("Passes"), RIGHTS["passes_page"]),
            Place("/admin/artists", N_("Artists"), RIGHTS["artists_page"]),
            Place("/admin/programme", N_("Public"), RIGHTS["programme_admin_page"]),
            Place("/admin/doors", N_("Doors"), RIGHTS["doors_page"]),
        ),
    ),
    Group(
        N_("Cards and people"),
        (
            Place("/admin/counter", N_("Counter"), RIGHTS["counter_page"]),
            Place("/admin/cards", N_("Cards"), RIGHTS["cards_page"]),
            Place("/admin/hours", N_("Hours"), RIGHTS["hours_page"] & RIGHTS["issue_page"]),
            Place("/admin/issue", N_("Issue"), RIGHTS["issue_page"]),
            Place("/admin/members", N_("Members"), RIGHTS["members_page"]),
            Place("/admin/memberships", N_("Memberships"), RIGHTS["memberships_page"]),
            Place("/admin/consultations", N_("Consultations"), RIGHTS["consultations_page"]),
            Place("/admin/loans", N_("Loans"), RIGHTS["loans_page"]),
            Place("/admin/people", N_("People"), RIGHTS["people_page"]),
            Place("/admin/audit", N_("Audit log"), RIGHTS["audit_page"]),
            Place("/admin/mail", N_("E-mail"), RIGHTS["mail_page"]),
        ),
    ),
    Group(
        N_("Rules"),
        (
            Place("/admin/moneys", N_("Moneys"), RIGHTS["moneys_page"]),
            Place("/admin/lapses", N_("Lapses"), RIGHTS["lapses_page"]),
            Place("/admin/limits", N_("Without network"), RIGHTS["limits_page"]),
        ),
    ),
)


def menu_for(roles: Collection[Role], here: str, groups: Collection[Group] = MENU) -> tuple[Entry, ...]:
    """What somebody of these roles is shown on the page that belongs to the entry `here`; names are message ids."""
    shown = [
        Entry(group.name, any(way.here for way in ways), ways=ways)
        for group in groups
        if (ways := tuple(Entry(it.name, it.url == here, it.url) for it in group.places if it.roles & set(roles)))
    ]
    if sum(len(it.ways) for it in shown) <= PLAIN_MAX:
        return tuple(way for it in shown for way in it.ways)
    return tuple(it if len(it.ways) > 1 else it.ways[0] for it in shown)
