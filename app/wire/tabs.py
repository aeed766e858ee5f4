"""Tabs: money set aside on a card, drunk over an evening, and paid at its end. Only online: the server keeps them."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import Field

from app.rules.basket import QUANTITY_MAX, UNIT_PRICE_MAX
from app.rules.offline import Assurance
from app.wire.base import CardUid, CurrencyCode, InstantUs, Message, Minor
from app.wire.sale import Sale, SaleReply


class OpenTab(Message):
    """Set `amount` minor units of `currency` aside on a card. `id` is the tab's, and the hold's. `assurance`: how sure
    the terminal is of the card."""

    id: UUID
    card: CardUid
    currency: CurrencyCode
    amount: Minor
    name: Annotated[str, Field(max_length=40)] = ""
    cashier: UUID | None = None
    assurance: Annotated[Assurance, Field(exclude_if=lambda level: level == "C")] = "C"


class TabItem(Message):
    """`quantity` more of a product, or below 0 fewer: what was typed wrongly is taken off again."""

    product: UUID
    name: Annotated[str, Field(min_length=1, max_length=80)]
    quantity: Annotated[int, Field(ge=-QUANTITY_MAX, le=QUANTITY_MAX, strict=True)]
    unit_price: Annotated[int, Field(ge=0, le=UNIT_PRICE_MAX, strict=True)]


class AddToTab(Message):
    """A round; its `id` makes adding it again harmless."""

    id: UUID
    items: Annotated[tuple[TabItem, ...], Field(min_length=1, max_length=200)]
    cashier: UUID | None = None


class CloseTab(Message):
    """Pay a tab by `sale`, whose lines are all that is on it; None for a tab with nothing on it.

    `presented`: a card was laid down for what goes beyond the money set aside, so more of it may be taken.
    """

    sale: Sale | None
    presented: bool = False


class Tab(Message):
    """An open tab. `held` is 0 once the time of the hold is over: then all of it is asked from a card."""

    id: UUID
    card: str
    currency: CurrencyCode
    held: int
    name: str
    opened_at_us: InstantUs
    expires_at_us: InstantUs
    items: tuple[TabItem, ...]

    @property
    def total(self) -> int:
        return sum(it.quantity * it.unit_price for it in self.items)


class Tabs(Message):
    """The venue's open tabs, the oldest first. `paid_here`: sales of tabs that this terminal closed and whose rows have
    not come in: it writes them into its journal, where a crash kept it from that."""

    tabs: tuple[Tab, ...]
    paid_here: tuple[Sale, ...] = ()


class TabClosed(Message):
    """`reply` is None where nothing was to be paid."""

    id: UUID
    reply: SaleReply | None = None
