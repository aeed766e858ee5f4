"""Fees and shares in whole minor units: what is charged is exact, what is shared out loses no unit."""

from __future__ import annotations

from collections.abc import Sequence

from app.rules.policy import Fee

WHOLE = 10_000  # basis points


def fee(amount: int, terms: Fee) -> int:
    """What `terms` charge on `amount` minor units (0 or more): the rate, half away from zero, within its bounds.

    Nothing is charged on nothing: a minimum is the least price of a service, not of its absence. Raises ValueError on
    a negative amount: a fee is given back by reversing the operation that charged it.
    """
    if amount < 0:
        raise ValueError(f"a fee on {amount} is not known")
    if amount == 0:
        return 0
    charged = max(terms.minimum, (amount * terms.basis_points + WHOLE // 2) // WHOLE)
    return charged if terms.maximum is None else min(charged, terms.maximum)


def share(total: int, weights: Sequence[int]) -> list[int]:
    """`total` minor units (0 or more) in proportion to `weights`, by largest remainder; the parts sum to `total`.

    Of equal remainders, the first one is rounded up. Raises ValueError when there is nothing to go by: a negative
    total or weight, or no weight above zero.
    """
    whole = sum(weights)
    if total < 0 or any(weight < 0 for weight in weights) or whole == 0:
        raise ValueError(f"{total} cannot be shared by {list(weights)}")
    parts = [total * weight // whole for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda i: -(total * weights[i] % whole))
    for i in by_remainder[: total - sum(parts)]:
        parts[i] += 1
    return parts
