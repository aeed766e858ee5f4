"""What the server asks of a sale before it books it, beside what the ledger asks. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from uuid import UUID

from app.rules.prices import GRACE_US, SLACK_US, Article
from app.wire import SaleLine


def changed_prices(lines: Iterable[SaleLine], prices: Mapping[UUID, Mapping[str, int]]) -> list[SaleLine]:
    """Lines that are no plain product at one of `prices` (by product and currency), which hold at any time."""
    return [
        it
        for it in lines
        if prices.get(it.product, {}).get(it.currency) != it.unit_price or it.kind is not None or it.share is not None
    ]


def sells(article: Article | None, line: SaleLine, occurred_at_us: int, zone: str) -> bool:
    """Whether a venue sells this line at its price, or did some minutes before it was sold. `article`: its product, if
    the venue has it."""
    if line.kind == "tip":
        return True
    amount = line.unit_price if line.share is None else line.share.unit_price
    if article is None or (line.kind == "open") != (article.kind == "goods" and line.kind is not None):
        return False
    if line.kind == "open":
        return True
    if line.kind != (None if article.kind == "goods" else article.kind):
        return False
    if article.kind == "return" or (article.kind == "deposit" and amount < 0):
        amount = -amount
    return article.held(amount, line.currency, occurred_at_us - GRACE_US - SLACK_US, occurred_at_us + SLACK_US, zone)
