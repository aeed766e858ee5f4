"""Acts that put money on a card or take it off: they are the server's to decide, and a row once it has.

A result without a reason is green, and is only ever returned after its row was committed. When no answer came the act
is cancelled by its id: what was booked is reversed, and what arrives late is refused. So staff hand out nothing, and
credit nothing, that the books do not have.

A top-up is the exception where the network allows it without an answer: the money is in the drawer, and the row tells.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Annotated, Any, Literal

import structlog
from pydantic import Field, ValidationError

from app.rules.ids import uuid7
from app.rules.offline import Refusal, refusal_of_top_up
from app.wire import CancelRow, CardActRow, CreditRow, RefundRow, RefusedRow, SnapshotCurrency, TopUpRow
from app.wire.base import CurrencyCode, Message, Minor
from readers.journal import JournalFailed
from readers.sync import Acted, Declined, NoAnswer
from readers.terminal.commands import TillError
from readers.terminal.counter import Ask, Card
from readers.terminal.receipt import amounts
from readers.terminal.shop import Shop
from readers.terminal.view import Amount, Result
from readers.till.acting import Tools
from readers.till.tap import Ended

_log = structlog.get_logger(__name__)

# Nobody waits for a beer here, and a card stays on the reader: longer than for a sale.
DEADLINE_S = 3.0

# (card, currency, minor units): why it may not be done without an answer; None: it may.
Alone = Callable[[Tools, Card, str, int], Refusal | None]


class TopUpWish(Message):
    currency: CurrencyCode
    amount: Minor
    means: Literal["cash", "bank_card"]


class RefundWish(Message):
    """Without an amount, all that is on the card."""

    currency: CurrencyCode
    amount: Minor | None = None


class CreditWish(Message):
    currency: CurrencyCode
    amount: Minor
    reason: Annotated[str, Field(min_length=1, max_length=200)]


Wish = TopUpWish | RefundWish | CreditWish


class CardAct:
    """`wish` is the shape of what staff choose, `row` makes the row of it, `suits` tells the moneys that it is for.

    `alone`: why it may not be done without an answer; without it, it never may.
    """

    journalled = True
    looks = False

    def __init__(
        self,
        tools: Tools,
        right: str,
        wish: type[Wish],
        row: Callable[[Any, Card, dict[str, Any]], CardActRow],
        suits: Callable[[SnapshotCurrency], bool],
        alone: Alone | None = None,
    ) -> None:
        self._tools = tools
        self._right = right
        self._wish = wish
        self._row = row
        self._suits = suits
        self._alone = alone

    @property
    def right(self) -> str:
        return self._right

    def works_offline(self, shop: Shop) -> bool:
        return self._alone is not None and bool(shop.limits.top_ups)

    def prepare(self, shop: Shop, wish: Mapping[str, object]) -> tuple[object, tuple[Amount, ...]]:
        try:
            found = self._wish.model_validate(dict(wish))
        except ValidationError as error:
            raise TillError("wrong_amount") from error
        money = next((it for it in shop.snapshot.currencies if it.code == found.currency), None)
        if money is None or not self._suits(money):
            raise TillError("not_allowed")
        return found, () if found.amount is None else (Amount(found.currency, found.amount),)

    async def settle(self, ask: Ask, card: Card) -> Ended:
        wish: Any = ask.wish
        amount = self._held(card, wish.currency) if wish.amount is None else wish.amount
        try:
            return await self._settle(ask, card, wish, amount)
        except JournalFailed as error:
            _log.error("journal_failed", act=str(ask.sale), why=str(error))
            # The server may have booked it, and nobody was shown a green light.
            await self._tools.tap.withdraw(ask.sale)
            return Ended(self._result(ask, card, wish.currency, amount, Refusal.JOURNAL_FAILED))
        except Exception:
            _log.exception("act_failed", act=str(ask.sale))
            await self._tools.tap.withdraw(ask.sale)
            return Ended(self._result(ask, card, wish.currency, amount, Refusal.INVALID))
        finally:
            self._tools.link.want_sync()

    async def _settle(self, ask: Ask, card: Card, wish: Any, amount: int) -> Ended:
        tools = self._tools
        if amount <= 0:
            return await self._refuse(ask, card, wish.currency, 0, Refusal.INSUFFICIENT_FUNDS)
        common = {
            "mode": "online",
            "id": ask.sale,
            "card": card.uid,
            "currency": wish.currency,
            "amount": amount,
            "cashier": ask.cashier,
            "at_us": tools.clock.now_us(),
        }
        row = self._row(wish, card, common)
        if not tools.link.online:
            return await self._decide(ask, card, row, asked=False)
        match await tools.server.act(row, tools.journal.pairing.device, DEADLINE_S):
            case Acted(reply):
                sequence = await tools.journal.append(row)
                tools.shelf.add(sequence, row)
                return Ended(self._result(ask, card, wish.currency, amount, None, reply.balances), row, sequence)
            case Declined(reason):
                return await self._refuse(ask, card, wish.currency, amount, reason)
            case NoAnswer():
                tools.link.lost()
                return await self._decide(ask, card, row, asked=True)

    async def _decide(self, ask: Ask, card: Card, row: CardActRow, *, asked: bool) -> Ended:
        """Without an answer. `asked`: the server may have booked it, so a refusal here takes it back."""
        tools = self._tools
        reason = self._alone(tools, card, row.currency, row.amount) if self._alone else Refusal.NO_ANSWER
        if reason:
            return await self._refuse(ask, card, row.currency, row.amount, reason, cancel=asked)
        row = row.model_copy(update={"mode": "offline"})
        sequence = await tools.journal.append(row)
        tools.shelf.add(sequence, row)
        left = tools.shelf.book.available(card.uid) if tools.shelf.book else None
        result = replace(self._result(ask, card, row.currency, row.amount, None, left), offline=True)
        return Ended(result, row, sequence)

    async def _refuse(
        self, ask: Ask, card: Card, currency: str, amount: int, reason: Refusal, *, cancel: bool = False
    ) -> Ended:
        now_us = self._tools.clock.now_us()
        rows: list[RefusedRow | CancelRow] = [RefusedRow(sale=ask.sale, card=card.uid, reason=reason, at_us=now_us)]
        if cancel:
            rows.append(CancelRow(id=uuid7(), sale=ask.sale, at_us=now_us))
        await self._tools.journal.append(*rows)
        return Ended(self._result(ask, card, currency, amount, reason))

    def _held(self, card: Card, currency: str) -> int:
        book = self._tools.shelf.book
        return ((book.available(card.uid) if book else None) or {}).get(currency, 0)

    def _result(
        self,
        ask: Ask,
        card: Card,
        currency: str,
        amount: int,
        reason: Refusal | None,
        left: Mapping[str, int] | None = None,
    ) -> Result:
        # The money that it was about first, then what else is on the card.
        shown = None if left is None else {currency: left.get(currency, 0), **{k: v for k, v in left.items() if v}}
        return Result(
            sale=ask.sale,
            asked=ask.sale,
            card=card.uid,
            price=(Amount(currency, amount),),
            reason=reason,
            offline=False,
            balances=None if shown is None else amounts(shown),
            at_us=self._tools.clock.now_us(),
            act=ask.act,
        )


def _top_up_alone(tools: Tools, card: Card, currency: str, amount: int) -> Refusal | None:
    shop, book = tools.shelf.shop, tools.shelf.book
    if shop is None or book is None:
        return Refusal.SNAPSHOT_TOO_OLD
    if not shop.limits.top_ups:
        return Refusal.NO_ANSWER
    view = book.card(card.uid, card.assurance) or book.stranger(card.uid)
    ceiling = next(it.policy.limits.ceiling for it in shop.snapshot.currencies if it.code == currency)
    return refusal_of_top_up(currency, amount, view, tools.shelf.terminal(), shop.limits, ceiling)


def top_up(tools: Tools) -> CardAct:
    def row(wish: TopUpWish, _: Card, common: dict[str, Any]) -> TopUpRow:
        return TopUpRow(**common, means=wish.means)

    return CardAct(tools, "top_up", TopUpWish, row, lambda money: money.kind == "pegged", _top_up_alone)


def refund(tools: Tools) -> CardAct:
    def row(_: RefundWish, card: Card, common: dict[str, Any]) -> RefundRow:
        return RefundRow(**common, assurance=card.assurance)

    return CardAct(tools, "refund", RefundWish, row, lambda money: "holders" in money.policy.redeem.who)


def credit(tools: Tools) -> CardAct:
    def row(wish: CreditWish, _: Card, common: dict[str, Any]) -> CreditRow:
        return CreditRow(**common, reason=wish.reason)

    return CardAct(tools, "credit", CreditWish, row, lambda money: money.kind in ("time", "gift", "points"))
