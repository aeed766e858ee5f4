"""Sets of keys, what is on which chip, and what a terminal is given of it.

A set has one master key, made here and sealed in the database. The keys of a card are derived from it by the card's UID
and a version. Terminals get one key of each card that they may meet, never the master, and what they were given is
kept. A card's keys are open once a terminal that had them was reported lost: no terminal is given them any more, so the
card counts for what its bare number is worth until a desk has written new ones.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.cards.tables import card, card_end
from app.keyring.tables import card_chip, card_key_grant, card_key_set
from app.platform.clock import now_us
from app.platform.errors import Conflict, Invalid, NotFound
from app.platform.sealing import seal, unseal
from app.rules.chips.keyring import KEY_BYTES, CardKey, KeyedChip, packed, till_key
from app.rules.ids import uuid7
from app.terminals.tables import terminal

_PURPOSE: Final = b"comptoir card keys"


@dataclass(frozen=True, slots=True)
class KeySet:
    """`venue`: whose terminals are given keys of it; None: all. `from_us` to `until_us` (None: without end): when."""

    id: UUID
    name: str
    venue: UUID | None
    from_us: int
    until_us: int | None


@dataclass(frozen=True, slots=True)
class Chip:
    """What is on a card's chip. `open`: a lost terminal knew its key."""

    card: UUID
    uid: str
    label: str
    chip: KeyedChip
    key_set: UUID
    version: int
    written_at_us: int
    open: bool


@dataclass(frozen=True, slots=True)
class Given:
    """What one terminal may have: `mark` changes when any of it does; the keys are made by `keys`."""

    mark: str
    masters: dict[UUID, bytes]
    until_us: dict[UUID, int | None]
    chips: Sequence[Any]

    def keys(self) -> bytes:
        """Derive them all: about 20 µs each, so not in the event loop."""
        groups: dict[int | None, list[tuple[bytes, CardKey]]] = {}
        for it in self.chips:
            uid = bytes.fromhex(it.uid)
            key = till_key(self.masters[it.key_set], uid, it.chip, it.version)
            groups.setdefault(self.until_us[it.key_set], []).append((uid, key))
        return packed(groups)


def _open() -> sa.ColumnElement[bool]:
    """Whether a chip's keys were given to a terminal that was lost since they were written."""
    return sa.exists(
        sa.select(1)
        .select_from(card_key_grant.join(terminal, terminal.c.id == card_key_grant.c.terminal))
        .where(
            card_key_grant.c.key_set == card_chip.c.key_set,
            card_key_grant.c.at_us >= card_chip.c.written_at_us,
            terminal.c.lost_at_us.is_not(None),
        )
    )


async def make_set(
    connection: AsyncConnection,
    server_key: bytes,
    name: str,
    *,
    venue: UUID | None = None,
    from_us: int | None = None,
    until_us: int | None = None,
) -> KeySet:
    """A new set with a master key that nobody has seen. Invalid, Conflict("key-set-known")."""
    name, start = name.strip(), now_us() if from_us is None else from_us
    if not name:
        raise Invalid("A set of keys needs a name.")
    if until_us is not None and until_us <= start:
        raise Invalid("A set of keys ends after it begins.")
    known = sa.select(card_key_set.c.id).where(card_key_set.c.name == name)
    if (await connection.execute(known)).first() is not None:
        raise Conflict("There is a set of keys with this name.", "key-set-known")
    new = KeySet(uuid7(), name, venue, start, until_us)
    sealed = seal(server_key, _PURPOSE, secrets.token_bytes(KEY_BYTES), new.id.bytes)
    await connection.execute(
        sa.insert(card_key_set).values(
            id=new.id,
            name=name,
            venue=venue,
            sealed=sealed,
            from_us=start,
            until_us=until_us,
            made_at_us=now_us(),
        )
    )
    return new


async def key_sets(connection: AsyncConnection) -> list[KeySet]:
    """All of them, by name."""
    rows = await connection.execute(sa.select(card_key_set).order_by(card_key_set.c.name))
    return [_key_set(row) for row in rows]


async def key_set_named(connection: AsyncConnection, name: str) -> KeySet:
    """NotFound."""
    row = (await connection.execute(sa.select(card_key_set).where(card_key_set.c.name == name))).one_or_none()
    if row is None:
        raise NotFound("There is no such set of keys.")
    return _key_set(row)


async def master_of(connection: AsyncConnection, server_key: bytes, key_set: UUID) -> bytes:
    """The master key of a set: for the card desk on the server, and nothing else. NotFound."""
    query = sa.select(card_key_set.c.sealed).where(card_key_set.c.id == key_set)
    sealed = (await connection.execute(query)).scalar_one_or_none()
    if sealed is None:
        raise NotFound("There is no such set of keys.")
    return unsealed(server_key, key_set, sealed)


def unsealed(server_key: bytes, key_set: UUID, sealed: bytes) -> bytes:
    """The master key of a set, from its row."""
    return unseal(server_key, _PURPOSE, bytes(sealed), key_set.bytes)


async def chips(connection: AsyncConnection, *, only_open: bool = False) -> list[Chip]:
    """What is on the cards, by label; `only_open`: those that need new keys."""
    found = [_chip(row) for row in await connection.execute(_chips().order_by(card.c.label, card.c.id))]
    return [it for it in found if it.open or not only_open]


async def chip_of(connection: AsyncConnection, card_id: UUID) -> Chip | None:
    """What is on one card's chip; None: no keys of ours."""
    row = (await connection.execute(_chips().where(card_chip.c.card == card_id))).one_or_none()
    return None if row is None else _chip(row)


async def to_write_anew(connection: AsyncConnection, until_us: int) -> list[Chip]:
    """Those of cards in use whose keys are open, or whose set ends by then, by label."""
    ending = sa.select(card_key_set.c.id).where(card_key_set.c.until_us <= until_us)
    ended = sa.exists(sa.select(1).where(card_end.c.card == card_chip.c.card))
    query = _chips().where(sa.or_(_open(), card_chip.c.key_set.in_(ending)), sa.not_(ended))
    return [_chip(row) for row in await connection.execute(query.order_by(card.c.label, card.c.id))]


def _chips() -> sa.Select[Any]:
    return sa.select(card_chip, card.c.uid, card.c.label, _open().label("opened")).join(card)


def _chip(row: Any) -> Chip:
    return Chip(row.card, row.uid, row.label, row.chip, row.key_set, row.version, row.written_at_us, bool(row.opened))


async def given_to(connection: AsyncConnection, server_key: bytes, venue: UUID, at_us: int) -> Given:
    """What a terminal of this venue may have at this instant."""
    sets = await connection.execute(
        sa.select(card_key_set.c.id, card_key_set.c.sealed, card_key_set.c.until_us).where(
            sa.or_(card_key_set.c.venue.is_(None), card_key_set.c.venue == venue),
            card_key_set.c.from_us <= at_us,
            sa.or_(card_key_set.c.until_us.is_(None), card_key_set.c.until_us > at_us),
        )
    )
    masters: dict[UUID, bytes] = {}
    until_us: dict[UUID, int | None] = {}
    for it in sets:
        masters[it.id] = unsealed(server_key, it.id, it.sealed)
        until_us[it.id] = it.until_us
    rows = await connection.execute(
        sa.select(card.c.uid, card_chip.c.chip, card_chip.c.key_set, card_chip.c.version)
        .join(card)
        .where(card_chip.c.key_set.in_(list(masters)), sa.not_(_open()))
        .order_by(card.c.uid)
    )
    found = rows.all()
    digest = sha256()
    for row in found:
        digest.update(f"{row.uid} {row.chip} {row.key_set} {row.version} {until_us[row.key_set]}\n".encode())
    return Given(digest.hexdigest(), masters, until_us, found)


async def note_given(engine: AsyncEngine, terminal_id: UUID, given: Given) -> None:
    """Kept before the keys are sent: whatever becomes of the answer, the terminal may have them."""
    sets = sorted({it.key_set for it in given.chips}, key=str)
    if not sets:
        return
    now = now_us()
    rows = [{"id": uuid7(), "terminal": terminal_id, "key_set": it, "at_us": now} for it in sets]
    async with engine.begin() as connection:
        await connection.execute(sa.insert(card_key_grant), rows)


def _key_set(row: Any) -> KeySet:
    return KeySet(row.id, row.name, row.venue, row.from_us, row.until_us)
