"""The acts of a till, by name: what a card may be asked for beside paying a basket."""

from __future__ import annotations

from collections.abc import Mapping

from readers.till.acting import Act, Tools
from readers.till.acts import on_cards
from readers.till.acts.balance import BalanceCheck
from readers.till.acts.tabs import TabOpen, TabPay
from readers.till.tabs import TabDesk


def acts_of(tools: Tools, tabs: TabDesk) -> Mapping[str, Act]:
    return {
        "balance": BalanceCheck(tools),
        "top_up": on_cards.top_up(tools),
        "refund": on_cards.refund(tools),
        "credit": on_cards.credit(tools),
        "tab_open": TabOpen(tools, tabs),
        "tab_pay": TabPay(tools, tabs),
    }
