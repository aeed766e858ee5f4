"""What cards hold in training mode: the same for every card, and nothing of what is really on them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping

from app.money import Unit
from app.wire import Sale, SnapshotCurrency
from readers.terminal.changes import taken_from

# Enough for some rounds, and little enough that a refusal and its offers can be practised too.
PURSE: Mapping[Unit, int] = {Unit.CENT: 5000, Unit.MINUTE: 300, Unit.POINT: 100}


class Practice:
    """The purses of one training, filled anew when the next one begins."""

    def __init__(self) -> None:
        self._spent: dict[str, Counter[str]] = {}

    def available(self, uid: str, currencies: Collection[SnapshotCurrency]) -> dict[str, int]:
        """Minor units by currency."""
        spent = self._spent.get(uid, Counter())
        return {one.code: PURSE[Unit(one.unit)] - spent[one.code] for one in currencies}

    def take(self, sale: Sale) -> None:
        for uid, amounts in taken_from(sale).items():
            self._spent.setdefault(uid, Counter()).update(amounts)

    def give_back(self, sale: Sale) -> None:
        for uid, amounts in taken_from(sale).items():
            self._spent.setdefault(uid, Counter()).subtract(amounts)
