"""By what somebody shows that what is on a card is theirs (docs/decisions, "Who may have what is left").

The address alone shows nothing: it is on the card, and whoever found the card has it.
"""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.requests import Request

from app.cards import recovery
from app.cards.recovery_pages import ALL_TRIES, TRIES
from app.cards.service import Card
from app.cards.visits import visit_of
from app.holders.accounts import find_session
from app.holders.signed_in import COOKIE
from app.holders.wallets import account_of
from app.platform.context import context_of
from app.platform.errors import Forbidden, Invalid
from app.platform.limits import client_address
from app.refunds.rules import Proof


async def proof_of(request: Request, connection: AsyncConnection, card: Card, code: str = "") -> Proof:
    """`code`: the wallet's recovery code, as it was typed. Raises Invalid(field="code") for one that is not this
    wallet's. "account": signed in to the account that has the wallet."""
    if code.strip():
        TRIES.check(request, client_address(request))
        ALL_TRIES.check(request, "all")
        if await recovery.wallet_of(connection, context_of(request).keys.token, code) != card.wallet:
            raise Invalid("This is not the recovery code of this card.", field="code")
        if not await recovery.was_shown(connection, card.wallet):
            raise Forbidden("This code was made with the card's address alone.", "code-not-enough")
        return "code"
    # No token of its own is asked for: only this site's own pages may send anything to a card's addresses.
    session = await find_session(context_of(request), request.cookies.get(COOKIE, ""))
    if session is not None and await account_of(connection, card.wallet) == session.account:
        return "account"
    return "tap" if visit_of(request, card) == "proven" else "address"


def may_act(asked_by: Proof, proof: Proof) -> bool:
    """Whether this proof is enough to cancel a refund, or to send it elsewhere, that was asked for by another: a card
    that was lost since proves itself to who found it."""
    if proof in {"code", "account", "staff"}:
        return True
    return proof == "tap" and asked_by not in {"code", "account"}


def require(enough: bool) -> None:
    """Forbidden("proof-needed")."""
    if not enough:
        raise Forbidden("Show that the card is yours first.", "proof-needed")
