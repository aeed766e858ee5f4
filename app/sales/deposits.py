"""Sales in which deposits come back: what was set aside for them, and what no account holds any more.

A cup has no number, so what pays it out is what all of them left behind. When that is used up, the cup was paid for in
cash: giving its price to a card is a top-up in cash by the venue. How much is missing is looked up before the sale is
posted; when other cups came back meanwhile, the ledger refuses, and the sale is posted anew with what holds then.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from app.cards.service import Card
from app.ledger.rules.operations import Operation, Outcome, Refused
from app.ledger.service import Ledger
from app.platform.errors import DomainError
from app.rules.lines import sums
from app.sales import booking
from app.sales.booking import Counter, Delivered, Shortage
from app.sales.rulebook import Rules
from app.wire import Sale

# Each look finds the newest balance; after the last one, nothing is asked of the deposits.
LOOKS_MAX = 4


def coming_back(sale: Sale) -> dict[str, int]:
    """Minor units by currency that deposits give to the sale's card."""
    if sale.plain or not sale.card:
        return {}
    return {code: -amount for code, amount in sums(sale.lines, "deposit").items() if amount < 0}


async def sell(
    ledger: Ledger,
    counter: Counter,
    sale: Sale,
    rules: Rules,
    cards: Mapping[str, Card],
    wallets: Mapping[str, Mapping[str, int]],
    revision: int,
    per_day: Mapping[int, int],
) -> Outcome:
    """Post a sale that has lines of a kind. DomainError("deposit-not-held") where no top-up may stand for a cup."""

    async def made(short: Shortage, again: bool) -> Operation:
        if without := [code for code in short if not counter.currencies[code].cents_per_unit]:
            raise DomainError("deposit-not-held", f"No deposits in {', '.join(without)} are left to give back.")
        return await booking.special_sale(
            ledger, counter, sale, rules, cards, wallets, revision, short, per_day, overrides_refusal=again
        )

    return await _post(ledger, counter, sale, made)


async def book(ledger: Ledger, counter: Counter, sale: Sale, cards: Mapping[str, Card]) -> tuple[Delivered, Outcome]:
    """Post a delivered sale in which deposits come back: it happened, so it is booked."""
    delivered = await booking.delivered_sales(ledger, counter, [sale], cards)

    async def made(short: Shortage, again: bool) -> Operation:  # noqa: ARG001
        nonlocal delivered
        delivered = await booking.delivered_sales(ledger, counter, [sale], cards, short)
        return delivered.operations[0]

    outcome = await _post(ledger, counter, sale, made)
    return delivered, outcome


async def _post(
    ledger: Ledger, counter: Counter, sale: Sale, made: Callable[[Shortage, bool], Awaitable[Operation]]
) -> Outcome:
    back = coming_back(sale)
    if not back:
        return (await ledger.post([await made({}, False)]))[0]
    keys = {code: booking.deposit_key(counter.currencies[code]) for code in back}
    numbers = set(await ledger.accounts(list(keys.values())))
    for look in range(LOOKS_MAX + 1):
        short = back
        if look < LOOKS_MAX:
            held = {row.key: row.balance for row in await ledger.balances(kinds=["deposit"])}
            missing = {code: amount - held.get(keys[code], 0) for code, amount in back.items()}
            short = {code: amount for code, amount in missing.items() if amount > 0}
        (outcome,) = await ledger.post([await made(short, look > 0)])
        if not isinstance(outcome, Refused) or outcome.account not in numbers:
            break
    return outcome
