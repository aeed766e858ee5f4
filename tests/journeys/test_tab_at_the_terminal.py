"""A tab at the real terminal and the real server: opened by a card, drunk, paid, and a sale like any other."""

# Fixtures are named as arguments, which is what they are imported for.
# ruff: noqa: F811
from __future__ import annotations

from uuid import UUID

import pytest

from app.rules.ids import uuid7
from readers.journal import Clock
from readers.terminal.commands import TillError
from readers.terminal.view import BasketItem, Taken
from readers.till.acting import Tools
from readers.till.acts import acts_of
from readers.till.tabs import TabDesk
from tests.journeys.test_split_at_the_terminal import Bar, bar, network  # noqa: F401


def with_tabs(bar: Bar) -> Bar:
    till, tap, clock = bar.till, bar.till._selling.tap, Clock()
    tabs = TabDesk(bar.journal, bar.shelf, tap._server, bar.link, clock)
    till._selling.acts = acts_of(Tools(bar.journal, bar.shelf, tap, tap._server, bar.link, clock), tabs)
    till._tabs, tabs.on_paid = tabs, till._tab_paid
    return bar


async def opened(bar: Bar, amount: int) -> UUID:
    await bar.till.act("tab_open", {"currency": "RAF", "amount": amount, "name": "Table 4"})
    assert (await bar.tap("awa")).reason is None
    await bar.till.dismiss()
    (tab,) = await bar.till.tabs()
    assert (tab.held, tab.name) == (amount, "Table 4")
    return tab.id


async def drink(bar: Bar, tab: UUID, count: int) -> None:
    items = [BasketItem(bar.network.product("raffinerie", "Demi").id, count, "RAF")]
    await bar.till.add_to_tab(tab, items, uuid7())


async def test_a_tab_within_what_is_set_aside(bar: Bar) -> None:
    with_tabs(bar)
    tab = await opened(bar, 1500)
    await drink(bar, tab, 2)
    sale = await bar.till.close_tab(tab, None)
    past = bar.till.screen().last_sales[0]
    assert past.sale == sale
    assert bar.till.receipt(past.sale, "fr").number.endswith(f"-{bar.journal.head}")
    await bar.delivered()
    assert (await bar.network.holds("awa"))["RAF"] == 1300
    assert await bar.network.claims("raffinerie") == {"RAF": 700}
    assert await bar.network.exceptions() == []
    # It is voided like any other.
    await bar.till.void(past.sale, "Erreur")
    await bar.delivered()
    assert (await bar.network.holds("awa"))["RAF"] == 2000


async def test_what_goes_beyond_is_asked_from_the_card(bar: Bar) -> None:
    with_tabs(bar)
    tab = await opened(bar, 500)
    await drink(bar, tab, 2)
    with pytest.raises(TillError, match="tab_over_hold"):
        await bar.till.close_tab(tab, None)
    (shown,) = await bar.till.tabs()
    await bar.till.act("tab_pay", {"tab": shown.model_dump(mode="json")})
    assert (await bar.tap("basile")).reason is None
    await bar.delivered()
    assert (await bar.network.holds("awa"))["RAF"] == 1500
    assert (await bar.network.holds("basile"))["RAF"] == 100
    assert await bar.till.tabs() == ()


async def test_what_goes_beyond_is_taken_by_the_means_that_the_venue_is_paid_with(bar: Bar) -> None:
    with_tabs(bar)
    tab = await opened(bar, 500)
    await drink(bar, tab, 2)
    with pytest.raises(TillError, match="not_offered"):
        await bar.till.close_tab(tab, "cheque")
    shop = bar.shelf.shop
    assert shop is not None
    shop.snapshot = shop.snapshot.model_copy(update={"means": (*shop.snapshot.means, "cheque")})
    await bar.till.close_tab(tab, "cheque")
    assert bar.till.screen().last_sales[0].rest == (Taken("cheque", "RAF", 200),)
    await bar.delivered()
    assert (await bar.network.holds("awa"))["RAF"] == 1500
    assert await bar.network.claims("raffinerie") == {"RAF": 500}
    assert await bar.network.exceptions() == []


async def test_a_row_that_a_crash_kept_from_the_journal_is_written_at_the_next_look(
    bar: Bar, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_tabs(bar)
    tab = await opened(bar, 1500)
    await drink(bar, tab, 1)

    async def crash(*_: object) -> None:
        raise RuntimeError("killed")

    with monkeypatch.context() as patch:
        patch.setattr(TabDesk, "_note", crash)
        with pytest.raises(RuntimeError, match="killed"):
            await bar.till.close_tab(tab, None)
    assert bar.till.screen().last_sales == ()
    assert await bar.till.tabs() == ()
    assert len(bar.till.screen().last_sales) == 1
    await bar.delivered()
    assert await bar.network.claims("raffinerie") == {"RAF": 350}


async def test_without_network_nothing_is_done_to_a_tab(bar: Bar) -> None:
    with_tabs(bar)
    tab = await opened(bar, 1500)
    bar.line.cut = True
    with pytest.raises(TillError, match=r"tab_no_answer|only_online"):
        await bar.till.close_tab(tab, None)
    bar.line.cut = False
    assert len(await bar.till.tabs()) == 1
