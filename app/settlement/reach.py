"""Whose money somebody may look at: the network's and every venue's, or that of their own venues."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncConnection

from app.identity.roles import Principal
from app.platform.errors import Forbidden
from app.settlement.terms import NETWORK
from app.venues.service import venues


async def reached(connection: AsyncConnection, caller: Principal) -> dict[str, str]:
    """Names by subject ("network", "venue:<id>") in the order in which they are shown; the network's own is empty."""
    network = {NETWORK: ""} if caller.sees_network else {}
    seen = [it for it in (await venues(connection)).values() if caller.may_see_venue(it.id)]
    return {**network, **{it.owner: it.name for it in seen}}


def require_reach(caller: Principal, subject: str) -> None:
    """Raises Forbidden unless their rights reach whom this is about."""
    mine = {f"venue:{it}" for it in caller.venues}
    if not caller.sees_network and subject not in mine:
        raise Forbidden("Your rights do not reach this venue.")
