"""The shop as the last snapshot describes it: what is sold, for how much, to which cards, within which limits."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol
from uuid import UUID

from app.rules.basket import QUANTITY_MAX, UNIT_PRICE_MAX, Line, totals
from app.rules.bill import equal_parts
from app.rules.business_day import business_day
from app.rules.lines import NO_PRODUCT, LineKind, wrong_lines
from app.rules.membership import Period, standing
from app.rules.offline import Assurance
from app.rules.paying import Item, Money, spending_order
from app.rules.prices import GRACE_US, MINUTE_US, Article
from app.wire import (
    Bill,
    Means,
    SaleLine,
    Share,
    SnapshotCurrency,
    SnapshotPlan,
    SnapshotProduct,
    SnapshotStaff,
    TerminalSnapshot,
)
from readers.terminal.commands import TillError
from readers.terminal.tickets import TicketBook
from readers.terminal.view import Amount, BasketItem, MemberShown, Spendable

# Lines of a sale carry one name; the receipt and the books are read in French first (look.md, "Words").
_LANGUAGE = "fr"
_TIP = "Pourboire"
_LINES_MAX = 200
# What the page draws a currency with; the rest of it may change without the grid changing.
_SHOWN = {"code", "names", "symbol", "unit", "kind", "cents"}


class KnownCard(Protocol):
    """A card in the snapshot: `status` is "active" or "blocked", `balances` minor units by currency;
    `memberships`: (a plan's key, its last day in ISO 8601); `asks`: it pays nothing without network."""

    @property
    def uid(self) -> str: ...
    @property
    def status(self) -> str: ...
    @property
    def assurance(self) -> Assurance: ...
    @property
    def balances(self) -> Mapping[str, int]: ...
    @property
    def memberships(self) -> tuple[tuple[str, str], ...]: ...
    @property
    def asks(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Basket:
    """What is to be paid: `price` minor units by currency for `lines`; below 0 where only deposits come back.

    `items`, `moneys` and `venue` (its slug) are the same for app.rules.paying. Each item has one price, the one that
    was on the screen: what the card holds decides which money pays it, and never what it costs. `means`: what the venue
    is paid in beside cards. `bill`: of what these lines are a part.
    """

    lines: tuple[SaleLine, ...]
    items: tuple[Item, ...]
    price: Mapping[str, int]
    moneys: tuple[Money, ...]
    venue: str
    means: tuple[Means, ...] = ("cash", "bank_card")
    bill: Bill | None = None

    @property
    def has_tickets(self) -> bool:
        return any(it.tickets for it in self.lines)

    @property
    def amounts(self) -> tuple[Amount, ...]:
        return tuple(Amount(code, minor) for code, minor in self.price.items())


class Shop:
    """One snapshot, ready to be asked. `snapshot` holds everything but the cards, which come in `cards` by UID."""

    def __init__(self, snapshot: TerminalSnapshot, cards: Mapping[str, KnownCard]) -> None:
        self.snapshot = snapshot
        self.cards = cards
        self.limits = snapshot.limits.rules()
        self.staff: Mapping[UUID, SnapshotStaff] = {person.id: person for person in snapshot.staff}
        self._products: Mapping[UUID, SnapshotProduct] = {product.id: product for product in snapshot.products}
        self._moneys = tuple(_money(one) for one in snapshot.currencies if one.code in snapshot.accepted)
        self._articles: Mapping[UUID, Article] = {product.id: product.article() for product in snapshot.products}
        self._timed = any(product.windows for product in snapshot.products)
        self._sold_out = frozenset(product.id for product in snapshot.products if product.sold_out)
        self._drawn: tuple[object, dict[str, object]] = (None, {})

    def basket(
        self,
        items: Sequence[BasketItem],
        currency: str,
        now_us: int,
        bill: Bill | None = None,
        tickets: TicketBook | None = None,
    ) -> Basket:
        """Price what staff chose, each line in the currency that it was shown in: its own, or else `currency`. Of a
        `bill`, its part of each line. `tickets`: those that may be sold.

        A price that was on the screen some minutes ago is still sold at. TillError: empty_basket, unknown_product,
        no_price (also where the currency is not taken here), price_changed, wrong_amount, not_allowed, below_zero,
        no_tickets, tickets_whole.
        """
        if not items or len(items) > _LINES_MAX:
            raise TillError("empty_basket")
        lent = tickets or TicketBook()
        lines = tuple(
            lent.line(item.product, item.quantity, item.price, now_us)
            if lent.knows(item.product)
            else self._line(item, item.currency or currency, now_us)
            for item in items
        )
        sold = [id_ for line in lines for id_ in line.tickets]
        if len(set(sold)) < len(sold):
            raise TillError("no_tickets")
        if sold and bill is not None:
            raise TillError("tickets_whole")
        if bill is not None and bill.parts > 1:
            lines = tuple(_shares(lines, bill))
        if all(line.unit_price == 0 for line in lines):
            raise TillError("no_price")
        if any(wrong_lines(lines)):
            raise TillError("below_zero")
        owed = totals(Line(str(line.product), line.quantity, line.unit_price, line.currency) for line in lines)
        snapshot = self.snapshot
        priced = tuple(self._item(line) for line in lines)
        return Basket(lines, priced, owed, self._moneys, snapshot.venue_slug, snapshot.means, bill)

    def catalogue(self, now_us: int, changed: Mapping[UUID, bool] | None = None) -> dict[str, object]:
        """What the product grid is drawn from, at the prices of this instant; its "version" changes only when the grid
        does. `changed`: products that were sold out, or are there again, since the snapshot."""
        more = {id_ for id_, gone in (changed or {}).items() if gone}
        less = {id_ for id_, gone in (changed or {}).items() if not gone}
        sold_out = (self._sold_out | more) - less
        key = (now_us // MINUTE_US if self._timed else 0, sold_out)
        if self._drawn[0] != key:
            self._drawn = (key, _catalogue(self.snapshot, self._articles, now_us, sold_out))
        return self._drawn[1]

    @property
    def spent_here(self) -> tuple[Spendable, ...]:
        """What may be spent at this venue, in the order in which it is."""
        order = spending_order(self._moneys, self.snapshot.venue_slug)
        return tuple(Spendable(money.code, money.policy.spending.categories) for money in order)

    def in_euros(self, currency: str) -> bool:
        """Whether its prices are euros, so that the venue itself may be paid them, or give them."""
        return any(it.code == currency and it.cents is not None for it in self._moneys)

    def memberships(self, uid: str, now_us: int) -> tuple[MemberShown, ...]:
        """What a card is a member of, or was until not long ago; what ends last comes first."""
        known = self.cards.get(uid)
        if known is None or not known.memberships:
            return ()
        plans = {it.key: it for it in self.snapshot.plans}
        today = business_day(now_us, self.snapshot.zone)
        ending = sorted(known.memberships, key=lambda it: it[1], reverse=True)
        return tuple(_member(plans[key], last, today) for key, last in ending if key in plans)

    def sells(self, product: UUID) -> bool:
        return product in self._products

    def category(self, product: UUID) -> str | None:
        """As a line of a sale tells it; None: it has none, or is not sold here."""
        known = self._products.get(product)
        return (known.category or None) if known else None

    def vat(self, product: UUID) -> int | None:
        """The rate that its prices hold, in basis points, as a line of a sale tells it."""
        known = self._products.get(product)
        return known.vat if known else None

    def _item(self, line: SaleLine) -> Item:
        category = self.category(line.product) or ""
        return Item(str(line.product), category, line.quantity, {line.currency: line.unit_price}, line.kind)

    def _line(self, item: BasketItem, currency: str, now_us: int) -> SaleLine:
        if not 1 <= item.quantity <= QUANTITY_MAX:
            raise TillError("empty_basket")
        if currency not in self.snapshot.accepted:
            raise TillError("no_price")
        product = self._products.get(item.product)
        if (item.kind == "tip") != (item.product == NO_PRODUCT):
            raise TillError("not_allowed")
        if product is None:
            if item.kind != "tip":
                raise TillError("unknown_product")
            name, price = _TIP, _typed(item)
            kind: LineKind | None = "tip"
        else:
            name = _name(product)
            price, kind = self._price(item, currency, now_us)
        return SaleLine(
            product=item.product,
            name=name,
            quantity=item.quantity,
            unit_price=price,
            currency=currency,
            kind=kind,
            category=self.category(item.product),
            vat=self.vat(item.product),
        )

    def _price(self, item: BasketItem, currency: str, now_us: int) -> tuple[int, LineKind | None]:
        """What one of it costs, with its sign, and the kind of its line."""
        article = self._articles[item.product]
        if item.kind == "open":
            if not article.open or article.kind != "goods":
                raise TillError("not_allowed")
            return _typed(item), "open"
        if item.kind == "back" and article.kind != "deposit":
            raise TillError("not_allowed")
        price = self._shown(article, item.price, currency, now_us)
        if article.kind == "goods":
            return price, None
        return -price if article.kind == "return" or item.kind == "back" else price, article.kind

    def _shown(self, article: Article, shown: int | None, currency: str, now_us: int) -> int:
        zone = self.snapshot.zone
        now = article.at(now_us, zone).get(currency)
        if shown is not None and shown != now and article.held(shown, currency, now_us - GRACE_US, now_us, zone):
            return shown
        if now is None:
            raise TillError("no_price")
        if shown not in (None, now):
            raise TillError("price_changed")
        return now


def _member(plan: SnapshotPlan, last: str, today: date) -> MemberShown:
    return MemberShown(plan.names, plan.of, last, standing(Period(date.min, date.fromisoformat(last)), today))


def _typed(item: BasketItem) -> int:
    if item.price is None or not 1 <= item.price <= UNIT_PRICE_MAX:
        raise TillError("wrong_amount")
    return item.price


def _shares(lines: Sequence[SaleLine], bill: Bill) -> Iterator[SaleLine]:
    """A part's share of each line; what is too small for all of them is missing in some."""
    whole = [Line(str(it.product), it.quantity, it.unit_price, it.currency) for it in lines]
    for line, amount in zip(lines, equal_parts(whole, bill.parts)[bill.part - 1], strict=True):
        if amount:
            share = Share(parts=bill.parts, quantity=line.quantity, unit_price=line.unit_price)
            yield line.model_copy(update={"quantity": 1, "unit_price": amount, "share": share})


def _money(currency: SnapshotCurrency) -> Money:
    return Money(currency.code, currency.kind, currency.cents, currency.issuer, currency.policy, currency.position)


def _name(product: SnapshotProduct) -> str:
    return product.names.get(_LANGUAGE) or next(iter(product.names.values()))


def _catalogue(
    snapshot: TerminalSnapshot, articles: Mapping[UUID, Article], now_us: int, sold_out: Iterable[UUID]
) -> dict[str, object]:
    accepted, gone = set(snapshot.accepted), set(sold_out)
    products = []
    for product in snapshot.products:
        shown = product.model_dump(mode="json", exclude={"windows", "vat"})
        prices = articles[product.id].at(now_us, snapshot.zone)
        shown["prices"] = {code: price for code, price in prices.items() if code in accepted}
        shown["sold_out"] = product.id in gone
        products.append(shown)
    catalogue: dict[str, object] = {
        "network": snapshot.network,
        "venue": snapshot.venue_name,
        "means": list(snapshot.means),
        "currencies": [
            {
                **currency.model_dump(mode="json", include=_SHOWN),
                "paid_out": "holders" in currency.policy.redeem.who,
            }
            for currency in sorted(snapshot.currencies, key=lambda one: one.cents is None)
        ],
        "products": products,
    }
    text = json.dumps(catalogue, sort_keys=True)
    return {"version": hashlib.sha256(text.encode()).hexdigest()[:16], **catalogue}
