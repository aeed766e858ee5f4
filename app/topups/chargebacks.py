"""Payments that are taken back after they were credited: a dispute that the holder's bank decides, a returned debit.

The card gives what it still holds; the rest it owes, like a debt after an offline sale: its next top-up pays that
first, or somebody bears it (docs/decisions, "A payment that is taken back"). When the dispute is won after all, all of
it is undone, and what the network had borne comes back to it.

Errors: NotFound, Invalid("chargeback-invalid"), Conflict("chargeback-known", "chargeback-ended").
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from uuid import UUID

import sqlalchemy as sa
import structlog
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from app.cards.service import overdraft_key, wallet_key
from app.currencies.service import Currency, rates
from app.identity.audit import audit
from app.ledger.rules.kinds import AccountKey
from app.ledger.rules.operations import Operation, Posting
from app.ledger.service import Ledger, currency_book, operating_book, reserve_book
from app.platform.clock import now_us
from app.platform.errors import Conflict, DomainError, Invalid, NotFound
from app.rules.business_day import business_day
from app.rules.ids import derived
from app.topups import refunding, service
from app.topups.provider import Dispute, DisputeKind
from app.topups.rules import Change, Owed, gift_back, owed
from app.topups.service import Topup
from app.topups.tables import chargeback, chargeback_end, topup

_log = structlog.get_logger("comptoir.topups")

TAKEN_BACK, WON = "chargeback", "chargeback.won"
# By which the network bears what cards owe (app.settlement.booking, which stands above this room).
BORNE = frozenset({"settlement.cover"})
SHOWN_MAX = 200
HISTORY_MAX = 10_000


@dataclass(frozen=True, slots=True)
class Chargeback:
    """`id` is the operation's. `won_at_us` None: it stands."""

    id: UUID
    topup: UUID
    provider: str
    reference: str
    kind: DisputeKind
    euro_cents: int
    fee_cents: int
    recorded_by: str
    at_us: int
    won_at_us: int | None = None
    fee_back_cents: int = 0


async def take_back(
    ledger: Ledger,
    currencies: Mapping[str, Currency],
    zone: str,
    it: Topup,
    reference: str,
    kind: DisputeKind,
    euro_cents: int,
    fee_cents: int,
    *,
    actor: str,
) -> Chargeback:
    """The provider took a payment (or a part of it) back, and its fee. Told again, it is the same, and booked once."""
    if euro_cents <= 0 or fee_cents < 0 or not reference.strip():
        raise Invalid("A reference, an amount above zero, and a fee or none are needed.", "chargeback-invalid")
    id_ = derived("chargeback", it.provider, reference.strip())
    new = Chargeback(id_, it.id, it.provider, reference.strip(), kind, euro_cents, fee_cents, actor, now_us())
    async with ledger.engine.begin() as connection:
        # Two that are told at once would each see room for itself.
        await connection.execute(sa.select(topup.c.id).where(topup.c.id == it.id).with_for_update())
        known = await listed(connection, one=id_)
        if known and (known[0].topup, known[0].euro_cents, known[0].fee_cents) != (it.id, euro_cents, fee_cents):
            raise Conflict("This reference was told with another amount.", "chargeback-known")
        if not known:
            await _keep(connection, new)
    (stored,) = known or [new]
    if stored.won_at_us is None and not await ledger.booked([id_]):
        await ledger.post_one(await _taken(ledger, currencies, zone, it, stored))
    return stored


async def _keep(connection: AsyncConnection, new: Chargeback) -> None:
    row = {"id": new.id, "topup": new.topup, "provider": new.provider, "reference": new.reference, "kind": new.kind}
    row |= {"euro_cents": new.euro_cents, "fee_cents": new.fee_cents, "recorded_by": new.recorded_by}
    try:
        await connection.execute(sa.insert(chargeback).values(**row, at_us=new.at_us))
    except IntegrityError as error:
        raise Invalid("No more is taken back than was paid and credited.", "chargeback-invalid") from error
    subject = f"topup:{new.topup}"
    await audit(
        connection, new.recorded_by, "chargeback.record", subject, reference=new.reference, cents=new.euro_cents
    )


async def won(
    ledger: Ledger, currencies: Mapping[str, Currency], zone: str, id_: UUID, fee_back_cents: int, *, actor: str
) -> Chargeback:
    """The dispute was won: the provider gave the money back, and of its fee what it says."""
    async with ledger.reader.connect() as connection:
        it = await named(connection, id_)
    if not 0 <= fee_back_cents <= it.fee_cents:
        raise Invalid("No more of the fee comes back than was taken.", "chargeback-invalid")
    if it.won_at_us is not None:
        if it.fee_back_cents != fee_back_cents:
            raise Conflict("It ended already.", "chargeback-ended")
        return it
    of = await service.named(ledger.engine, it.topup)
    if not await ledger.booked([id_]):
        # Its server stopped before it was booked.
        await ledger.post_one(await _taken(ledger, currencies, zone, of, it))
    operation = await _undone(ledger, currencies, zone, of, it, fee_back_cents)
    if not await ledger.booked([operation.id]):
        await ledger.post_one(operation)
    row = {"chargeback": id_, "operation": operation.id, "fee_back_cents": fee_back_cents, "ended_by": actor}
    try:
        async with ledger.engine.begin() as connection:
            await connection.execute(sa.insert(chargeback_end).values(**row, at_us=now_us()))
            await audit(connection, actor, "chargeback.won", f"topup:{it.topup}", reference=it.reference)
    except IntegrityError:
        # Somebody was quicker, with the same operation.
        pass
    async with ledger.reader.connect() as connection:
        return await named(connection, id_)


async def take_in(
    ledger: Ledger, currencies: Mapping[str, Currency], zone: str, provider: str, told: Collection[Dispute]
) -> int:
    """What the provider says of disputes, each acted on once; how many are of payments that we know."""
    known = 0
    async with ledger.reader.connect() as connection:
        paid = await service.by_names(connection, provider, {it.payment for it in told}) if told else {}
        asked = await refunding.asked(connection, {it.asked for it in told if it.asked is not None})
    for it in told:
        of = paid.get(it.payment)
        if of is None or of.status != "credited":
            continue
        known += 1
        if it.asked in asked:
            # We gave it back ourselves: it is in the books as a refund, and comes back to it.
            if it.won:
                await refunding.failed(ledger.engine, asked[it.asked], "came back")
            continue
        try:
            await _act_on(ledger, currencies, zone, of, it, f"provider:{provider}")
        except DomainError as error:
            # The others do not wait for it; the provider's report of payouts shows it as not booked.
            _log.error("not taken back", dispute=it.reference, topup=str(of.id), reason=error.detail)
    return known


async def _act_on(
    ledger: Ledger, currencies: Mapping[str, Currency], zone: str, of: Topup, it: Dispute, actor: str
) -> None:
    kept = await take_back(
        ledger, currencies, zone, of, it.reference, it.kind, it.euro_cents, it.fee_cents, actor=actor
    )
    if it.won and kept.won_at_us is None:
        await won(ledger, currencies, zone, kept.id, it.fee_back_cents, actor=actor)


_ALL = sa.select(chargeback, chargeback_end.c.at_us.label("won_at_us"), chargeback_end.c.fee_back_cents).select_from(
    chargeback.outerjoin(chargeback_end)
)


def _chargeback(row: sa.RowMapping) -> Chargeback:
    return Chargeback(**{**row, "fee_back_cents": row["fee_back_cents"] or 0})


async def listed(
    connection: AsyncConnection, *, one: UUID | None = None, ids: Collection[UUID] | None = None
) -> list[Chargeback]:
    """The newest first."""
    query = _ALL.order_by(chargeback.c.at_us.desc()).limit(SHOWN_MAX)
    if one is not None:
        query = query.where(chargeback.c.id == one)
    if ids is not None:
        query = query.where(chargeback.c.id.in_(list(ids)))
    return [_chargeback(row) for row in (await connection.execute(query)).mappings()]


async def of_topups(connection: AsyncConnection, topups: Collection[UUID]) -> list[Chargeback]:
    """All that was taken back of these payments, the first first."""
    query = _ALL.where(chargeback.c.topup.in_(list(topups))).order_by(chargeback.c.at_us)
    return [_chargeback(row) for row in (await connection.execute(query)).mappings()]


async def named(connection: AsyncConnection, id_: UUID) -> Chargeback:
    found = await listed(connection, one=id_)
    if not found:
        raise NotFound("No such payment was taken back.")
    return found[0]


async def owed_of(ledger: Ledger, currency: Currency, owner: str, id_: UUID) -> Owed:
    """What of a payment that was taken back the card still owes, and what the network has borne; minor units."""
    lines = await ledger.statement([overdraft_key(owner, currency)], limit=HISTORY_MAX)
    return owed(Change(it.change, it.operation == id_, it.kind in BORNE) for it in reversed(lines))


async def _taken(ledger: Ledger, currencies: Mapping[str, Currency], zone: str, of: Topup, it: Chargeback) -> Operation:
    ids, units, rest = await _accounts(ledger, currencies, of, it)
    postings = [Posting(ids["due_from"], ids["clearing"], it.euro_cents + it.fee_cents)]
    if units:
        postings.append(Posting(ids["wallet"], ids["issuance"], units, debit_overflow=ids["overdraft"]))
        postings.append(Posting(ids["liability"], ids["due_from"], it.euro_cents - rest))
    if it.fee_cents:
        postings.append(Posting(ids["provider_fees"], ids["due_to_reserve"], it.fee_cents))
    if rest:
        postings.append(Posting(ids["losses"], ids["due_to_reserve"], rest))
    if gift := _gift_back(of, it):
        given = await _gift_accounts(ledger, currencies, of)
        postings.append(Posting(given["wallet"], given["issuance"], gift, debit_overflow=given["overdraft"]))
    return _operation(it.id, TAKEN_BACK, postings, zone, of, it)


async def _undone(
    ledger: Ledger,
    currencies: Mapping[str, Currency],
    zone: str,
    of: Topup,
    it: Chargeback,
    fee_back_cents: int,
) -> Operation:
    """What the network had borne of it goes from the card to the network: the holder had spent that."""
    currency = currencies[of.currency]
    ids, units, rest = await _accounts(ledger, currencies, of, it)
    borne = (await owed_of(ledger, currency, f"wallet:{of.wallet}", it.id)).borne
    cents = borne * (currency.cents_per_unit or 0)
    legs = [
        Posting(ids["clearing"], ids["due_from"], it.euro_cents + fee_back_cents),
        Posting(ids["issuance"], ids["overdraft"], units, credit_overflow=ids["wallet"]),
        Posting(ids["due_from"], ids["liability"], it.euro_cents - rest),
        Posting(ids["due_to_reserve"], ids["provider_fees"], fee_back_cents),
        Posting(ids["due_to_reserve"], ids["losses"], rest + cents),
        Posting(ids["wallet"], ids["issuance"], borne, debit_overflow=ids["overdraft"]),
        Posting(ids["liability"], ids["due_from"], cents),
    ]
    if (gift := _gift_back(of, it)) and of.gift is not None:
        given = await _gift_accounts(ledger, currencies, of)
        covered = (await owed_of(ledger, currencies[of.gift], f"wallet:{of.wallet}", it.id)).borne
        legs.append(Posting(given["issuance"], given["overdraft"], gift, credit_overflow=given["wallet"]))
        legs.append(Posting(given["wallet"], given["issuance"], covered, debit_overflow=given["overdraft"]))
    id_ = derived("chargeback-won", it.id)
    return _operation(id_, WON, [leg for leg in legs if leg.amount], zone, of, it)


def _gift_back(of: Topup, it: Chargeback) -> int:
    return gift_back(of.gift_amount, of.euro_cents, it.euro_cents) if of.gift_amount else 0


async def _gift_accounts(ledger: Ledger, currencies: Mapping[str, Currency], of: Topup) -> dict[str, int]:
    currency, owner = currencies[of.gift or ""], f"wallet:{of.wallet}"
    keys = [AccountKey(currency_book(currency.issuer, currency.code), "issuance"), wallet_key(owner, currency)]
    found = await ledger.accounts([*keys, overdraft_key(owner, currency)])
    return dict(zip(("issuance", "wallet", "overdraft"), found, strict=True))


async def _accounts(
    ledger: Ledger, currencies: Mapping[str, Currency], of: Topup, it: Chargeback
) -> tuple[dict[str, int], int, int]:
    """Accounts by their kind; units that the card gives back; euro cents that are no whole unit, a loss."""
    currency = currencies[of.currency]
    owner, issuer = f"wallet:{of.wallet}", currency.issuer
    reserve, own = reserve_book(issuer), operating_book(issuer)
    keys = {
        "due_from": AccountKey(reserve, "due_from", "operating"),
        "clearing": AccountKey(reserve, "clearing", it.provider),
        "liability": AccountKey(reserve, "liability", currency.code),
        "issuance": AccountKey(currency_book(issuer, currency.code), "issuance"),
        "wallet": wallet_key(owner, currency),
        "overdraft": overdraft_key(owner, currency),
        "provider_fees": AccountKey(own, "provider_fees"),
        "losses": AccountKey(own, "losses"),
        "due_to_reserve": AccountKey(own, "due_to_reserve"),
    }
    ids = dict(zip(keys, await ledger.accounts(list(keys.values()), rates(currencies)), strict=True))
    units, rest = divmod(it.euro_cents, currency.cents_per_unit or 1)
    return ids, units, rest


def _operation(id_: UUID, kind: str, postings: list[Posting], zone: str, of: Topup, it: Chargeback) -> Operation:
    now = now_us()
    details: dict[str, Any] = {"topup": str(of.id), "provider": it.provider, "reference": it.reference}
    details |= {"kind": it.kind, "euro_cents": it.euro_cents, "fee_cents": it.fee_cents}
    return Operation(
        id=id_,
        kind=kind,
        fingerprint=sha256(b"chargeback" + id_.bytes).digest(),
        postings=tuple(postings),
        actor=it.recorded_by,
        occurred_at_us=now,
        business_day=business_day(now, zone),
        details=json.dumps(details, ensure_ascii=False, separators=(",", ":")),
        overrides_refusal=True,
    )
