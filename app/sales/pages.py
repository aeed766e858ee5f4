"""What needs me? Sales that were booked, or could not be, and that a person should look at."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from app.cards.service import cards_by_uid
from app.identity.admin_frame import render_admin
from app.identity.guard import Caller, SignedIn
from app.platform.context import context_of
from app.sales.exceptions import open_exceptions
from app.venues.service import the_network, venues

router = APIRouter(include_in_schema=False)

HERE = "/admin/exceptions"


@router.get(HERE)
async def exceptions_page(request: Request, caller: Caller, session: SignedIn) -> Response:
    async with context_of(request).reader.connect() as connection:
        network, at = await the_network(connection), await venues(connection)
        found = await open_exceptions(connection, None if caller.sees_network else caller.venues)
        uids = {str(it["details"]["card"]) for it in found if "card" in it["details"]}
        cards = await cards_by_uid(connection, uids)
    return render_admin(
        request,
        session,
        "sales/exceptions.html",
        place=HERE,
        network_name=network.name,
        exceptions=[
            {
                **it,
                "venue": at[it["venue"]],
                "card": cards[uid].label if (uid := str(it["details"].get("card", ""))) in cards else uid,
            }
            for it in found
        ],
    )
