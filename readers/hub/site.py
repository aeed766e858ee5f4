"""What one terminal knows of its site: batches that devices signed, its own among them, as a set.

A row is known by device, epoch, sequence and hash, so that the same batch from two hubs changes nothing. Nothing here
is ever acknowledged: every terminal still delivers its own journal to the server.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import replace
from uuid import UUID

import structlog
from pydantic import ValidationError

from app.wire import FORKS_MAX, Batch, SeenFork, SnapshotPeer, TerminalSnapshot, batch_message, read_payload, row_hash
from readers.hub.around import Around
from readers.journal import Journal
from readers.sync import DeviceKey
from readers.sync.keys import signed_by
from readers.terminal.book import Entry
from readers.terminal.view import SiteShown

# All batches together; beyond it the oldest go, which a snapshot contains long before.
BYTES_MAX = 32 * 1024 * 1024
PAGE_BYTES = 192 * 1024
# So many rows at least are told anew after a start, for terminals whose snapshot is older than what the server has.
TOLD_ANEW = 2000
# Rows that a snapshot contains are remembered for this long, in case that a later one contains less.
KEPT_ROWS = 5000
# One page of our own journal: as many rows and bytes as a reply can carry.
BATCH_ROWS = 200

_log = structlog.get_logger(__name__)


class Site:
    """Used on the agent's event loop. `on_entry` is told of each new row of another terminal that moves value, and
    `on_fork` when a journal turns out to have two branches. `expected`: somebody said that there is a site here."""

    def __init__(self, key: DeviceKey, journal: Journal, on_entry: Callable[[Entry], None] = lambda _: None) -> None:
        self.key = key
        self._journal = journal
        self.on_entry = on_entry
        self.on_fork: Callable[[], None] = lambda: None
        self.around = Around()
        self.expected = False
        # How often a snapshot named a terminal that the one before did not.
        self.named = 0
        self._peers: dict[UUID, SnapshotPeer] = {}
        self._secrets: dict[tuple[UUID, str], bytes] = {}
        self._batches: OrderedDict[int, tuple[Batch, int]] = OrderedDict()
        self._bytes = 0
        self._last = 0
        self._hashes: dict[tuple[UUID, int, int], str] = {}
        self._entries: dict[UUID, Entry] = {}
        # By device and epoch: the first place of which two rows were seen.
        self._forked: dict[tuple[UUID, int], int] = {}
        self._published: int | None = None
        self._publishing = asyncio.Lock()
        self._news = asyncio.Event()

    @property
    def device(self) -> UUID:
        return self._journal.pairing.device

    def learn(self, snapshot: TerminalSnapshot) -> None:
        """The peers are those that our server signed for."""
        peers = {peer.device: peer for peer in snapshot.peers}
        self.named += any(self._peers.get(device) != peer for device, peer in peers.items())
        self._peers = peers
        # One that was paired anew has a journal of its own again.
        self._forked = {
            of: at for of, at in self._forked.items() if (it := self._peers.get(of[0])) and it.epoch <= of[1]
        }
        marks = {one.device: one for one in snapshot.applied_others}

        def long_past(device: UUID, epoch: int, sequence: int) -> bool:
            mark = marks.get(device)
            return mark is not None and (epoch, sequence) < (mark.epoch, mark.through - KEPT_ROWS)

        self._hashes = {place: digest for place, digest in self._hashes.items() if not long_past(*place)}
        self._entries = {
            event: entry
            for event, entry in self._entries.items()
            if entry.journal is None or not long_past(*entry.journal, entry.sequence)
        }

    def secret(self, device: UUID) -> bytes | None:
        """What we share with another terminal; None if the snapshot does not name it."""
        peer = self._peers.get(device)
        if peer is None:
            return None
        if (device, peer.key) not in self._secrets:
            self._secrets[device, peer.key] = self.key.agree(peer.key)
        return self._secrets[device, peer.key]

    # Who is there

    def heard(self, teller: UUID, devices: Iterable[UUID]) -> None:
        """`teller` says that these terminals share with it now; those that our snapshot does not name do not count."""
        self.around.heard(teller, [it for it in devices if it in self._peers])

    @property
    def shown(self) -> SiteShown | None:
        """For the screen; None where there is no site, as far as we know."""
        if not (self.expected or self.around.ever):
            return None
        devices = self.around.devices
        return SiteShown(sum(not self._is_hub(it) for it in devices), lost=not devices)

    @property
    def forks(self) -> tuple[SeenFork, ...]:
        """Journals of which we saw two branches."""
        found = ((device, epoch, at) for (device, epoch), at in self._forked.items())
        return tuple(SeenFork(device=device, epoch=epoch, sequence=at) for device, epoch, at in found)[:FORKS_MAX]

    def _is_hub(self, device: UUID) -> bool:
        peer = self._peers.get(device)
        return peer is not None and peer.kind == "hub"

    # Rows

    async def run(self) -> None:
        """Tell each new row of our journal, until cancelled."""
        grown = asyncio.Event()
        self._journal.on_append = grown.set
        while True:
            grown.clear()
            await self.publish()
            await grown.wait()

    async def publish(self) -> None:
        """Sign what our journal has more, for the others."""
        async with self._publishing:
            if self._published is None:
                # All that no snapshot can contain: who lost its memory with us has it from nobody else.
                self._published = max(0, min(self._journal.acknowledged, self._journal.head - TOLD_ANEW))
            pairing = self._journal.pairing
            while rows := await self._journal.rows_after(self._published, BATCH_ROWS, PAGE_BYTES):
                first, last, head = rows[0].sequence, rows[-1].sequence, rows[-1].hash
                signature = self.key.sign(batch_message(pairing.device, pairing.epoch, first, last, head))
                self._keep(
                    Batch(
                        device=pairing.device, epoch=pairing.epoch, rows=tuple(rows), sent_at_us=0, signature=signature
                    )
                )
                self._published = last

    def take(self, batch: Batch) -> bool:
        """Take in another terminal's rows. False: not signed by a terminal that our snapshot names, or no journal."""
        peer = self._peers.get(batch.device)
        if batch.device == self.device:
            return True
        if peer is None or batch.epoch < peer.epoch:
            return False
        fresh = [r for r in batch.rows if self._hashes.get((batch.device, batch.epoch, r.sequence)) != r.hash]
        if not fresh:
            return True
        if not _linked(batch) or not signed_by(peer.key, batch.message(), batch.signature):
            return False
        if (batch.device, batch.epoch) in self._forked:
            fresh = [r for r in fresh if (batch.device, batch.epoch, r.sequence) not in self._hashes]
            if not fresh:
                # Not kept again: two hubs that ask each other would pass it back and forth for ever.
                return True
        for row in fresh:
            place = (batch.device, batch.epoch, row.sequence)
            if place in self._hashes:
                # Both branches count: each event once, and what either gives back is not believed.
                self._fork(batch, row.sequence)
            self._hashes[place] = row.hash
            self._count(batch, row.sequence, row.payload)
        self._keep(batch)
        return True

    def entries(self) -> list[Entry]:
        """The rows of other terminals that move value."""
        return list(self._entries.values())

    def since(self, known: int, reader: UUID | None = None, own: bool = False) -> tuple[tuple[Batch, ...], int]:
        """Batches that came after `known` and are not the reader's, a page of them, and how far that is.

        `own`: only this terminal's.
        """
        found: list[Batch] = []
        size = 0
        for number, (batch, length) in self._batches.items():
            if number <= known:
                continue
            if batch.device != reader and (not own or batch.device == self.device):
                if found and size + length > PAGE_BYTES:
                    break
                found.append(batch)
                size += length
            known = number
        return tuple(found), known

    async def news(self, known: int, timeout_s: float) -> None:
        """Sleep until there is a batch after `known`, at most `timeout_s`."""
        if self._last > known:
            return
        try:
            async with asyncio.timeout(timeout_s):
                await self._news.wait()
        except TimeoutError:
            return

    def _fork(self, batch: Batch, sequence: int) -> None:
        if (batch.device, batch.epoch) not in self._forked:
            self._forked[batch.device, batch.epoch] = sequence
            _log.error("journal_of_peer_forked", device=str(batch.device), epoch=batch.epoch, sequence=sequence)
            self.on_fork()

    def _count(self, batch: Batch, sequence: int, payload: str) -> None:
        try:
            row = read_payload(payload)
        except ValidationError:
            # A newer version's row: the server will know it.
            return
        if row.kind == "void":
            sold = self._entries.get(row.subject)
            # What is not known to have been taken is not given back here; the snapshot will.
            entry = replace(sold, event=row.event, void=True) if sold and row.event else None
        else:
            entry = Entry.of(sequence, row)
        if entry is None:
            return
        entry = replace(entry, sequence=sequence, journal=(batch.device, batch.epoch))
        gives = entry.void or any(minor < 0 for part in entry.taken.values() for minor in part.values())
        if entry.event in self._entries or (gives and (batch.device, batch.epoch) in self._forked):
            return
        self._entries[entry.event] = entry
        self.on_entry(entry)

    def _keep(self, batch: Batch) -> None:
        length = sum(len(row.payload) + 200 for row in batch.rows)
        self._last += 1
        self._batches[self._last] = (batch, length)
        self._bytes += length
        while self._bytes > BYTES_MAX:
            _, (_, gone) = self._batches.popitem(last=False)
            self._bytes -= gone
        self.wake()

    def wake(self) -> None:
        """Let everybody who waits for news look again; a hub that stops holds no reply back."""
        self._news.set()
        self._news = asyncio.Event()


def _linked(batch: Batch) -> bool:
    previous = None
    for row in batch.rows:
        if previous and (row.sequence != previous.sequence + 1 or row.previous != previous.hash):
            return False
        if row_hash(batch.device, batch.epoch, row.sequence, row.previous, row.payload) != row.hash:
            return False
        previous = row
    return True
