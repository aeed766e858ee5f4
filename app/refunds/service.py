"""One refund, from the request to the money: frozen, worked out, sent, paid. Each step is taken once, by whoever comes
first, and taken again after a crash it goes on where it stopped.

Errors: Forbidden("card-blocked", "proof-needed"), Conflict("refund-open", "refund-moved-on"), Invalid("refund-closed",
"refund-too-small", "bank-details-invalid"), NotFound.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from uuid import UUID

import sqlalchemy as sa
import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from app.cards.lifecycle import blocked_for, ends_of, set_blocked
from app.cards.service import Card, balances, cards_of_wallet
from app.currencies.policies import policies, policy_at
from app.currencies.service import Currency, currencies
from app.eventclosing.service import refund_windows
from app.identity.audit import audit
from app.ledger.rules.operations import Posted
from app.ledger.service import Ledger, posted
from app.platform.clock import now_us
from app.platform.errors import Conflict, DomainError, Forbidden, Invalid
from app.refunds import booking, cardway, freezing, letters, store
from app.refunds.rules import CANCELLABLE, Part, Proof, Status, Way, closed, in_windows, part
from app.refunds.store import Line, Request
from app.rules.business_day import business_day
from app.rules.ids import derived
from app.rules.policy import Policy
from app.settlement import outgoing
from app.settlement.bank_details import WRONG
from app.settlement.outgoing import Due
from app.settlement.rules.accounts import Details, NotAnAccount, checked
from app.settlement.terms import NETWORK
from app.topups import refunding
from app.topups.provider import Provider
from app.venues.service import Network, the_network

_log = structlog.get_logger("comptoir.refunds")

# As the audit log has it.
REASON = "refund"
STEPS_MAX = 8
# Refunds of which a bank may say something.
HEARD: tuple[Status, ...] = ("sending", "sent", "paid")


@dataclass(frozen=True, slots=True)
class World:
    """What holds in the network now; with the days of refunds of its events."""

    network: Network
    known: Mapping[str, Currency]
    rules: Mapping[str, Policy]


async def world(connection: AsyncConnection) -> World:
    now, network = now_us(), await the_network(connection)
    windows, today = await refund_windows(connection), business_day(now, network.settings.zone)
    rules = {code: policy_at(of, now).policy for code, of in (await policies(connection)).items()}
    rules = {code: in_windows(it, windows, today) for code, it in rules.items()}
    return World(network, await currencies(connection), rules)


def refundable(at: World) -> dict[str, Currency]:
    """Currencies whose rules pay holders, whatever the day."""
    return {code: it for code, it in at.known.items() if it.cents_per_unit and "holders" in at.rules[code].redeem.who}


def open_now(at: World) -> dict[str, Currency]:
    today = business_day(now_us(), at.network.settings.zone)
    return {code: it for code, it in refundable(at).items() if not closed(at.rules[code], today)}


async def parts(
    ledger: Ledger, at: World, wallet: UUID, way: Way, provider: str | None, codes: Mapping[str, Currency]
) -> list[Part]:
    """What the wallet's money in these currencies comes to now, this way. The bank pays for the network's own money
    alone; back to payment cards goes no more than came from them."""
    held = await balances(ledger, f"wallet:{wallet}", codes)
    found = []
    for code, it in codes.items():
        units, rate = max(0, held[code]), it.cents_per_unit or 0
        if way == "bank" and it.issuer != NETWORK:
            continue
        if way == "cards":
            units = min(units, await cardway.room(ledger, wallet, code, provider) // rate)
        one = part(code, it.issuer, units, at.rules[code].refund, rate)
        if one is not None:
            found.append(one)
    return found


def bank_details(holder: str, iban: str) -> Details:
    """Raises Invalid("bank-details-invalid") with the `field` that is not right."""
    try:
        return checked(Details(holder, iban))
    except NotAnAccount as error:
        raise Invalid(WRONG[error.field], "bank-details-invalid", field=error.field) from error


async def ask(
    ledger: Ledger,
    provider: Provider | None,
    card: Card,
    way: Way,
    proof: Proof,
    id_: UUID,
    *,
    holder: str = "",
    iban: str = "",
    address: str = "",
    language: str = "fr",
    actor: str,
) -> Request:
    """From now on the wallet's cards pay nowhere, and its money waits for its holder. The same `id_` again is the same
    request."""
    async with ledger.reader.connect() as connection:
        before = [it for it in await store.of_wallet(connection, card.wallet) if it.id == id_]
        at = await world(connection)
    if before:
        return before[0]
    if card.status != "active":
        raise Forbidden("This card is blocked.", "card-blocked")
    if way == "bank" and proof == "address":
        raise Forbidden("Show that the card is yours first.", "proof-needed")
    to = bank_details(holder, iban) if way == "bank" else Details("", "")
    codes = open_now(at)
    if not codes:
        raise Invalid("What is left is not refunded now.", "refund-closed")
    found = await parts(ledger, at, card.wallet, way, provider.name if provider else None, codes)
    if not found:
        raise Invalid("There is nothing that can be refunded.", "refund-too-small")
    now = now_us()
    lines = tuple(Line(it.currency, it.units) for it in found)
    new = Request(
        id_, card.wallet, card.id, way, proof, to.holder, to.iban, address, language, "waiting", 0, 0, now, now, lines
    )
    try:
        async with ledger.engine.begin() as connection:
            blocked = await _block(connection, card.wallet, actor)
            await store.add(connection, new, blocked, actor)
            await audit(connection, actor, "refund.ask", f"card:{card.id}", refund=str(id_))
            await letters.send(connection, at.network, await store.named(connection, id_))
    except sa.exc.IntegrityError as error:
        raise _under_way() from error
    return await advance(ledger, provider, id_)


def _under_way() -> Conflict:
    return Conflict("A refund of this card is under way already.", "refund-open")


async def _block(connection: AsyncConnection, wallet: UUID, actor: str) -> list[UUID]:
    cards = await cards_of_wallet(connection, wallet)
    ended = await ends_of(connection, [it.id for it in cards])
    free = sorted((it for it in cards if it.status == "active" and it.id not in ended), key=lambda it: it.id)
    for it in free:
        await set_blocked(connection, actor, it.id, True, REASON)
    return [it.id for it in free]


async def advance(ledger: Ledger, provider: Provider | None, id_: UUID) -> Request:
    """Take every step that can be taken now."""
    async with ledger.reader.connect() as connection:
        it, at = await store.named(connection, id_), await world(connection)
    for _ in range(STEPS_MAX):
        try:
            after = await _step(ledger, provider, at, it)
        except Conflict as error:
            if error.code != "refund-moved-on":
                raise
            async with ledger.reader.connect() as connection:
                after = await store.named(connection, id_)
        if (after.status, after.attempt, after.sending) == (it.status, it.attempt, it.sending):
            return after
        it = after
    return it


async def _step(ledger: Ledger, provider: Provider | None, at: World, it: Request) -> Request:
    match it.status:
        case "waiting":
            return await _work_out(ledger, provider, at, it)
        case "setting":
            return await _set_aside(ledger, at, it)
        case "ready" if it.way == "cards":
            async with ledger.engine.begin() as connection:
                await cardway.plan(connection, it, provider)
                return await _moved(connection, at, it, "sending")
        case "sending" | "paid" | "failed" if it.way == "cards":
            status, reason = await cardway.send(ledger, provider, at.network, at.known, it)
            if status == it.status:
                return it
            if status == "failed" and it.topup is not None:
                # Whoever asked for nothing is not asked where it should go: it is on the card again.
                status = "cancelling"
            async with ledger.engine.begin() as connection:
                return await _moved(connection, at, it, status, reason=reason)
        case "sending" | "sent" | "paid":
            return await _heard_of_bank(ledger, at, it)
        case "cancelling":
            return await _give_back(ledger, at, it)
    return it


async def _work_out(ledger: Ledger, provider: Provider | None, at: World, it: Request) -> Request:
    """Once nothing can come in any more: what the card holds now is what there is."""
    async with ledger.reader.connect() as connection:
        if await freezing.waited_for(connection, at.network, it) or await freezing.has_open_tab(connection, it):
            return it
    await freezing.charge_late_sales(ledger, at.network, at.known, it)
    # What was asked for in time is paid, also after the last day; at the rates of now.
    codes = {line.currency: at.known[line.currency] for line in it.lines}
    found = await parts(ledger, at, it.wallet, it.way, provider.name if provider else None, codes)
    lines = [Line(one.currency, 0, one.units, one.cents, one.fee_cents) for one in found]
    async with ledger.engine.begin() as connection:
        if not lines:
            await store.set_lines(connection, it, [])
            return await _moved(connection, at, it, "nothing")
        after = await store.move(connection, it, "setting", actor="server", attempt=it.attempt + 1)
        await store.set_lines(connection, after, lines)
        return await store.named(connection, it.id)


def parts_of(it: Request, known: Mapping[str, Currency]) -> list[Part]:
    return [
        Part(line.currency, known[line.currency].issuer, line.units or 0, line.cents, line.fee_cents or 0)
        for line in it.lines
        if line.cents
    ]


async def _set_aside(ledger: Ledger, at: World, it: Request) -> Request:
    operation = await booking.set_aside(ledger, at.network, at.known, it, parts_of(it, at.known))
    (outcome,) = await ledger.post([operation])
    async with ledger.engine.begin() as connection:
        if isinstance(outcome, Posted):
            return await _moved(connection, at, it, "ready")
        with suppress(DomainError):
            posted(outcome)
        if it.topup is not None:
            # What nobody asked for is not worked out of something else.
            await refunding.unplan(connection, it.id, "spent meanwhile")
            return await _moved(connection, at, it, "nothing")
        # Something was taken meanwhile: it is worked out again.
        return await store.move(connection, it, "waiting", actor="server", reason="worked out again")


async def dues(connection: AsyncConnection, network: Network) -> list[tuple[Request, Due]]:
    """What the bank is to pay next."""
    ready = [it for it in await store.listed(connection, statuses=["ready"]) if it.way == "bank"]
    return [
        (it, Due(booking.paid_id(it), it.cents, Details(it.holder, it.iban), f"{network.name}: remboursement / refund"))
        for it in ready
    ]


async def make_file(ledger: Ledger, *, actor: str) -> UUID:
    """The bank's file of all that is ready. Raises as app.settlement.outgoing.make does."""
    async with ledger.engine.begin() as connection:
        at = await world(connection)
        found = await dues(connection, at.network)
        id_ = await outgoing.make(connection, [due for _, due in found], at.network.settings.zone, actor=actor)
        for it, _ in found:
            await store.move(connection, it, "sending", actor=actor)
        return id_


async def release_file(ledger: Ledger, id_: UUID, *, actor: str) -> None:
    async with ledger.engine.begin() as connection:
        await outgoing.release(connection, id_, actor=actor)
        at = await world(connection)
        sending = await store.listed(connection, statuses=["sending"], limit=store.ALL)
        mine = {booking.paid_id(it): it for it in sending if it.way == "bank"}
        for transfer in (await outgoing.sent(connection, list(mine))).values():
            if transfer.file == id_:
                await _moved(connection, at, mine[transfer.id], "sent", actor=actor)


async def _heard_of_bank(ledger: Ledger, at: World, it: Request) -> Request:
    """Booked when the bank has paid, and taken back when it returns the money."""
    async with ledger.reader.connect() as connection:
        found = (await outgoing.sent(connection, [booking.paid_id(it)])).get(booking.paid_id(it))
    if found is None or not found.answers:
        return it
    cents: dict[str, int] = {}
    for one in parts_of(it, at.known):
        cents[one.issuer] = cents.get(one.issuer, 0) + one.cents
    last = found.answers[-1]
    executed = any(one.kind == "executed" for one in found.answers)
    if executed and it.status != "paid":
        await ledger.post_one(await booking.paid(ledger, at.network, at.known, it, cents))
    if last.kind == "executed":
        if it.status == "paid":
            return it
        async with ledger.engine.begin() as connection:
            return await _moved(connection, at, it, "paid", actor=last.actor)
    if executed:
        await _take_back(ledger, at, booking.paid_id(it), it)
    async with ledger.engine.begin() as connection:
        return await _moved(connection, at, it, "failed", actor=last.actor, reason=last.reason)


async def _take_back(ledger: Ledger, at: World, operation: UUID, it: Request) -> None:
    original = (await ledger.booked([operation])).get(operation)
    if original is None:
        return
    now = now_us()
    back = await ledger.reversal(
        original,
        booking.back_of(operation),
        actor=f"refund:{it.id}",
        occurred_at_us=now,
        business_day=business_day(now, at.network.settings.zone),
        details=original.details,
    )
    await ledger.post_one(back)


@asynccontextmanager
async def _alone(ledger: Ledger) -> AsyncIterator[AsyncConnection]:
    """A transaction. Conflict("refund-open") where another refund of the wallet is under way."""
    try:
        async with ledger.engine.begin() as connection:
            yield connection
    except sa.exc.IntegrityError as error:
        raise _under_way() from error


async def mend(ledger: Ledger, provider: Provider | None, id_: UUID, holder: str, iban: str, *, actor: str) -> Request:
    """The bank sent it back: to another account, or back to payment cards no more but to an account."""
    to = bank_details(holder, iban)
    async with _alone(ledger) as connection:
        it = await store.named(connection, id_)
        if it.status != "failed":
            raise Conflict("This refund has moved on meanwhile.", "refund-moved-on")
        at = await world(connection)
        left = await cardway.left_of(connection, it, locked=True) if it.way == "cards" else None
        if left is not None:
            await store.set_lines(connection, it, left)
        values = {"way": "bank", "holder": to.holder, "iban": to.iban, "sending": it.sending + 1}
        await _moved(connection, at, it, "ready", actor=actor, reason=cardway.MENDED, **values)
        await audit(connection, actor, "refund.mend", f"refund:{id_}", refund=str(id_))
    return await advance(ledger, provider, id_)


async def cancel(ledger: Ledger, provider: Provider | None, id_: UUID, *, actor: str, reason: str = "") -> Request:
    """Before the money is on its way: it is on the card again, and the cards that were blocked for it pay again."""
    async with _alone(ledger) as connection:
        it = await store.named(connection, id_)
        if it.status in {"cancelling", "cancelled"}:
            return it
        if not await cancellable(connection, it):
            raise Conflict("The money is on its way already.", "refund-moved-on")
        await store.move(connection, it, "cancelling", actor=actor, reason=reason)
        await audit(connection, actor, "refund.cancel", f"refund:{id_}", reason=reason)
    return await advance(ledger, provider, id_)


async def _give_back(ledger: Ledger, at: World, it: Request) -> Request:
    if it.attempt:
        await _take_back(ledger, at, booking.set_aside_id(it), it)
    async with ledger.engine.begin() as connection:
        after = await _moved(connection, at, it, "cancelled")
        await thaw(connection, it, "server")
        return after


async def thaw(connection: AsyncConnection, it: Request, actor: str) -> None:
    """The cards that were blocked for it pay again, but for those that are out of use for good or that somebody blocked
    for another reason meanwhile."""
    cards = await store.blocked_for(connection, it.id)
    ended = await ends_of(connection, cards)
    for id_ in cards:
        last = await blocked_for(connection, id_)
        if id_ not in ended and last is not None and last[1] == REASON:
            await set_blocked(connection, actor, id_, False, REASON)


async def _moved(
    connection: AsyncConnection,
    at: World,
    it: Request,
    status: Status,
    *,
    actor: str = "server",
    reason: str = "",
    **values: object,
) -> Request:
    """The next state, and the message that tells it."""
    after = await store.move(connection, it, status, actor=actor, reason=reason, **values)
    await letters.send(connection, at.network, after)
    return after


async def cancellable(connection: AsyncConnection, it: Request) -> bool:
    """Whether all of the money is still here. What came back late was never set aside by this refund alone."""
    whole = it.status == "waiting" or it.attempt > 0
    return it.status in CANCELLABLE and whole and await cardway.left_of(connection, it) is None


async def use_again(ledger: Ledger, it: Request, *, actor: str) -> None:
    """Once the money is off the card, the empty card may be used again."""
    if it.status not in {"sending", "sent", "paid", "nothing"}:
        raise Conflict("This refund has moved on meanwhile.", "refund-moved-on")
    async with ledger.engine.begin() as connection:
        if any(not one.ended and one.id != it.id for one in await store.of_wallet(connection, it.wallet)):
            raise _under_way()
        await thaw(connection, it, actor)


async def advance_all(ledger: Ledger, provider: Provider | None) -> int:
    """Whatever can move by itself; how many did. One that cannot does not stop the others."""
    async with ledger.reader.connect() as connection:
        waiting = await store.due(connection)
        # What was paid back to a card may come back from there, also where another part of it came back before.
        back = await refunding.failed_requests(connection)
        failed = [await store.named(connection, id_) for id_ in back]
        waiting += [it for it in failed if it.way == "cards" and it.status in {"paid", "failed"}]
    for it in failed:
        if it.way == "bank":
            await _owe_again(ledger, it)
    moved = 0
    for it in waiting:
        try:
            after = await advance(ledger, provider, it.id)
        except Exception:
            _log.exception("refund not moved", refund=str(it.id))
            continue
        moved += after.status != it.status
    return moved + await hear(ledger, provider, ["sent"])


async def _owe_again(ledger: Ledger, it: Request) -> None:
    """What came back of payment cards once the rest had gone to the bank is a refund of its own, which waits for its
    holder. Looked at again, it is there."""
    async with ledger.reader.connect() as connection:
        at = await world(connection)
        late = await cardway.came_back_late(ledger, at.network, connection, it)
        known = {one.id for one in await store.of_wallet(connection, it.wallet)}
    for row in late:
        id_, now = derived("refund", "late", row.id), now_us()
        if id_ in known:
            continue
        line = Line(row.currency, 0)
        new = replace(
            it, id=id_, way="cards", status="failed", attempt=0, sending=0, asked_at_us=now, changed_at_us=now
        )
        new = replace(new, holder="", iban="", lines=(line,))
        async with ledger.engine.begin() as connection:
            await store.add(connection, new, [], "server", row.reason)
            await store.set_lines(connection, new, [Line(row.currency, 0, 0, row.euro_cents, 0)])
            await letters.send(connection, at.network, await store.named(connection, id_))


async def hear(ledger: Ledger, provider: Provider | None, statuses: Collection[Status] = HEARD) -> int:
    """After the bank said something: also of what was paid, for it may come back. How many moved."""
    async with ledger.reader.connect() as connection:
        found = await store.listed(connection, statuses=statuses, limit=store.ALL)
        with_bank = {booking.paid_id(it): it for it in found if it.way == "bank"}
        said = await outgoing.sent(connection, list(with_bank))
    moved = 0
    for transfer in said.values():
        it = with_bank[transfer.id]
        # What is paid stays so until the bank takes it back.
        if transfer.answers and (it.status != "paid" or transfer.answers[-1].kind != "executed"):
            moved += (await advance(ledger, provider, it.id)).status != it.status
    return moved
