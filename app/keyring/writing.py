"""What a card desk writes on a card: begun, and done once it was read back.

The desk may be gone between the two, and the card half written: so the same keys are given again until they are done.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.cards.tables import card, card_end
from app.keyring.service import key_set_named, master_of
from app.keyring.tables import card_chip, card_key_set, card_key_writing
from app.platform.clock import now_us
from app.platform.errors import Conflict
from app.rules.chips.keyring import KEY_BYTES, KEYS_ON, KeyedChip, derived

VERSION_MAX: Final = 255


@dataclass(frozen=True, slots=True)
class ToWrite:
    """All keys of a chip, by number: `before` is what the card holds if nothing was written yet."""

    version: int
    before: tuple[bytes, ...] = field(repr=False)
    after: tuple[bytes, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class HalfWritten:
    """A card on which a desk began to write, and did not say that it is done. `key_set`: the set's name."""

    card: UUID
    uid: str
    label: str
    key_set: str
    since_us: int


async def half_written(connection: AsyncConnection, before_us: int) -> list[HalfWritten]:
    """Cards in use whose writing began before this and is not done, the oldest first."""
    ended = sa.exists(sa.select(1).where(card_end.c.card == card_key_writing.c.card))
    query = (
        sa.select(card.c.id, card.c.uid, card.c.label, card_key_set.c.name, card_key_writing.c.since_us)
        .select_from(card_key_writing.join(card).join(card_key_set))
        .where(card_key_writing.c.since_us < before_us, sa.not_(ended))
        .order_by(card_key_writing.c.since_us, card.c.id)
    )
    return [HalfWritten(*row) for row in await connection.execute(query)]


async def begin(
    connection: AsyncConnection,
    server_key: bytes,
    card_id: UUID,
    uid: bytes,
    key_set: str,
    chip: KeyedChip = "ntag424",
) -> ToWrite:
    """The keys that the desk is to write. NotFound, Conflict("keys-half-written", "keys-used-up", "chip-differs")."""
    wanted = await key_set_named(connection, key_set)
    query = sa.select(card_chip.c.key_set, card_chip.c.version, card_chip.c.chip).where(card_chip.c.card == card_id)
    now = (await connection.execute(query)).one_or_none()
    version = 1 if now is None else now.version + 1
    if version > VERSION_MAX:
        raise Conflict("This card's keys were written too often: give its holder another card.", "keys-used-up")
    begun = (
        sa.select(card_key_writing.c.key_set, card_key_writing.c.chip, card_key_set.c.name)
        .join(card_key_set)
        .where(card_key_writing.c.card == card_id)
    )
    half = (await connection.execute(begun)).one_or_none()
    if half is not None and half.key_set != wanted.id:
        raise Conflict(
            f"Keys of the set {half.name} are half written on this card: finish them first.", "keys-half-written"
        )
    if any(it is not None and it.chip != chip for it in (now, half)):
        # No chip becomes another one: what lies at the desk bears the number of a card of ours.
        raise Conflict("Another chip has this card's number: it may be a copy.", "chip-differs")
    if half is None:
        row = {"card": card_id, "key_set": wanted.id, "version": version, "since_us": now_us(), "chip": chip}
        await connection.execute(sa.insert(card_key_writing).values(row))
    before: tuple[bytes, ...] = (bytes(KEY_BYTES),) * KEYS_ON[chip]
    if now is not None:
        before = _keys(await master_of(connection, server_key, now.key_set), uid, now.version, chip)
    after = _keys(await master_of(connection, server_key, wanted.id), uid, version, chip)
    return ToWrite(version, before, after)


async def done(connection: AsyncConnection, card_id: UUID, version: int, *, addressed: bool = False) -> None:
    """The desk has read back what it wrote: from now on the card proves itself. A second time changes nothing.
    `addressed`: an address was written too. Conflict("keys-not-begun")."""
    where = (card_key_writing.c.card == card_id, card_key_writing.c.version == version)
    ended = sa.delete(card_key_writing).where(*where).returning(card_key_writing.c.key_set, card_key_writing.c.chip)
    was = (await connection.execute(ended)).one_or_none()
    if was is None:
        query = sa.select(card_chip.c.version).where(card_chip.c.card == card_id)
        if (await connection.execute(query)).scalar_one_or_none() == version:
            return
        raise Conflict("These keys were not asked for.", "keys-not-begun")
    values = {"chip": was.chip, "key_set": was.key_set, "version": version, "written_at_us": now_us()}
    changed = await connection.execute(sa.update(card_chip).where(card_chip.c.card == card_id).values(**values))
    if not changed.rowcount:
        await connection.execute(sa.insert(card_chip).values(card=card_id, **values))
    level = {"assurance": "A", "taps": addressed and was.chip == "ntag424"}
    await connection.execute(sa.update(card).where(card.c.id == card_id).values(level))


def _keys(master: bytes, uid: bytes, version: int, chip: KeyedChip) -> tuple[bytes, ...]:
    return tuple(derived(master, uid, number, version) for number in range(KEYS_ON[chip]))
