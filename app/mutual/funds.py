"""What holders give to a common cause: the round-up of a basket, and the funds that it goes to."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from app.cards.service import Card, wallet_key
from app.ledger.rules.kinds import AccountKey
from app.ledger.rules.operations import Posting
from app.ledger.service import Ledger, currency_book
from app.mutual.ground import Ground, operation
from app.mutual.rules import round_up
from app.platform.errors import Forbidden, Invalid

KIND = "roundup"
# One for each currency, which what lapses and commissions may go to; the other funds bear their beneficiary's name.
COMMON_FUND = "fund:common"
SET_ASIDE = ("vouchers:", "pass:")


@dataclass(frozen=True, slots=True)
class Fund:
    """`balance`: minor units of `currency` that were given to `beneficiary` ("" for the common fund) and not yet handed
    over."""

    beneficiary: str
    currency: str
    balance: int


async def round_up_basket(ledger: Ledger, ground: Ground, card: Card, basket: int, id_: UUID, *, actor: str) -> int:
    """Give what `basket` (what was just paid, in minor units) lacks to the next whole unit; how much that was.

    It is no part of the sale: no fee is charged on it. Raises Forbidden("card-blocked"), and Invalid where the currency
    rounds up for nobody or nothing is missing.
    """
    beneficiary = ground.rules.policy.spending.round_up
    if beneficiary is None:
        raise Invalid(f"{ground.currency.code} is rounded up for nobody.")
    amount = round_up(basket)
    if not amount:
        raise Invalid("The amount is whole already.")
    if card.status != "active" and not await ledger.booked([id_]):
        raise Forbidden("This card is blocked.", "card-blocked")
    book = currency_book(ground.currency.issuer, ground.currency.code)
    wallet, fund = await ledger.accounts(
        [wallet_key(card.owner, ground.currency), AccountKey(book, "fund", beneficiary)]
    )
    asked = {"card": card.uid, "currency": ground.currency.code, "basket": basket}
    await ledger.post_one(
        operation(
            id_,
            KIND,
            (Posting(wallet, fund, amount),),
            actor=actor,
            at_us=ground.at_us,
            day=ground.day,
            asked=asked,
            found={"beneficiary": beneficiary, "amount": amount},
            policy=ground.rules.label,
        )
    )
    return amount


async def funds(ledger: Ledger) -> list[Fund]:
    """Every fund of every currency; what is set aside for vouchers and passes is none."""
    return [
        Fund("" if row.key.owner == COMMON_FUND else row.key.owner, row.key.book.currency, row.balance)
        for row in await ledger.balances(kinds=["fund"])
        if not row.key.owner.startswith(SET_ASIDE)
    ]
