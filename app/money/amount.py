"""An amount: an integer of minor units and the code of its currency. No float or Decimal ever enters."""

from __future__ import annotations

from dataclasses import dataclass


class CurrencyMismatch(ValueError):
    """Two amounts of different currencies met in one sum."""


@dataclass(frozen=True, slots=True)
class Amount:
    """`minor` units (cents, minutes or points; may be negative) of `currency` (its code, "RAF")."""

    minor: int
    currency: str

    def __post_init__(self) -> None:
        # bool is an int to Python, and True cents is a bug.
        if type(self.minor) is not int:
            raise TypeError(f"an amount is a whole number of minor units, not {self.minor!r}")

    def __add__(self, other: Amount) -> Amount:
        return Amount(self.minor + self._same(other), self.currency)

    def __sub__(self, other: Amount) -> Amount:
        return Amount(self.minor - self._same(other), self.currency)

    def __mul__(self, times: int) -> Amount:
        return Amount(self.minor * times, self.currency)

    def __neg__(self) -> Amount:
        return Amount(-self.minor, self.currency)

    def __lt__(self, other: Amount) -> bool:
        return self.minor < self._same(other)

    def __le__(self, other: Amount) -> bool:
        return self.minor <= self._same(other)

    def _same(self, other: Amount) -> int:
        if other.currency != self.currency:
            raise CurrencyMismatch(f"{self.currency} and {other.currency} do not add up")
        return other.minor
