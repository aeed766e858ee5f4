"""What all cards hold, kept in memory and brought up to date by what moved: many terminals ask every few seconds, and
what that costs must not grow with the number of cards or with the history.

Whoever calls `refresh` holds the lock of `Snapshots`, so that database snapshots come in the order of time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from app.cards.limits import limits_of
from app.cards.service import Card, all_cards, count_cards
from app.ledger.service import wallet_balances, wallets_moved_since, wallets_with_holds
from app.members.till import Memberships, shown_at_tills
from app.platform import revision
from app.platform.clock import now_us
from app.rules.business_day import business_day
from app.venues.service import the_network
from app.wire import SUMS, SnapshotCard, card_hash


@dataclass(slots=True)
class View:
    """Cards as a venue sees them: JSON by UID, with only the balances that it takes, and with memberships (`members`)
    where the terminal understands them. `total`: the sum of the hashes.

    `changed`: at which version a card last changed, also one that is gone; `version` is the newest.
    """

    accepted: frozenset[str]
    members: bool = False
    cards: dict[str, bytes] = field(default_factory=dict)
    changed: dict[str, int] = field(default_factory=dict)
    total: int = 0
    version: int = 0

    def put(self, uid: str, card: bytes | None) -> None:
        """The card is this now; None: there is none."""
        before = self.cards.get(uid)
        if before == card:
            return
        self.total = (self.total - (card_hash(before) if before else 0) + (card_hash(card) if card else 0)) % SUMS
        if card is None:
            del self.cards[uid]
        else:
            self.cards[uid] = card
        self.version += 1
        # Taken out and put in again, so that the newest changes stand last.
        self.changed.pop(uid, None)
        self.changed[uid] = self.version

    def since(self, version: int) -> list[str]:
        """UIDs of cards that changed after a version."""
        found = []
        for uid in reversed(self.changed):
            if self.changed[uid] <= version:
                break
            found.append(uid)
        return found


class Cards:
    """One per process. `views`: by the currencies that a venue takes, with memberships or without."""

    def __init__(self) -> None:
        self._views: dict[tuple[frozenset[str], bool], View] = {}
        self._moved = self._revision = self._count = -1
        self._holders: set[str] = set()
        self._zone, self._day = "", date.min
        self._members: Memberships = {}
        self._held: dict[str, dict[str, int]] = {}
        self._cards: dict[str, Card] = {}
        self._by_owner: dict[str, list[Card]] = {}
        self._asking: frozenset[UUID] = frozenset()

    async def refresh(self, connection: AsyncConnection) -> None:
        """As of this connection's database snapshot."""
        touched: set[str] = set()
        # Where something is set aside now, or was at the last look.
        holders = await wallets_with_holds(connection)
        moved, held = await wallets_moved_since(connection, self._moved, holders | self._holders)
        if held is None:
            held = await wallet_balances(connection)
            touched.update(self._cards)
        self._held.update(held)
        at, count = await revision.current(connection), await count_cards(connection)
        if (at, count) != (self._revision, self._count):
            cards = {card.uid: card for card in await all_cards(connection)}
            touched.update(uid for uid, card in cards.items() if self._cards.get(uid) != card)
            touched.update(self._cards.keys() - cards.keys())
            # A limit is a change that raises the revision, as any of a card.
            asking = frozenset(await limits_of(connection))
            turned = asking ^ self._asking
            touched.update(uid for uid, card in cards.items() if card.wallet in turned)
            self._asking = asking
            self._cards, self._by_owner = cards, {}
            for card in cards.values():
                self._by_owner.setdefault(card.owner, []).append(card)
        touched.update(await self._look_at_members(connection, at))
        touched.update(card.uid for owner in held for card in self._by_owner.get(owner, ()))
        for view in self._views.values():
            self._bring(view, touched)
        self._moved, self._revision, self._count, self._holders = moved, at, count, holders

    async def _look_at_members(self, connection: AsyncConnection, at: int) -> set[str]:
        """UIDs of cards whose memberships are others now: after a change, and when a day begins."""
        if at != self._revision or not self._zone:
            self._zone = (await the_network(connection)).settings.zone
        day = business_day(now_us(), self._zone)
        if (at, day) == (self._revision, self._day):
            return set()
        before, self._members, self._day = self._members, await shown_at_tills(connection, day), day
        changed = {it for it in before.keys() | self._members.keys() if before.get(it) != self._members.get(it)}
        return {card.uid for it in changed for card in self._by_owner.get(f"wallet:{it}", ())}

    def view(self, accepted: Mapping[str, object], *, members: bool) -> View:
        """Made at its first use, from what is in memory."""
        key = (frozenset(accepted), members)
        found = self._views.get(key)
        if found is None:
            found = self._views[key] = View(*key)
            self._bring(found, self._cards)
        return found

    def _bring(self, view: View, uids: set[str] | Mapping[str, Card]) -> None:
        for uid in uids:
            card = self._cards.get(uid)
            view.put(uid, self._shown(card, view) if card else None)

    def _shown(self, card: Card, view: View) -> bytes:
        held = self._held.get(card.owner, {})
        balances = {code: held[code] for code in sorted(held) if held[code] and code in view.accepted}
        shown = SnapshotCard(
            uid=card.uid,
            status=card.status,
            assurance=card.assurance,
            balances=balances,
            memberships=self._members.get(card.wallet, ()) if view.members else (),
            asks=card.wallet in self._asking,
        )
        return shown.model_dump_json().encode()
