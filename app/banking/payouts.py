"""What payment providers report of their payouts: taken in once, and each row matched with what is in the books.

Nothing is stored of a match: it is read off top-ups and what was taken back, so a row that is put right is matched from
then on. Which line of the bank a payout came with is decided there (app.banking.service).
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from typing import Any, Literal
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.banking.rules.finding import Coming
from app.banking.rules.lines import NotAStatement
from app.banking.rules.stripe_csv import DISPUTES, FEES, PROVIDER, PayoutLine, fees_of, read_stripe
from app.banking.tables import match, payout_line, payout_match, payout_report
from app.identity.audit import audit
from app.platform.among import among
from app.platform.clock import now_us
from app.platform.errors import Conflict, Invalid
from app.rules.ids import derived, uuid7
from app.topups import chargebacks, refunding
from app.topups import service as topups
from app.topups.chargebacks import Chargeback
from app.topups.service import Topup

FILE_MAX_BYTES = 5_000_000
SHOWN_MAX = 100
LINES_MAX = 20_000

# fee: the provider's; topup, taken_back, given_back, refunded: in the books; the others not, or not so.
What = Literal[
    "topup", "fee", "taken_back", "given_back", "refunded", "not_credited", "other_amount", "not_booked", "unknown"
]
EXPLAINED: frozenset[What] = frozenset({"topup", "fee", "taken_back", "given_back", "refunded"})

PROBLEMS = {
    "no-columns": "This is no itemized payout reconciliation report: columns are missing.",
    "not-in-euros": "The report is not in euros.",
    "bad-amount": "An amount cannot be read.",
    "bad-day": "A date cannot be read.",
    "does-not-add-up": "Gross less fee is not net.",
    "no-lines": "There is no row in the report.",
    "too-large": "The file is too large: export a shorter time.",
}


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a report and what it was found to be. `topup`: of which payment; `taken`: what was taken back of it."""

    id: UUID
    provider: str
    line: PayoutLine
    what: What
    topup: Topup | None = None
    taken: Chargeback | None = None

    @property
    def explained(self) -> bool:
        return self.what in EXPLAINED


@dataclass(frozen=True, slots=True)
class Payout:
    """`bank_line`: with which it came; None while it is on its way."""

    provider: str
    reference: str
    day: date
    rows: tuple[Row, ...]
    bank_line: UUID | None

    @property
    def net_cents(self) -> int:
        return sum(it.line.net_cents for it in self.rows)

    @property
    def fees_cents(self) -> int:
        return fees_of([it.line for it in self.rows])

    @property
    def unbooked_fees_cents(self) -> int:
        """Of the fees, what was not booked with the top-ups themselves."""
        booked = sum(it.topup.fee_cents or 0 for it in self.rows if it.what == "topup" and it.topup is not None)
        return self.fees_cents - booked

    @property
    def explained(self) -> bool:
        return all(it.explained for it in self.rows)


async def take_in(engine: AsyncEngine, name: str, content: bytes, *, actor: str) -> tuple[int, int]:
    """(rows taken in, rows known already) of a whole file. Raises Invalid("payout-file-invalid") with `problem`, a key
    of PROBLEMS, and Conflict("payout-file-known")."""
    if len(content) > FILE_MAX_BYTES:
        raise _wrong("too-large", "")
    try:
        found = read_stripe(content)
    except NotAStatement as error:
        raise _wrong(error.problem, error.where) from error
    digest, report = sha256(content).digest(), uuid7()
    async with engine.begin() as connection:
        if (await connection.execute(sa.select(payout_report.c.id).where(payout_report.c.digest == digest))).first():
            raise Conflict("This file was taken in already.", "payout-file-known")
        keys = among(payout_line.c.key, [it.key for it in found])
        query = sa.select(payout_line.c.key).where(payout_line.c.provider == PROVIDER, keys)
        known = set((await connection.execute(query)).scalars())
        new = {it.key: it for it in found if it.key not in known}
        row = {"id": report, "provider": PROVIDER, "name": name[:500], "digest": digest, "imported_by": actor}
        await connection.execute(sa.insert(payout_report).values(**row, imported_at_us=now_us()))
        if new:
            await connection.execute(sa.insert(payout_line), [_kept(report, it) for it in new.values()])
        await audit(connection, actor, "payout-report.import", f"report:{report}", name=name, rows=len(new))
    return len(new), len(found) - len(new)


def _kept(report: UUID, it: PayoutLine) -> dict[str, object]:
    return {
        "id": uuid7(),
        "report": report,
        "provider": PROVIDER,
        "key": it.key,
        "payout": it.payout,
        "day": it.day,
        "category": it.category,
        "gross_cents": it.gross_cents,
        "fee_cents": it.fee_cents,
        "net_cents": it.net_cents,
        "source": it.source,
        "names": json.dumps(it.names),
        "text": it.text[:500],
    }


def _wrong(problem: str, where: str) -> Invalid:
    return Invalid(PROBLEMS[problem], "payout-file-invalid", problem=problem, where=where)


async def payouts(connection: AsyncConnection, reference: str | None = None) -> list[Payout]:
    """The newest first, each with its rows; or the one of this name."""
    newest = sa.select(payout_line.c.provider, payout_line.c.payout).group_by(
        payout_line.c.provider, payout_line.c.payout
    )
    newest = newest.order_by(sa.func.max(payout_line.c.day).desc(), payout_line.c.payout).limit(SHOWN_MAX)
    if reference is not None:
        newest = newest.where(payout_line.c.payout == reference)
    names = [row.payout for row in await connection.execute(newest)]
    query = sa.select(payout_line).where(among(payout_line.c.payout, names)).order_by(payout_line.c.key)
    rows = await _matched(connection, (await connection.execute(query.limit(LINES_MAX))).all())
    arrived = await _arrived(connection)
    by_name: dict[tuple[str, str], list[Row]] = {}
    for it in rows:
        by_name.setdefault((it.provider, it.line.payout), []).append(it)
    found = [
        Payout(provider, name, max(it.line.day for it in of), tuple(of), arrived.get((provider, name)))
        for (provider, name), of in by_name.items()
    ]
    return sorted(found, key=lambda it: (it.day, it.reference), reverse=True)


async def rows_of(connection: AsyncConnection, ids: Collection[UUID]) -> list[Row]:
    query = sa.select(payout_line).where(payout_line.c.id.in_(list(ids)))
    return await _matched(connection, (await connection.execute(query)).all())


async def expected(connection: AsyncConnection) -> list[Coming]:
    """Payouts that no line of the bank is yet."""
    return [
        Coming(it.provider, it.reference, it.net_cents, it.unbooked_fees_cents, it.day, it.explained)
        for it in await payouts(connection)
        if it.bank_line is None and it.net_cents > 0
    ]


async def _arrived(connection: AsyncConnection) -> dict[tuple[str, str], UUID]:
    later = match.alias("later")
    undone = sa.exists().where(later.c.line == payout_match.c.line, later.c.number > payout_match.c.number)
    rows = await connection.execute(sa.select(payout_match).where(~undone))
    return {(row.provider, row.payout): row.line for row in rows}


async def has_come(connection: AsyncConnection, provider: str, reference: str) -> bool:
    """Whether a line of the bank is this payout."""
    return (provider, reference) in await _arrived(connection)


@dataclass(frozen=True, slots=True)
class Missing:
    """A payout that a provider reported and that no line of the bank is. `day`: its newest row's."""

    provider: str
    reference: str
    day: date
    net_cents: int
    arrived: bool

    @property
    def id(self) -> UUID:
        return derived("payout", self.provider, self.reference)


async def missing(connection: AsyncConnection, until: date, ids: Collection[UUID] | None = None) -> list[Missing]:
    """Payouts up to a day that did not come to the bank, the oldest first; or those named, come or not."""
    newest, net = sa.func.max(payout_line.c.day), sa.func.sum(payout_line.c.net_cents)
    query = sa.select(payout_line.c.provider, payout_line.c.payout, newest.label("day"), net.label("net"))
    query = query.group_by(payout_line.c.provider, payout_line.c.payout).having(net > 0)
    if ids is None:
        query = query.having(newest <= until)
    arrived = await _arrived(connection)
    found = [
        Missing(row.provider, row.payout, row.day, int(row.net), (row.provider, row.payout) in arrived)
        for row in await connection.execute(query.order_by(newest, payout_line.c.payout))
    ]
    return [it for it in found if (not it.arrived if ids is None else it.id in ids)]


async def _matched(connection: AsyncConnection, rows: Sequence[Any]) -> list[Row]:
    lines = [(row.id, row.provider, _line(row)) for row in rows]
    names = {name for _, _, it in lines for name in it.names}
    known = await topups.by_names(connection, PROVIDER, names)
    taken: dict[UUID, list[Chargeback]] = {}
    for it in await chargebacks.of_topups(connection, {it.id for it in known.values()}):
        taken.setdefault(it.topup, []).append(it)
    asked = await refunding.paid_of(connection, {it.id for it in known.values()})
    return [_row(id_, provider, it, known, taken, asked) for id_, provider, it in lines]


def _row(
    id_: UUID,
    provider: str,
    it: PayoutLine,
    known: Mapping[str, Topup],
    taken: Mapping[UUID, Sequence[Chargeback]],
    asked: Mapping[UUID, Sequence[int]],
) -> Row:
    of = next((known[name] for name in it.names if name in known), None)
    if it.category in FEES:
        return Row(id_, provider, it, "fee")
    if of is None:
        return Row(id_, provider, it, "unknown")
    mine = taken.get(of.id, ())
    if it.category == "charge":
        if of.status != "credited":
            return Row(id_, provider, it, "not_credited", of)
        right = of.euro_cents == it.gross_cents and (of.fee_cents or 0) <= it.fee_cents
        return Row(id_, provider, it, "topup" if right else "other_amount", of)
    if it.category == "dispute_reversal":
        back = next((one for one in mine if one.euro_cents == it.gross_cents), None)
        booked = back is not None and back.won_at_us is not None
        return Row(id_, provider, it, "given_back" if booked else "not_booked", of, back)
    if it.category == "refund" and -it.gross_cents in asked.get(of.id, ()):
        return Row(id_, provider, it, "refunded", of)
    if it.category == "refund" or it.category in DISPUTES:
        found = next((one for one in mine if one.euro_cents == -it.gross_cents), None)
        right = found is not None and (it.category == "refund" or found.fee_cents == it.fee_cents)
        return Row(id_, provider, it, "taken_back" if right else "not_booked", of, found)
    return Row(id_, provider, it, "unknown", of)


def _line(row: Any) -> PayoutLine:
    return PayoutLine(
        row.key,
        row.payout,
        row.day,
        row.category,
        row.gross_cents,
        row.fee_cents,
        row.net_cents,
        row.source,
        tuple(json.loads(row.names)),
        row.text,
    )
