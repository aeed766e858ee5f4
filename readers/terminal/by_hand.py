"""A basket that no card pays: the venue takes the money itself, or gives it away. Nothing of it is the network's."""

from __future__ import annotations

from uuid import UUID

from app.rules.lines import OWN_MONEY_ONLY
from app.wire import Rest, Sale
from readers.terminal.commands import TillError
from readers.terminal.shop import Basket
from readers.terminal.view import ByHand


def sale_by_hand(basket: Basket, how: ByHand, sale: UUID, cashier: UUID, at_us: int) -> Sale:
    """The sale, paid exactly. Below 0, cash is given out for what came back.

    TillError: not_offered (the venue is not paid that way), card_only (a price that is not in euros), only_cash (money
    goes out), not_a_gift, reason_needed, wrong_amount (less was handed over than is due).
    """
    house = how.means == "house"
    if not house and how.means not in basket.means:
        raise TillError("not_offered")
    in_euros = {it.code for it in basket.moneys if it.cents is not None}
    if any(code not in in_euros for code in basket.price):
        raise TillError("card_only")
    if house and (not basket.price or any(line.kind in OWN_MONEY_ONLY for line in basket.lines)):
        raise TillError("not_a_gift")
    if house and not (how.reason or "").strip():
        raise TillError("reason_needed")
    if how.means != "cash" and any(minor < 0 for minor in basket.price.values()):
        raise TillError("not_a_gift" if house else "only_cash")
    return Sale(
        id=sale,
        cashier=cashier,
        lines=basket.lines,
        tenders=(),
        rest=tuple(
            Rest(means=how.means, covers=code, amount=minor, given=_given(basket, how))
            for code, minor in basket.price.items()
        ),
        bill=basket.bill,
        reason=(how.reason or "").strip() if house else None,
        occurred_at_us=at_us,
    )


def _given(basket: Basket, how: ByHand) -> int | None:
    """What was handed over is told where there is one price to give change of."""
    if how.given is None or how.means != "cash" or len(basket.price) != 1:
        return None
    (due,) = basket.price.values()
    if due < 0 or how.given < due:
        raise TillError("wrong_amount")
    return how.given
