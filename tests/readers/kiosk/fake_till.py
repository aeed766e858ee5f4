"""A till in memory: the test's double of the agent. Tests put a card to it by hand."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal
from uuid import UUID

from app.rules.ids import uuid7
from app.rules.offline import Refusal
from app.wire import Bill, Means
from app.wire.tabs import Tab
from readers.terminal.commands import TillError
from readers.terminal.view import (
    Amount,
    BasketItem,
    ByHand,
    CardTold,
    CountShown,
    Credited,
    Offer,
    PastSale,
    ReceiptShown,
    ReportShown,
    Result,
    Screen,
    Spendable,
    Taken,
)

STAFF = UUID("0193a000-0000-7000-8000-00000000a4f2")
PIN = "2468"
CARD = "04A1B2C3D4E5F6"
EVENING_US = 1_764_016_800_000_000

EURO = {
    "code": "RAF",
    "names": {"fr": "Raf", "en": "Raf"},
    "symbol": "€",
    "unit": "cent",
    "kind": "pegged",
    "cents": 1,
    "paid_out": False,
}
HOURS = {
    "code": "TEMPS",
    "names": {"fr": "Heures", "en": "Hours"},
    "symbol": "h",
    "unit": "minute",
    "kind": "time",
    "cents": None,
    "paid_out": False,
}
# Nothing is priced in gift money: it pays prices in euros.
GIFT = {
    "code": "CADO",
    "names": {"fr": "Bon cadeau", "en": "Gift"},
    "symbol": "€",
    "unit": "cent",
    "kind": "gift",
    "cents": 1,
    "paid_out": False,
}


def product(
    number: int,
    fr: str,
    en: str,
    category: str,
    colour: str,
    *,
    kind: str = "goods",
    open_price: bool = False,
    sold_out: bool = False,
    **prices: int,
) -> dict[str, Any]:
    identity = UUID(int=(0x0193_A000 << 96) | (7 << 76) | (2 << 62) | number)
    names = {"fr": fr, "en": en}
    nature = {"kind": kind, "open_price": open_price, "sold_out": sold_out}
    return {"id": identity, "names": names, "category": category, "colour": colour, "prices": prices, **nature}


MENU = [
    product(1, "Bière pression 25 cl", "Draught beer 25 cl", "Bar", "#d9a441", RAF=300),
    product(2, "Pinte", "Pint", "Bar", "#d9a441", RAF=550),
    product(3, "Jus de pomme fermier", "Farm apple juice", "Bar", "#d9a441", RAF=250, TEMPS=15),
    product(4, "Café", "Coffee", "Chaud", "#8a5a3b", RAF=150, TEMPS=10),
    product(5, "Thé", "Tea", "Chaud", "#8a5a3b", RAF=150, TEMPS=10),
    product(6, "Assiette du jour", "Dish of the day", "Cuisine", "#5f9e6e", RAF=950, TEMPS=60),
    product(7, "Soupe", "Soup", "Cuisine", "#5f9e6e", RAF=500),
    product(8, "Atelier vélo", "Bike workshop", "Ateliers", "#5b8fc7", TEMPS=90),
    product(9, "Consigne gobelet", "Cup deposit", "Consignes", "#9a9a9a", RAF=100),
]

# One of each sort of basket line.
SPECIAL = [
    product(1, "Pinte", "Pint", "Bar", "#d9a441", RAF=550),
    product(2, "Gobelet", "Cup", "Consignes", "#9a9a9a", kind="deposit", RAF=100),
    product(3, "Bouteille rendue", "Bottle brought back", "Consignes", "#9a9a9a", kind="return", RAF=20),
    product(4, "Vrac", "In bulk", "Épicerie", "#5f9e6e", open_price=True),
    product(5, "Soupe du jour", "Soup of the day", "Cuisine", "#5f9e6e", sold_out=True, RAF=500),
    product(6, "Atelier vélo", "Bike workshop", "Ateliers", "#5b8fc7", TEMPS=90),
]


class FakeSession:
    """Implements `TillSession`: remembers what was asked, and counts a drawer that holds 100 euros."""

    def __init__(self, calls: list[tuple[object, ...]], till: FakeTill) -> None:
        self.calls = calls
        self.till = till
        self.expected: int | None = 10_000

    async def open(self, pieces: Mapping[int, int]) -> None:
        self.calls.append(("session_open", dict(pieces)))
        shown = replace(self.till.now.session, open=True, opened_at_us=EVENING_US)
        await self.till.show(session=shown)

    async def move(self, direction: str, reason: str, note: str, cents: int) -> None:
        self.calls.append(("session_move", direction, reason, note, cents))

    async def count(self, pieces: Mapping[int, int]) -> CountShown:
        self.calls.append(("session_count", dict(pieces)))
        return CountShown(sum(value * number for value, number in pieces.items()), self.expected)

    async def close(self, reason: str) -> int:
        self.calls.append(("session_close", reason))
        await self.till.show(session=replace(self.till.now.session, open=False, closings=7))
        return 7

    async def report(self, which: str, language: str) -> ReportShown:
        self.calls.append(("session_report", which))
        head = (("title", "DUPLICATA", ""),) if which == "last" else ()
        rows = (*head, ("title", "La Raffinerie", ""), ("rule", "", ""), ("bold", "Total des ventes", "412,50 €"))
        return ReportShown(0 if which == "now" else 7, rows)

    async def print_report(self, which: str, language: str) -> None:
        self.calls.append(("session_print", which))


class FakeTill:
    """Implements `Till`. `show()` changes the screen; `card()` is a card put to the reader."""

    def __init__(self, products: list[dict[str, Any]] | None = None) -> None:
        self.products = MENU if products is None else products
        self.now = Screen(
            phase="ready",
            venue="La Raffinerie",
            terminal="Bar",
            signed_in=None,
            online=True,
            offline_since_us=None,
            waiting=0,
            to_send=0,
            reader="ok",
            reader_reason=None,
            snapshot_age_s=4.0,
            snapshot_stale=False,
            quarantined=False,
            catalogue_version="1",
        )
        self.revision = 0
        self.changed = asyncio.Condition()
        self.calls: list[tuple[Any, ...]] = []
        self.session = FakeSession(self.calls, self)
        # A test of the door gives it a real one.
        self.door: Any = None
        self.failing: TillError | None = None
        self.balance = 2000
        self.open_tabs: list[Tab] = []
        self.watchers = 0
        # What an act says that it is about.
        self.about: tuple[Amount, ...] = ()
        # What a card that is looked at holds, and what this till credited it with.
        self.on_card: tuple[Amount, ...] = (Amount("CADO", 500), Amount("RAF", 2000), Amount("TEMPS", 150))
        self.credited: tuple[Credited, ...] = ()

    # What the pages see

    def screen(self) -> Screen:
        return self.now

    def catalogue(self) -> dict[str, object]:
        return {
            "version": self.now.catalogue_version,
            "network": "Les Tiers-Lieux",
            "venue": self.now.venue,
            "means": ["cash", "bank_card", "cheque", "meal_voucher"],
            "currencies": [EURO, GIFT, HOURS],
            "products": self.products,
        }

    async def wait_change(self, seen: int, timeout_s: float) -> int:
        self.watchers += 1
        try:
            async with self.changed, asyncio.timeout(timeout_s):
                await self.changed.wait_for(lambda: self.revision != seen)
        except TimeoutError:
            pass
        finally:
            self.watchers -= 1
        return self.revision

    async def sign_in(self, pin: str) -> None:
        self._called("sign_in", pin)
        if pin != PIN:
            raise TillError("wrong_pin")
        await self.show(signed_in=STAFF)

    async def sign_out(self) -> None:
        self._called("sign_out")
        await self.show(signed_in=None)

    async def pay(self, items: list[BasketItem], currency: str, bill: Bill | None = None) -> UUID:
        self._called("pay", tuple(items), currency, *([bill] if bill else []))
        if not items:
            raise TillError("empty_basket")
        if self.now.phase != "ready":
            raise TillError("busy")
        self.price = self._price(items, currency)
        self.sale = uuid7()
        await self.show(phase="present_card", pending=self.price, result=None)
        return self.sale

    async def take(self, items: list[BasketItem], currency: str, how: ByHand, bill: Bill | None = None) -> UUID:
        self._called("take", tuple(items), currency, how, *([bill] if bill else []))
        self.price, self.sale = self._price(items, currency), uuid7()
        taken = tuple(Taken(how.means, one.currency, one.minor, given=how.given) for one in self.price)
        result = Result(self.sale, self.sale, None, self.price, None, False, None, EVENING_US, taken)
        past = PastSale(self.sale, self.sale, "", self.price, taken, (("Pinte", 2),), EVENING_US, False, voided=False)
        await self.show(phase="paid", result=result, last_sales=(past, *self.now.last_sales))
        return self.sale

    async def set_sold_out(self, product: UUID, sold_out: bool) -> None:
        self._called("set_sold_out", product, sold_out)
        self.products = [one | {"sold_out": sold_out} if one["id"] == product else one for one in self.products]
        await self.show(catalogue_version=f"{self.now.catalogue_version}+")

    async def act(self, name: str, wish: Mapping[str, object]) -> UUID:
        self._called("act", name, dict(wish))
        self.sale = uuid7()
        await self.show(phase="present_card", act=name, pending=self.about, result=None)
        return self.sale

    async def complete(self, offer: Offer) -> None:
        self._called("complete", offer)
        result = self.now.result
        assert result is not None
        if offer not in result.offers:
            raise TillError("not_offered")
        second = offer == "second_card"
        phase = "present_card" if second else "checking"
        await self.show(phase=phase, pending=result.missing, second_card=second, result=None)

    async def cancel(self) -> None:
        self._called("cancel")
        await self.show(phase="ready", pending=(), second_card=False, act=None)

    async def dismiss(self) -> None:
        self._called("dismiss")
        await self.show(phase="ready", result=None)

    async def void(self, sale: UUID, reason: str) -> None:
        self._called("void", sale, reason)
        known = {past.sale for past in self.now.last_sales if not past.voided}
        if sale not in known:
            raise TillError("not_voidable")
        sales = tuple(replace(past, voided=past.voided or past.sale == sale) for past in self.now.last_sales)
        await self.show(last_sales=sales)

    def receipt(self, sale: UUID, language: Literal["fr", "en"]) -> ReceiptShown:
        if sale not in {past.sale for past in self.now.last_sales}:
            raise TillError("unknown_sale")
        return ReceiptShown(sale, "1-7", f"https://comptoir.example/r/{sale.hex}", "La Raffinerie\n2 x Pinte 11,00 €")

    async def print_receipt(self, sale: UUID, language: Literal["fr", "en"]) -> None:
        self._called("print_receipt", sale, language)

    async def train(self, on: bool) -> None:
        self._called("train", on)
        await self.show(training=on)

    async def tabs(self) -> tuple[Tab, ...]:
        return tuple(self.open_tabs)

    async def add_to_tab(self, tab: UUID, items: list[BasketItem], round_: UUID) -> None:
        self._called("add_to_tab", tab, tuple(items))

    async def close_tab(self, tab: UUID, rest: Means | None, reason: str = "") -> UUID | None:
        self._called("close_tab", tab, rest, *([reason] if reason else []))
        self.open_tabs = [it for it in self.open_tabs if it.id != tab]
        return uuid7()

    # What tests do

    async def show(self, **changes: Any) -> None:
        if "waiting" in changes:
            changes.setdefault("to_send", changes["waiting"])
        async with self.changed:
            self.now = replace(self.now, **changes)
            self.revision += 1
            self.changed.notify_all()

    async def card(
        self,
        refusal: Refusal | None = None,
        *,
        offline: bool = False,
        asked: UUID | None = None,
        taken: tuple[Taken, ...] = (),
        missing: tuple[Amount, ...] = (),
        offers: tuple[Offer, ...] = (),
    ) -> None:
        """A card comes to the reader: it pays what waits, or is refused."""
        code, total = self.price[0].currency, self.price[0].minor
        self.balance -= 0 if refusal else total
        result = Result(
            sale=self.sale,
            asked=asked or self.sale,
            card=CARD,
            price=self.price,
            reason=refusal,
            offline=offline,
            balances=(Amount("TEMPS", 150), Amount("RAF", self.balance)),
            at_us=EVENING_US,
            taken=() if refusal else taken or (Taken("card", code, total, self.balance),),
            missing=missing,
            offers=offers,
        )
        rest = tuple(one for one in result.taken if one.means in ("cash", "bank_card"))
        past = PastSale(
            self.sale, result.asked, CARD, self.price, rest, (("Pinte", 2),), EVENING_US, offline, voided=False
        )
        await self.show(
            phase="refused" if refusal else "paid",
            result=result,
            pending=(),
            second_card=False,
            last_sales=self.now.last_sales if refusal else (past, *self.now.last_sales),
        )

    async def act_ends(self, refusal: Refusal | None = None, *, offline: bool = False) -> None:
        """A card comes to the reader, and the act that waits for it is done, or refused."""
        looks = self.now.act == "balance" and refusal is None
        balances = self.on_card if looks else (Amount("RAF", self.balance), Amount("TEMPS", 150))
        here = (Spendable("CADO", ("Bar", "Cuisine")), Spendable("TEMPS"))
        result = Result(
            sale=self.sale,
            asked=self.sale,
            card=CARD,
            price=self.about,
            reason=refusal,
            offline=offline,
            balances=balances,
            at_us=EVENING_US,
            act=self.now.act,
            told=CardTold(here, self.credited, 720.0 if offline else None) if looks else None,
        )
        await self.show(phase="refused" if refusal else "paid", result=result, pending=(), act=None)

    def _price(self, items: list[BasketItem], currency: str) -> tuple[Amount, ...]:
        known = {one["id"]: one for one in self.products}
        price: dict[str, int] = {}
        for item in items:
            code, of = item.currency or currency, known.get(item.product, {})
            sign = -1 if item.kind == "back" or of.get("kind") == "return" else 1
            each = of["prices"][code] if item.price is None else item.price
            price[code] = price.get(code, 0) + sign * each * item.quantity
        return tuple(Amount(code, minor) for code, minor in price.items())

    def _called(self, *call: Any) -> None:
        if self.failing is not None:
            raise self.failing
        self.calls.append(call)
