"""Cards and wallets: make and find them; and what a wallet holds."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.cards.rules import is_phone_uid
from app.cards.tables import card, card_end, wallet
from app.currencies.service import Currency
from app.ledger.rules.kinds import AccountKey
from app.ledger.service import BalanceRow, Ledger, currency_book
from app.platform.among import among
from app.platform.clock import now_us
from app.platform.errors import NotFound
from app.rules.ids import uuid7
from app.rules.offline import Assurance

TOKEN_BYTES = 16
DESCRIBED_MAX = 20


@dataclass(frozen=True, slots=True)
class Card:
    """`uid`: what the chip says, upper-case hexadecimal. `token`: what the QR code says. `label`: what is printed.
    `taps`: its chip proves at phones that it is there."""

    id: UUID
    uid: str
    token: str
    label: str
    wallet: UUID
    status: Literal["active", "blocked"]
    assurance: Assurance
    taps: bool = False

    @property
    def owner(self) -> str:
        """The wallet's name in the ledger's accounts."""
        return f"wallet:{self.wallet}"

    @property
    def on_phone(self) -> bool:
        """Whether it is an address on somebody's phone, for as long as they have no chip."""
        return is_phone_uid(self.uid)


async def add_card(connection: AsyncConnection, uid: str, label: str, assurance: Assurance = "C") -> Card:
    """A new card with a new, empty wallet."""
    (new,) = await add_cards(connection, [(uid, label)], assurance)
    return new


def new_token() -> str:
    """What makes a card's address: 128 random bits."""
    return secrets.token_urlsafe(TOKEN_BYTES)


async def add_to_wallet(connection: AsyncConnection, wallet_id: UUID, uid: str, label: str) -> Card:
    """A new card that opens a wallet which is there already. IntegrityError where the number is known."""
    new = Card(uuid7(), uid, new_token(), label, wallet_id, "active", "C")
    await connection.execute(sa.insert(card).values(**asdict(new), created_at_us=now_us()))
    return new


async def add_cards(
    connection: AsyncConnection, chips: Sequence[tuple[str, str]], assurance: Assurance = "C"
) -> list[Card]:
    """New cards, (uid, label) each, with a new, empty wallet each."""
    return await add_printed(connection, [(uid, label, new_token()) for uid, label in chips], assurance)


async def add_printed(
    connection: AsyncConnection, chips: Sequence[tuple[str, str, str]], assurance: Assurance = "C"
) -> list[Card]:
    """New cards whose addresses are known, (uid, label, token) each. IntegrityError where one is a card's already."""
    now = now_us()
    new = [Card(uuid7(), uid, token, label, uuid7(), "active", assurance) for uid, label, token in chips]
    await connection.execute(sa.insert(wallet), [{"id": it.wallet, "created_at_us": now} for it in new])
    await connection.execute(sa.insert(card), [{**asdict(it), "created_at_us": now} for it in new])
    return new


async def card_by_token(connection: AsyncConnection, token: str) -> Card:
    return await _one(connection, card.c.token == token)


async def card_by_uid(connection: AsyncConnection, uid: str) -> Card:
    return await _one(connection, card.c.uid == uid)


async def card_by_id(connection: AsyncConnection, id_: UUID) -> Card:
    return await _one(connection, card.c.id == id_)


async def cards_described(connection: AsyncConnection, typed: str) -> list[Card]:
    """Cards by what staff read off one or scan: its printed label or the label's first word, its number, its address.

    At most `DESCRIBED_MAX`: several cards may bear one label. One that ended is found only where no other is.
    """
    if "/c/" in typed:
        where = card.c.token == typed.rpartition("/c/")[2].split("/")[0].split("?")[0]
    else:
        plain = typed.strip().lower()
        uid = plain.replace(" ", "").replace(":", "").upper()
        label = sa.func.lower(card.c.label)
        where = sa.or_(card.c.uid == uid, label == plain, label.startswith(f"{plain} ", autoescape=True))
    ended = card_end.c.card.is_not(None).label("ended")
    query = sa.select(card, ended).outerjoin(card_end, card_end.c.card == card.c.id).where(where)
    rows = (await connection.execute(query.order_by(ended, card.c.label, card.c.id).limit(DESCRIBED_MAX))).all()
    in_use = [row for row in rows if not row.ended]
    return [card_of(row) for row in in_use or rows]


async def cards_by_uid(connection: AsyncConnection, uids: Iterable[str]) -> dict[str, Card]:
    rows = await connection.execute(sa.select(card).where(among(card.c.uid, uids)))
    return {row.uid: card_of(row) for row in rows}


async def labels_by_owner(connection: AsyncConnection, owners: Iterable[str]) -> dict[str, str]:
    """What is printed on the card of each of these wallets (of several, the newest in use), not of other owners."""
    ids = [UUID(owner.removeprefix("wallet:")) for owner in owners if owner.startswith("wallet:")]
    query = sa.select(card.c.wallet, card.c.label).outerjoin(card_end, card_end.c.card == card.c.id)
    query = query.where(card.c.wallet.in_(ids)).order_by(card_end.c.card.is_(None), card.c.created_at_us)
    return {f"wallet:{row.wallet}": row.label for row in await connection.execute(query)}


async def all_cards(connection: AsyncConnection) -> list[Card]:
    rows = await connection.execute(sa.select(card).order_by(card.c.label))
    return [card_of(row) for row in rows]


async def cards_of_wallet(connection: AsyncConnection, wallet_id: UUID) -> list[Card]:
    """Every card that opens it, or did, the oldest first."""
    query = sa.select(card).where(card.c.wallet == wallet_id).order_by(card.c.created_at_us, card.c.id)
    return [card_of(row) for row in await connection.execute(query)]


async def cards_of_wallets(connection: AsyncConnection, wallets: Iterable[UUID]) -> dict[UUID, list[Card]]:
    """The same of several, by wallet; those that no card ever opened are left out."""
    query = sa.select(card).where(card.c.wallet.in_(list(wallets))).order_by(card.c.created_at_us, card.c.id)
    found: dict[UUID, list[Card]] = {}
    for row in await connection.execute(query):
        found.setdefault(row.wallet, []).append(card_of(row))
    return found


async def count_cards(connection: AsyncConnection) -> int:
    found: int = (await connection.execute(sa.select(sa.func.count()).select_from(card))).scalar_one()
    return found


def wallet_key(owner: str, currency: Currency) -> AccountKey:
    return AccountKey(currency_book(currency.issuer, currency.code), "wallet", owner)


def overdraft_key(owner: str, currency: Currency) -> AccountKey:
    return AccountKey(currency_book(currency.issuer, currency.code), "overdraft", owner)


# What a card's holder has and owes, in each currency.
WALLET_KINDS: Final = ("wallet", "overdraft")


async def balances(ledger: Ledger, owner: str, currencies: Mapping[str, Currency]) -> dict[str, int]:
    """What a wallet holds in every currency, less what it owes after offline sales; minor units."""
    return held_in(await ledger.balances(owners=[owner], kinds=WALLET_KINDS), currencies)


def held_in(accounts: Iterable[BalanceRow], currencies: Iterable[str]) -> dict[str, int]:
    """The same of a wallet's accounts that were read already."""
    held = dict.fromkeys(currencies, 0)
    for row in accounts:
        code = row.key.book.currency
        held[code] = held.get(code, 0) + row.balance
    return held


async def _one(connection: AsyncConnection, where: sa.ColumnElement[bool]) -> Card:
    row = (await connection.execute(sa.select(card).where(where))).one_or_none()
    if row is None:
        raise NotFound("This card is not known in this network.", "card-unknown")
    return card_of(row)


def card_of(row: Any) -> Card:
    """From a row that has the columns of `card`."""
    return Card(row.id, row.uid, row.token, row.label, row.wallet, row.status, row.assurance, row.taps)
