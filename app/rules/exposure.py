"""What an organiser can lose at most while terminals are without network. Counts and minor units of one currency.

A terminal alone sells in two ways that may turn out not to be paid for:

- *beyond the balance* that it knows of a card. All of this together stays within the terminal's own limit, whatever
  the number of cards, so n terminals can lose n times that limit;
- *within the balance* that it knows, which the same card may have spent at another terminal too. No limit of the
  terminal bounds that, for a busy bar sells through a night; each card's own limits do. What all cards hold may be sold
  once by each terminal, and is paid for once: n - 1 times what they hold can be lost.

Terminals of one site that hear each other through a hub count a card's sales together, so that what they know of
balances is sold once by the site: then it is the number of sites that counts in the second part.

It is counted from the last moment at which every terminal had delivered its rows. Money leaves a card only at a
terminal (a sale or a refund), so what is paid out elsewhere in the meantime is one of the n times.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from app.rules.offline import CardLimits


def sold_within_balance(levels: Iterable[CardLimits], backed_weight_percent: int) -> int:
    """The most that one terminal alone sells to one card of any of these levels, if its balance allows: so many sales
    in a row of the largest size, unless the card's limit, in which they count by their weight, is reached before."""
    return max((_of_one_card(it, backed_weight_percent) for it in levels), default=0)


def _of_one_card(limits: CardLimits, weight: int) -> int:
    in_a_row = limits.per_sale * limits.consecutive
    return min(in_a_row, limits.per_card * 100 // weight) if weight else in_a_row


@dataclass(frozen=True, slots=True)
class Exposure:
    """`per_terminal`: a terminal's limit beyond balances. `on_cards`: what all cards hold, of each at most what one
    terminal sells to it (`sold_within_balance`)."""

    terminals: int
    sites: int
    per_terminal: int
    on_cards: int

    def __post_init__(self) -> None:
        if not 0 <= self.sites <= self.terminals or self.per_terminal < 0 or self.on_cards < 0:
            raise ValueError(f"this cannot be: {self}")

    @property
    def beyond(self) -> int:
        """Sold beyond the balances, by all terminals."""
        return self.terminals * self.per_terminal

    @property
    def again(self) -> int:
        """Balances that are sold more than once, each terminal alone."""
        return max(0, self.terminals - 1) * self.on_cards

    @property
    def again_with_hubs(self) -> int:
        """The same where the terminals of each site hear each other."""
        return max(0, self.sites - 1) * self.on_cards

    @property
    def most(self) -> int:
        return self.beyond + self.again

    @property
    def most_with_hubs(self) -> int:
        return self.beyond + self.again_with_hubs
