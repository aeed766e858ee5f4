"""A list of chips taken in: looked through line by line first, and then all of it or nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, Protocol
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.cards.batches import LABEL_MAX, Blank, batch_with, blanks, labels
from app.cards.service import add_printed, cards_by_uid, new_token
from app.cards.tables import card, card_batch, card_blank
from app.identity.audit import audit
from app.platform.among import among
from app.platform.errors import Conflict
from app.rules.ids import uuid7

Trouble = Literal[
    "shape", "double", "known", "no-label", "label-long", "label-double", "label-taken", "not-in-batch", "no-address"
]


class Entry(Protocol):
    """A line as it was read: app.carddesk.rules."""

    @property
    def line(self) -> int: ...
    @property
    def written(self) -> str: ...
    @property
    def uid(self) -> str | None: ...
    @property
    def label(self) -> str: ...
    @property
    def token(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Planned:
    """What becomes of a line. `trouble`: why it cannot be taken in; `about`: what that is about (the line of the first
    of two, the card that it is already). `token`: of the label that is printed already; empty: it is made."""

    line: int
    written: str
    uid: str | None
    label: str
    token: str
    trouble: Trouble | None = None
    about: str = ""


@dataclass(frozen=True, slots=True)
class Naming:
    """What chips are called of which the list does not say: the next labels of a batch, or words and a number."""

    batch: UUID | None = None
    prefix: str = ""
    first: str = ""


async def plan(connection: AsyncConnection, entries: Sequence[Entry], naming: Naming) -> list[Planned]:
    """Every line, in order. NotFound where there is no such batch, Invalid(field="first")."""
    batch = None if naming.batch is None else await blanks(connection, (await batch_with(connection, naming.batch)).id)
    by_token = await _blanks_by_token(connection, [it.token for it in entries if it.token])
    named = list(_named(entries, naming, batch, by_token))
    known = await cards_by_uid(connection, [it.uid for it in named if it.uid])
    taken = await _taken(connection, [it.label for it in named if it.label and not it.token])
    first_line: dict[str, int] = {}
    for it in named:
        first_line.setdefault(it.uid or "", it.line)
    times = Counter(it.label for it in named if it.label)

    def judged(it: Planned) -> Planned:
        """The number is looked at first: what is wrong with it is the supplier's to say."""
        if it.uid is None:
            return replace(it, trouble="shape")
        if first_line[it.uid] != it.line:
            return replace(it, trouble="double", about=str(first_line[it.uid]))
        if it.uid in known:
            return replace(it, trouble="known", about=known[it.uid].label)
        if it.trouble is not None:
            return it
        if times[it.label] > 1:
            return replace(it, trouble="label-double")
        if len(it.label) > LABEL_MAX:
            return replace(it, trouble="label-long")
        return replace(it, trouble="label-taken") if it.label in taken and not it.token else it

    return [judged(it) for it in named]


def done_before(planned: Sequence[Planned]) -> bool:
    """Whether every line is a card already, under the same label: the list was taken in before."""
    return bool(planned) and all(it.trouble == "known" and it.about == it.label for it in planned)


async def take_in(connection: AsyncConnection, actor: str, entries: Sequence[Entry], naming: Naming) -> int:
    """Add every card of the list, each with an empty wallet; how many. A list that was taken in before adds none.

    Raises Conflict("list-wrong") with `lines` where one cannot be taken in: none is then.
    """
    if naming.batch is not None:
        await connection.execute(sa.select(card_batch.c.id).where(card_batch.c.id == naming.batch).with_for_update())
    planned = await plan(connection, entries, naming)
    if done_before(planned):
        return 0
    wrong = [{"line": it.line, "trouble": it.trouble, "about": it.about} for it in planned if it.trouble]
    if wrong or not planned:
        raise Conflict("This list cannot be taken in as it is.", "list-wrong", lines=wrong)
    try:
        await add_printed(connection, [(it.uid or "", it.label, it.token or new_token()) for it in planned])
    except sa.exc.IntegrityError:
        # Somebody else took in the same cards meanwhile.
        raise Conflict("Some of these cards were added meanwhile.", "list-wrong", lines=[]) from None
    await audit(
        connection,
        actor,
        "cards.import",
        f"card-list:{uuid7()}",
        number=len(planned),
        label=f"{planned[0].label} – {planned[-1].label}",
    )
    return len(planned)


def _named(
    entries: Sequence[Entry], naming: Naming, batch: Sequence[Blank] | None, by_token: Mapping[str, Blank]
) -> Iterator[Planned]:
    """With the label of each line: by its address, as the list says, or the next that is free."""
    said = {it.label.lower() for it in entries} | {
        by_token[it.token].label.lower() for it in entries if it.token in by_token
    }
    nameless = sum(1 for it in entries if not it.label and not it.token)
    fresh = iter(_fresh(naming, batch, nameless, said))
    in_batch = {it.label.lower(): it for it in batch or ()}
    for it in entries:
        plain = Planned(it.line, it.written, it.uid, it.label, "")
        if it.token:
            yield _on_label(plain, by_token.get(it.token), "no-address")
        elif it.label and batch is not None:
            yield _on_label(plain, in_batch.get(it.label.lower()), "not-in-batch")
        elif it.label:
            yield plain
        else:
            label, token = next(fresh, ("", ""))
            yield replace(plain, label=label, token=token, trouble=None if label else "no-label")


def _fresh(naming: Naming, batch: Sequence[Blank] | None, number: int, said: Iterable[str]) -> list[tuple[str, str]]:
    """Labels, each with its token where it is printed already, for lines that name none."""
    if batch is not None:
        used = set(said)
        return [(it.label, it.token) for it in batch if it.card is None and it.label.lower() not in used]
    if not naming.first.strip() or not number:
        return []
    return [(it, "") for it in labels(naming.prefix, naming.first, number, most=number)]


def _on_label(it: Planned, blank: Blank | None, missing: Trouble) -> Planned:
    if blank is None:
        return replace(it, trouble=missing)
    found = replace(it, label=blank.label, token=blank.token)
    return found if blank.card is None or blank.uid == it.uid else replace(found, trouble="label-taken")


async def _blanks_by_token(connection: AsyncConnection, tokens: Sequence[str]) -> dict[str, Blank]:
    columns = (card_blank.c.token, card_blank.c.label, card_blank.c.number, card.c.id, card.c.uid)
    query = sa.select(*columns).outerjoin(card, card.c.token == card_blank.c.token)
    rows = await connection.execute(query.where(among(card_blank.c.token, tokens)))
    return {row.token: Blank(*row) for row in rows}


async def _taken(connection: AsyncConnection, wanted: Sequence[str]) -> set[str]:
    """Which of these labels are a card's, or printed already."""
    found: set[str] = set()
    for table in (card, card_blank):
        rows = await connection.execute(sa.select(table.c.label).where(among(table.c.label, wanted)))
        found |= {row.label for row in rows}
    return found
