"""What a sale looks up, kept in memory for as long as it is true.

Everything is read together with the database's revision (app.platform.revision). A sale is posted with the revision
that it looked at, and the ledger compares it under its lock: if a card was blocked or a price changed meanwhile, the
outcome is Stale, the directory forgets, and the sale is looked at again. So a process may remember without ever
deciding on what no longer holds. What it hands out bears the revision at which it was read, for the newest one may
have moved on while a sale was still looking up its card.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.requests import HTTPConnection

from app.cards.limits import limits_of
from app.cards.service import Card, cards_by_uid, overdraft_key, wallet_key
from app.currencies.policies import policies
from app.currencies.service import Currency, currencies, rates
from app.ledger.service import Ledger
from app.platform import revision
from app.platform.database import one_by_one
from app.rules.prices import Article
from app.rules.proven import Demand, stricter
from app.sales.booking import Counter, claim_key, fund_key
from app.sales.plain_booking import Payer
from app.sales.rulebook import Rulebook
from app.terminals.service import admitted
from app.venues.service import products, the_network, venue_named

# A card is about 1 kB here. A network with more cards in use at once reads some of them again.
CARDS_MAX = 50_000


@dataclass(frozen=True, slots=True)
class Desk:
    """A counter and what a sale there needs: prices by product and currency (of plain products, at any time), all its
    articles, categories by product, the venue's claim accounts by currency, and the funds that take round-ups by
    currency and beneficiary; and whether cards must prove themselves."""

    counter: Counter
    prices: Mapping[UUID, Mapping[str, int]]
    articles: Mapping[UUID, Article]
    categories: Mapping[UUID, str]
    claims: Mapping[str, int]
    funds: Mapping[tuple[str, str], int]
    demand: Demand
    revision: int


@dataclass(frozen=True, slots=True)
class Purse:
    """A card and its wallet's accounts by currency. `per_day`: the most that its holder lets it pay on one day, in
    minor units by account."""

    card: Card
    wallets: Mapping[str, int]
    revision: int
    per_day: Mapping[int, int] = field(default_factory=dict)


class Directory:
    """One per process."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger, self._reader = ledger, one_by_one(ledger.engine)
        self.revision = 0
        self._desks: dict[tuple[UUID, int], Desk] = {}
        self._purses: dict[str, Purse] = {}
        self._payers: dict[tuple[str, str], Payer] = {}
        self._wanted: dict[str, asyncio.Future[Purse | None]] = {}
        self._looking: asyncio.Task[None] | None = None

    def forget(self) -> None:
        """Something has changed: look everything up again."""
        self._desks.clear()
        self._purses.clear()
        self._payers.clear()

    async def outdated(self) -> bool:
        """Whether something has changed since; if so, it has been forgotten."""
        before = self.revision
        async with self._ledger.reader.connect() as connection:
            await self._note_revision(connection)
        return self.revision != before

    async def desk(self, device: UUID, epoch: int) -> Desk:
        """Where this terminal stands. NotSignedIn if it may no longer sell."""
        found = self._desks.get((device, epoch))
        if found is None:
            async with self._ledger.reader.connect() as connection:
                at = await self._note_revision(connection)
                terminal = await admitted(connection, device, epoch)
                venue, known = await venue_named(connection, terminal.venue), await currencies(connection)
                rulebook = Rulebook(venue, known, await policies(connection))
                sold, network = await products(connection, venue.id), await the_network(connection)
            round_ups = sorted(rulebook.beneficiaries)
            keys = [claim_key(venue, known[code]) for code in venue.accepted]
            keys += [fund_key(known[code], beneficiary) for code, beneficiary in round_ups]
            accounts = iter(await self._ledger.accounts(keys, rates(known)))
            found = Desk(
                Counter(terminal, venue, known, rulebook),
                prices={it.id: it.prices for it in sold if it.article.plain},
                articles={it.id: it.article for it in sold},
                categories={it.id: it.category for it in sold},
                claims={code: next(accounts) for code in venue.accepted},
                funds={it: next(accounts) for it in round_ups},
                demand=stricter(network.settings.proven_cards, venue.proven_cards),
                revision=at,
            )
            if at == self.revision:
                self._desks[device, epoch] = found
        return found

    async def counter(self, device: UUID, epoch: int) -> Counter:
        """The counter at which a terminal stands, as of now. NotSignedIn if it may no longer sell."""
        await self.outdated()
        return (await self.desk(device, epoch)).counter

    async def purse(self, uid: str, desk: Desk) -> Purse | None:
        """A card and its wallet; None for a card that nobody knows (which is not remembered: it may be added)."""
        found = self._purses.get(uid)
        if found is not None:
            return found
        # Whoever needs a card while others are being looked up joins the next look: one query for all of them.
        waiting = self._wanted.setdefault(uid, asyncio.get_running_loop().create_future())
        if self._looking is None:
            self._looking = asyncio.create_task(self._look_up(desk.counter.currencies))
        return await asyncio.shield(waiting)

    async def payers(
        self, wanted: Collection[tuple[str, str]], known: Mapping[str, Currency]
    ) -> dict[tuple[str, str], Payer]:
        """Who pays sales that were delivered, by card and currency, as of now. Cards that nobody knows are left out."""
        async with self._reader.connect() as connection:
            at = await self._note_revision(connection)
            missing = [it for it in wanted if it not in self._payers]
            if not missing:
                return {it: self._payers[it] for it in wanted}
            found = {it: self._payers[it] for it in wanted if it in self._payers}
            cards = await cards_by_uid(connection, {uid for uid, _ in missing})
            of_known = [(uid, code) for uid, code in missing if uid in cards]
            keys = [key(cards[uid].owner, known[code]) for uid, code in of_known for key in (wallet_key, overdraft_key)]
            accounts = iter(await self._ledger.accounts(keys, rates(known), connection))
        looked_up = {it: Payer(cards[it[0]], next(accounts), next(accounts)) for it in of_known}
        if at == self.revision:
            if len(self._payers) + len(looked_up) > CARDS_MAX:
                self._payers.clear()
            self._payers.update(looked_up)
        return found | looked_up

    async def _look_up(self, known: Mapping[str, Currency]) -> None:
        try:
            while self._wanted:
                wanted, self._wanted = self._wanted, {}
                try:
                    await self._purses_of(wanted, known)
                except Exception as error:
                    for waiting in wanted.values():
                        if not waiting.done():
                            waiting.set_exception(error)
        finally:
            self._looking = None

    async def _purses_of(self, wanted: dict[str, asyncio.Future[Purse | None]], known: Mapping[str, Currency]) -> None:
        # The revision first: what is read after it may be newer, and is then looked at again before it is sold to.
        async with self._reader.connect() as connection:
            at = await self._note_revision(connection)
            cards = await cards_by_uid(connection, list(wanted))
            keys = [wallet_key(card.owner, it) for card in cards.values() for it in known.values()]
            accounts = iter(await self._ledger.accounts(keys, rates(known), connection))
            limits = await limits_of(connection, {card.wallet for card in cards.values()})
        purses: dict[str, Purse] = {}
        for uid, card in cards.items():
            wallets = {code: next(accounts) for code in known}
            per_day = {wallets[code]: most for code, most in limits.get(card.wallet, {}).items() if code in wallets}
            purses[uid] = Purse(card, wallets, at, per_day)
        if at == self.revision:
            if len(self._purses) + len(purses) > CARDS_MAX:
                self._purses.clear()
            self._purses.update(purses)
        for uid, waiting in wanted.items():
            if not waiting.done():
                waiting.set_result(purses.get(uid))

    async def _note_revision(self, connection: AsyncConnection) -> int:
        """The revision of the snapshot that this connection reads."""
        now = await revision.current(connection)
        if now != self.revision:
            self.forget()
            self.revision = now
        return now


def directory_of(request: HTTPConnection) -> Directory:
    """The process's directory, which app.main makes at start."""
    directory = request.app.state.directory
    if not isinstance(directory, Directory):
        raise TypeError("app.state.directory is not set: app.main does that at start")
    return directory
