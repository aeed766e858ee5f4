"""The operation of what lapses, in its issuer's books (ledger.md, "3 lapse by the published terms")."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from hashlib import sha256

from app.currencies.service import Currency
from app.lapses.rules import EFFECTS
from app.lapses.store import Notice
from app.ledger.rules.kinds import AccountKey
from app.ledger.rules.operations import Operation, Posting
from app.ledger.service import Ledger, currency_book, operating_book, reserve_book
from app.rules.policy import Lapse

# The kinds of its operations; they take from a wallet without being a move of its holder's.
KINDS = tuple(f"lapse.{it}" for it in EFFECTS)
ACTOR = "schedule"
# One common fund a currency; other funds of the book belong to causes and vouchers.
COMMON_FUND = "fund:common"


class Books:
    """The accounts of one currency that lapses go to. `to_fund`: into the common fund, else to the issuer's income."""

    def __init__(self, ledger: Ledger, currency: Currency, lapse: Lapse) -> None:
        self._ledger, self._currency = ledger, currency
        # Nothing stands against the units of a mutual currency, so none of them can be retired.
        self.to_fund = lapse.beneficiary == "fund" or currency.kind == "mutual"

    async def postings(self, owners: Sequence[str], amounts: Sequence[int]) -> list[tuple[Posting, ...]]:
        """For each wallet the transfers that take its amount, in minor units."""
        currency, own = self._currency, currency_book(self._currency.issuer, self._currency.code)
        wallets = [AccountKey(own, "wallet", owner) for owner in owners]
        counters = [AccountKey(own, "fund", COMMON_FUND) if self.to_fund else AccountKey(own, "issuance")]
        if currency.cents_per_unit is not None and not self.to_fund:
            reserve, operating = reserve_book(currency.issuer), operating_book(currency.issuer)
            counters += [
                AccountKey(reserve, "liability", currency.code),
                AccountKey(reserve, "payable", "operating"),
                AccountKey(operating, "due_from_reserve"),
                AccountKey(operating, "breakage_income"),
            ]
        rates = {} if currency.cents_per_unit is None else {currency.code: currency.cents_per_unit}
        ids = await self._ledger.accounts([*counters, *wallets], rates)
        counter, *euros = ids[: len(counters)]
        return [
            (Posting(wallet, counter, amount), *_in_euros(euros, amount * (currency.cents_per_unit or 0)))
            for wallet, amount in zip(ids[len(counters) :], amounts, strict=True)
        ]


def _in_euros(accounts: Sequence[int], cents: int) -> tuple[Posting, ...]:
    if not accounts:
        return ()
    liability, payable, due_from_reserve, income = accounts
    return Posting(liability, payable, cents), Posting(due_from_reserve, income, cents)


def operation(
    it: Notice, postings: tuple[Posting, ...], amount: int, policy: str, legal_ground: str, today: date
) -> Operation:
    """Asked for again it is the same, whatever amount a later look comes to: its id says what it is."""
    details = {
        "currency": it.currency,
        "amount": amount,
        "announced": it.amount,
        "announced_at_us": it.made_at_us,
        "announced_under": it.policy,
        "period": it.period.isoformat(),
    }
    if legal_ground:
        details["legal_ground"] = legal_ground
    return Operation(
        id=it.id,
        kind=f"lapse.{it.effect}",
        fingerprint=sha256(b"lapse" + it.id.bytes).digest(),
        postings=postings,
        actor=ACTOR,
        occurred_at_us=it.due_us,
        business_day=today,
        late=today != it.period,
        policy=policy,
        # Refused once because the holder paid at that moment, it is decided anew on what is left.
        overrides_refusal=True,
        details=json.dumps(details, ensure_ascii=False, separators=(",", ":")),
    )
