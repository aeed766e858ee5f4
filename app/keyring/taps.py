"""The message that a card adds to its address at a phone: read, proven, and taken once.

A card's page is opened by `/c/TOKEN?e=...&c=...`, where `e` is the card's UID and a counter, encrypted, and `c` a MAC
over both, under keys of this card alone. Whoever knows an older address of it knows nothing: the counter of each card
only rises here, also where two processes see two taps at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final, Literal
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.cards.tables import card
from app.keyring.service import unsealed
from app.keyring.tables import card_chip, card_key_set, card_key_writing, card_tap
from app.platform.clock import now_us
from app.platform.database import is_sqlite
from app.rules.chips import sun
from app.rules.chips.keyring import FILE_KEY, META_KEY, derived

Tap = Literal["new", "again", "replay"]
"""`again`: the very message that came last, within `AGAIN_US`: a page that is loaded again."""

# A page whose answer was lost on the way is loaded again, by hand or by the browser itself.
AGAIN_US: Final = 2 * 60 * 1_000_000


@dataclass(frozen=True, slots=True)
class Held:
    """The keys that a card holds, or may hold, by which it says who it is."""

    version: int
    meta: bytes = field(repr=False)
    file: bytes = field(repr=False)


async def held_by(connection: AsyncConnection, server_key: bytes, card_id: UUID, uid: bytes) -> list[Held]:
    """Those written last and, while a desk is writing others, those too. That the period of their set is over matters
    for what terminals are given, not here; nor that a terminal which knew the card's keys was lost: it never had
    these."""
    found = []
    for table in (card_chip, card_key_writing):
        query = (
            sa.select(table.c.version, card_key_set.c.id, card_key_set.c.sealed)
            .join(card_key_set, card_key_set.c.id == table.c.key_set)
            .where(table.c.card == card_id, table.c.chip == "ntag424")
        )
        for row in await connection.execute(query):
            master = unsealed(server_key, row.id, row.sealed)
            meta, file = (derived(master, uid, number, row.version) for number in (META_KEY, FILE_KEY))
            found.append(Held(row.version, meta, file))
    return found


def proven(uid: bytes, held: Sequence[Held], encrypted: str, mac: str) -> tuple[int, sun.Sun]:
    """The version of the keys that made this message, and what it says. NotSun: this card did not make it.

    A card that was taken off the desk too soon may encrypt with a new key and sign with an old one.
    """
    refused = sun.NotSun("the card holds no keys")
    for one in held:
        try:
            said = sun.read(one.meta, encrypted)
        except sun.NotSun as error:
            refused = error
            continue
        if said.uid != uid:
            raise sun.NotSun("another card made this message")
        for other in held:
            try:
                sun.verify(other.file, said, mac)
            except sun.NotSun as error:
                refused = error
            else:
                return other.version, said
    raise refused


async def taken(engine: AsyncEngine, card_id: UUID, version: int, counter: int, encrypted: str, mac: str) -> Tap:
    """Count a proven message: new if its counter is above all that came before it."""
    mark, now = sha256(f"{encrypted} {mac}".upper().encode()).digest(), now_us()
    insert = sqlite.insert if is_sqlite(engine) else postgresql.insert
    values = {"version": version, "counter": counter, "message": mark, "at_us": now}
    write = insert(card_tap).values(card=card_id, **values)
    rises = sa.tuple_(card_tap.c.version, card_tap.c.counter) < sa.tuple_(
        write.excluded.version, write.excluded.counter
    )
    write = write.on_conflict_do_update(index_elements=[card_tap.c.card], set_=values, where=rises)
    async with engine.begin() as connection:
        if (await connection.execute(write)).rowcount:
            # Also a card that was written before anybody asked.
            known = sa.update(card).where(card.c.id == card_id, sa.not_(card.c.taps)).values(taps=True)
            await connection.execute(known)
            return "new"
        last = (await connection.execute(sa.select(card_tap).where(card_tap.c.card == card_id))).one()
    same = (last.version, last.counter, bytes(last.message)) == (version, counter, mark)
    return "again" if same and now - last.at_us < AGAIN_US else "replay"
