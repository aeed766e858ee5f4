"""Batches of labels: printed first, with the address of the page that each card will have, and joined to chips later.

Errors:
    NotFound                      no such batch
    NotFound("card-unknown")      no such label in it
    Invalid(field=...)            "name", "prefix", "first" or "number"
    Conflict("batch-known")       there is a batch of this name
    Conflict("labels-taken")      cards or labels of another batch are called so; `label`: the first of them
    Conflict("batch-used-up")     every label of it is a card's
    Conflict("label-taken")       this label is another card's
    Conflict("card-exists")       this chip is a card with another label
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.cards.service import Card, add_printed, card_by_uid, new_token
from app.cards.tables import card, card_batch, card_blank
from app.identity.audit import audit
from app.platform.among import among
from app.platform.clock import now_us
from app.platform.errors import Conflict, Invalid, NotFound
from app.rules.ids import uuid7

CARDS_MAX: Final = 2000
NAME_MAX: Final = 60
LABEL_MAX: Final = 40
_DIGITS_MAX: Final = 8


@dataclass(frozen=True, slots=True)
class Batch:
    """`cards`: how many labels it has; `joined`: of how many the chip is known."""

    id: UUID
    name: str
    made_at_us: int
    cards: int
    joined: int


@dataclass(frozen=True, slots=True)
class Blank:
    """A label. `card`: whose it is, once its chip is known."""

    token: str
    label: str
    number: int
    card: UUID | None = None
    uid: str | None = None


def labels(prefix: str, first: str, number: int, most: int = CARDS_MAX) -> list[str]:
    """ "Carte", "001", 3: Carte 001, Carte 002, Carte 003. The first number says how many digits there are."""
    first = first.strip()
    if not (first.isascii() and first.isdigit() and len(first) <= _DIGITS_MAX):
        raise Invalid("The first number is written in digits.", field="first")
    if not 1 <= number <= most:
        raise Invalid(f"From 1 to {most} cards.", field="number")
    found = [f"{prefix.strip()} {it:0{len(first)}}".strip() for it in range(int(first), int(first) + number)]
    if len(found[-1]) > LABEL_MAX:
        raise Invalid(f"A label has at most {LABEL_MAX} characters.", field="prefix")
    return found


async def make(connection: AsyncConnection, actor: str, name: str, prefix: str, first: str, number: int) -> Batch:
    """A batch of so many labels, each with its address, in the caller's transaction."""
    name, wanted = name.strip(), labels(prefix, first, number)
    if not 1 <= len(name) <= NAME_MAX:
        raise Invalid(f"A batch has a name of at most {NAME_MAX} characters.", field="name")
    known = sa.select(card_batch.c.id).where(card_batch.c.name == name)
    if (await connection.execute(known)).first() is not None:
        raise Conflict("There is a batch of this name.", "batch-known")
    await _require_free(connection, wanted)
    batch = Batch(uuid7(), name, now_us(), number, 0)
    try:
        values = {"id": batch.id, "name": name, "made_at_us": batch.made_at_us}
        await connection.execute(sa.insert(card_batch).values(values))
        rows = [
            {"token": new_token(), "batch": batch.id, "number": it, "label": label} for it, label in enumerate(wanted)
        ]
        await connection.execute(sa.insert(card_blank), rows)
    except sa.exc.IntegrityError:
        # Somebody else was making the same one.
        raise Conflict("There is a batch of this name, or with such labels.", "batch-known") from None
    await audit(
        connection, actor, "card-batch.make", f"card-batch:{batch.id}", name=name, label=wanted[0], number=number
    )
    return batch


async def batches(connection: AsyncConnection) -> list[Batch]:
    """The newest first."""
    return [_batch(row) for row in await connection.execute(_batches().order_by(card_batch.c.made_at_us.desc()))]


async def batch_with(connection: AsyncConnection, id_: UUID) -> Batch:
    row = (await connection.execute(_batches().where(card_batch.c.id == id_))).one_or_none()
    if row is None:
        raise NotFound("There is no such batch of cards.")
    return _batch(row)


async def blanks(connection: AsyncConnection, batch: UUID) -> list[Blank]:
    """Its labels in order."""
    rows = await connection.execute(_blanks().where(card_blank.c.batch == batch).order_by(card_blank.c.number))
    return [_blank(row) for row in rows]


async def blank_behind(connection: AsyncConnection, token: str) -> Blank | None:
    """The label with this address, whether or not it is a card's."""
    row = (await connection.execute(_blanks().where(card_blank.c.token == token))).one_or_none()
    return None if row is None else _blank(row)


async def next_blank(connection: AsyncConnection, batch: UUID) -> Blank | None:
    """The first label that is no card's yet."""
    query = _blanks().where(card_blank.c.batch == batch, card.c.id.is_(None)).order_by(card_blank.c.number).limit(1)
    row = (await connection.execute(query)).one_or_none()
    return None if row is None else _blank(row)


async def join(connection: AsyncConnection, actor: str, batch: UUID, uid: str, label: str | None = None) -> Card:
    """The chip with this number bears the label, or else the next of the batch that is free: a new card with an empty
    wallet. The same again changes nothing; two desks at once take two labels."""
    locked = sa.select(card_batch.c.id).where(card_batch.c.id == batch).with_for_update()
    if (await connection.execute(locked)).one_or_none() is None:
        raise NotFound("There is no such batch of cards.")
    wanted = await _labelled(connection, batch, label) if label else None
    known = await _known(connection, uid)
    if known is not None:
        same = wanted.token == known.token if wanted else await _of_batch(connection, known.token, batch)
        if same:
            return known
        raise Conflict(f"This chip is the card {known.label} already.", "card-exists", label=known.label)
    found = wanted or await next_blank(connection, batch)
    if found is None:
        raise Conflict("Every label of this batch is a card's.", "batch-used-up")
    if found.card is not None:
        raise Conflict(f"The label {found.label} is another card's.", "label-taken")
    try:
        (new,) = await add_printed(connection, [(uid, found.label, found.token)])
    except sa.exc.IntegrityError:
        raise Conflict("This chip is a card already.", "card-exists") from None
    await audit(connection, actor, "card.add", f"card:{new.id}", label=new.label)
    return new


async def _require_free(connection: AsyncConnection, wanted: Sequence[str]) -> None:
    for table in (card_blank, card):
        query = sa.select(table.c.label).where(among(table.c.label, wanted)).order_by(table.c.label).limit(1)
        taken = (await connection.execute(query)).scalar_one_or_none()
        if taken is not None:
            raise Conflict(f"There is a card {taken} already.", "labels-taken", label=taken)


async def _known(connection: AsyncConnection, uid: str) -> Card | None:
    try:
        return await card_by_uid(connection, uid)
    except NotFound:
        return None


async def _of_batch(connection: AsyncConnection, token: str, batch: UUID) -> bool:
    query = sa.select(card_blank.c.number).where(card_blank.c.token == token, card_blank.c.batch == batch)
    return (await connection.execute(query)).first() is not None


async def _labelled(connection: AsyncConnection, batch: UUID, typed: str) -> Blank:
    """By what is printed on it, or its scanned address."""
    token = typed.rpartition("/c/")[2].split("/")[0].split("?")[0] if "/c/" in typed else ""
    said = sa.func.lower(card_blank.c.label) == typed.strip().lower()
    query = _blanks().where(card_blank.c.batch == batch, card_blank.c.token == token if token else said)
    row = (await connection.execute(query)).one_or_none()
    if row is None:
        raise NotFound("There is no such label in this batch.", "card-unknown")
    return _blank(row)


def _batches() -> sa.Select[Any]:
    number, joined = sa.func.count(card_blank.c.token), sa.func.count(card.c.id)
    columns = (card_batch.c.id, card_batch.c.name, card_batch.c.made_at_us, number.label("cards"))
    query = sa.select(*columns, joined.label("joined")).select_from(card_batch).join(card_blank)
    return query.outerjoin(card, card.c.token == card_blank.c.token).group_by(card_batch.c.id)


def _blanks() -> sa.Select[Any]:
    columns = (card_blank.c.token, card_blank.c.label, card_blank.c.number, card.c.id.label("card"), card.c.uid)
    return sa.select(*columns).outerjoin(card, card.c.token == card_blank.c.token)


def _batch(row: Any) -> Batch:
    return Batch(row.id, row.name, row.made_at_us, row.cards, row.joined)


def _blank(row: Any) -> Blank:
    return Blank(row.token, row.label, row.number, row.card, row.uid)
