"""A card that carries its offline sales: written first, so that the sale that follows it stands on both.

Between the two the card may leave, or the line may swallow its answer. Then nothing is sold: the same sale waits for
the card, and what it carries is made anew from our journal, so that it is taken once however often it comes back, and
not at all once it pays something else here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

import structlog

from app.rules.carried import Knowing, carried_on, seen_with
from app.rules.chips.allowance import Carried
from app.rules.chips.keyring import CardKey
from app.rules.offline import Accept, CardView, Refusal, Refuse
from readers.cardauth import CardTrouble, Malformed, NotProven
from readers.cardauth.allowance import carry
from readers.taps import CardSilent, Errands, ReaderFault

# A reader that is far away or on a slow line; whoever waits longer holds a card that left.
ONTO_S: Final = 2.0

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Wish:
    """A card is to pay this (minor units by currency) by our row `sequence`. `card`: as we see it; `judge`: whether
    it may, seen so. Judged in the reader's thread: nothing in it changes."""

    paid: Mapping[str, int]
    sequence: int
    knowing: Knowing
    card: CardView
    judge: Callable[[CardView], Accept | Refuse]


class Carrying:
    """Has cards carry what they pay. `keys`: those of cards that prove themselves, by UID."""

    def __init__(self, errands: Errands, keys: Mapping[bytes, CardKey], timeout_s: float = ONTO_S) -> None:
        self._errands = errands
        self._keys = keys
        self._timeout_s = timeout_s

    async def onto(self, uid: str, wish: Wish) -> Accept | Refuse | Literal["nothing", "left"]:
        """Judge anew by what the card carries, and if it may pay, have it carry that too. `nothing`: the card or the
        reader cannot, so the ordinary limits hold; `left`: it may carry it or not."""
        name = bytes.fromhex(uid)
        key = self._keys.get(name)
        pays = any(minor > 0 for minor in wish.paid.values())
        if key is None or not pays or not self._errands.served or not wish.knowing.able(wish.sequence):
            return "nothing"
        verdict: list[Accept | Refuse] = []

        def onwards(carried: Carried) -> Carried | None:
            verdict[:] = [wish.judge(seen_with(wish.card, carried, wish.knowing, wish.paid))]
            if isinstance(verdict[0], Refuse):
                return None
            after = carried_on(carried, wish.knowing, wish.paid, wish.sequence)
            if after is None:
                verdict[:] = [Refuse(Refusal.TOO_MANY_OFFLINE)]
            return after

        doing = self._errands.ask(name, lambda exchange: carry(key, exchange, onwards))
        try:
            async with asyncio.timeout(self._timeout_s):
                await asyncio.wrap_future(doing)
        except (CardSilent, ReaderFault, TimeoutError, Malformed) as error:
            _log.warning("card_left", card=uid, why=str(error))
            return "left"
        except NotProven as error:
            _log.warning("card_not_proven", card=uid, why=str(error))
            return Refuse(Refusal.UNUSABLE_CARD)
        except CardTrouble as error:
            # One that was written before cards carried anything, or a chip that cannot.
            _log.info("card_carries_nothing", card=uid, why=str(error))
            return "nothing"
        return verdict[0]
