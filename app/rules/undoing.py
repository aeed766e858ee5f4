"""Who may take back what was done at a till: a mistake is mended at once by who made it, anything else by who may void.

The terminal asks this before it shows a button, and the server before money goes out.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal
from uuid import UUID

# The customer is still at the counter.
OWN_MINUTES = 15

NotTheirs = Literal["not_yours", "too_late"]


def not_theirs(
    by: UUID | None, made_at_us: int, *, who: UUID | None, rights: Collection[str], now_us: int
) -> NotTheirs | None:
    """Why `who` may not take back what `by` did at `made_at_us`; None: they may. Both times by the terminal's clock."""
    if "void" in rights:
        return None
    if by is None or by != who:
        return "not_yours"
    return "too_late" if now_us - made_at_us > OWN_MINUTES * 60 * 1_000_000 else None
