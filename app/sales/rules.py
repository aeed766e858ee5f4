"""What the server asks of a sale before it books it, beside what the ledger asks. Standard library only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from uuid import UUID


def changed_prices(lines: Iterable[tuple[UUID, int, str]], prices: Mapping[UUID, Mapping[str, int]]) -> list[UUID]:
    """Products of `lines` (product, unit price, currency) that the venue no longer sells at that price."""
    return [product for product, amount, code in lines if prices.get(product, {}).get(code) != amount]
