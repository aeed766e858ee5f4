"""Cups, typed prices, tips, bills, cash, cheques, gifts: sold through the staff screen's commands at the real terminal,
and found to the cent in the ledger, the venue's till record, the Z closing and on the receipts' pages."""

# Fixtures are named as arguments, which is what they are imported for.
# ruff: noqa: F811
from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest

from app.ledger.verify import verify
from app.platform.clock import now_us
from app.platform.settings import Settings
from app.rules.ids import uuid7
from app.rules.lines import NO_PRODUCT
from app.rules.offline import Refusal
from app.rules.policy import Issue, Policy, Redeem
from app.rules.takings import Figures
from app.sales.closings import store
from app.sales.closings.document import ClosingDocument
from app.sales.records import TillRecord, records_of_day
from app.venues.hours import Hours, add_hours
from app.venues.service import Product, add_product, set_paid
from readers.kiosk import create_kiosk
from tests.journeys.test_split_at_the_terminal import Bar, bar  # noqa: F401
from tests.journeys.test_tab_at_the_terminal import drink, opened, with_tabs
from tests.support.network import BASE, PIN, RAF, Network, network_of, running
from tests.support.pages import look, words

Item = dict[str, object]
# As by default, and paid out to holders as well.
PAID_OUT = Policy(issue=Issue(("network_admin", "venue_admin", "cashier")), redeem=Redeem(who=("venues", "holders")))


@pytest.fixture
async def network(quick: None, database_url: str, tmp_path: Path) -> AsyncIterator[Network]:
    """A bar with a deposit, a typed price and a happy hour, paid in every way, with somebody who answers for it."""
    settings = Settings(data=tmp_path / "data", database_url=database_url, base_url=BASE)
    async with running(settings) as app, network_of(app, settings) as network:
        venue = network.venues["raffinerie"].id
        cup = Product(uuid7(), "Gobelet", "Cup", "Bar", "", {"RAF": 100}, "deposit")
        bulk = Product(uuid7(), "Vrac", "Bulk", "Épicerie", "", {}, open_price=True)
        punch = Product(uuid7(), "Planteur", "Punch", "Bar", "", {"RAF": 600})
        # Réunion is at UTC+4, without summer time; whatever the time of the test, it is happy hour.
        wall = datetime.now(UTC) + timedelta(hours=4)
        begins, ends = ((wall + timedelta(hours=hours)).time().replace(microsecond=0) for hours in (-1, 1))
        async with network.engine.begin() as connection:
            for product in (cup, bulk, punch):
                await add_product(connection, venue, product)
                network.products["raffinerie", product.name_fr] = product
            await add_hours(connection, venue, _hours(begins, ends, punch.id))
            await set_paid(connection, venue, ("cash", "bank_card", "cheque", "meal_voucher"), "Équipe du bar", None)
        await network.rules(RAF, PAID_OUT)
        await network.hired("marie")
        await network.top_up("awa", 2000)
        await network.top_up("basile", 2000)
        yield network
        report = await verify(network.engine)
        assert report.ok, report.findings


def _hours(begins: time, ends: time, product: UUID) -> Hours:
    return Hours(uuid7(), "Happy hour", frozenset(range(7)), begins, ends, {product: {"RAF": 400}})


@dataclass
class Screen:
    """The staff screen: what its page asks of the agent."""

    bar: Bar
    http: httpx.AsyncClient

    async def command(self, name: str, body: Mapping[str, object]) -> Any:
        answer = await self.http.post(f"/api/{name}", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def refused(self, name: str, body: Mapping[str, object]) -> str:
        answer = await self.http.post(f"/api/{name}", json=body)
        assert answer.status_code == 409, answer.text
        return str(answer.json()["reason"])

    async def card(self, card: str, *items: Item, **more: object) -> UUID:
        sale = await self.command("pay", {"items": items, "currency": "RAF", **more})
        assert (await self.bar.tap(card)).reason is None
        await self.command("dismiss", {})
        return UUID(sale["sale"])

    async def take(self, means: str, *items: Item, **more: object) -> UUID:
        sale = await self.command("take", {"items": items, "currency": "RAF", "means": means, **more})
        assert (await self.http.get("/api/screen")).json()["phase"] == "paid"
        await self.command("dismiss", {})
        return UUID(sale["sale"])

    async def act(self, name: str, card: str, wish: Mapping[str, object]) -> None:
        await self.command("act", {"name": name, "wish": wish})
        assert (await self.bar.tap(card)).reason is None
        await self.command("dismiss", {})

    def item(self, name: str, quantity: int = 1, **more: object) -> Item:
        return {"product": str(self.bar.network.product("raffinerie", name).id), "quantity": quantity, **more}

    async def shown(self, name: str) -> Any:
        """A product as its tile is drawn."""
        products = (await self.http.get("/api/catalogue")).json()["products"]
        return next(it for it in products if it["names"]["fr"] == name)

    async def closed(self, drawer: Mapping[int, int], reason: str = "") -> ClosingDocument:
        """Count the drawer, close it, deliver: what the server sealed, and agrees with."""
        network, journal = self.bar.network, self.bar.journal
        await self.command("session/count", {"pieces": drawer})
        number = (await self.command("session/close", {"reason": reason}))["number"]
        await self.bar.delivered()
        async with network.context.reader.connect() as connection:
            found = await store.numbered(connection, journal.pairing.device, "session", number)
        assert found is not None
        assert found.document.origin is not None
        assert found.document.origin.agrees
        return found.document

    async def records(self) -> dict[UUID, TillRecord]:
        venue = self.bar.network.venues["raffinerie"]
        async with self.bar.network.context.reader.connect() as connection:
            return {it.id: it for it in await records_of_day(connection, venue.id, venue.day_of(now_us()))}

    async def receipt(self, sale: UUID) -> str:
        """The page at the address that the screen shows as a QR code, read with the number that stands there too."""
        told = (await self.http.get(f"/api/receipts/{sale}")).json()
        page = await look(self.bar.network.client, told["address"].removeprefix(BASE))
        assert page.status_code == 200
        assert f"Vente nᵒ {told['number']}, caisse Bar" in words(page)
        return words(page)


@pytest.fixture
async def screen(bar: Bar) -> AsyncIterator[Screen]:
    with_tabs(bar)
    transport = httpx.ASGITransport(create_kiosk(bar.till))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as http:
        it = Screen(bar, http)
        await it.command("sign-in", {"pin": PIN})
        await it.command("session/open", {"pieces": {1000: 5}})
        yield it


TIP: Item = {"product": str(NO_PRODUCT), "quantity": 1, "price": 50, "kind": "tip"}


async def without_a_card(it: Screen) -> dict[UUID, tuple[int, str]]:
    """One basket of each sort that no card pays: euro cents by sale, and what its page says of how it was paid."""
    item, take = it.item, it.take
    return {
        await take("cash", item("Demi"), item("Gobelet"), given=500): (450, "Espèces 4,50 €"),
        await take("cash", item("Gobelet", kind="back")): (-100, "Espèces −1,00 €"),
        await take("cash", item("Vrac", price=315, kind="open")): (315, "Espèces 3,15 €"),
        await take("cash", item("Demi"), TIP, given=1000): (400, "Espèces 4,00 €"),
        await take("cash", item("Planteur"), given=400): (400, "Espèces 4,00 €"),
        await take("cheque", item("Demi", 2)): (700, "Chèque 7,00 €"),
        await take("meal_voucher", item("Eau")): (100, "Titre-restaurant 1,00 €"),
        await take("house", item("Demi"), reason="Anniversaire"): (350, "Offert par la maison 3,50 €"),
    }


# What these come to in the Z closing.
GOODS, TIPS, CUPS_OUT, CUPS_BACK = 350 + 315 + 350 + 400 + 700 + 100, 50, 100, 100
MEANS = {"cash": {"RAF": 450 - 100 + 315 + 400 + 400}, "cheque": {"RAF": 700}, "meal_voucher": {"RAF": 100}}


def check_figures(found: Figures) -> None:
    assert (found.total, found.tips) == ({"RAF": GOODS}, {"RAF": TIPS})
    assert (found.deposits_out, found.deposits_back) == ({"RAF": CUPS_OUT}, {"RAF": CUPS_BACK})
    assert (found.sales, found.gifts, found.gifted) == (7, 1, {"RAF": 350})
    assert found.means == MEANS
    assert found.categories == {"Bar": {"RAF": GOODS - 315}, "Épicerie": {"RAF": 315}}


@pytest.mark.parametrize("away", [False, True], ids=["online", "network-away"])
async def test_what_no_card_pays_is_the_venues_own_to_the_cent(screen: Screen, away: bool) -> None:
    network = screen.bar.network
    screen.bar.line.cut = away
    sold = await without_a_card(screen)
    assert await screen.refused("take", {"items": [screen.item("Demi")], "currency": "RAF", "means": "house"}) == (
        "reason_needed"
    )
    screen.bar.line.cut = False
    await screen.bar.delivered()

    assert await network.claims("raffinerie") == {}
    assert (await network.holds("awa"))["RAF"] == 2000
    kept = await screen.records()
    assert {id_: sum(rest["amount"] for rest in it.details["rest"]) for id_, it in kept.items()} == {
        id_: cents for id_, (cents, _) in sold.items()
    }
    assert [it.details["reason"] for it in kept.values() if it.kind == "house"] == ["Anniversaire"]
    for sale, (_, paid) in sold.items():
        assert paid in await screen.receipt(sale)
    closing = await screen.closed({1000: 5, 500: 2, 200: 2, 50: 1, 10: 1, 5: 1})
    check_figures(closing.figures)
    assert (closing.drawer.expected_cents, closing.drawer.difference_cents) == (5000 + 1465, 0)
    printed = (await screen.command("session/report", {"which": "last"}))["rows"]
    told = {left: right.replace("\u00a0", " ") for _, left, right in printed}
    said = words(await look(await network.person("marie"), f"/admin/closings/{closing.id}"))
    for means, amount in (("Espèces", "14,65 €"), ("Chèque", "7,00 €"), ("Titre-restaurant", "1,00 €")):
        assert told[f"Réglé : {means}"] == amount
        assert f"{means} {amount}" in said
    assert (told["Total des ventes"], told["Offerts par la maison : 1"]) == ("22,15 €", "3,50 €")
    assert await network.exceptions() == []


async def of_cards(it: Screen) -> dict[UUID, str]:
    """The same sorts paid by cards: what each one's page says of how it was paid."""
    item, card = it.item, it.card
    cup, bill = [item("Gobelet", kind="back")], [item("Demi", 2), item("Eau")]

    def part(number: int) -> dict[str, object]:
        return {"id": str(whole), "part": number, "parts": 3}

    whole = uuid7()
    return {
        await card("awa", item("Demi"), item("Gobelet")): "Rafftou carte finissant par A001 4,50 €",
        await card("awa", *cup): "Rafftou carte finissant par A001 −1,00 €",
        await card("basile", item("Vrac", price=315, kind="open")): "Rafftou carte finissant par A002 3,15 €",
        await card("basile", item("Demi"), TIP): "Rafftou carte finissant par A002 4,00 €",
        await card("awa", item("Planteur")): "Rafftou carte finissant par A001 4,00 €",
        await card("awa", *bill, bill=part(1)): "Rafftou carte finissant par A001 2,67 €",
        await card("basile", *bill, bill=part(2)): "Rafftou carte finissant par A002 2,67 €",
        await it.take("cash", *bill, bill=part(3), given=500): "Espèces 2,66 €",
        await it.take("cash", item("Gobelet"), given=200): "Espèces 1,00 €",
        # What was paid in cash comes back to a card: cash that the venue holds for the network.
        await card("awa", *cup): "Rafftou carte finissant par A001 −1,00 €",
    }


@pytest.mark.parametrize("away", [False, True], ids=["online", "network-away"])
async def test_what_cards_pay_is_in_the_ledger_and_the_closing_to_the_cent(screen: Screen, away: bool) -> None:
    network = screen.bar.network
    await screen.bar.refreshed("basile")
    screen.bar.line.cut = away
    pages = await of_cards(screen)
    screen.bar.line.cut = False
    await screen.bar.delivered()

    assert (await network.holds("awa"))["RAF"] == 2000 - 450 + 100 - 400 - 267 + 100
    assert (await network.holds("basile"))["RAF"] == 2000 - 315 - 400 - 267
    goods, cash = 350 + 315 + 350 + 400 + 800, 266 + 100
    assert await network.claims("raffinerie") == {"RAF": goods - 266}
    owed = await network.ledger.balances(kinds=["deposit", "due_from", "fund"])
    assert {it.key.kind: it.balance for it in owed if it.balance} == {"due_from": 4000 + 100, "fund": 50}
    assert len(await screen.records()) == 2
    for sale, paid in pages.items():
        assert paid in await screen.receipt(sale)
    closing = await screen.closed({1000: 5, 200: 1, 100: 1, 50: 1, 10: 1, 5: 1, 1: 1})
    found = closing.figures
    assert (found.sales, found.total, found.tips) == (10, {"RAF": goods}, {"RAF": 50})
    assert (found.deposits_out, found.deposits_back) == ({"RAF": 200}, {"RAF": 200})
    assert found.means == {"card": {"RAF": goods + 50 - cash}, "cash": {"RAF": cash}}
    assert (closing.drawer.expected_cents, closing.drawer.difference_cents) == (5000 + cash, 0)
    assert await network.exceptions() == []


async def test_what_is_sold_out_is_told_to_the_venue_and_what_is_poured_already_is_sold(screen: Screen) -> None:
    water = screen.item("Eau")
    await screen.command("sold-out", {"product": water["product"], "sold_out": True})
    assert (await screen.shown("Eau"))["sold_out"]
    await screen.bar.delivered()
    await screen.bar.refreshed("awa")
    assert (await screen.shown("Eau"))["sold_out"]
    assert not (await screen.shown("Demi"))["sold_out"]
    await screen.card("awa", water)
    await screen.command("sold-out", {"product": water["product"], "sold_out": False})
    assert not (await screen.shown("Eau"))["sold_out"]
    await screen.bar.delivered()
    assert await screen.bar.network.claims("raffinerie") == {"RAF": 100}


@pytest.mark.parametrize("away", [False, True], ids=["online", "network-away"])
async def test_what_no_card_paid_is_taken_back(screen: Screen, away: bool) -> None:
    screen.bar.line.cut = away
    cash = await screen.take("cash", screen.item("Demi"), screen.item("Gobelet"), TIP, given=1000)
    cheque = await screen.take("cheque", screen.item("Demi", 2))
    gift = await screen.take("house", screen.item("Demi"), reason="Anniversaire")
    for sale in (cash, gift):
        await screen.command("void", {"sale": str(sale), "reason": "Erreur"})
    assert await screen.refused("void", {"sale": str(cash), "reason": "Encore"}) == "not_voidable"
    screen.bar.line.cut = False
    await screen.bar.delivered()

    kept = await screen.records()
    assert {id_: it.taken_back is not None for id_, it in kept.items()} == {cash: True, cheque: False, gift: True}
    for sale in (cash, gift):
        page = await screen.receipt(sale)
        assert "Cette vente a été annulée" in page
        assert "sur la carte" not in page, "no card paid it"
    assert "annulée" not in await screen.receipt(cheque)
    closing = await screen.closed({1000: 5})
    found = closing.figures
    assert (found.sales, found.gifts, found.voids) == (2, 1, 2)
    assert (found.total, found.means) == ({"RAF": 1050}, {"cash": {"RAF": 500}, "cheque": {"RAF": 700}})
    # The gift was never turnover: what is voided of the turnover is the sale in cash alone.
    assert (found.voided, found.voided_means) == ({"RAF": 350}, {"cash": {"RAF": 500}})
    assert closing.after.perpetual.voided == {"RAF": 350}
    assert (closing.drawer.expected_cents, closing.drawer.difference_cents) == (5000, 0)
    assert await screen.bar.network.exceptions() == []


@pytest.mark.parametrize("away", [False, True], ids=["online", "network-away"])
async def test_a_cup_that_came_back_to_a_card_by_mistake_is_out_again(screen: Screen, away: bool) -> None:
    """One that was paid by card, and one that was paid in cash: each void is the end of what it undoes."""
    network, cup = screen.bar.network, screen.item("Gobelet")
    await screen.bar.refreshed("awa")
    screen.bar.line.cut = away
    await screen.card("awa", screen.item("Demi"), cup, TIP)
    await screen.take("cash", cup)
    first = await screen.card("awa", {**cup, "kind": "back"})
    second = await screen.card("awa", {**cup, "kind": "back"})
    for sale in (second, first):
        await screen.command("void", {"sale": str(sale), "reason": "Erreur"})
    screen.bar.line.cut = False
    await screen.bar.delivered()

    assert (await network.holds("awa"))["RAF"] == 2000 - 500
    assert await network.claims("raffinerie") == {"RAF": 350}
    owed = await network.ledger.balances(kinds=["deposit", "due_from", "fund"])
    assert {it.key.kind: it.balance for it in owed if it.balance} == {"deposit": 100, "due_from": 4000, "fund": 50}
    assert "Cette vente a été annulée" in await screen.receipt(second)
    closing = await screen.closed({1000: 5, 100: 1})
    found = closing.figures
    assert (found.voids, found.voided, found.voided_means) == (2, {}, {"card": {"RAF": -200}})
    assert (found.deposits_out, found.deposits_back) == ({"RAF": 200}, {"RAF": 200})
    assert closing.drawer.difference_cents == 0
    assert await network.exceptions() == []


async def test_the_closing_counts_a_tab_once_when_it_is_paid(screen: Screen) -> None:
    bar = screen.bar
    tab = await opened(bar, 500)
    await drink(bar, tab, 2)
    await screen.command("session/count", {"pieces": {1000: 5}})
    assert (await screen.closed({1000: 5})).figures == Figures()
    await bar.till.close_tab(tab, "cash")
    other = await opened(bar, 500)
    await drink(bar, other, 2)
    (shown,) = await bar.till.tabs()
    await screen.act("tab_pay", "basile", {"tab": shown.model_dump(mode="json")})
    await bar.delivered()
    assert await bar.network.claims("raffinerie") == {"RAF": 500 + 700}
    closing = await screen.closed({200: 1}, "Fond au coffre")
    assert (closing.figures.sales, closing.figures.total) == (2, {"RAF": 1400})
    assert closing.figures.means == {"card": {"RAF": 1200}, "cash": {"RAF": 200}}
    assert closing.drawer.expected_cents - closing.drawer.float_cents == 200


async def test_the_rest_of_a_tab_that_the_house_gives_has_its_own_line_in_the_closing(screen: Screen) -> None:
    bar = screen.bar
    tab = await opened(bar, 500)
    await drink(bar, tab, 2)
    pay = f"tabs/{tab}/pay"
    assert await screen.refused(pay, {"rest": "house"}) == "reason_needed"
    sale = UUID((await screen.command(pay, {"rest": "house", "reason": "Anniversaire"}))["sale"])
    await bar.delivered()
    assert await bar.network.claims("raffinerie") == {"RAF": 500}
    told = await screen.receipt(sale)
    assert "Offert par la maison 2,00 €" in told
    closing = await screen.closed({1000: 5}, "Fond au coffre")
    found = closing.figures
    assert (found.sales, found.total, found.means) == (1, {"RAF": 500}, {"card": {"RAF": 500}})
    assert (found.gifts, found.gifted) == (1, {"RAF": 200})
    # Without network it is taken back like any other, and the gift with it.
    screen.bar.line.cut = True
    await screen.command("void", {"sale": str(sale), "reason": "Erreur"})
    screen.bar.line.cut = False
    await bar.delivered()
    assert await bar.network.claims("raffinerie") == {}
    assert await bar.network.exceptions() == []


async def test_the_closing_counts_top_ups_and_refunds_beside_the_turnover(screen: Screen) -> None:
    network = screen.bar.network
    await screen.act("top_up", "awa", {"currency": "RAF", "amount": 1500, "means": "cash"})
    await screen.act("top_up", "basile", {"currency": "RAF", "amount": 1000, "means": "bank_card"})
    await screen.act("refund", "awa", {"currency": "RAF", "amount": 800})
    screen.bar.line.cut = True
    wish = {"currency": "RAF", "amount": 1500, "means": "cash"}
    await screen.command("act", {"name": "top_up", "wish": wish})
    assert (await screen.bar.tap("awa")).reason is Refusal.NO_ANSWER
    await screen.command("dismiss", {})
    screen.bar.line.cut = False
    await screen.bar.delivered()
    assert ((await network.holds("awa"))["RAF"], (await network.holds("basile"))["RAF"]) == (2700, 3000)
    closing = await screen.closed({1000: 5, 500: 1, 200: 1})
    found = closing.figures
    assert (found.sales, found.total, found.means) == (0, {}, {})
    assert (found.top_ups, found.topped_up) == (2, {"cash": {"RAF": 1500}, "bank_card": {"RAF": 1000}})
    assert (found.refunds, found.refunded) == (1, {"cash": {"RAF": 800}})
    assert (closing.drawer.expected_cents, closing.drawer.difference_cents) == (5000 + 700, 0)
    assert await network.exceptions() == []
