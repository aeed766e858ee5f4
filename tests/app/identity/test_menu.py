"""The menu: every entry once, in a group, and only what the reader's rights open."""

from __future__ import annotations

import pytest

from app.identity.menu import MENU, PLAIN_MAX, Entry, menu_for
from app.identity.roles import PERSONAL, Role


def ways(menu: tuple[Entry, ...]) -> list[Entry]:
    return [way for it in menu for way in (it.ways or (it,))]


def test_an_entry_stands_in_one_group() -> None:
    urls = [place.url for group in MENU for place in group.places]
    assert len(urls) == len(set(urls))


@pytest.mark.parametrize("role", sorted(PERSONAL))
def test_everybody_is_shown_what_their_rights_open_and_nothing_else(role: Role) -> None:
    shown = [it.url for it in ways(menu_for({role}, "/admin"))]
    assert shown == [place.url for group in MENU for place in group.places if role in place.roles]


def test_a_network_admin_chooses_among_few_groups_and_sees_where_they_are() -> None:
    menu = menu_for({Role.NETWORK_ADMIN}, "/admin/lapses")
    assert [it.name for it in menu] == ["Accounts", "Tills", "Programme", "Cards and people", "Rules"]
    assert [it.here for it in menu] == [False, False, False, False, True]
    assert [it.url for it in ways(menu) if it.here] == ["/admin/lapses"]


def test_a_short_menu_is_shown_without_groups() -> None:
    menu = menu_for({Role.CASHIER}, "/admin/counter")
    assert 0 < len(menu) <= PLAIN_MAX
    assert all(it.url and not it.ways for it in menu)


def test_a_group_of_one_entry_is_that_entry() -> None:
    menu = menu_for({Role.VENUE_ADMIN}, "/admin")
    assert len(ways(menu)) > PLAIN_MAX
    assert all(len(it.ways) != 1 for it in menu)
