"""Gifts for many cards at once: an operation each, under one batch that may be sent again until it is done.

A gift is funded when it is spent (app.issuing.retiring), so giving it moves no euros: issuance / wallet.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

import sqlalchemy as sa

from app.cards.service import Card, cards_described
from app.issuing.batches import Batch, content_of, keep, known_batch
from app.issuing.rules import LINES_MAX, part_id
from app.issuing.service import Terms, issue_operations
from app.ledger.rules.operations import Refused
from app.ledger.service import Ledger, posted
from app.platform.errors import Invalid

# Sales get in between: the ledger books at most so many gifts at once.
AT_ONCE = 100

Trouble = Literal["unknown", "ambiguous", "blocked", "twice", "too-much", "nothing"]


@dataclass(frozen=True, slots=True)
class Gift:
    """`named`: what was written for the card (its number, label or address); `amount` in minor units."""

    named: str
    amount: int


@dataclass(frozen=True, slots=True)
class Given:
    """What became of one gift: `refused` is the reason ("daily-cap", "over-ceiling"), None when it is on the card."""

    card: str
    label: str
    amount: int
    refused: str | None = None


@dataclass(frozen=True, slots=True)
class Listed:
    """A gift whose card was looked for: one of `card` and `trouble` is set."""

    gift: Gift
    card: Card | None
    trouble: Trouble | None


async def look_up(ledger: Ledger, terms: Terms, gifts: Sequence[Gift]) -> list[Listed]:
    """Each gift with its card, or with why it cannot be given; in order."""
    most = terms.policy.issue.per_operation
    listed: list[Listed] = []
    seen: set[UUID] = set()
    async with ledger.reader.connect() as connection:
        for gift in gifts:
            found = await cards_described(connection, gift.named)
            card = found[0] if len(found) == 1 else None
            trouble: Trouble | None = None
            if card is None:
                trouble = "ambiguous" if found else "unknown"
            elif card.wallet in seen:
                trouble = "twice"
            elif card.status != "active":
                trouble = "blocked"
            elif gift.amount <= 0:
                trouble = "nothing"
            elif most is not None and gift.amount > most:
                trouble = "too-much"
            if card is not None:
                seen.add(card.wallet)
            listed.append(Listed(gift, card, trouble))
    return listed


async def give(
    ledger: Ledger, terms: Terms, gifts: Sequence[Gift], id_: UUID, *, actor: str, reason: str
) -> list[Given]:
    """Put each gift on its card; what became of each, in order. Sent again under the same id, it goes on where it
    stopped and gives nothing twice.

    Raises Invalid("currency-not-accepted"), Invalid("cards-not-understood") with `lines` (number, what was written,
    why) when one cannot be given: nothing is then, Invalid("idempotency-key-reused"), and what Ledger.post raises.
    """
    if terms.currency.kind != "gift":
        raise Invalid(f"{terms.currency.code} is not given away.", "currency-not-accepted")
    if not 1 <= len(gifts) <= LINES_MAX:
        raise Invalid(f"A batch has 1 to {LINES_MAX} cards.")
    listed = await look_up(ledger, terms, gifts)
    chosen = [(it.card, it.gift.amount) for it in listed if it.card is not None]
    venue = None if terms.venue is None else terms.venue.id
    total = sum(amount for _, amount in chosen)
    content = content_of(terms.currency.code, venue, actor, reason, [(card.uid, amount) for card, amount in chosen])
    async with ledger.reader.connect() as connection:
        known = await known_batch(connection, id_, content)
    if known is None:
        _check(listed)
        new = Batch(
            id_, "gifts", terms.currency.code, venue, total, len(chosen), reason, None, actor, content, terms.now_us
        )
        try:
            async with ledger.engine.begin() as connection:
                await keep(connection, new)
        except sa.exc.IntegrityError:
            # Somebody sent the same batch at the same time: both go on with what was kept.
            async with ledger.reader.connect() as connection:
                await known_batch(connection, id_, content)
    return await _post(ledger, terms, chosen, id_, actor=actor, reason=reason)


def _check(listed: Sequence[Listed]) -> None:
    if wrong := [
        {"line": number, "card": it.gift.named, "trouble": it.trouble}
        for number, it in enumerate(listed, 1)
        if it.trouble is not None
    ]:
        raise Invalid("Some of the cards cannot be credited.", "cards-not-understood", lines=wrong)


async def _post(
    ledger: Ledger, terms: Terms, chosen: Sequence[tuple[Card, int]], batch: UUID, *, actor: str, reason: str
) -> list[Given]:
    given: list[Given] = []
    for start in range(0, len(chosen), AT_ONCE):
        some = chosen[start : start + AT_ONCE]
        about = {"reason": reason, "batch": str(batch)}
        parts = [
            (part_id(batch, card.uid), card, amount, {"card": card.uid, "amount": amount, **about})
            for card, amount in some
        ]
        operations = await issue_operations(ledger, terms, parts, actor=actor)
        for (card, amount), outcome in zip(some, await ledger.post(operations), strict=True):
            if not isinstance(outcome, Refused):
                posted(outcome)
            refused = outcome.reason if isinstance(outcome, Refused) else None
            given.append(Given(card.uid, card.label, amount, refused))
    return given
