"""The texts of the sheet of acts: what staff can do beside selling. See readers.kiosk.words.

Of an act: its label, `.ask` while it waits for a card, `.done`, `.offline` when it was done alone, `.refused` for
what a refusal means for the money; `act.refusal.` and `act.<id>.<refusal>` replace what to do next about one.
"""

from __future__ import annotations

from typing import Final


def _(msgid: str) -> str:
    return msgid


ACT_WORDS: Final[dict[str, str]] = {
    "more": _("More"),
    "more.close": _("Back"),
    "more.no_agent": _("The till program does not answer"),
    "more.no_right": _("Needs the right: {right}"),
    "more.only_online": _("Not without network"),
    "more.no_reader": _("No reader"),
    "more.quarantined": _("This terminal is set aside"),
    "more.training": _("Not in training"),
    "act.next": _("Go on"),
    "act.back": _("Back"),
    # Rights, as who lacks one reads them
    "right.sell": _("sell"),
    "right.top_up": _("top up"),
    "right.refund": _("refund"),
    "right.credit": _("credit hours and gifts"),
    "right.gift_house": _("gifts of the house"),
    "right.open_price": _("open price"),
    "right.void": _("void sales"),
    "right.close": _("close the till"),
    "right.train": _("training"),
    "right.sold_out": _("sold-out products"),
    # Undoing and practising
    "act.undo_last": _("Undo the last one"),
    "act.training": _("Training"),
    "training.already": _("You are practising already"),
    # Tabs
    "act.tabs": _("Tabs"),
    "act.tab_open": _("New tab"),
    "act.tab_open.ask": _("Present the card to set this aside"),
    "act.tab_open.done": _("Set aside on the card"),
    "act.tab_open.refused": _("Nothing was set aside."),
    "act.tab_pay": _("Rest of the tab"),
    "act.tab_pay.ask": _("Present a card for what goes beyond the tab"),
    "act.tab_pay.done": _("The tab is paid"),
    "act.tab_pay.refused": _("Nothing was charged. The tab stays open."),
    "tabs.none": _("No tab is open."),
    "tabs.new": _("New tab: how much is set aside?"),
    "tabs.name": _("Name or table"),
    "tabs.of": _("{total} of {held} set aside"),
    "tabs.ended": _("{total}; nothing is set aside any more: a card pays all of it"),
    "tabs.ends": _("What is set aside is free again at {time}. Have it paid before."),
    "tabs.empty": _("Nothing yet"),
    "tabs.add": _("Add the basket: {amount}"),
    "tabs.added": _("The basket is on the tab."),
    "tabs.pay": _("Pay {amount}"),
    "tabs.drop": _("Drop the tab"),
    "tabs.rest_card": _("Rest of {amount} by card"),
    "tabs.paid": _("The tab is paid. What was left is free on the card again."),
    "tabs.paid_rest": _("The tab is paid. Take {amount} for the rest."),
    "tabs.rest_house": _("Rest given by the house"),
    "tabs.paid_gift": _("The tab is paid. The house gives {amount} of it."),
    "tabs.dropped": _("The tab is dropped. All of it is free on the card again."),
    "tabs.again": _("Look again"),
    # What is on a card
    "act.balance": _("Balance"),
    "act.balance.ask": _("Present the card to read its balance"),
    "act.balance.done": _("On the card"),
    "act.balance.nothing": _("There is nothing on this card."),
    "act.balance.money": _("Money"),
    "act.balance.gifts": _("Gifts and points"),
    "act.balance.here": _("may be spent here"),
    "act.balance.only": _("here for {categories} only"),
    "act.balance.not_here": _("not at this venue"),
    "act.balance.credited": _("Last credited here"),
    "member.valid": _("member until {day}"),
    "member.soon": _("expires soon: {day}"),
    "member.over": _("expired: {day}"),
    "act.balance.age": _("As last known, {age} ago"),
    "act.balance.refused": _("Nothing was charged."),
    # Money on a card, off it, and for nothing
    "amount.erase": _("Erase a digit"),
    "act.no_money": _("No money for this here"),
    "act.top_up": _("Top up"),
    "act.top_up.cash": _("Cash received"),
    "act.top_up.bank_card": _("Bank card paid"),
    "act.top_up.ask": _("Present the card to top up"),
    "act.top_up.done": _("Topped up"),
    "act.top_up.offline": _("Counts here now, elsewhere once it is sent"),
    "act.top_up.code": _("Recovery code: print the receipt"),
    "act.top_up.refused": _("{amount} not put on the card. Give the money back, or keep it only once it has worked."),
    "act.refund": _("Refund"),
    "act.refund.none": _("No money here is paid out"),
    "act.refund.part": _("Pay out in cash"),
    "act.refund.all": _("Empty the card"),
    "act.refund.ask": _("Present the card to pay out"),
    "act.refund.done": _("Give this in cash"),
    "act.refund.refused": _("{amount} not taken off the card. Give no cash."),
    "act.credit": _("Credit"),
    "act.credit.why.shift": _("Volunteering"),
    "act.credit.why.thanks": _("Gift"),
    "act.credit.why.mending": _("Correction"),
    "act.credit.ask": _("Present the card to credit"),
    "act.credit.done": _("Credited"),
    "act.credit.refused": _("{amount} not credited."),
}
