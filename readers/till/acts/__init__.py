"""The acts of a till, by name: what a card may be asked for beside paying a basket."""

from __future__ import annotations

from collections.abc import Mapping

from readers.till.acting import Act, Tools
from readers.till.acts.balance import BalanceCheck


def acts_of(tools: Tools) -> Mapping[str, Act]:
    return {"balance": BalanceCheck(tools)}
