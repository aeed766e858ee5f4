"""Faults with what was done about them: who takes one, who gives it to whom, who closes it and why.

Errors: NotFound, Forbidden, Invalid("inbox-needs-text"), Conflict("inbox-moved-on", "cause-stands").
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from app.identity.audit import audit
from app.identity.people import people
from app.identity.rights import RIGHTS
from app.identity.roles import Principal
from app.inbox.finding import faults, named
from app.inbox.rules import Act, Case, Fault, State, Step, in_order
from app.inbox.tables import step
from app.ledger.service import Ledger
from app.platform.among import among
from app.platform.clock import now_us
from app.platform.errors import Conflict, Forbidden, Invalid, NotFound
from app.sales import exceptions as sales

TEXT_MAX = 500
# Of what was done, the newest are listed; each stays at its address.
LISTED_MAX = 300


async def cases(ledger: Ledger, caller: Principal | None) -> list[Case]:
    """Every fault that stands now, and the newest of those that people did something about, in order. `caller`: only
    what they may see; None means all."""
    async with ledger.reader.connect() as connection:
        keys = await _lately(connection)
        found = {it.key: it for it in await faults(connection, ledger)}
        found |= {it.key: it for it in await faults(connection, ledger, [it for it in keys if it not in found])}
        seen = [it for it in found.values() if caller is None or may_see(caller, it)]
        steps = await _steps(connection, [it.key for it in seen])
    return in_order(Case(it, steps.get(it.key, ())) for it in seen)


async def case(ledger: Ledger, caller: Principal, key: str) -> Case:
    """Raises NotFound, also for what the caller may not see."""
    async with ledger.reader.connect() as connection:
        fault = await named(connection, ledger, key)
        if fault is None or not may_see(caller, fault):
            raise NotFound("There is no such exception.")
        return Case(fault, (await _steps(connection, [key])).get(key, ()))


def may_see(caller: Principal, fault: Fault) -> bool:
    """What is nobody's venue is the network's."""
    return caller.sees_network if fault.venue is None else caller.may_see_venue(fault.venue)


async def owners(connection: AsyncConnection, fault: Fault) -> dict[str, str]:
    """Names of those to whom it may be given, by how the audit log names them."""
    return {
        f"person:{it.id}": it.name
        for it in (await people(connection)).values()
        for seen in [Principal(grants=it.grants, person=it.id).limited_to(RIGHTS["step_about_exception"])]
        if seen.grants and may_see(seen, fault)
    }


async def do(
    ledger: Ledger,
    caller: Principal,
    key: str,
    act: Act,
    *,
    seen: int,
    text: str = "",
    to: str = "",
    operation: UUID | None = None,
) -> Case:
    """One step. `seen`: the number of the newest step that they looked at. `to`: whose it becomes, for "give"."""
    now = await case(ledger, caller, key)
    text = text.strip()[:TEXT_MAX]
    if now.number != seen:
        raise Conflict("Somebody did something about it meanwhile.", "inbox-moved-on")
    _check(now, act, text)
    async with ledger.engine.begin() as connection:
        if act == "give" and to and to not in await owners(connection, now.fault):
            raise Forbidden("They may not see this.")
        owner = {"take": caller.actor, "give": to}.get(act, now.owner or (caller.actor if act == "wait" else ""))
        state: State = {"wait": "waiting", "done": "done", "open": "open"}.get(act, now.said)  # type: ignore[assignment]
        await _write(connection, now, act, state, owner, text, operation, caller.actor)
    return await case(ledger, caller, key)


def _check(now: Case, act: Act, text: str) -> None:
    if act in {"note", "book"} and not text:
        raise Invalid("Say why: a year later nobody remembers.", "inbox-needs-text")
    if act == "done":
        if not now.may_close:
            raise Conflict("What it is about still stands: put that right, and it closes by itself.", "cause-stands")
        if now.needs_reason and not text:
            raise Invalid("What it is about still stands: say why it is closed all the same.", "inbox-needs-text")


async def booked(ledger: Ledger, caller: Principal, key: str, text: str, operation: UUID) -> None:
    """Say that an action was booked; whoever comes second says it too, for the booking is the same."""
    for _ in range(3):
        now = await case(ledger, caller, key)
        if any(it.operation == operation for it in now.steps):
            return
        try:
            await do(ledger, caller, key, "book", seen=now.number, text=text, operation=operation)
        except Conflict:
            continue
        return
    raise Conflict("Somebody did something about it meanwhile.", "inbox-moved-on")


async def close_what_is_gone(ledger: Ledger) -> list[Case]:
    """Sales whose cause is gone (a card that owed was topped up) are written down as done. All cases as they stand."""
    found = await cases(ledger, None)
    for it in found:
        if not it.unwritten or not it.fault.key.startswith("sale:"):
            continue
        try:
            async with ledger.engine.begin() as connection:
                await _write(connection, it, "done", "done", it.owner, "", None, "server")
        except Conflict:
            continue
    return found


async def _write(
    connection: AsyncConnection,
    now: Case,
    act: Act,
    state: State,
    owner: str,
    text: str,
    operation: UUID | None,
    actor: str,
) -> None:
    row = {"fault": now.fault.key, "number": now.number + 1, "act": act, "state": state, "owner": owner, "text": text}
    row |= {"operation": operation, "actor": actor, "at_us": now_us()}
    try:
        await connection.execute(sa.insert(step).values(**row))
    except IntegrityError as error:
        raise Conflict("Somebody did something about it meanwhile.", "inbox-moved-on") from error
    kind, _, id_ = now.fault.key.partition(":")
    if kind == "sale" and act in {"done", "open"}:
        await sales.settle(connection, UUID(id_), actor if act == "done" else None)
    await audit(connection, actor, f"inbox.{act}", now.fault.key, owner=owner, text=text, operation=operation)


async def _lately(connection: AsyncConnection) -> list[str]:
    """Faults that somebody did something about, the newest first."""
    newest = sa.func.max(step.c.at_us)
    query = sa.select(step.c.fault).group_by(step.c.fault).order_by(newest.desc()).limit(LISTED_MAX)
    return list((await connection.execute(query)).scalars())


async def _steps(connection: AsyncConnection, keys: Collection[str]) -> dict[str, tuple[Step, ...]]:
    query = sa.select(step).where(among(step.c.fault, list(keys))).order_by(step.c.fault, step.c.number)
    found: dict[str, list[Step]] = {}
    for row in await connection.execute(query):
        it = Step(row.number, row.act, row.state, row.owner, row.text, row.operation, row.actor, row.at_us)
        found.setdefault(row.fault, []).append(it)
    return {key: tuple(of) for key, of in found.items()}


def counted(found: Iterable[Case]) -> dict[UUID | None, int]:
    """How many are open, by venue; None: the network's own."""
    count: dict[UUID | None, int] = {}
    for it in found:
        if it.state == "open":
            count[it.fault.venue] = count.get(it.fault.venue, 0) + 1
    return count
