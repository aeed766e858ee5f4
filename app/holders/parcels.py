"""Money sent to a friend by a link, where the currency's policy lets holders pass it on.

It is set aside on the sender's wallet (a hold) and moves once the friend takes it. Not taken in seven days, or taken
back by its sender, the hold ends: it never left. The operation's id follows from the parcel's, so that of two who take
it at once one has it.

Errors:
    Forbidden("transfer-not-allowed")   the policy does not let holders pass it on
    Conflict("spending-limit")          more than it lets them pass on at once
    Conflict("too-many")                as many are on their way as anybody needs
    Conflict("parcel-taken")            somebody has taken it
    NotFound("link-void")               no such parcel, or its time is over
    and what Ledger.post raises: DomainError("insufficient-funds", "over-ceiling", "spending-limit", "hold-ended")
"""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final, Literal
from uuid import UUID, uuid5

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from app.cards.service import overdraft_key, wallet_key
from app.holders.accounts import Session
from app.holders.moving import MOVE, Terms
from app.holders.tables import holder_parcel
from app.holders.wallets import Wallet
from app.ledger.rules.operations import Cap, Condition, Flow, Held, Hold, Operation, Posting, Refused, Release, Within
from app.ledger.rules.operations import Conflict as OtherContent
from app.ledger.service import REFUSALS, Ledger
from app.mail.service import Letter, queue, sealed
from app.platform.clock import now_us
from app.platform.context import Context
from app.platform.errors import Conflict, DomainError, Forbidden, Invalid, NotFound
from app.rules.business_day import business_day

TRANSFER: Final = "transfer"
LIFETIME_US: Final = 7 * 24 * 3600 * 1_000_000
OPEN_MAX: Final = 10
TEMPLATE: Final = "holders/parcel_mail"

_TOKEN: Final = b"comptoir-parcel-1"


@dataclass(frozen=True, slots=True)
class Parcel:
    """`amount`: minor units of `currency`. `wallet`: whose money it is until somebody takes it."""

    id: UUID
    account: UUID
    wallet: UUID
    currency: str
    amount: int
    email: str
    expires_at_us: int

    @property
    def operation(self) -> UUID:
        return uuid5(self.id, "taken")


async def send(
    context: Context,
    ledger: Ledger,
    terms: Terms,
    session: Session,
    giver: Wallet,
    amount: int,
    email: str,
    id_: UUID,
    language: Literal["fr", "en"],
) -> None:
    """Set it aside, and leave a link in the friend's mailbox. The same form again changes nothing."""
    policy, now = terms.version.policy, now_us()
    if not policy.transfer.allowed or terms.currency.kind == "mutual":
        raise Forbidden(f"{terms.currency.code} is not passed on between holders.", "transfer-not-allowed")
    if amount <= 0:
        raise Invalid("Choose an amount.")
    most = policy.transfer.per_payment
    if most is not None and amount > most:
        raise Conflict("More than may be passed on at once.", "spending-limit", most=most)
    (wallet,) = await ledger.accounts([wallet_key(giver.owner, terms.currency)])
    token, expires = _token(context.keys.token, id_), now + LIFETIME_US
    row = {
        "id": id_,
        "token_sha256": _sha256(token),
        "account": session.account,
        "wallet": giver.id,
        "currency": terms.currency.code,
        "amount": amount,
        "email": email,
        "expires_at_us": expires,
    }
    async with context.engine.begin() as connection:
        await connection.execute(sa.delete(holder_parcel).where(holder_parcel.c.expires_at_us < now))
        if len(await sent_by(connection, session.account)) >= OPEN_MAX:
            raise Conflict("As many are on their way as anybody needs.", "too-many")
        insert = (sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert)(holder_parcel)
        await connection.execute(insert.values(row).on_conflict_do_nothing())
        query = sa.select(holder_parcel).where(holder_parcel.c.id == id_)
        kept = _parcel((await connection.execute(query)).one())
    same = (kept.account, kept.wallet, kept.currency, kept.amount, kept.email)
    if same != (session.account, giver.id, terms.currency.code, amount, email):
        raise Invalid("This id was used for other content.", "idempotency-key-reused")
    mark = sha256(json.dumps([session.actor, str(giver.id), terms.currency.code, amount]).encode()).digest()
    (outcome,) = await ledger.post([Hold(id_, mark, wallet, amount, kept.expires_at_us, session.actor)])
    if isinstance(outcome, Refused):
        async with context.engine.begin() as connection:
            await connection.execute(sa.delete(holder_parcel).where(holder_parcel.c.id == id_))
        raise DomainError(outcome.reason, REFUSALS[outcome.reason])
    if not isinstance(outcome, Held):
        raise Invalid("This id was used for other content.", "idempotency-key-reused")
    data: dict[str, Any] = {
        "network_name": terms.network.name,
        "zone": terms.network.settings.zone,
        "sender": session.email,
        "amount": amount,
        "unit": terms.currency.unit.value,
        "symbol": terms.currency.symbol,
        "currency": terms.currency.names[language],
        "until_us": kept.expires_at_us,
    }
    letter = uuid5(id_, "letter")
    async with context.engine.begin() as connection:
        data |= sealed(context.keys.token, letter, token)
        await queue(connection, Letter(letter, TEMPLATE, language, email, data))


async def parcel_behind(connection: AsyncConnection, token: str) -> Parcel:
    good = (holder_parcel.c.token_sha256 == _sha256(token), holder_parcel.c.expires_at_us > now_us())
    row = (await connection.execute(sa.select(holder_parcel).where(*good))).one_or_none()
    if row is None:
        raise NotFound("This link is used or too old.", "link-void")
    return _parcel(row)


async def sent_by(connection: AsyncConnection, account: UUID) -> list[Parcel]:
    """Those on their way, the newest first."""
    query = sa.select(holder_parcel).where(holder_parcel.c.account == account, holder_parcel.c.expires_at_us > now_us())
    rows = await connection.execute(query.order_by(holder_parcel.c.expires_at_us.desc()))
    return [_parcel(row) for row in rows]


async def take(ledger: Ledger, terms: Terms, session: Session, parcel: Parcel, taker: Wallet) -> None:
    """Into one of the taker's wallets. The same again changes nothing."""
    policy, currency = terms.version.policy, terms.currency
    giver = f"wallet:{parcel.wallet}"
    if taker.id == parcel.wallet:
        raise Invalid("It is on this card already.")
    wallet_g, wallet_t, overdraft_t = await ledger.accounts(
        [wallet_key(giver, currency), wallet_key(taker.owner, currency), overdraft_key(taker.owner, currency)]
    )
    day = business_day(terms.at_us, terms.network.settings.zone)
    conditions: list[Condition] = []
    if policy.limits.ceiling is not None:
        conditions.append(Within((wallet_t, overdraft_t), "over-ceiling", most=policy.limits.ceiling))
    if policy.transfer.per_day is not None:
        today = Flow((wallet_g,), False, (MOVE, TRANSFER), day, day)
        conditions.append(Cap(today, policy.transfer.per_day, "spending-limit"))
    asked = {"parcel": str(parcel.id), "to": str(taker.id)}
    (outcome,) = await ledger.post(
        [
            Operation(
                id=parcel.operation,
                kind=TRANSFER,
                fingerprint=sha256(json.dumps([session.actor, asked], sort_keys=True).encode()).digest(),
                postings=(Posting(wallet_g, overdraft_t, parcel.amount, credit_overflow=wallet_t),),
                actor=session.actor,
                occurred_at_us=terms.at_us,
                business_day=day,
                policy=terms.version.label,
                details=json.dumps(asked, separators=(",", ":")),
                captures=parcel.id,
                conditions=tuple(conditions),
            )
        ]
    )
    if isinstance(outcome, OtherContent):
        raise Conflict("Somebody has taken it.", "parcel-taken")
    if isinstance(outcome, Refused):
        raise DomainError(outcome.reason, REFUSALS[outcome.reason])
    async with ledger.engine.begin() as connection:
        await connection.execute(sa.delete(holder_parcel).where(holder_parcel.c.id == parcel.id))


async def take_back(ledger: Ledger, session: Session, id_: UUID) -> None:
    """By its sender, as long as nobody has taken it. Again changes nothing."""
    async with ledger.reader.connect() as connection:
        mine = next((it for it in await sent_by(connection, session.account) if it.id == id_), None)
    if mine is None:
        return
    await ledger.post([Release(id_)])
    async with ledger.engine.begin() as connection:
        await connection.execute(sa.delete(holder_parcel).where(holder_parcel.c.id == id_))


def _token(key: bytes, id_: UUID) -> str:
    """The same for the same parcel, so that a form sent again tells the same link."""
    return hmac.digest(key, _TOKEN + id_.bytes, "sha256")[:24].hex()


def _sha256(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def _parcel(row: Any) -> Parcel:
    return Parcel(row.id, row.account, row.wallet, row.currency, row.amount, row.email, row.expires_at_us)
