"""What staff may do at a terminal, by their role: the one place that says so.

Each act of the staff screen names the right that it needs. Who has none of them may sell.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final, Literal

from app.identity.roles import Role

StaffRight = Literal[
    "sell", "top_up", "refund", "credit", "gift_house", "open_price", "void", "close", "train", "sold_out"
]

_ALL: Final[tuple[StaffRight, ...]] = (
    "sell",
    "top_up",
    "refund",
    "credit",
    "gift_house",
    "open_price",
    "void",
    "close",
    "train",
    "sold_out",
)
# Who runs a shift sees to sessions, prices of the moment and wrong sales; money that leaves the drawer or is given away
# is for who answers for the venue.
_SHIFT: Final[tuple[StaffRight, ...]] = ("sell", "top_up", "open_price", "void", "close", "train", "sold_out")
# A cashier undoes their own wrong sale at once, with the customer in front of them, which needs no right; other sales,
# and what gives money away, are for who answers for the venue.
_BY_ROLE: Final[dict[str, tuple[StaffRight, ...]]] = {
    Role.CASHIER: ("sell", "top_up"),
    Role.SHIFT_MANAGER: _SHIFT,
    Role.VENUE_ADMIN: _ALL,
    Role.NETWORK_ADMIN: _ALL,
}
# Roles that a terminal knows; accountants and auditors do not stand at one.
AT_TERMINALS: Final = tuple(_BY_ROLE)


def staff_rights(roles: Collection[str]) -> tuple[StaffRight, ...]:
    """All that these roles at one venue allow together, in the order of `StaffRight`."""
    held = {right for role in roles for right in _BY_ROLE.get(role, ())}
    return tuple(right for right in _ALL if right in held)
