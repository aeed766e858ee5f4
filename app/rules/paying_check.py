"""Whether what a terminal says was paid obeys rates and restrictions: what the server asks before it books.

In which order moneys were spent is the terminal's affair, and that of the policy it knew.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Sequence

from app.rules.covering import Covering, Source
from app.rules.lines import wrong_lines
from app.rules.moneys import (
    Money,
    PricedLine,
    Rest,
    RoundUp,
    Tender,
    accepted,
    cells,
    covers,
    owed,
    rounds_up,
    to_round_up,
    worth,
)


def verify(
    lines: Sequence[PricedLine],
    tenders: Sequence[Tender],
    rest: Sequence[Rest],
    moneys: Iterable[Money],
    venue: str,
    *,
    round_up: RoundUp | None = None,
) -> list[str]:
    """Every rule that a payment at `venue` (its slug) breaks, as "reason:currency"; empty when it may be booked.

    Of an item only its category and quantity are read. The reasons: unknown (no such currency), not-positive (an
    amount), twice (a purse tenders a currency twice for the same prices), not-here, covers (money that cannot pay these
    prices), rate, over-payment (of one wallet at once), rest (cash for prices that are not in euros), not-paid (more
    or less than the lines), category (money used for what it does not buy), round-up, and those of
    app.rules.lines.wrong_lines. Only of a currency in which nothing but deposits comes back is anything given back.
    """
    known = {it.code: it for it in moneys}
    named = {line.currency for line in lines} | {it.covers for it in rest}
    named |= {code for it in tenders for code in (it.currency, it.covers)} | (
        {round_up.currency} if round_up else set()
    )
    if strangers := sorted(named - known.keys()):
        return [f"unknown:{code}" for code in strangers]
    back = {code for code, amount in owed(lines).items() if amount < 0}
    found = [
        *wrong_lines(lines),
        *_tenders(tenders, known, venue, back),
        *_limits(tenders, round_up, known),
        *_rest(rest, known, back),
        *_sums(lines, tenders, rest),
    ]
    # Which money went for which category only makes sense when rates and sums do.
    found = found or [*_categories(lines, tenders, known)]
    if round_up and not _rounds_up(round_up, lines, rest, known, venue):
        found.append(f"round-up:{round_up.currency}")
    return list(dict.fromkeys(found))


def _tenders(tenders: Sequence[Tender], known: dict[str, Money], venue: str, back: Container[str]) -> Iterator[str]:
    seen: set[tuple[int, str, str]] = set()
    for tender in tenders:
        money, price = known[tender.currency], known[tender.covers]
        gives_back = price.code in back and money is price
        if (tender.amount >= 0 or tender.covered >= 0) if gives_back else (tender.amount <= 0 or tender.covered <= 0):
            yield f"not-positive:{money.code}"
        if (tender.purse, money.code, price.code) in seen:
            yield f"twice:{money.code}"
        seen.add((tender.purse, money.code, price.code))
        if not accepted(money, venue):
            yield f"not-here:{money.code}"
        if not covers(money, price):
            yield f"covers:{money.code}"
        elif tender.amount * worth(money) != tender.covered * worth(price):
            yield f"rate:{money.code}"


def _limits(tenders: Sequence[Tender], round_up: RoundUp | None, known: dict[str, Money]) -> Iterator[str]:
    given: dict[tuple[int, str], int] = {}
    for tender in tenders:
        key = tender.purse, tender.currency
        given[key] = given.get(key, 0) + tender.amount
    if round_up:
        given[0, round_up.currency] = given.get((0, round_up.currency), 0) + round_up.amount
    for (_, code), amount in given.items():
        at_once = known[code].policy.limits.per_payment
        if at_once is not None and amount > at_once:
            yield f"over-payment:{code}"


def _rest(rest: Sequence[Rest], known: dict[str, Money], back: Container[str]) -> Iterator[str]:
    for it in rest:
        if it.amount >= 0 if it.covers in back else it.amount <= 0:
            yield f"not-positive:{it.covers}"
        if known[it.covers].cents is None:
            yield f"rest:{it.covers}"


def _sums(lines: Sequence[PricedLine], tenders: Sequence[Tender], rest: Sequence[Rest]) -> Iterator[str]:
    left = owed(lines)
    for covered, amount in [(it.covers, it.covered) for it in tenders] + [(it.covers, it.amount) for it in rest]:
        left[covered] = left.get(covered, 0) - amount
    for code in sorted(left):
        if left[code]:
            yield f"not-paid:{code}"


def _categories(lines: Sequence[PricedLine], tenders: Sequence[Tender], known: dict[str, Money]) -> Iterator[str]:
    """One currency of the prices at a time, since a tender says which it covers: can every tender find lines?"""
    for price in sorted({it.covers for it in tenders if it.amount > 0}):
        paying = [it for it in tenders if it.covers == price]
        priced = [it for it in lines if it.currency == price]
        # All sources count in units of the price, so that they fit by construction.
        sources = [Source(it.currency, worth(known[price]), it.covered) for it in paying]
        covering = Covering(cells(priced, [known[it.currency] for it in paying], known), sources)
        for s, source in enumerate(sources):
            covering.fill(s)
            if source.room:
                yield f"category:{source.code}"


def _rounds_up(
    given: RoundUp, lines: Sequence[PricedLine], rest: Sequence[Rest], known: dict[str, Money], venue: str
) -> bool:
    money = known[given.currency]
    exact = given.amount > 0 and given.amount * worth(money) == to_round_up(lines, known)
    return exact and not rest and rounds_up(money) and accepted(money, venue)
