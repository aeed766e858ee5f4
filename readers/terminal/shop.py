"""The shop as the last snapshot describes it: what is sold, for how much, to which cards, within which limits."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from app.rules.basket import QUANTITY_MAX, Line, totals
from app.rules.offline import Assurance
from app.rules.paying import Item, Money
from app.wire import SaleLine, SnapshotCurrency, SnapshotProduct, SnapshotStaff, TerminalSnapshot
from readers.terminal.view import Amount, BasketItem, TillError

# Lines of a sale carry one name; the receipt and the books are read in French first (look.md, "Words").
_LANGUAGE = "fr"
_LINES_MAX = 200
# What the page draws a currency with; the rest of it may change without the grid changing.
_SHOWN = {"code", "names", "symbol", "unit", "kind"}


class KnownCard(Protocol):
    """A card in the snapshot: `status` is "active" or "blocked", `balances` minor units by currency."""

    @property
    def uid(self) -> str: ...
    @property
    def status(self) -> str: ...
    @property
    def assurance(self) -> Assurance: ...
    @property
    def balances(self) -> Mapping[str, int]: ...


@dataclass(frozen=True, slots=True)
class Basket:
    """What a card is asked to pay: `price` minor units by currency for `lines`.

    `items`, `moneys` and `venue` (its slug) are the same for app.rules.paying. Each item has one price, the one that
    was on the screen: what the card holds decides which money pays it, and never what it costs.
    """

    lines: tuple[SaleLine, ...]
    items: tuple[Item, ...]
    price: Mapping[str, int]
    moneys: tuple[Money, ...]
    venue: str

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
        self.catalogue = _catalogue(snapshot)
        self.catalogue_version = str(self.catalogue["version"])

    def basket(self, items: Sequence[BasketItem], currency: str) -> Basket:
        """Price what staff chose, each line in the currency that it was shown in: its own, or else `currency`.

        TillError: empty_basket, unknown_product, no_price (also where the currency is not taken here).
        """
        if not items or len(items) > _LINES_MAX:
            raise TillError("empty_basket")
        lines = tuple(self._line(item, item.currency or currency) for item in items)
        owed = totals(Line(str(line.product), line.quantity, line.unit_price, line.currency) for line in lines)
        if not owed:
            raise TillError("no_price")
        return Basket(lines, tuple(self._item(line) for line in lines), owed, self._moneys, self.snapshot.venue_slug)

    def _item(self, line: SaleLine) -> Item:
        category = self._products[line.product].category
        return Item(str(line.product), category, line.quantity, {line.currency: line.unit_price})

    def _line(self, item: BasketItem, currency: str) -> SaleLine:
        if not 1 <= item.quantity <= QUANTITY_MAX:
            raise TillError("empty_basket")
        product = self._products.get(item.product)
        if product is None:
            raise TillError("unknown_product")
        price = product.prices.get(currency)
        if price is None or currency not in self.snapshot.accepted:
            raise TillError("no_price")
        return SaleLine(
            product=product.id,
            name=_name(product),
            quantity=item.quantity,
            unit_price=price,
            currency=currency,
            category=product.category or None,
        )


def _money(currency: SnapshotCurrency) -> Money:
    return Money(currency.code, currency.kind, currency.cents, currency.issuer, currency.policy, currency.position)


def _name(product: SnapshotProduct) -> str:
    return product.names.get(_LANGUAGE) or next(iter(product.names.values()))


def _catalogue(snapshot: TerminalSnapshot) -> dict[str, object]:
    """What the product grid is drawn from; its version changes only when the grid does."""
    accepted = set(snapshot.accepted)
    products = []
    for product in snapshot.products:
        shown = product.model_dump(mode="json")
        shown["prices"] = {code: price for code, price in product.prices.items() if code in accepted}
        products.append(shown)
    catalogue: dict[str, object] = {
        "network": snapshot.network,
        "venue": snapshot.venue_name,
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
