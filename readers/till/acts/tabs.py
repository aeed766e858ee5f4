"""Tabs and cards: money is set aside on one, and what was drunk beyond that is asked from one."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

import structlog
from pydantic import ValidationError

from app.rules.offline import Refusal
from app.wire.tabs import OpenTab, Tab
from readers.sync import Rejected, SyncError
from readers.terminal.commands import TillError
from readers.terminal.counter import Ask, Card
from readers.terminal.receipt import amounts
from readers.terminal.shop import Shop
from readers.terminal.view import Amount, Result
from readers.till.acting import Tools
from readers.till.tabs import TabDesk
from readers.till.tap import Ended

_log = structlog.get_logger(__name__)
_NAMES = {refusal.value: refusal for refusal in Refusal}


class _WithTabs:
    """Nothing is written before the server answered, and books by the act's id: nothing is done twice."""

    right = "sell"
    journalled = False
    looks = False

    def __init__(self, tools: Tools, desk: TabDesk) -> None:
        self._desk, self._clock, self._shelf = desk, tools.clock, tools.shelf

    def works_offline(self, _shop: Shop) -> bool:
        return False

    def _result(self, ask: Ask, card: Card, reason: Refusal | None, balances: Mapping[str, int] | None = None) -> Ended:
        result = Result(
            sale=ask.sale,
            asked=ask.sale,
            card=card.uid,
            price=ask.amounts,
            reason=reason,
            offline=False,
            balances=None if balances is None else amounts(dict(balances)),
            at_us=self._clock.now_us(),
            act=ask.act,
        )
        return Ended(result)

    def _refused(self, ask: Ask, card: Card, error: Exception) -> Ended:
        _log.warning("tab_refused", act=ask.act, why=str(error))
        if not isinstance(error, Rejected):
            # The server may have done it: the list of tabs tells.
            return self._result(ask, card, Refusal.NO_ANSWER)
        return self._result(ask, card, _NAMES.get(error.problem.name, Refusal.INVALID))


class TabOpen(_WithTabs):
    """Set an amount aside on a card. The wish: {currency, amount, name}."""

    def prepare(self, shop: Shop, wish: Mapping[str, object]) -> tuple[object, tuple[Amount, ...]]:
        try:
            wanted = OpenTab.model_validate({**wish, "id": UUID(int=0), "card": "00000000"})
        except ValidationError as error:
            raise TillError("malformed") from error
        if wanted.currency not in shop.snapshot.accepted:
            raise TillError("no_price")
        return wanted, (Amount(wanted.currency, wanted.amount),)

    async def settle(self, ask: Ask, card: Card) -> Ended:
        wanted = ask.wish
        if not isinstance(wanted, OpenTab):
            raise TypeError("a tab is opened by what was prepared")
        try:
            read = {"card": card.uid, "assurance": card.assurance}
            await self._desk.open(wanted.model_copy(update={"id": ask.sale, "cashier": ask.cashier, **read}))
        except SyncError as error:
            return self._refused(ask, card, error)
        return self._result(ask, card, None)


class TabPay(_WithTabs):
    """Pay a tab, and what goes beyond what is set aside with the card. The wish: {tab: the list's own entry}."""

    def prepare(self, _shop: Shop, wish: Mapping[str, object]) -> tuple[object, tuple[Amount, ...]]:
        try:
            tab = Tab.model_validate(wish.get("tab"))
        except ValidationError as error:
            raise TillError("malformed") from error
        beyond = tab.total - tab.held
        if beyond <= 0:
            raise TillError("tab_changed")
        return tab, (Amount(tab.currency, beyond),)

    async def settle(self, ask: Ask, card: Card) -> Ended:
        tab = ask.wish
        if not isinstance(tab, Tab):
            raise TypeError("a tab is paid by what was prepared")
        try:
            _, closed = await self._desk.pay_rest(tab, ask.sale, ask.cashier, card.uid, card.assurance)
        except (SyncError, TillError) as error:
            return self._refused(ask, card, error)
        reply = closed.reply
        left = None if reply is None else reply.other_cards.get(card.uid, reply.balances)
        return self._result(ask, card, None, left)
