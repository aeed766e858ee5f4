"""What is on a card and what its holder wants to know of it, told by a tap without a basket."""

from __future__ import annotations

from collections.abc import Mapping

from app.rules.offline import Refusal
from readers.terminal.counter import Ask, Card
from readers.terminal.receipt import amounts
from readers.terminal.shop import Shop
from readers.terminal.view import Amount, CardTold, Result
from readers.till.acting import Tools
from readers.till.tap import Ended


class BalanceCheck:
    """Tells what this terminal knows: the last snapshot, less what it sold since, and what it credited itself. Nothing
    is written, nothing asked."""

    right = None
    journalled = False
    looks = True

    def __init__(self, tools: Tools) -> None:
        self._shelf, self._link, self._clock = tools.shelf, tools.link, tools.clock

    def works_offline(self, _shop: Shop) -> bool:
        return True

    def prepare(self, _shop: Shop, _wish: Mapping[str, object]) -> tuple[object, tuple[Amount, ...]]:
        return None, ()

    async def settle(self, ask: Ask, card: Card) -> Ended:
        shop, book = self._shelf.shop, self._shelf.book
        known = book.card(card.uid, card.assurance) if book else None
        reason = Refusal.CARD_UNKNOWN if known is None else Refusal.CARD_BLOCKED if known.blocked else None
        held = None if known is None else {code: minor for code, minor in known.available.items() if minor}
        offline = not self._link.online or self._shelf.stale
        told = None
        if shop is not None and reason is None:
            told = CardTold(shop.spent_here, self._shelf.credits.of(card.uid), self._shelf.age_s if offline else None)
        result = Result(
            sale=ask.sale,
            asked=ask.sale,
            card=card.uid,
            price=(),
            reason=reason,
            offline=offline,
            balances=None if held is None else amounts(held),
            at_us=self._clock.now_us(),
            act=ask.act,
            told=told,
            members=shop.memberships(card.uid, self._clock.now_us()) if shop is not None and reason is None else (),
        )
        return Ended(result)
