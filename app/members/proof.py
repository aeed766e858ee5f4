"""Who acts for a wallet: the one place where a visitor of a card's page shows that the card is theirs.

Looking at a card's page takes its address alone, and whoever has seen the card has read that. Spending what is on it
and voting for its holder take more.
"""

from __future__ import annotations

from starlette.requests import Request

from app.cards.claim_codes import is_claim_code
from app.cards.service import Card
from app.cards.visits import visit_of
from app.holders.accounts import Session
from app.holders.signed_in import holder_of
from app.holders.wallets import account_of
from app.platform.context import context_of
from app.platform.errors import Invalid
from app.platform.limits import RateLimit, client_address

TRIES = RateLimit("members-code", "10/minute")


async def shown(request: Request, card: Card) -> tuple[bool, Session | None]:
    """(whether the visitor has shown it already, who is signed in to an account): the card itself was at their phone
    just now, or the account that its wallet is in is theirs."""
    session = await holder_of(request)
    if visit_of(request, card) == "proven":
        return True, session
    if session is None:
        return False, None
    async with context_of(request).reader.connect() as connection:
        return await account_of(connection, card.wallet) == session.account, session


async def require(request: Request, card: Card, code: str) -> None:
    """`code`: what they typed: the one on the card's back. The recovery code shows nothing, for a card's page gives the
    first one to whoever has its address. Raises Invalid(field="code") where nothing shows it."""
    if (await shown(request, card))[0]:
        return
    TRIES.check(request, f"{client_address(request)} {card.id}")
    if not is_claim_code(context_of(request).keys.token, card.token, code):
        raise Invalid("This is not the code of this card.", field="code")
