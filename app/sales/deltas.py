"""Snapshots for all terminals of this process: whole, or what changed since the one that a terminal has.

What was sent last is remembered for each terminal. A terminal that names another base (this process has just started,
or another one answered before) gets the whole snapshot: nothing is lost by forgetting.
"""

from __future__ import annotations

import asyncio
import gzip
from collections import OrderedDict
from dataclasses import dataclass
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.requests import HTTPConnection

from app.members.till import plans_at_tills
from app.sales import snapshot
from app.sales.applied import Marks
from app.sales.card_views import Cards, View
from app.terminals.service import Terminal, terminals
from app.wire import SnapshotDelta, SnapshotReceipts, TerminalSnapshot, content_of

# Of each terminal: the last that it may hold, for an answer may be lost on its way.
BASES_MAX = 3
# Whole snapshots whose download may be taken up again where it broke off: 0.5 MB each at 20,000 cards.
DOWNLOADS_MAX = 16


@dataclass(frozen=True, slots=True)
class _Base:
    head: TerminalSnapshot
    accepted: frozenset[str]
    members: bool
    version: int


@dataclass(frozen=True, slots=True)
class Document:
    """`tag` names these very bytes; `packed` is gzip of what was signed."""

    tag: str
    packed: bytes
    signature: str


class Snapshots:
    """One per process."""

    def __init__(self, reader: AsyncEngine, key: Ed25519PrivateKey) -> None:
        self._reader = reader
        self._key = key
        self._lock = asyncio.Lock()
        self._cards = Cards()
        self._marks = Marks()
        self._bases: dict[UUID, OrderedDict[str, _Base]] = {}
        self._downloads: OrderedDict[UUID, Document] = OrderedDict()

    def download(self, device: UUID, tag: str) -> Document | None:
        """A whole snapshot that was on its way to this terminal."""
        found = self._downloads.get(device)
        return found if found and found.tag == tag else None

    async def answer(
        self, terminal: Terminal, receipts: SnapshotReceipts, held: str, *, delta: bool, plans: bool
    ) -> Document | None:
        """What brings the terminal from the content `held` up to date; None: it is. `delta`: it can do with one;
        `plans`: it understands memberships."""
        # One after the other: what is in memory follows the database's snapshots in the order of time.
        async with self._lock, self._reader.connect() as connection:
            await self._cards.refresh(connection)
            fleet = await terminals(connection)
            applied = await self._marks.read(connection, fleet)
            head = await snapshot.head(connection, terminal, receipts, fleet, applied)
            if plans:
                head = head.model_copy(update={"plans": await plans_at_tills(connection)})
            # A site hub has no card to sell to.
            sells = terminal.kind == "till"
            view = self._cards.view(dict.fromkeys(head.accepted), members=plans) if sells else View(frozenset())
            content = content_of(head, view.total)
            known = self._bases.setdefault(terminal.id, OrderedDict())
            base = known.get(held) if delta else None
            known[content] = _Base(head, view.accepted, view.members, view.version)
            known.move_to_end(content)
            while len(known) > BASES_MAX:
                known.popitem(last=False)
            if held == content:
                return None
            if base is not None and (base.accepted, base.members) == (view.accepted, view.members):
                changed = view.since(base.version)
                body = _delta(base.head, head, held, content, {uid: view.cards.get(uid) for uid in changed})
                whole = False
            else:
                start, empty, end = (
                    head.model_copy(update={"content": content}).model_dump_json().partition('"cards":[')
                )
                body = (start + empty).encode() + b",".join(view.cards.values()) + end.encode()
                whole = True
        document = await asyncio.to_thread(self._pack, f"{content}.{head.at_us}", body)
        if whole:
            self._downloads[terminal.id] = document
            self._downloads.move_to_end(terminal.id)
            if len(self._downloads) > DOWNLOADS_MAX:
                self._downloads.popitem(last=False)
        return document

    def _pack(self, tag: str, body: bytes) -> Document:
        return Document(tag, gzip.compress(body, 6), snapshot.sign(self._key, body))


def _delta(
    base: TerminalSnapshot, head: TerminalSnapshot, held: str, content: str, cards: dict[str, bytes | None]
) -> bytes:
    fields = {name for name in TerminalSnapshot.model_fields if getattr(base, name) != getattr(head, name)} - {"at_us"}
    delta = SnapshotDelta(
        at_us=head.at_us,
        device=head.device,
        base=held,
        content=content,
        head=head.model_dump(mode="json", include=fields),
        cards=(),
        gone=tuple(uid for uid, card in cards.items() if card is None),
    )
    start, empty, end = delta.model_dump_json().rpartition('"cards":[')
    return (start + empty).encode() + b",".join(card for card in cards.values() if card) + end.encode()


def snapshots_of(request: HTTPConnection) -> Snapshots:
    """The process's snapshots, which app.main makes at start."""
    found = request.app.state.snapshots
    if not isinstance(found, Snapshots):
        raise TypeError("app.state.snapshots is not set: app.main does that at start")
    return found
