"""Whether this terminal, without network, sells: by its limits, its snapshot, and what the card itself carries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from app.rules.offline import Accept, Refusal, Refuse, decide_all
from app.wire import Sale
from readers.terminal.changes import taken_from
from readers.terminal.counter import Held
from readers.till.carrying import Carrying, Wish
from readers.till.shelf import SnapshotShelf


class Alone:
    """`carrying`: None where no reader has cards carry anything."""

    def __init__(self, shelf: SnapshotShelf, carrying: Carrying | None) -> None:
        self._shelf = shelf
        self._carrying = carrying

    async def verdict(self, held: Sequence[Held], sale: Sale, sequence: int) -> tuple[Accept | Refuse, bool] | None:
        """Every card within its own limits, and all of them together within the terminal's. With it: whether the card
        that lies there, the last one held, carries the sale as our row `sequence`. None: it left before it did."""
        shop, book = self._shelf.shop, self._shelf.book
        if shop is None or book is None:
            return Refuse(Refusal.SNAPSHOT_TOO_OLD), False
        # A card that has nothing to pay is still one that must be known.
        asked: Mapping[str, Mapping[str, int]] = {sale.card: {}, **taken_from(sale)}
        assurance = {one.card.uid: one.card.assurance for one in held}
        cards = {uid: book.card(uid, assurance[uid]) or book.stranger(uid) for uid in asked}
        judge = partial(decide_all, asked, terminal=self._shelf.terminal(), limits=shop.limits)
        verdict, last = judge(cards), held[-1].card
        paid = asked.get(last.uid, {})
        if isinstance(verdict, Refuse) or not self._carrying or last.assurance != "A" or not paid:
            return verdict, False
        knowing = self._shelf.knowing(last.uid)
        if knowing is None:
            return verdict, False
        wish = Wish(paid, sequence, knowing, cards[last.uid], lambda seen: judge({**cards, last.uid: seen}))
        match await self._carrying.onto(last.uid, wish):
            case "nothing":
                return verdict, False
            case "left":
                return None
            case found:
                return found, True
