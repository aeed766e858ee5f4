"""The texts of special baskets: other ways to pay, parts of a bill, cups, tips, prices. See readers.kiosk.words."""

from __future__ import annotations

from typing import Final


def _(msgid: str) -> str:
    return msgid


BASKET_WORDS: Final[dict[str, str]] = {
    # Ways to pay
    "pay.cash": _("Cash"),
    "pay.other": _("Other ways"),
    "need.card_only": _("Only a card pays this"),
    "need.cash_only": _("Money goes out: in cash or to the card"),
    "need.no_gift": _("Not for deposits and tips"),
    "act.pay_other": _("Other ways to pay"),
    "act.cash": _("Cash"),
    "change.due": _("To pay"),
    "change.out": _("To give"),
    "change.back": _("Change to give"),
    "change.missing": _("Still missing"),
    "change.exact": _("Exact amount received"),
    "change.received": _("{amount} received"),
    "change.given": _("{amount} given"),
    "taken.cheque": _("Cheque"),
    "taken.meal_voucher": _("Meal voucher"),
    "taken.house": _("Gift of the house"),
    "short.cheque": _("Rest by cheque"),
    "short.meal_voucher": _("Rest by meal voucher"),
    # Gifts of the house
    "act.house": _("Gift of the house"),
    "house.why": _("Why does the house give {amount}?"),
    "act.house.why.volunteer": _("Volunteer"),
    "act.house.why.guest": _("Artist or guest"),
    "act.house.why.mistake": _("Our mistake"),
    "act.house.why.thanks": _("Thanks"),
    "house.give": _("Give"),
    # One bill, several payers
    "act.split": _("Split in equal parts"),
    "act.split_items": _("Split by items"),
    "split.how_many": _("How many pay?"),
    "split.parts": _("{count} parts"),
    "split.of": _("of {amount}"),
    "split.between": _("of {less} or {more}"),
    "split.pick": _("What does this person pay?"),
    "split.one_less": _("One less for this person: {product}"),
    "split.one_more": _("One more for this person: {product}"),
    "split.picked": _("{picked} of {quantity}"),
    "split.charge": _("Charge {amount}"),
    "split.two": _("There is only one item"),
    "bill.part": _("Part {part} of {parts}"),
    "bill.later": _("Left for the others: {amount}"),
    "bill.together": _("Put together again"),
    "bill.fixed": _("The bill is split. Charge its parts first, or put it together again."),
    # Typed prices, tips, cups, sold-out products
    "act.open_price": _("Type the price"),
    "open_price.tile": _("Price to type"),
    "open_price.of": _("Price of: {product}"),
    "open_price.usual": _("Usual price: {amount}"),
    "open_price.add": _("Into the basket"),
    "act.tip": _("Tip"),
    "tile.back": _("{product}, back"),
    "sold_out": _("Sold out"),
    "act.sold_out": _("Sold-out products"),
    "sold_out.hint": _("Touch what is sold out, or what is there again. All tills of the venue are told."),
    "paid.given": _("Given by the house"),
    "paid.on_card": _("Put back on the card"),
    "paid.out": _("Give this in cash"),
    "paid.even": _("Nothing left to pay"),
    "notice.last_change": _("Last sale: {amount} at {time}, change {change}"),
    "past.void_done_paid": _("The sale is voided. Give {amount} back as it was paid to you."),
    "past.void_done_out": _("The sale is voided. Take {amount} back: it was paid out in cash."),
    "past.void_done_gift": _("The gift is taken back. No money changes hands."),
    # On paper, and what the till can't do
    "slip.received": _("Received"),
    "slip.change": _("Change"),
    "till.price_changed": _("A price has just changed. Nothing was charged: tell the new total, then pay again."),
    "till.below_zero": _("More comes back than is bought. Only deposits are paid out: take the rest off."),
    "till.card_only": _("A price in this basket is not in euros: only a card pays it. Nothing was charged."),
    "till.only_cash": _("What comes back is paid out in cash, or to a card. Nothing was changed."),
    "till.not_a_gift": _("The house gives no deposits and no tips. Nothing was changed."),
}
