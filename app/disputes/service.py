"""A sale is disputed, and the dispute answered: each once, whoever presses how often.

Errors: NotFound (no such sale of this wallet; no such dispute), Conflict("dispute-open", "disputed-enough",
"dispute-answered", "sale-taken-back"), Invalid("dispute-needs-words").
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID, uuid5

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from app.cards.service import Card, card_by_id
from app.disputes.rules import ANSWER_MAX, ANSWERED_WITHIN_US, PER_SALE_MAX, TEXT_MAX, Reason, State
from app.disputes.tables import dispute
from app.identity.audit import audit
from app.identity.roles import Principal
from app.ledger.service import BookedOperation, Ledger
from app.mail.service import Letter, queue
from app.platform.clock import now_us
from app.platform.database import is_sqlite
from app.platform.errors import Conflict, DomainError, Invalid, NotFound
from app.rules.ids import uuid7
from app.sales import booking
from app.sales.service import void
from app.venues.service import Venue, the_network, venue_named

ANSWER_MAIL = "disputes/answer_mail"
LISTED_MAX = 200


@dataclass(frozen=True, slots=True)
class Dispute:
    """`answer`: the venue's words, "" while there are none. `operation`: what took the sale back, if the answer did."""

    id: UUID
    sale: UUID
    venue: UUID
    wallet: UUID
    card: UUID
    reason: Reason
    text: str
    email: str | None
    language: Literal["fr", "en"]
    opened_at_us: int
    state: State
    answer: str
    answered_by: str | None
    answered_at_us: int | None
    operation: UUID | None

    def late(self, now: int) -> bool:
        """Whether its venue has taken too long to answer."""
        return self.state == "open" and now - self.opened_at_us > ANSWERED_WITHIN_US


@dataclass(frozen=True, slots=True)
class Sold:
    """A sale that a wallet paid, and whether it was taken back since."""

    operation: BookedOperation
    venue: UUID
    taken_back: bool

    @property
    def details(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.operation.details)
        return found


async def sold_to(ledger: Ledger, wallet_owner: str, sale: UUID) -> Sold:
    """The sale, if this wallet paid of it. Raises NotFound, also for another's."""
    page = await ledger.history.operation(sale)
    booked = next((it for it in page.operations if it.kind == booking.KIND), None)
    if booked is None or booked.venue is None:
        raise NotFound("There is no such sale of this card.")
    if not any(key.owner == wallet_owner for key in page.accounts.values()):
        raise NotFound("There is no such sale of this card.")
    return Sold(booked, booked.venue, bool(page.reversed_by))


async def open_dispute(
    connection: AsyncConnection,
    actor: str,
    card: Card,
    sold: Sold,
    reason: Reason,
    text: str,
    email: str | None,
    language: Literal["fr", "en"],
) -> UUID:
    """One sale has one open dispute at most: whoever comes second, at the same instant too, is told so."""
    if sold.taken_back:
        raise Conflict("This sale was taken back already.", "sale-taken-back")
    sale, id_ = sold.operation.id, uuid7()
    of_sale = sa.select(sa.func.count()).select_from(dispute).where(dispute.c.sale == sale)
    if (await connection.execute(of_sale.where(dispute.c.state != "open"))).scalar_one() >= PER_SALE_MAX:
        raise Conflict("This sale was disputed and answered several times.", "disputed-enough")
    row = {
        "id": id_,
        "sale": sale,
        "venue": sold.venue,
        "wallet": card.wallet,
        "card": card.id,
        "reason": reason,
        "text": text.strip()[:TEXT_MAX],
        "email": email,
        "language": language,
        "opened_at_us": now_us(),
        "state": "open",
        "answer": "",
    }
    insert = (sqlite.insert if is_sqlite(connection) else postgresql.insert)(dispute)
    if not (await connection.execute(insert.values(row).on_conflict_do_nothing())).rowcount:
        raise Conflict("This sale is disputed already.", "dispute-open")
    await audit(connection, actor, "dispute.open", f"dispute:{id_}")
    return id_


async def of_sale(connection: AsyncConnection, wallet: UUID, sale: UUID) -> list[Dispute]:
    """What this wallet's holder said about a sale, the newest first."""
    here = (dispute.c.sale == sale, dispute.c.wallet == wallet)
    query = sa.select(dispute).where(*here).order_by(dispute.c.opened_at_us.desc(), dispute.c.id)
    return [_read(row) for row in await connection.execute(query)]


async def named(connection: AsyncConnection, id_: UUID) -> Dispute:
    row = (await connection.execute(sa.select(dispute).where(dispute.c.id == id_))).one_or_none()
    if row is None:
        raise NotFound("There is no such dispute.")
    return _read(row)


async def listed(connection: AsyncConnection, venues: Collection[UUID] | None, *, answered: bool) -> list[Dispute]:
    """Of these venues (None: all), those that wait, the longest first; or those answered, the newest first."""
    query = sa.select(dispute).where(sa.true() if venues is None else dispute.c.venue.in_(venues))
    if answered:
        query = query.where(dispute.c.state != "open").order_by(dispute.c.answered_at_us.desc(), dispute.c.id)
    else:
        query = query.where(dispute.c.state == "open").order_by(dispute.c.opened_at_us, dispute.c.id)
    return [_read(row) for row in await connection.execute(query.limit(LISTED_MAX))]


async def standing(connection: AsyncConnection, ids: Collection[UUID] | None = None) -> list[Dispute]:
    """Those that wait for an answer; or those named, answered or not."""
    query = sa.select(dispute).order_by(dispute.c.opened_at_us, dispute.c.id).limit(LISTED_MAX)
    query = query.where(dispute.c.state == "open" if ids is None else dispute.c.id.in_(list(ids)))
    return [_read(row) for row in await connection.execute(query)]


async def take_back(ledger: Ledger, caller: Principal, it: Dispute, words: str) -> None:
    """The sale is taken back whole, and the holder told. Booked first, under an id that follows from the dispute: after
    a crash in between, pressing again says what was booked."""
    async with ledger.reader.connect() as connection:
        at = await venue_named(connection, it.venue)
    operation: UUID | None = uuid5(it.id, "taken-back")
    _require_open(it)
    try:
        await void(ledger, at, it.sale, uuid5(it.id, "taken-back"), actor=caller.actor, reason=words or "dispute")
    except DomainError as error:
        if error.code != "already-reversed":
            raise
        # Taken back at the till meanwhile: that is what was asked for.
        operation = None
    await _answer(ledger, caller, it, at, "taken_back", words, operation)


async def refuse(ledger: Ledger, caller: Principal, it: Dispute, words: str) -> None:
    if not words.strip():
        raise Invalid("Say why it is refused: the holder reads it.", "dispute-needs-words")
    _require_open(it)
    async with ledger.reader.connect() as connection:
        at = await venue_named(connection, it.venue)
    await _answer(ledger, caller, it, at, "refused", words, None)


def _require_open(it: Dispute) -> None:
    if it.state != "open":
        raise Conflict("This dispute was answered already.", "dispute-answered")


async def _answer(
    ledger: Ledger, caller: Principal, it: Dispute, at: Venue, state: State, words: str, operation: UUID | None
) -> None:
    words = words.strip()[:ANSWER_MAX]
    values = {"state": state, "answer": words, "answered_by": caller.actor, "answered_at_us": now_us()}
    values |= {"operation": operation, "email": None}
    async with ledger.engine.begin() as connection:
        # The address as it stands now: the holder may have had it erased since the page was shown.
        waiting = (dispute.c.id == it.id, dispute.c.state == "open")
        asked = sa.select(dispute.c.email).where(*waiting).with_for_update()
        row = (await connection.execute(asked)).one_or_none()
        if row is None or not (await connection.execute(sa.update(dispute).where(*waiting).values(values))).rowcount:
            raise Conflict("This dispute was answered already.", "dispute-answered")
        # The words are beside the dispute, where they can be erased; nothing is ever erased from the log.
        await audit(connection, caller.actor, f"dispute.{state}", f"dispute:{it.id}")
        if row.email:
            await queue(connection, await _letter(connection, it, at, row.email, state, words))


async def _letter(connection: AsyncConnection, it: Dispute, at: Venue, email: str, state: State, words: str) -> Letter:
    network, card = await the_network(connection), await card_by_id(connection, it.card)
    data = {
        "network_name": network.name,
        "venue": at.name,
        "card_label": card.label,
        "taken_back": state == "taken_back",
        "words": words,
        "opened_at_us": it.opened_at_us,
        "zone": at.zone,
    }
    return Letter(letter_of(it.id), ANSWER_MAIL, it.language, email, data)


def letter_of(id_: UUID) -> UUID:
    """The id of the e-mail with a dispute's answer."""
    return uuid5(id_, "answer")


def _read(row: Any) -> Dispute:
    return Dispute(**{name: getattr(row, name) for name in Dispute.__dataclass_fields__})
