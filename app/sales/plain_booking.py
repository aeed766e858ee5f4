"""From rows of plain sales that were delivered to their operations, which are those that app.sales.booking makes of the
same sales: what is the same for all of them is looked at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import NamedTuple
from uuid import UUID

from pydantic_core import to_json

from app.cards.service import Card
from app.currencies.service import rates
from app.ledger.rules.operations import Operation, Posting
from app.ledger.service import Ledger
from app.platform.clock import now_us
from app.sales.booking import KIND, Counter, Delivered, claim_key, day_of, suspense_key
from app.sales.plain import PlainSaleRow, lines_text


class Payer(NamedTuple):
    """A card, and its accounts in one currency."""

    card: Card
    wallet: int
    overdraft: int


Payers = Mapping[tuple[str, str], Payer]
"""By card and currency; who is not there is unknown."""


class PlainBooking:
    """Account ids: `claims` and `suspense` by currency. `doubtful`: those of the sales made so far that may be against
    a policy."""

    def __init__(
        self, counter: Counter, claims: Mapping[str, int], suspense: Mapping[str, int], payers: Payers
    ) -> None:
        self._counter, self._claims, self._suspense, self._payers = counter, claims, suspense, payers
        self._now, self._actor, self._terminal = now_us(), counter.actor, counter.terminal.id.bytes
        self._name = to_json(counter.terminal.name).decode()
        self.doubtful: set[UUID] = set()

    @classmethod
    async def of(cls, ledger: Ledger, counter: Counter, payers: Payers, codes: Iterable[str]) -> PlainBooking:
        used = list(dict.fromkeys(codes))
        known = counter.currencies
        keys = [key for code in used for key in (claim_key(counter.venue, known[code]), suspense_key(known[code]))]
        numbers = await ledger.accounts(keys, rates(known))
        return cls(
            counter, dict(zip(used, numbers[::2], strict=True)), dict(zip(used, numbers[1::2], strict=True)), payers
        )

    @property
    def to_look_at(self) -> Delivered:
        """The accounts whose debit a person should look at."""
        return Delivered(
            (),
            frozenset(self._suspense.values()),
            {payer.overdraft: (payer.card.owner, code) for (_, code), payer in self._payers.items()},
        )

    def operation(self, row: PlainSaleRow) -> Operation:
        sale, counter, now = row.sale, self._counter, self._now
        day, late = day_of(counter, sale.occurred_at_us, now)
        rules = counter.rulebook.at(now if late else sale.occurred_at_us)
        codes = [it.currency for it in sale.tenders]
        if not rules.plain.issuperset(codes):
            self.doubtful.add(sale.id)
        cashier = "null" if sale.cashier is None else f'"{sale.cashier}"'
        return Operation(
            id=sale.id,
            kind=KIND,
            fingerprint=sha256(self._terminal + row.content).digest(),
            postings=tuple([self._posting(sale.card, it.currency, it.amount) for it in sale.tenders]),
            actor=self._actor,
            occurred_at_us=sale.occurred_at_us,
            business_day=day,
            late=late,
            venue=counter.venue.id,
            terminal=counter.terminal.id,
            policy=rules.label_of(codes),
            details=f'{{"card":"{sale.card}","cashier":{cashier},"terminal_name":{self._name},'
            f'"lines":{lines_text(sale)}}}',
            overrides_refusal=True,
            again=row.mode == "online",
        )

    def _posting(self, uid: str, code: str, amount: int) -> Posting:
        payer = self._payers.get((uid, code))
        if payer is None or payer.card.status != "active":
            return Posting(self._suspense[code], self._claims[code], amount)
        return Posting(payer.wallet, self._claims[code], amount, debit_overflow=payer.overdraft)
