"""The holder's page."""

from __future__ import annotations

import re
from datetime import date
from uuid import UUID

import pytest
import segno
import sqlalchemy as sa

from app.cards.history import PAGE_LINES, Entry, Evening, History, history
from app.cards.pages import in_words
from app.cards.service import WALLET_KINDS
from app.currencies.service import Currency, currencies
from app.identity.tables import audit
from app.money import Unit
from app.rules.ids import uuid7
from app.venues.service import the_network, venues
from app.venues.tables import venue
from app.web.i18n import texts_in
from app.wire import VoidRow
from tests.support.network import UNKNOWN_UID, Network
from tests.support.pages import ENGLISH, FRENCH, form_to, led_to, look, send, words

# Sunday 15 November 2026, 00:30 in Paris: the evening of the 14th goes on.
PAST_MIDNIGHT_US = 1_794_699_000_000_000
HOUR_US = 3600 * 1_000_000


def page_of(network: Network, card: str) -> str:
    return f"/c/{network.cards[card].token}"


async def test_the_page_says_what_is_on_the_card_and_what_happened(network: Network) -> None:
    await network.top_up("awa", 2000)
    await network.shift("awa", 150)
    bar = await network.terminal("raffinerie")
    assert (await bar.sell("awa", {"Demi": 2, "Eau": 1})).status_code == 201
    page = await look(network.client, page_of(network, "awa"))
    assert page.status_code == 200
    assert page.headers["referrer-policy"] == "no-referrer"
    said = words(page)
    assert "Rafftou 12,00 €" in said
    assert "Heures 2 h 30" in said
    assert "Raffinerie 2 × Demi, Eau, " in said
    assert "−8,00 €" in said
    assert "Recharge en espèces : Raffinerie" in said
    assert "+20,00 €" in said
    assert "Bénévolat : Raffinerie Plonge, " in said


async def test_the_same_page_in_english(network: Network) -> None:
    await network.top_up("awa", 2000)
    said = words(await network.client.get(page_of(network, "awa"), headers=ENGLISH))
    assert "€20.00" in said
    assert "Top-up in cash: Raffinerie" in said


async def test_an_empty_card_says_so(network: Network) -> None:
    said = words(await look(network.client, page_of(network, "awa")))
    assert "Rafftou 0,00 €" in said
    assert "Heures" not in said
    assert "Rien pour l’instant" in said


async def test_a_sale_taken_back_is_shown_as_such(network: Network) -> None:
    await network.top_up("awa", 2000)
    bar = await network.terminal("raffinerie")
    sale = bar.sale("awa", {"Demi": 1})
    await bar.sell(sale)
    await bar.deliver(VoidRow(id=uuid7(), sale=sale.id, at_us=sale.occurred_at_us, reason="Erreur", cashier=None))
    said = words(await look(network.client, page_of(network, "awa")))
    assert "Annulation : Raffinerie Demi, " in said
    assert "+3,50 €" in said
    assert "Rafftou 20,00 €" in said


async def test_what_is_owed_after_offline_sales_is_said(network: Network) -> None:
    await network.top_up("awa", 300)
    bar = await network.terminal("raffinerie")
    await bar.deliver(bar.sale_row("awa", {"Demi": 2}))
    said = words(await look(network.client, page_of(network, "awa")))
    assert "Rafftou −4,00 €" in said
    assert "Vous devez 4,00 €" in said
    assert "−7,00 €" in said, "wallet and overdraft are one line to the holder"


async def test_a_name_cannot_bring_markup_in(network: Network) -> None:
    async with network.engine.begin() as connection:
        await connection.execute(sa.text("UPDATE card SET label = '<b onclick=x>&'"))
    page = await look(network.client, page_of(network, "awa"))
    assert "<b onclick" not in page.text
    assert "&lt;b onclick=x&gt;&amp;" in page.text


async def test_an_unknown_address_is_told_kindly_and_guessing_is_slowed_down(network: Network) -> None:
    for _ in range(20):
        page = await look(network.client, "/c/not-a-card")
        assert page.status_code == 404
        assert "Nous ne connaissons pas cette carte" in words(page)
    assert (await look(network.client, "/c/not-a-card")).status_code == 429
    assert (await look(network.client, page_of(network, "awa"))).status_code == 200, "a known card still opens"


async def test_one_card_is_not_asked_for_without_end(network: Network) -> None:
    codes = [(await look(network.client, page_of(network, "awa") + "/qr.svg")).status_code for _ in range(121)]
    assert codes == [200] * 120 + [429]


async def test_the_piece_for_open_pages_holds_what_may_change(network: Network) -> None:
    await network.top_up("awa", 2000)
    piece = await look(network.client, page_of(network, "awa") + "/now")
    assert piece.status_code == 200
    assert "<html" not in piece.text
    assert [piece.text.count(f'data-live="{name}"') for name in ("status", "as-of", "history")] == [1, 1, 1]
    assert "20,00" in piece.text


class TestBlocking:
    async def test_the_holder_blocks_and_only_staff_lift_the_block(self, network: Network) -> None:
        await network.top_up("awa", 2000)
        address = page_of(network, "awa")
        block = form_to(await look(network.client, address), f"{address}/block")
        assert led_to(await send(network.client, block)) == address
        assert led_to(await send(network.client, block)) == address, "twice is harmless"
        page = await look(network.client, address)
        assert "Cette carte est bloquée" in words(page)
        assert "/top-up" not in page.text
        bar = await network.terminal("raffinerie")
        assert (await bar.sell("awa", {"Eau": 1})).status_code == 403
        assert (await send(network.client, block, status="active")).status_code == 303
        assert (await bar.sell("awa", {"Eau": 1})).status_code == 403

        cashier = await network.person("lucas")
        at_counter = await look(cashier, f"/admin/counter?card={network.cards['awa'].uid}")
        lift = form_to(at_counter, f"/admin/cards/{network.cards['awa'].id}/active")
        assert led_to(await send(cashier, lift)).startswith("/admin/counter?")
        assert (await bar.sell("awa", {"Eau": 1})).status_code == 201
        async with network.context.reader.connect() as connection:
            acts = (await connection.execute(sa.select(audit.c.actor, audit.c.action).order_by(audit.c.at_us))).all()
        by = f"person:{await network.hired('lucas')}"
        assert [tuple(act) for act in acts if act.action.startswith("card.")] == [
            ("holder", "card.blocked"),
            (by, "card.active"),
        ]

    async def test_a_form_from_a_page_without_referrer_comes_through(self, network: Network) -> None:
        address = page_of(network, "awa")
        answer = await network.client.post(f"{address}/block", headers={**FRENCH, "Origin": "null"})
        assert led_to(answer) == address

    async def test_another_website_cannot_block(self, network: Network) -> None:
        headers = {**FRENCH, "Origin": "https://evil.example"}
        answer = await network.client.post(f"{page_of(network, 'awa')}/block", headers=headers)
        assert answer.status_code == 403

    async def test_a_stranger_cannot_use_the_counter_s_forms(self, network: Network) -> None:
        answer = await network.client.post(f"/admin/cards/{network.cards['awa'].id}/blocked", headers=FRENCH)
        assert answer.status_code == 401


async def test_the_code_is_the_address_of_the_page(network: Network) -> None:
    card = network.cards["awa"]
    answer = await network.client.get(f"/c/{card.token}/qr.svg")
    assert answer.headers["content-type"] == "image/svg+xml"
    drawn = segno.make(f"http://server.test/c/{card.token}", error="m").svg_inline(scale=8, border=4)
    (dark,) = re.findall(r'stroke="#000"[^>]* d="([^"]+)"', drawn)
    assert f'd="{dark}"' in answer.text


async def all_pages(network: Network, card: str, limit: int) -> list[History]:
    async with network.context.reader.connect() as connection:
        known, at = await currencies(connection), await venues(connection)
        zone = (await the_network(connection)).settings.zone
    pages: list[History] = []
    before: int | None = None
    while not pages or before is not None:
        owner = network.cards[card].owner
        async with network.context.reader.connect() as connection:
            accounts, lines = await network.ledger.held_and_moved(
                connection, owner, WALLET_KINDS, before=before, limit=limit + 1
            )
        pages.append(history(accounts, lines, known, at, zone, limit))
        before = pages[-1].before
    return pages


def entries(pages: list[History]) -> list[Entry]:
    return [entry for page in pages for evening in page.evenings for entry in evening.entries]


@pytest.mark.parametrize("limit", [4, 5, 7, 60])
async def test_pages_of_the_history_hold_everything_once(network: Network, limit: int) -> None:
    """With top-ups that repay an overdraft and sales that make one, an operation has several lines."""
    bar = await network.terminal("raffinerie")
    for _ in range(3):
        await network.top_up("awa", 500)
        await network.shift("awa", 60)
        await bar.deliver(bar.sale_row("awa", {"Demi": 2}), bar.sale_row("awa", {"Demi": 1}, "TEMPS"))
    await network.top_up("awa", 2000)
    pages = await all_pages(network, "awa", limit)
    found = entries(pages)
    assert len({entry.transfer for entry in found}) == len(found) == 13
    held = await network.holds("awa")
    for code in ("RAF", "TEMPS"):
        assert sum(entry.change for entry in found if entry.currency.code == code) == held[code]


async def test_a_long_history_is_read_page_by_page(network: Network) -> None:
    for _ in range(PAGE_LINES + 10):
        await network.top_up("awa", 100)
    first = await look(network.client, page_of(network, "awa"))
    assert first.text.count("+1,00") == PAGE_LINES
    (link,) = re.findall(r'href="(/c/[^"]+[?]before=[0-9]+)"', first.text)
    older = await look(network.client, link)
    assert older.text.count("+1,00") == 10
    assert re.findall(r'href="(/c/[^"]+[?]before=[0-9]+)"', older.text) == []


async def test_a_sale_made_offline_is_listed_where_it_happened(network: Network) -> None:
    await network.top_up("awa", 2000)
    bar = await network.terminal("raffinerie")
    sale = bar.sale("awa", {"Eau": 1})
    await bar.sell("awa", {"Demi": 1})
    await bar.deliver(bar.sale_row(sale.model_copy(update={"occurred_at_us": sale.occurred_at_us - 48 * HOUR_US})))
    (page,) = await all_pages(network, "awa", 60)
    days = [evening.day for evening in page.evenings]
    assert days == sorted(days, reverse=True)
    assert [entry.items[0].name for entry in page.evenings[-1].entries] == ["Eau"]


async def test_only_wallets_of_the_card_are_shown(network: Network) -> None:
    await network.top_up("basile", 1000)
    await network.top_up("awa", 2000)
    bar = await network.terminal("raffinerie")
    await bar.deliver(bar.sale_row(UNKNOWN_UID, {"Demi": 1}))
    assert [entry.change for entry in entries(await all_pages(network, "awa", 60))] == [2000]


def test_an_evening_lasts_until_the_morning() -> None:
    texts = texts_in("fr")
    said = {day: in_words(evening(day, "Europe/Paris"), PAST_MIDNIGHT_US, texts) for day in (14, 13, 12)}
    assert said == {14: "ce soir", 13: "hier", 12: "jeudi 12 novembre"}
    # At 18:00 it is the evening, at 17:00 the day.
    paris = evening(14, "Europe/Paris")
    assert in_words(paris, PAST_MIDNIGHT_US - 6 * HOUR_US - HOUR_US // 2, texts) == "ce soir"
    assert in_words(paris, PAST_MIDNIGHT_US - 8 * HOUR_US, texts) == "aujourd’hui"


def test_a_day_is_told_on_the_clock_of_the_place() -> None:
    """Past midnight in Paris it is the next morning on La Réunion: a coffee there is of today, not of tomorrow."""
    at_us = PAST_MIDNIGHT_US + 3 * HOUR_US
    assert in_words(evening(15, "Indian/Reunion"), at_us, texts_in("fr")) == "aujourd’hui"
    assert in_words(evening(14, "Europe/Paris"), at_us, texts_in("fr")) == "ce soir"


def evening(day: int, zone: str) -> Evening:
    money = Currency("RAF", "network", "pegged", Unit.CENT, "Rafftou", "Rafftou", "€", 1)
    entry = Entry(1, UUID(int=1), "sale", "Bar", (), 0, "", 0, zone, date(2026, 11, day), money, -1)
    return Evening(date(2026, 11, day), (entry,))


async def test_what_changes_is_on_the_next_page(network: Network) -> None:
    """Venues and currencies are remembered between pages, as long as they stay as they are."""
    await network.top_up("awa", 1000)
    assert "Recharge en espèces : Raffinerie" in words(await look(network.client, page_of(network, "awa")))
    async with network.engine.begin() as connection:
        await connection.execute(sa.update(venue).where(venue.c.slug == "raffinerie").values(name="Sucrerie"))
    assert "Recharge en espèces : Sucrerie" in words(await look(network.client, page_of(network, "awa")))
