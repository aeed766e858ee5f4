"""How a basket is paid from several currencies: one decision for the server, the terminal and the tests.

Each line is charged in one of its prices; euro-valued prices are covered in spending order, first purse first. What
does not come out in whole minor units is not paid with that money.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from app.rules.covering import Covering, Source
from app.rules.moneys import (
    GIFT_CENTS,
    Item,
    Money,
    Payment,
    PricedLine,
    Purse,
    Rest,
    RoundUp,
    Short,
    Tender,
    accepted,
    buys,
    cells,
    euro_cents,
    rounds_up,
    spending_order,
    to_round_up,
    worth,
)
from app.rules.paying_check import verify

__all__ = [
    "GIFT_CENTS",
    "Item",
    "Money",
    "Payment",
    "PricedLine",
    "Purse",
    "Rest",
    "RoundUp",
    "Short",
    "Tender",
    "accepted",
    "buys",
    "euro_cents",
    "pay",
    "spending_order",
    "verify",
]


def pay(
    items: Sequence[Item],
    purses: Sequence[Purse],
    moneys: Iterable[Money],
    venue: str,
    *,
    prefer: Sequence[str] = (),
    rest_allowed: bool,
    round_up: bool = False,
) -> Payment | Short:
    """Pay `items` at `venue` (its slug) from `purses`, the first one first, with `moneys` (those the venue takes).

    A currency named in `prefer` pays every line that has a price in it and that it can pay whole. Other lines are
    charged in euro-valued prices, of several in the one the network lists first. With `rest_allowed`, what the purses
    do not cover of these is left to cash or bank card. A `round_up` that the first purse cannot give is left out.
    Raises ValueError for an item without a price in any of `moneys`.
    """
    return _Basket(items, purses, tuple(moneys), venue, prefer).paid(rest_allowed, round_up)


class _Basket:
    """One call of `pay`. `room`: what each purse may still give, by (purse, currency). `given`: what it gives, by
    (purse, currency, currency of the prices): (amount, covered). `left`: euro-valued lines that are still to cover.
    `back`: what lines below 0 take off other prices, by currency of what has no price in euros."""

    def __init__(
        self, items: Sequence[Item], purses: Sequence[Purse], moneys: Sequence[Money], venue: str, prefer: Sequence[str]
    ) -> None:
        self.items = items
        self.prefer = prefer
        self.known = {it.code: it for it in moneys}
        self.order = spending_order(moneys, venue)
        self.taken = {it.code: it for it in self.order}
        # The first purse is emptied before the second one is touched.
        self.room = {(i, it.code): _room(purse, it) for i, purse in enumerate(purses) for it in self.order}
        self.given: dict[tuple[int, str, str], tuple[int, int]] = {}
        self.left: list[PricedLine] = []
        self.back: dict[str, int] = {}
        self.missing: dict[str, int] = {}

    def paid(self, rest_allowed: bool, round_up: bool) -> Payment | Short:
        lines = self._lines()
        self._give_back()
        unpaid = self._cover()
        missing = self.missing if rest_allowed else self.missing | unpaid
        if missing:
            return Short({code: missing[code] for code in sorted(missing)})
        # Within a purse in spending order, as in `room`; prices by their code.
        places = {key: place for place, key in enumerate(self.room)}
        in_order = sorted(self.given.items(), key=lambda it: (places.get(it[0][:2], -1), it[0][2]))
        return Payment(
            tuple(lines),
            tuple(Tender(code, amount, covers, covered, i) for (i, code, covers), (amount, covered) in in_order),
            tuple(Rest(covers, unpaid[covers]) for covers in sorted(unpaid)),
            self._round_up(lines) if round_up and not unpaid else None,
        )

    def _lines(self) -> list[PricedLine]:
        """Every item in its price. What is paid whole in one money is paid here, or missing."""
        priced: dict[int, PricedLine] = {}
        # Items without a euro-valued price come first: nothing else may use up the only money that buys them. What
        # lowers a price comes before what it lowers.
        for place, item in sorted(
            enumerate(self.items), key=lambda it: (self._euro_price(it[1]) is not None, _adds(it[1]))
        ):
            euro = self._euro_price(item)
            wanted = [*self.prefer, *(it.code for it in self.order if euro is None)]
            buyers = [it for it in wanted if it in item.prices and it in self.taken]
            buyers = [it for it in buyers if buys(self.taken[it], item.category)]
            payer = next((it for it in buyers if self._pooled(it) >= item.quantity * item.prices[it]), None)
            if euro is not None and not _adds(item):
                payer = None
            code = payer or euro or next(iter(buyers), None) or self._first_price(item)
            line = priced[place] = PricedLine(item, code, item.prices[code])
            if payer is None and euro is not None:
                self.left.append(line)
            elif line.total < 0:
                self.back[code] = self.back.get(code, 0) - line.total
            elif short := line.total - (self._take(code, line.total) if code in buyers else 0):
                self.missing[code] = self.missing.get(code, 0) + short
        return [priced[place] for place in range(len(self.items))]

    def _euro_price(self, item: Item) -> str | None:
        """Prices in a money that this venue does not take can still be covered by others; they come last."""
        prices = [it for code, it in self.known.items() if code in item.prices and it.cents is not None]
        return min(prices, key=lambda it: (it.code not in self.taken, it.position, it.code)).code if prices else None

    def _first_price(self, item: Item) -> str:
        prices = [it for code, it in self.known.items() if code in item.prices]
        if not prices:
            raise ValueError(f"{item.product} has no price in a known currency")
        return min(prices, key=lambda it: (it.position, it.code)).code

    def _pooled(self, code: str) -> int:
        return self.back.get(code, 0) + sum(room for (_, held), room in self.room.items() if held == code)

    def _take(self, code: str, amount: int) -> int:
        """As much of `amount` as there is, for prices in `code` itself."""
        lowered = min(amount, self.back.get(code, 0))
        self.back[code] = self.back.get(code, 0) - lowered
        left = amount - lowered
        for key in [key for key in self.room if key[1] == code]:
            part = min(left, self.room[key])
            self._give(*key, code, part, part)
            left -= part
        return amount - left

    def _give_back(self) -> None:
        """What comes back and lowers nothing goes to the first purse, in its own currency."""
        for code in sorted({it.currency for it in self.left}):
            lines = [it for it in self.left if it.currency == code]
            total = sum(it.total for it in lines)
            if total < 0:
                self.left = [it for it in self.left if it.currency != code]
                self.back[code] = -total
        for code, amount in self.back.items():
            if amount:
                self.given[0, code, code] = (-amount, -amount)

    def _give(self, purse: int, code: str, covers: str, amount: int, covered: int) -> None:
        if amount:
            before = self.given.get((purse, code, covers), (0, 0))
            self.given[purse, code, covers] = before[0] + amount, before[1] + covered
            self.room[purse, code] -= amount

    def _cover(self) -> dict[str, int]:
        """Cover what is left in spending order; what stays unpaid, in minor units by currency of the prices.

        Small money spent first can leave a sum that large units do not pay. When that leaves something unpaid, large
        units go first if that leaves less.
        """
        moneys = [(key, it) for key in self.room if (it := self.taken[key[1]]).cents is not None]
        covering = self._covering(moneys)
        if covering.unpaid_cents:
            by_size = sorted(moneys, key=lambda it: -worth(it[1]))
            other = self._covering(by_size)
            if other.unpaid_cents < covering.unpaid_cents:
                moneys, covering = by_size, other
        for s, ((purse, code), money) in enumerate(moneys):
            for covers, covered in covering.covered(s).items():
                self._give(purse, code, covers, covered * worth(self.known[covers]) // worth(money), covered)
        return covering.unpaid

    def _covering(self, moneys: Sequence[tuple[tuple[int, str], Money]]) -> Covering:
        covering = Covering(
            cells(self.left, [it for _, it in moneys], self.known),
            [Source(it.code, worth(it), self.room[key]) for key, it in moneys],
        )
        for s in range(len(moneys)):
            covering.fill(s)
        return covering

    def _round_up(self, lines: Sequence[PricedLine]) -> RoundUp | None:
        cents = to_round_up(lines, self.known)
        for it in self.order:
            amount, left_over = divmod(cents, worth(it))
            if cents and rounds_up(it) and not left_over and amount <= self.room.get((0, it.code), 0):
                return RoundUp(it.code, amount)
        return None


def _adds(item: Item) -> bool:
    return all(price >= 0 for price in item.prices.values())


def _room(purse: Purse, money: Money) -> int:
    available = max(0, purse.available.get(money.code, 0))
    at_once = money.policy.limits.per_payment
    return available if at_once is None else min(available, at_once)
