"""Where faults are found: each is read off what the other rooms keep, so a new one shows by itself and one that is put
right is gone by itself."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from app.banking import payouts
from app.banking import service as banking
from app.cards.service import card_by_id, cards_by_uid
from app.currencies.service import currencies
from app.inbox import disputed, doors, settlements
from app.inbox.rules import Fault
from app.ledger.service import BookedOperation, Ledger
from app.platform.clock import now_us
from app.rules.business_day import business_day
from app.sales import exceptions as sales
from app.settlement import paying
from app.settlement.terms import network_terms
from app.topups import chargebacks, strays
from app.topups import service as topups
from app.venues.service import the_network

# After this a payment page is closed, so that what became of it should be known.
KNOWN_AFTER_US = 25 * 3600 * 1_000_000
# Crediting comes right after the provider's word.
CREDITED_AFTER_US = 60 * 1_000_000

OVERDRAFT, SUSPENSE = "offline-overdraft", frozenset({"unknown-card", "blocked-card"})
# Their event is a closing of a till.
OF_CLOSING = frozenset({"till-difference", "closing-differs", "no-session"})
RESERVE = "reserve:owed"


async def faults(connection: AsyncConnection, ledger: Ledger, keys: Collection[str] | None = None) -> list[Fault]:
    """All that stand now; or those of these keys, whether they stand or not."""
    ids = None if keys is None else _ids(keys)
    found = await _sales(connection, ledger, None if ids is None else ids.get("sale", []))
    found += await _payments(connection, None if ids is None else ids.get("topup", []))
    found += await _strays(connection, None if ids is None else ids.get("stray", []))
    found += await _taken_back(connection, ledger, None if ids is None else ids.get("chargeback", []))
    found += await _lines(connection, None if ids is None else ids.get("line", []))
    found += await _rows(connection, None if ids is None else ids.get("payout", []))
    found += await _late_payouts(connection, None if ids is None else ids.get("late-payout", []))
    found += await _failed(connection, None if ids is None else ids.get("payment", []))
    found += await settlements.disputed(connection, None if ids is None else ids.get("dispute", []))
    found += await settlements.waiting(connection, None if ids is None else ids.get("later", []))
    found += await disputed.disputed(connection, None if ids is None else ids.get(disputed.OPEN, []))
    found += await disputed.unanswered(connection, None if ids is None else ids.get(disputed.LATE, []))
    found += await doors.twice(connection, None if ids is None else ids.get(doors.TWICE, []))
    if keys is None or RESERVE in keys:
        found += await _reserve(ledger, always=keys is not None)
    return found


async def named(connection: AsyncConnection, ledger: Ledger, key: str) -> Fault | None:
    return next(iter(await faults(connection, ledger, [key])), None)


def _ids(keys: Collection[str]) -> dict[str, list[UUID]]:
    """The ids in keys, by what they begin with; what is no key of ours is left out."""
    found: dict[str, list[UUID]] = {}
    for key in keys:
        kind, _, id_ = key.partition(":")
        try:
            found.setdefault(kind, []).append(UUID(id_))
        except ValueError:
            continue
    return found


async def _sales(connection: AsyncConnection, ledger: Ledger, ids: Collection[UUID] | None) -> list[Fault]:
    """What terminals delivered, and what of it nobody has paid yet."""
    rows = await sales.told(connection, ids)
    cards = {str(uid) for it in rows for uid in (it["details"].get("card"), *it["details"].get("owed", ())) if uid}
    labels = {uid: card.label for uid, card in (await cards_by_uid(connection, cards)).items()} if cards else {}
    booked = await ledger.booked([it["event"] for it in rows])
    debts = await _debts(connection, ledger, [it for it in rows if it["kind"] == OVERDRAFT])
    suspended = [booked[it["event"]] for it in rows if it["kind"] in SUSPENSE and it["event"] in booked]
    waiting = await in_suspense(ledger, suspended)
    found = []
    for it in rows:
        told = it["details"]
        cause: bool | None = None
        if it["kind"] == OVERDRAFT:
            cause = any(debts.get((uid, code), 0) for uid, of in told.get("owed", {}).items() for code in of)
        elif it["kind"] in SUSPENSE:
            cause = bool(waiting.get(it["event"]))
        elif it["kind"] in {"forked-journal", "late-rows"}:
            cause = it["settled_at_us"] is None
        facts = {**told, "label": labels.get(str(told.get("card", "")), str(told.get("card", "")))}
        if it["kind"] in OF_CLOSING:
            facts["closing"] = str(it["event"])
        if it["kind"] in SUSPENSE:
            facts["waiting"] = waiting.get(it["event"], {})
        if it["kind"] == OVERDRAFT:
            facts["debts"] = {uid: {c: debts.get((uid, c), 0) for c in of} for uid, of in told["owed"].items()}
            facts["labels"] = labels
        operation = booked.get(it["event"])
        if operation is not None:
            facts |= {"happened_at_us": operation.occurred_at_us, "seq": operation.seq}
        found.append(
            Fault(
                f"sale:{it['id']}",
                it["kind"],
                it["opened_at_us"],
                it["venue"],
                it["terminal"],
                it["event"] if operation is not None else None,
                cause,
                facts,
            )
        )
    return found


async def _debts(
    connection: AsyncConnection, ledger: Ledger, rows: Collection[Mapping[str, Any]]
) -> dict[tuple[str, str], int]:
    """What each card owes now, in minor units by (its number, currency)."""
    cards = await cards_by_uid(connection, {uid for it in rows for uid in it["details"].get("owed", ())})
    if not cards:
        return {}
    owing = await ledger.balances(owners={it.owner for it in cards.values()}, kinds=["overdraft"])
    owed = {(row.key.owner, row.key.book.currency): -row.balance for row in owing if row.balance}
    return {
        (uid, code): units for uid, it in cards.items() for (owner, code), units in owed.items() if owner == it.owner
    }


async def in_suspense(ledger: Ledger, operations: Collection[BookedOperation]) -> dict[UUID, dict[str, int]]:
    """What of each operation still waits in suspense, in minor units by currency: above 0 where a card should pay it,
    below where it should get it."""
    moved = [t for it in operations for t in it.transfers]
    if not moved:
        return {}
    keys = await ledger.keys_of({account for t in moved for account in (t.debit, t.credit)})
    back = await ledger.taken_back([t.id for t in moved])
    found: dict[UUID, dict[str, int]] = {}
    for it in operations:
        for t in it.transfers:
            left = t.amount - back.get(t.id, 0)
            for account, sign in ((t.debit, 1), (t.credit, -1)):
                if left and keys[account].kind == "suspense":
                    of = found.setdefault(it.id, {})
                    code = keys[account].book.currency
                    of[code] = of.get(code, 0) + sign * left
    whole = {id_: {code: units for code, units in of.items() if units} for id_, of in found.items()}
    return {id_: of for id_, of in whole.items() if of}


async def _payments(connection: AsyncConnection, ids: Collection[UUID] | None) -> list[Fault]:
    """Online top-ups that were paid and are not on the card, and those of which nobody knows."""
    now = now_us()
    found = await topups.doubtful(connection, now - CREDITED_AFTER_US, now - KNOWN_AFTER_US, ids)
    return [
        Fault(
            f"topup:{it.id}",
            _kind_of(it),
            it.paid_at_us or it.created_at_us,
            cause=it.status != "credited" and (it.paid_at_us is not None or it.status == "pending"),
            facts={
                "currency": it.currency,
                "amount": it.amount,
                "euro_cents": it.euro_cents,
                "paid_cents": it.paid_cents,
                "provider": it.provider,
                "reference": it.reference,
                "happened_at_us": it.created_at_us,
            },
        )
        for it in found
    ]


def _kind_of(it: topups.Topup) -> str:
    if it.paid_at_us is None:
        return "payment-not-known"
    return "paid-not-credited" if it.paid_cents in {None, it.euro_cents} else "paid-otherwise"


async def _strays(connection: AsyncConnection, ids: Collection[UUID] | None) -> list[Fault]:
    """Payments at the provider that no top-up here knows."""
    return [
        Fault(
            f"stray:{it.id}",
            "payment-stray",
            it.found_at_us,
            cause=it.settled_at_us is None,
            facts={"cents": it.euro_cents, "provider": it.provider, "reference": it.reference},
        )
        for it in await strays.listed(connection, ids)
    ]


async def _taken_back(connection: AsyncConnection, ledger: Ledger, ids: Collection[UUID] | None) -> list[Fault]:
    """Payments that were taken back: somebody should know of each, and of what its card still owes."""
    rows = [it for it in await chargebacks.listed(connection, ids=ids) if ids is not None or it.won_at_us is None]
    if not rows:
        return []
    known = await currencies(connection)
    of = {it.id: it for it in await topups.doubtful(connection, 0, 0, {it.topup for it in rows})}
    found = []
    for it in rows:
        paid = of[it.topup]
        card = await card_by_id(connection, paid.card)
        owed = await chargebacks.owed_of(ledger, known[paid.currency], f"wallet:{paid.wallet}", it.id)
        left = {paid.currency: owed.left}
        if paid.gift is not None:
            given = await chargebacks.owed_of(ledger, known[paid.gift], f"wallet:{paid.wallet}", it.id)
            left[paid.gift] = given.left
        left = {code: units for code, units in left.items() if units}
        owing = {card.uid: left} if left else {}
        cause = False if it.won_at_us is not None else (True if left else None)
        facts = {
            "cents": it.euro_cents,
            "fee_cents": it.fee_cents,
            "label": card.label,
            "labels": {card.uid: card.label},
            "owed": owing,
            "debts": owing,
            "provider": it.provider,
            "reference": it.reference,
        }
        found.append(Fault(f"chargeback:{it.id}", "chargeback", it.at_us, operation=it.id, cause=cause, facts=facts))
    return found


async def _lines(connection: AsyncConnection, ids: Collection[UUID] | None) -> list[Fault]:
    """Lines of the bank that nobody could match."""
    lines = await banking.lines(connection, open_=True) if ids is None else []
    for id_ in ids or ():
        lines += await banking.lines(connection, one=id_)
    return [
        Fault(
            f"line:{it.id}",
            "bank-line",
            int(datetime.combine(it.line.day, time(), UTC).timestamp()) * 1_000_000,
            cause=it.found is None,
            facts={
                "line": str(it.id),
                "cents": it.line.amount_cents,
                "party": it.line.party,
                "text": it.line.text,
                "day": it.line.day,
            },
        )
        for it in lines
    ]


async def _rows(connection: AsyncConnection, ids: Collection[UUID] | None) -> list[Fault]:
    """Rows of a provider's reports that are not in the books as the provider says."""
    if ids is None:
        rows = [it for of in await payouts.payouts(connection) for it in of.rows if not it.explained]
    else:
        rows = await payouts.rows_of(connection, ids)
    return [
        Fault(
            f"payout:{it.id}",
            "payout-line",
            int(datetime.combine(it.line.day, time(), UTC).timestamp()) * 1_000_000,
            cause=not it.explained,
            facts={
                "what": it.what,
                "category": it.line.category,
                "cents": it.line.gross_cents,
                "payout": it.line.payout,
                "topup": str(it.topup.id) if it.topup else "",
                "provider": it.provider,
                "reference": it.line.source or it.line.key,
                "text": it.line.text,
            },
        )
        for it in rows
    ]


async def _late_payouts(connection: AsyncConnection, ids: Collection[UUID] | None) -> list[Fault]:
    """Payouts that a provider says it made, and that are not at the bank after as many days as the terms give them."""
    zone = (await the_network(connection)).settings.zone
    days = timedelta(days=(await network_terms(connection)).payout_days)
    return [
        Fault(
            f"late-payout:{it.id}",
            "payout-late",
            int(datetime.combine(it.day + days, time(), UTC).timestamp()) * 1_000_000,
            cause=not it.arrived,
            facts={"cents": it.net_cents, "payout": it.reference, "name": it.provider.capitalize(), "day": it.day},
        )
        for it in await payouts.missing(connection, business_day(now_us(), zone) - days, ids)
    ]


async def _failed(connection: AsyncConnection, ids: Collection[UUID] | None) -> list[Fault]:
    """Payments of settlements that the bank refused or returned; a later payment to the same venue makes them good."""
    return [
        Fault(
            f"payment:{it.id}",
            "payment-failed",
            it.at_us,
            it.venue,
            cause=not it.made_good,
            facts={"run": str(it.run), "number": it.number, "cents": it.cents, "reason": it.reason},
        )
        for it in await paying.failed(connection)
        if (it.id in ids if ids is not None else not it.made_good)
    ]


async def _reserve(ledger: Ledger, *, always: bool) -> list[Fault]:
    """What the network owes its reserve (fees and losses that holders' euros paid), and a reserve below zero."""
    rows = await ledger.balances(kinds=["bank", "due_from", "payable"])
    of = [row for row in rows if row.key.book.kind == "reserve" and row.key.book.issuer == "network"]
    bank = sum(row.balance for row in of if row.key.kind == "bank")
    owed = sum(row.balance for row in of if row.key.kind == "due_from" and row.key.owner == "operating")
    owing = sum(row.balance for row in of if row.key.kind == "payable" and row.key.owner == "operating")
    missing = max(0, owed - owing)
    if not always and not missing and bank >= 0:
        return []
    kind = "reserve-short" if bank < 0 else "reserve-owed"
    return [Fault(RESERVE, kind, now_us(), cause=bool(missing) or bank < 0, facts={"cents": missing, "bank": bank})]
