"""The reserve proof, read from the ledger."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from app.currencies.service import Currency
from app.ledger.service import BalanceRow, Ledger, TrialRow


@dataclass(frozen=True, slots=True)
class Circulation:
    """One currency: minor units in circulation; for a pegged one, the euro cents that must stand against them."""

    currency: Currency
    issued: int
    owed_cents: int | None


@dataclass(frozen=True, slots=True)
class ReserveProof:
    """Euro cents at one instant. What is held: at the bank, on its way from the provider, and in venues' hands."""

    circulation: tuple[Circulation, ...]
    bank_cents: int
    clearing_cents: int
    due_from_cents: int
    liability_cents: int
    payable_cents: int

    @property
    def held_cents(self) -> int:
        return self.bank_cents + self.clearing_cents + self.due_from_cents

    @property
    def owed_cents(self) -> int:
        return self.liability_cents + self.payable_cents

    @property
    def holds(self) -> bool:
        """Every euro is there, and every pegged unit in circulation has its euros."""
        circulating = sum(it.owed_cents or 0 for it in self.circulation)
        return self.held_cents == self.owed_cents and circulating == self.liability_cents


KINDS: Final = ("issuance", "bank", "clearing", "due_from", "liability", "payable")


async def reserve_proof(ledger: Ledger, currencies: Mapping[str, Currency], at_us: int | None = None) -> ReserveProof:
    """As of now, or of what was booked by an instant."""
    rows: Sequence[BalanceRow | TrialRow]
    if at_us is None:
        rows = await ledger.balances(kinds=KINDS)
    else:
        rows = await ledger.history.standing(await ledger.history.moment(at_us), KINDS)
    issued: dict[str, int] = {}
    euros: dict[str, int] = {}
    for row in rows:
        if row.key.kind == "issuance":
            issued[row.key.book.currency] = issued.get(row.key.book.currency, 0) + row.balance
        elif row.key.book.kind == "reserve":
            euros[row.key.kind] = euros.get(row.key.kind, 0) + row.balance
    circulation = tuple(
        Circulation(
            it, issued.get(code, 0), None if it.cents_per_unit is None else issued.get(code, 0) * it.cents_per_unit
        )
        for code, it in currencies.items()
    )
    return ReserveProof(
        circulation,
        euros.get("bank", 0),
        euros.get("clearing", 0),
        euros.get("due_from", 0),
        euros.get("liability", 0),
        euros.get("payable", 0),
    )
