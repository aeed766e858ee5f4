"""The tax that a price holds. Pure."""

from __future__ import annotations


def vat_within(total: int, basis_points: int) -> int:
    """The VAT that `total`, tax included, contains at this rate; half a cent goes up."""
    base = 10_000 + basis_points
    return (2 * total * basis_points + base) // (2 * base)
