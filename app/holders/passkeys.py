"""Passkeys: signing in to a holder's account with what unlocks the phone (WebAuthn), checked by py_webauthn.

A challenge is good once, for some minutes, and only its SHA-256 is kept. The relying party is the host of `base_url`; a
server that is reached by an IP address has none, and offers no passkeys.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import UUID

import sqlalchemy as sa
import webauthn
from sqlalchemy.ext.asyncio import AsyncConnection
from webauthn.helpers import base64url_to_bytes, options_to_json, parse_client_data_json
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from app.holders.accounts import Session
from app.holders.tables import holder_challenge, holder_passkey
from app.platform.clock import now_us
from app.platform.csrf import origin_of
from app.platform.errors import Conflict, Invalid, NotFound
from app.platform.settings import Settings

CHALLENGE_US: Final = 5 * 60 * 1_000_000
# A family has some phones and a key; nobody has dozens.
PASSKEYS_MAX: Final = 20


@dataclass(frozen=True, slots=True)
class Party:
    """Who asks: `id` is the host, `origin` as browsers write it."""

    id: str
    origin: str


@dataclass(frozen=True, slots=True)
class Passkey:
    """`used_at_us`: None while nobody has signed in with it."""

    id: bytes
    made_at_us: int
    used_at_us: int | None


def party_of(settings: Settings) -> Party | None:
    """None where passkeys cannot be: browsers bind them to a name."""
    host = urlsplit(settings.base_url).hostname or ""
    try:
        ip_address(host)
    except ValueError:
        return Party(host, origin_of(settings.base_url)) if host else None
    return None


async def passkeys_of(connection: AsyncConnection, account: UUID) -> list[Passkey]:
    """The oldest first."""
    query = sa.select(holder_passkey).where(holder_passkey.c.account == account)
    rows = await connection.execute(query.order_by(holder_passkey.c.made_at_us, holder_passkey.c.id))
    return [Passkey(row.id, row.made_at_us, row.used_at_us) for row in rows]


async def options_to_make(connection: AsyncConnection, party: Party, session: Session, network: str) -> str:
    """What the browser is to make one with, as JSON."""
    known = await passkeys_of(connection, session.account)
    options = webauthn.generate_registration_options(
        rp_id=party.id,
        rp_name=network,
        user_id=session.account.bytes,
        user_name=session.email,
        challenge=await _challenge(connection, session.account),
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
        ),
        exclude_credentials=[PublicKeyCredentialDescriptor(it.id) for it in known],
    )
    return options_to_json(options)


async def add(connection: AsyncConnection, party: Party, session: Session, credential: Mapping[str, Any]) -> None:
    """Keep the passkey that the browser made. Raises Invalid("passkey-wrong"), Conflict."""
    challenge = await _used(connection, credential, session.account)
    try:
        made = webauthn.verify_registration_response(
            credential=dict(credential),
            expected_challenge=challenge,
            expected_rp_id=party.id,
            expected_origin=party.origin,
            require_user_verification=True,
        )
    except WebAuthnException as error:
        raise _wrong() from error
    if len(await passkeys_of(connection, session.account)) >= PASSKEYS_MAX:
        raise Conflict(f"An account has at most {PASSKEYS_MAX} passkeys.")
    row = {
        "id": made.credential_id,
        "account": session.account,
        "public_key": made.credential_public_key,
        "signs": made.sign_count,
        "made_at_us": now_us(),
    }
    try:
        await connection.execute(sa.insert(holder_passkey).values(row))
    except sa.exc.IntegrityError:
        raise Conflict("This passkey is known already.") from None


async def remove(connection: AsyncConnection, session: Session, id_: bytes) -> None:
    """Again changes nothing."""
    mine = (holder_passkey.c.id == id_, holder_passkey.c.account == session.account)
    await connection.execute(sa.delete(holder_passkey).where(*mine))


async def options_to_sign_in(connection: AsyncConnection, party: Party) -> str:
    """What the browser is to sign with, as JSON. It names no account: the phone offers what it has."""
    options = webauthn.generate_authentication_options(
        rp_id=party.id,
        challenge=await _challenge(connection, None),
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return options_to_json(options)


async def account_by(connection: AsyncConnection, party: Party, credential: Mapping[str, Any]) -> UUID:
    """Whose account it opens. Raises Invalid("passkey-wrong"), NotFound("passkey-unknown")."""
    challenge = await _used(connection, credential, None)
    try:
        id_ = base64url_to_bytes(str(credential.get("rawId", "")))
    except ValueError as error:
        raise _wrong() from error
    query = sa.select(holder_passkey).where(holder_passkey.c.id == id_).with_for_update()
    known = (await connection.execute(query)).one_or_none()
    if known is None:
        raise NotFound("This passkey is not known here.", "passkey-unknown")
    try:
        signed = webauthn.verify_authentication_response(
            credential=dict(credential),
            expected_challenge=challenge,
            expected_rp_id=party.id,
            expected_origin=party.origin,
            credential_public_key=known.public_key,
            credential_current_sign_count=known.signs,
            require_user_verification=True,
        )
    except WebAuthnException as error:
        raise _wrong() from error
    seen = {"signs": signed.new_sign_count, "used_at_us": now_us()}
    await connection.execute(sa.update(holder_passkey).where(holder_passkey.c.id == id_).values(seen))
    account: UUID = known.account
    return account


async def _challenge(connection: AsyncConnection, account: UUID | None) -> bytes:
    """A new one; `account`: who adds a passkey."""
    challenge, now = secrets.token_bytes(32), now_us()
    await connection.execute(sa.delete(holder_challenge).where(holder_challenge.c.expires_at_us < now))
    row = {"challenge_sha256": _sha256(challenge), "account": account, "expires_at_us": now + CHALLENGE_US}
    await connection.execute(sa.insert(holder_challenge).values(row))
    return challenge


async def _used(connection: AsyncConnection, credential: Mapping[str, Any], account: UUID | None) -> bytes:
    """The challenge that the browser answered, which is ours, of this account, and used up by this."""
    try:
        response = credential["response"]
        challenge = parse_client_data_json(base64url_to_bytes(str(response["clientDataJSON"]))).challenge
    except (KeyError, TypeError, ValueError, WebAuthnException) as error:
        raise _wrong() from error
    mine = holder_challenge.c.account.is_(None) if account is None else holder_challenge.c.account == account
    known = holder_challenge.c.challenge_sha256 == _sha256(challenge)
    ours = (known, holder_challenge.c.expires_at_us > now_us(), mine)
    if not (await connection.execute(sa.delete(holder_challenge).where(*ours))).rowcount:
        raise _wrong()
    return challenge


def _wrong() -> Invalid:
    return Invalid("This passkey could not be checked.", "passkey-wrong")


def _sha256(challenge: bytes) -> bytes:
    return hashlib.sha256(challenge).digest()
