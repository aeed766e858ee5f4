"""Where everything that is issued by hand is found."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from app.currencies.service import currencies
from app.identity.admin_frame import render_admin
from app.identity.guard import Caller, SignedIn
from app.issuing.pages.common import PLACE
from app.issuing.service import ISSUED_AS
from app.platform.context import context_of
from app.venues.service import the_network

router = APIRouter(include_in_schema=False)


@router.get(PLACE)
async def issue_page(request: Request, caller: Caller, session: SignedIn) -> Response:
    """What is shown depends on which kinds of money the network has."""
    async with context_of(request).reader.connect() as connection:
        network, known = await the_network(connection), await currencies(connection)
    kinds = {it.kind for it in known.values()}
    return render_admin(
        request,
        session,
        "issuing/hub.html",
        place=PLACE,
        network_name=network.name,
        kinds=kinds,
        retires=caller.sees_network and not kinds.isdisjoint(ISSUED_AS),
        anything=not kinds.isdisjoint({*ISSUED_AS, "mutual"}),
    )
