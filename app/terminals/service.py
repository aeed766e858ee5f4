"""Terminals: pair them, know them again, and say which may still sell."""

from __future__ import annotations

import base64
import binascii
import secrets
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.identity.tokens import issue_terminal_token
from app.platform.clock import now_us
from app.platform.errors import Forbidden, Invalid, NotFound, NotSignedIn
from app.rules.ids import uuid7
from app.terminals.tables import journal_mark, pairing_code, terminal
from app.wire import GENESIS, DeviceKind, PairingRequest, TokenReply, TokenRequest, token_message

CODE_LIFETIME_US = 3600 * 1_000_000
TOKEN_LIFETIME_US = 3600 * 1_000_000
# A token is asked for with a signature over the time, which must be near ours: an old one is of no use to a thief.
TOKEN_SKEW_US = 24 * 3600 * 1_000_000
SEEN_PRECISION_US = 30 * 1_000_000
# No 0/O and 1/I: the code is read aloud and typed with wet hands. 8 signs are 40 bits, and it lives for an hour.
CODE_SIGNS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"


@dataclass(frozen=True, slots=True)
class Terminal:
    id: UUID
    venue: UUID
    name: str
    public_key: bytes
    status: str
    epoch: int
    seen_at_us: int
    kind: DeviceKind = "till"


async def make_pairing_code(
    connection: AsyncConnection, venue: UUID, name: str, terminal_id: UUID | None = None, *, moves: bool = False
) -> str:
    """A code good for one pairing within the hour. NotFound where `terminal_id` is none of this venue's.

    `moves`: it comes from another venue. Its journal begins a new epoch here; what it sold before, sent or not, stays
    sold at the venue of then.
    """
    if terminal_id is not None and not moves and (await listed(connection, terminal_id)).venue != venue:
        raise NotFound("There is no such terminal at this venue.")
    code = "".join(secrets.choice(CODE_SIGNS) for _ in range(8))
    await connection.execute(
        sa.insert(pairing_code).values(
            code_sha256=_digest(code),
            venue=venue,
            terminal=terminal_id,
            name=name,
            expires_at_us=now_us() + CODE_LIFETIME_US,
        )
    )
    return f"{code[:4]}-{code[4:]}"


async def pair(engine: AsyncEngine, request: PairingRequest) -> Terminal:
    """Redeem a code for an identity. A code that was made for a known terminal opens a new epoch of it."""
    key = _public_key(request.public_key)
    async with engine.begin() as connection:
        now = now_us()
        redeemed = await connection.execute(
            sa.update(pairing_code)
            .where(
                pairing_code.c.code_sha256 == _digest(request.code),
                pairing_code.c.used_at_us.is_(None),
                pairing_code.c.expires_at_us > now,
            )
            .values(used_at_us=now)
            .returning(pairing_code.c.venue, pairing_code.c.terminal, pairing_code.c.name)
        )
        code = redeemed.one_or_none()
        if code is None:
            raise NotFound("This pairing code is unknown, used or expired.", "pairing-code-unknown")
        id_, epoch = code.terminal or uuid7(), 1
        values = {"venue": code.venue, "name": code.name, "public_key": key, "status": "active"}
        values |= {"version": request.version, "waiting": 0, "skew_ms": 0, "seen_at_us": now, "revoked_at_us": None}
        values |= {"kind": request.kind}
        if code.terminal is None:
            await connection.execute(sa.insert(terminal).values(id=id_, epoch=1, created_at_us=now, **values))
        else:
            epoch = (await connection.execute(sa.select(terminal.c.epoch).where(terminal.c.id == id_))).scalar_one() + 1
            await connection.execute(sa.update(terminal).where(terminal.c.id == id_).values(epoch=epoch, **values))
        mark_of = {"terminal": id_, "epoch": epoch, "public_key": key, "venue": code.venue}
        await connection.execute(sa.insert(journal_mark).values(**mark_of, applied=0, head=GENESIS))
    return Terminal(id_, code.venue, code.name, key, "active", epoch, now, request.kind)


async def issue_token(connection: AsyncConnection, key: bytes, request: TokenRequest) -> TokenReply:
    """A bearer token for a device that signs with its own key."""
    found = await terminal_named(connection, request.device)
    check_signature(found, request.signature, token_message(request.device, request.at_us))
    now = now_us()
    if abs(request.at_us - now) > TOKEN_SKEW_US:
        raise NotSignedIn("The terminal's clock is off by more than a day: set it first.", "wrong-signature")
    if found.status == "revoked":
        raise NotSignedIn("This terminal was revoked.", "terminal-revoked")
    expires = now + TOKEN_LIFETIME_US
    return TokenReply(token=issue_terminal_token(key, found.id, found.epoch, expires), expires_at_us=expires)


async def terminal_named(connection: AsyncConnection, id_: UUID) -> Terminal:
    row = (await connection.execute(sa.select(terminal).where(terminal.c.id == id_))).one_or_none()
    if row is None:
        raise NotSignedIn("This terminal is not paired with this server.", "terminal-revoked")
    return _terminal(row)


async def listed(connection: AsyncConnection, id_: UUID) -> Terminal:
    """A terminal of the fleet, for those who manage it. NotFound."""
    row = (await connection.execute(sa.select(terminal).where(terminal.c.id == id_))).one_or_none()
    if row is None:
        raise NotFound("There is no such terminal.")
    return _terminal(row)


async def admitted(connection: AsyncConnection, id_: UUID, epoch: int) -> Terminal:
    """The terminal behind a token, if it may still sell."""
    found = await terminal_named(connection, id_)
    if found.status == "revoked" or found.epoch != epoch:
        raise NotSignedIn("This terminal was revoked or paired anew.", "terminal-revoked")
    return found


def require_till(found: Terminal) -> None:
    """Forbidden for a box that only is a site hub: whoever takes it away has nothing to sell with."""
    if found.kind != "till":
        raise Forbidden("A site hub sells nothing.")


def require_active(found: Terminal) -> None:
    require_till(found)
    if found.status == "quarantined":
        raise Forbidden("Two journals of this terminal disagree; it may sell again after a review.", "quarantined")


def check_signature(found: Terminal, signature: str, message: bytes) -> None:
    """Raises NotSignedIn unless `message` was signed by the device's key."""
    try:
        Ed25519PublicKey.from_public_bytes(found.public_key).verify(base64.b64decode(signature, validate=True), message)
    except (InvalidSignature, binascii.Error, ValueError) as error:
        raise NotSignedIn("The signature is not this terminal's.", "wrong-signature") from error


async def terminals(connection: AsyncConnection) -> list[Any]:
    """Rows of the fleet, by venue and name."""
    return list(await connection.execute(sa.select(terminal).order_by(terminal.c.venue, terminal.c.name)))


async def seen(connection: AsyncConnection, id_: UUID, waiting: int, skew_ms: int) -> None:
    await connection.execute(
        sa.update(terminal).where(terminal.c.id == id_).values(seen_at_us=now_us(), waiting=waiting, skew_ms=skew_ms)
    )


async def polled(engine: AsyncEngine, found: Terminal) -> None:
    """It asked for something just now: noted from time to time, for a write at each look would be one too many."""
    now = now_us()
    if now - found.seen_at_us > SEEN_PRECISION_US:
        async with engine.begin() as connection:
            await connection.execute(sa.update(terminal).where(terminal.c.id == found.id).values(seen_at_us=now))


async def revoke(connection: AsyncConnection, id_: UUID, *, lost: bool = False) -> None:
    """It sells no more. `lost`: nor are the keys of cards that it was given to be trusted any more (app.keyring). A
    second time changes nothing of what stands, so that the moments of the first stand."""
    where, now = terminal.c.id == id_, now_us()
    revoked = (where, terminal.c.status != "revoked")
    await connection.execute(sa.update(terminal).where(*revoked).values(status="revoked", revoked_at_us=now))
    if lost:
        await connection.execute(
            sa.update(terminal).where(where, terminal.c.lost_at_us.is_(None)).values(lost_at_us=now)
        )


async def quarantine(connection: AsyncConnection, id_: UUID) -> None:
    """Set it aside until a review. One that was revoked meanwhile stays so."""
    where = (terminal.c.id == id_, terminal.c.status == "active")
    await connection.execute(sa.update(terminal).where(*where).values(status="quarantined"))


async def revoked_at_us(connection: AsyncConnection, id_: UUID) -> int | None:
    """When it was revoked, if it is."""
    query = sa.select(terminal.c.revoked_at_us).where(terminal.c.id == id_, terminal.c.status == "revoked")
    found: int | None = (await connection.execute(query)).scalar_one_or_none()
    return found


async def rename(connection: AsyncConnection, id_: UUID, name: str) -> None:
    """Its own screen shows the name that it was paired with, until it is paired again."""
    await connection.execute(sa.update(terminal).where(terminal.c.id == id_).values(name=name))


async def set_to_review(connection: AsyncConnection, id_: UUID, rows: int) -> None:
    """How many rows of its journals wait for a person."""
    await connection.execute(sa.update(terminal).where(terminal.c.id == id_).values(to_review=rows))


async def of_epoch(connection: AsyncConnection, id_: UUID, epoch: int) -> Terminal:
    """The terminal as it was in one of its epochs: its key and its venue of then. Invalid("epoch-unknown")."""
    found = await terminal_named(connection, id_)
    query = sa.select(journal_mark.c.public_key, journal_mark.c.venue).where(
        journal_mark.c.terminal == id_, journal_mark.c.epoch == epoch
    )
    row = (await connection.execute(query)).one_or_none()
    if row is None:
        raise Invalid("This epoch of the terminal's journal was not issued by this server.", "epoch-unknown")
    key = found.public_key if row.public_key is None else bytes(row.public_key)
    return replace(found, epoch=epoch, public_key=key, venue=row.venue or found.venue)


async def mark(connection: AsyncConnection, id_: UUID, epoch: int) -> tuple[int, str]:
    """(sequence, hash) up to which the journal of that epoch is kept and booked."""
    query = sa.select(journal_mark.c.applied, journal_mark.c.head).where(
        journal_mark.c.terminal == id_, journal_mark.c.epoch == epoch
    )
    row = (await connection.execute(query)).one_or_none()
    if row is None:
        raise Invalid("This epoch of the terminal's journal was not issued by this server.", "epoch-unknown")
    return row.applied, row.head


async def advance(connection: AsyncConnection, id_: UUID, epoch: int, applied: int, head: str) -> None:
    """Move the mark forward; never back."""
    await connection.execute(
        sa.update(journal_mark)
        .where(journal_mark.c.terminal == id_, journal_mark.c.epoch == epoch, journal_mark.c.applied < applied)
        .values(applied=applied, head=head)
    )


def _digest(code: str) -> bytes:
    return sha256(code.upper().replace("-", "").replace(" ", "").encode()).digest()


def _public_key(text: str) -> bytes:
    try:
        raw = base64.b64decode(text, validate=True)
        Ed25519PublicKey.from_public_bytes(raw)
    except (binascii.Error, ValueError) as error:
        raise Invalid("public_key must be the base64 of an Ed25519 public key.") from error
    return raw


def _terminal(row: Any) -> Terminal:
    return Terminal(row.id, row.venue, row.name, bytes(row.public_key), row.status, row.epoch, row.seen_at_us, row.kind)


async def terminals_away(connection: AsyncConnection, after_us: int, before_us: int) -> set[UUID]:
    """Terminals that may sell and were last heard of between these instants: what they sold since, nobody knows."""
    rows = await connection.execute(
        sa.select(terminal.c.id).where(
            terminal.c.status == "active",
            terminal.c.kind == "till",
            terminal.c.seen_at_us > after_us,
            terminal.c.seen_at_us < before_us,
        )
    )
    return {row.id for row in rows}
