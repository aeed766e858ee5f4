"""Which wallets are in an account, and what opens them.

A wallet is claimed by whoever shows that they have one of its cards (`proof`): the code on the card's back, or
the card itself at the phone. An anonymous card is its bearer's, and so is its claim; once it is in an account, no other
account claims it.

Errors:
    NotFound                            no such wallet or card in this account
    Invalid(field="code")               what was typed is not the code
    Forbidden("card-blocked")           whoever has found a blocked card claims nothing
    Conflict("wallet-claimed")          it is in another account
    Conflict("wallet-only-here")        nothing but the account opens it, and there is something on it
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from app.cards.claim_codes import is_claim_code
from app.cards.lifecycle import End, blocked_for, ends_of, set_blocked
from app.cards.limits import set_limits
from app.cards.service import WALLET_KINDS, Card, cards_of_wallets, held_in
from app.currencies.service import Currency
from app.holders.accounts import Session, actor_of
from app.holders.tables import holder_account, holder_link, holder_wallet
from app.identity.audit import audit
from app.ledger.service import Ledger
from app.platform.clock import now_us
from app.platform.errors import Conflict, Forbidden, Invalid, NotFound

NAME_MAX: Final = 40
Proof = Literal["code", "tap"]


@dataclass(frozen=True, slots=True)
class Wallet:
    """`cards`: those that open it still, the newest first. `held`: minor units by currency, where it was looked up."""

    id: UUID
    name: str
    cards: tuple[Card, ...]
    held: Mapping[str, int]

    @property
    def owner(self) -> str:
        """Its name in the ledger's accounts."""
        return f"wallet:{self.id}"

    @property
    def open_card(self) -> Card | None:
        """One by whose address it is topped up."""
        return next((it for it in self.cards if it.status == "active"), None)

    @property
    def called(self) -> str:
        """What its holder calls it, or what is printed on its card; empty where there is neither."""
        return self.name or (self.cards[0].label if self.cards else "")


async def account_of(connection: AsyncConnection, wallet: UUID) -> UUID | None:
    """In whose account it is."""
    query = sa.select(holder_wallet.c.account).where(holder_wallet.c.wallet == wallet)
    found: UUID | None = (await connection.execute(query)).scalar_one_or_none()
    return found


async def wallets_of(
    connection: AsyncConnection, ledger: Ledger, account: UUID, known: Mapping[str, Currency]
) -> list[Wallet]:
    """All of an account, in the order in which they came."""
    query = sa.select(holder_wallet).where(holder_wallet.c.account == account)
    rows = (await connection.execute(query.order_by(holder_wallet.c.since_us, holder_wallet.c.wallet))).all()
    cards = await cards_of_wallets(connection, [row.wallet for row in rows])
    ended: Mapping[UUID, End] = await ends_of(connection, [it.id for of in cards.values() for it in of])
    owners = {f"wallet:{row.wallet}" for row in rows}
    balances = await ledger.balances(owners=owners, kinds=WALLET_KINDS) if owners else []
    return [
        Wallet(
            row.wallet,
            row.name,
            tuple(it for it in reversed(cards.get(row.wallet, [])) if it.id not in ended),
            held_in([it for it in balances if it.key.owner == f"wallet:{row.wallet}"], known),
        )
        for row in rows
    ]


def tidy(name: str) -> str:
    """A wallet's name as it is kept."""
    return " ".join(name.split())[:NAME_MAX]


def one_of(wallets: list[Wallet], wallet: UUID) -> Wallet:
    """Raises NotFound."""
    for it in wallets:
        if it.id == wallet:
            return it
    raise NotFound("There is no such wallet in your account.")


def card_of(wallets: list[Wallet], card: UUID) -> tuple[Wallet, Card]:
    """Raises NotFound."""
    for wallet in wallets:
        for it in wallet.cards:
            if it.id == card:
                return wallet, it
    raise NotFound("There is no such card in your account.")


def prove(key: bytes, card: Card, typed: str) -> None:
    """That whoever typed this has the card in hand. Raises Invalid(field="code")."""
    if not is_claim_code(key, card.token, typed):
        raise Invalid("This is not the code of this card.", field="code")


async def claim(connection: AsyncConnection, session: Session, card: Card, proof: Proof) -> None:
    """Take the card's wallet into the account, in the caller's transaction. Of two accounts at once, one has it; the
    same account again changes nothing."""
    if card.status != "active":
        raise Forbidden("This card is blocked.", "card-blocked")
    insert = (sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert)(holder_wallet)
    row = {"wallet": card.wallet, "account": session.account, "name": "", "since_us": now_us()}
    if (await connection.execute(insert.values(row).on_conflict_do_nothing())).rowcount:
        await audit(connection, session.actor, "wallet.claim", f"card:{card.id}", source=proof)
    elif await account_of(connection, card.wallet) != session.account:
        raise Conflict("This card is in somebody else's account.", "wallet-claimed")


async def release(connection: AsyncConnection, session: Session, wallet: Wallet) -> None:
    """Let it go: it is as anonymous as it was, and whoever has its card may claim it. Again changes nothing."""
    if (wallet.open_card is None or wallet.open_card.on_phone) and any(wallet.held.values()):
        raise Conflict("Nothing but this account opens it: move what is on it first.", "wallet-only-here")
    mine = (holder_wallet.c.wallet == wallet.id, holder_wallet.c.account == session.account)
    if (await connection.execute(sa.delete(holder_wallet).where(*mine))).rowcount:
        await set_limits(connection, wallet.id, {})
        await audit(connection, session.actor, "wallet.release", f"wallet:{wallet.id}")


async def close_account(connection: AsyncConnection, session: Session, own: Sequence[Wallet]) -> None:
    """Forget the account: its address, passkeys, sessions and names. Its cards are as anonymous as they were; what is
    on its way to a friend comes back once its time is over.

    Raises Conflict("wallet-only-here")."""
    for it in own:
        await release(connection, session, it)
    await connection.execute(sa.delete(holder_link).where(holder_link.c.email == session.email))
    await connection.execute(sa.delete(holder_account).where(holder_account.c.id == session.account))
    await audit(connection, session.actor, "account.close", session.actor)


async def release_at_counter(connection: AsyncConnection, actor: str, card: Card, reason: str) -> None:
    """By staff, who have looked at whose card it is: a finder may have been faster than its holder."""
    gone = sa.delete(holder_wallet).where(holder_wallet.c.wallet == card.wallet)
    if (await connection.execute(gone)).rowcount:
        await set_limits(connection, card.wallet, {})
        await audit(connection, actor, "wallet.release", f"card:{card.id}", reason=reason)


async def rename(connection: AsyncConnection, session: Session, wallet: UUID, name: str) -> None:
    mine = (holder_wallet.c.wallet == wallet, holder_wallet.c.account == session.account)
    await connection.execute(sa.update(holder_wallet).where(*mine).values(name=tidy(name)))


async def block(connection: AsyncConnection, session: Session, card: Card) -> None:
    await set_blocked(connection, session.actor, card.id, True)


async def blocked_here(connection: AsyncConnection, account: UUID, card: UUID) -> bool:
    """Whether it was this account that blocked it last: then it may lift the block too. What staff, the recovery code
    or somebody with the card's address blocked, staff look at: the phone may be lost with the card."""
    last = await blocked_for(connection, card)
    return last is not None and last[0] == actor_of(account)


async def unblock(connection: AsyncConnection, session: Session, card: Card) -> None:
    """Raises Forbidden("blocked-elsewhere")."""
    if not await blocked_here(connection, session.account, card.id):
        raise Forbidden("This card was not blocked from this account.", "blocked-elsewhere")
    await set_blocked(connection, session.actor, card.id, False)
