"""Which cards are there? All of them, by what is written on them and by their state."""

from __future__ import annotations

from typing import Annotated, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from app.carddesk.words import STATES
from app.cards import listing
from app.cards.listing import State
from app.identity.admin_frame import render_admin
from app.identity.guard import SignedIn
from app.platform.context import context_of
from app.venues.service import the_network
from app.web import N_, dates, texts_of
from app.web.sheets import as_csv

router = APIRouter(include_in_schema=False)

HERE: Final = "/admin/cards"
SHOWN: Final = 100

Typed = Annotated[str, Query(max_length=300)]
Page = Annotated[int, Query(ge=1, le=100_000)]


@router.get(HERE)
async def cards_page(request: Request, session: SignedIn, q: Typed = "", state: Typed = "", page: Page = 1) -> Response:
    chosen = _state(state)
    async with context_of(request).reader.connect() as connection:
        network, counts = await the_network(connection), await listing.counts(connection)
        found = await listing.listed(connection, q, chosen, skip=(page - 1) * SHOWN, limit=SHOWN + 1)
    return render_admin(
        request,
        session,
        "carddesk/cards.html",
        place=HERE,
        network_name=network.name,
        here=HERE,
        counts=counts,
        total=sum(counts.values()),
        states=STATES,
        typed=q,
        chosen=chosen,
        cards=found[:SHOWN],
        earlier=_address(q, chosen, page - 1) if page > 1 else None,
        later=_address(q, chosen, page + 1) if len(found) > SHOWN else None,
        table_url=_address(q, chosen, 1, "/cards.csv"),
    )


@router.get(f"{HERE}/cards.csv")
async def cards_table(request: Request, q: Typed = "", state: Typed = "") -> Response:
    """The same for a spreadsheet, whole."""
    texts = texts_of(request)
    async with context_of(request).reader.connect() as connection:
        zone = (await the_network(connection)).settings.zone
        found = await listing.listed(connection, q, _state(state))
    heads = (N_("Label"), N_("Number of the chip"), N_("State"), N_("Level"), N_("Since"))
    titles = [texts.gettext(it) for it in heads]
    return as_csv(
        "cards.csv",
        texts,
        [
            titles,
            *(
                [
                    it.label,
                    it.uid,
                    texts.gettext(STATES[it.state].said),
                    it.assurance,
                    dates.local(it.created_at_us, zone).date().isoformat(),
                ]
                for it in found
            ),
        ],
    )


def _state(said: str) -> State | None:
    return next((it for it in listing.STATES if it == said), None)


def _address(typed: str, state: State | None, page: int, file: str = "") -> str:
    asked = {"q": typed.strip(), "state": state or "", "page": "" if page == 1 else str(page)}
    query = urlencode({name: it for name, it in asked.items() if it})
    return f"{HERE}{file}" + (f"?{query}" if query else "")
