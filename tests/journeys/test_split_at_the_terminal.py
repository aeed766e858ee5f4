"""The real terminal at the real server: a basket that several currencies and cards pay is booked as staff were told."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from app.ledger.verify import verify
from app.platform.settings import Settings
from app.rules.offline import Refusal
from app.rules.policy import Limits, Policy, Spending
from app.terminals.service import make_pairing_code
from readers.journal import Clock, Journal
from readers.sync import DeviceKey, Link, Pace, Server, SnapshotFile, Worker
from readers.taps import CardGone, CardSeen, Moment
from readers.terminal.view import Amount, BasketItem, Offer, Result, Taken
from readers.till import CardTill, SignIn, SnapshotShelf, Tap, TapSettings
from tests.support.network import BASE, CARDS, GIFT, PIN, RAF, Network, network_of, running

# Slow enough that a snapshot only comes when a test asks for one.
PACE = Pace(snapshot_s=3600, retry_s_min=0.05, retry_s_max=0.2)


class Line(httpx.AsyncBaseTransport):
    """The network between terminal and server, which a test can cut."""

    def __init__(self, network: Network) -> None:
        self._inner = httpx.ASGITransport(network.app)
        self.cut = False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self.cut:
            raise httpx.ConnectError("no route", request=request)
        return await self._inner.handle_async_request(request)


@dataclass
class Bar:
    """The bar of La Raffinerie, with somebody signed in."""

    network: Network
    line: Line
    till: CardTill
    journal: Journal
    link: Link
    shelf: SnapshotShelf

    async def until(self, condition: Callable[[], object]) -> None:
        async with asyncio.timeout(20):
            while not condition():
                await asyncio.sleep(0.01)

    async def sell(self, card: str, items: dict[str, int], currency: str = "RAF") -> Result:
        chosen = [BasketItem(self.network.product("raffinerie", name).id, count) for name, count in items.items()]
        await self.till.pay(chosen, currency)
        return await self.tap(card)

    async def tap(self, card: str) -> Result:
        uid = bytes.fromhex(CARDS[card])
        self.till.on_reader(CardSeen(uid, "C", *Moment.now()))
        result = await self.ended()
        self.till.on_reader(CardGone(uid, *Moment.now()))
        return result

    async def complete(self, offer: Offer) -> Result:
        await self.till.complete(offer)
        return await self.ended()

    async def ended(self) -> Result:
        await self.until(lambda: self.till.screen().phase in ("paid", "refused"))
        result = self.till.screen().result
        assert result is not None
        return result

    async def refreshed(self, card: str) -> None:
        """The terminal knows what this card holds now."""
        held = {code: minor for code, minor in (await self.network.holds(card)).items() if minor}
        self.link.want_snapshot()
        await self.until(lambda: self.shelf.book and self.shelf.book.available(CARDS[card]) == held)

    async def delivered(self) -> None:
        await self.until(lambda: self.link.online and not self.journal.waiting)


@pytest.fixture
async def network(quick: None, database_url: str, tmp_path: Path) -> AsyncIterator[Network]:
    settings = Settings(data=tmp_path / "data", database_url=database_url, base_url=BASE)
    async with running(settings) as app, network_of(app, settings) as network:
        await network.define(GIFT, Policy(spending=Spending(categories=("Bar",))), at=["raffinerie"])
        await network.hired("lucas")
        await network.top_up("awa", 2000)
        await network.issue("awa", GIFT, 500)
        await network.shift("awa", 60)
        await network.top_up("basile", 300)
        yield network
        report = await verify(network.engine)
        assert report.ok, report.findings


@pytest.fixture
async def bar(network: Network, tmp_path: Path) -> AsyncIterator[Bar]:
    async with network.engine.begin() as connection:
        code = await make_pairing_code(connection, network.venues["raffinerie"].id, "Bar")
    clock = Clock()
    link, line = Link(clock.now_us), Line(network)
    journal = await Journal.open(tmp_path / "journal.db", clock)
    key = DeviceKey.load_or_make(tmp_path / "device.key")
    async with Server(BASE, key, clock, transport=line) as server:
        await journal.pair(await server.pair(code, "1"), code)
        shelf = SnapshotShelf(journal, clock)
        tap = Tap(journal, shelf, server, link, clock, TapSettings(deadline_s=10))
        till = CardTill(journal, shelf, tap, link, clock, SignIn(clock.monotonic_ns))
        worker = Worker(server, journal, link, clock, shelf, SnapshotFile(tmp_path / "snapshot"), PACE)
        await till.start()
        running_worker = asyncio.create_task(worker.run())
        it = Bar(network, line, till, journal, link, shelf)
        try:
            await it.until(lambda: shelf.shop and link.online)
            await till.sign_in(PIN)
            yield it
        finally:
            await till.close()
            running_worker.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await running_worker
            await journal.close()


async def test_gift_money_then_rafftou_pay_one_basket_in_one_operation(bar: Bar) -> None:
    result = await bar.sell("awa", {"Demi": 2})
    assert result.taken == (Taken("card", "GIFT", 500, 0), Taken("card", "RAF", 200, 1800))
    await bar.delivered()
    assert await bar.network.holds("awa") == {"RAF": 1800, "TEMPS": 60, "GIFT": 0}
    assert await bar.network.claims("raffinerie") == {"GIFT": 500, "RAF": 200}
    assert await bar.network.exceptions() == []


async def test_hours_pay_only_where_staff_chose_them(bar: Bar) -> None:
    assert (await bar.sell("awa", {"Demi": 2}, "TEMPS")).taken == (Taken("card", "TEMPS", 60, 0),)
    assert await bar.network.claims("raffinerie") == {"TEMPS": 60}


async def test_the_rest_in_cash_is_told_and_never_booked(bar: Bar) -> None:
    short = await bar.sell("basile", {"Demi": 1})
    assert (short.reason, short.missing) == (Refusal.INSUFFICIENT_FUNDS, (Amount("RAF", 50),))
    result = await bar.complete("cash")
    assert result.taken == (Taken("card", "RAF", 300, 0), Taken("cash", "RAF", 50))
    await bar.delivered()
    assert await bar.network.claims("raffinerie") == {"RAF": 300}
    assert await bar.network.exceptions() == []


async def test_a_second_card_pays_what_the_first_left_and_a_void_gives_all_of_it_back(bar: Bar) -> None:
    await bar.sell("basile", {"Demi": 3})
    await bar.till.complete("second_card")
    result = await bar.tap("awa")
    assert result.taken == (
        Taken("card", "RAF", 300, 0),
        Taken("second_card", "GIFT", 500, 0),
        Taken("second_card", "RAF", 250, 1750),
    )
    assert await bar.network.claims("raffinerie") == {"GIFT": 500, "RAF": 550}
    await bar.till.void(result.sale, "Erreur de saisie")
    await bar.delivered()
    assert await bar.network.claims("raffinerie") == {}
    assert await bar.network.holds("awa") == {"RAF": 2000, "TEMPS": 60, "GIFT": 500}
    assert (await bar.network.holds("basile"))["RAF"] == 300


async def test_a_view_that_was_wrong_is_put_right_by_what_the_server_says(bar: Bar) -> None:
    # Spent elsewhere since the last snapshot: this terminal still believes in 5.00 of gift money.
    elsewhere = await bar.network.terminal("raffinerie", "Terrasse")
    gift = elsewhere.sale("awa", {"Eau": 4})
    paid = gift.model_dump(mode="json")
    paid["tenders"] = [{"currency": "GIFT", "amount": 400, "covers": "RAF", "covered": 400}]
    answer = await bar.network.client.post("/api/v1/sales", json=paid, headers=elsewhere.headers)
    assert answer.status_code == 201, answer.text
    result = await bar.sell("awa", {"Demi": 2})
    assert result.taken == (Taken("card", "GIFT", 100, 0), Taken("card", "RAF", 600, 1400))
    await bar.delivered()
    assert await bar.network.exceptions() == []


async def test_a_card_at_its_daily_limit_leaves_the_rest_to_staff(bar: Bar) -> None:
    await bar.network.rules(RAF, Policy(limits=Limits(per_day=100)))
    await bar.refreshed("awa")
    short = await bar.sell("awa", {"Demi": 2})
    assert (short.reason, short.missing) == (Refusal.SPENDING_LIMIT, (Amount("RAF", 200),))
    assert (await bar.complete("bank_card")).taken == (Taken("card", "GIFT", 500, 0), Taken("bank_card", "RAF", 200))
    assert (await bar.network.holds("awa"))["RAF"] == 2000


async def test_offline_the_same_split_is_decided_and_booked_later(bar: Bar) -> None:
    await bar.refreshed("awa")
    bar.line.cut = True
    result = await bar.sell("awa", {"Demi": 2})
    assert (result.reason, result.offline) == (None, True)
    assert result.taken == (Taken("card", "GIFT", 500, 0), Taken("card", "RAF", 200, 1800))
    bar.line.cut = False
    await bar.delivered()
    assert await bar.network.holds("awa") == {"RAF": 1800, "TEMPS": 60, "GIFT": 0}
    assert await bar.network.exceptions() == []
