"""Which cards are to be written anew? Those whose keys a lost terminal knew, those whose set of keys ends soon, and
those that were taken away from a desk half written."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from app.carddesk.pages import HERE as CARDS
from app.identity.admin_frame import render_admin
from app.identity.guard import SignedIn
from app.keyring.service import KeySet, key_sets, to_write_anew
from app.keyring.writing import half_written
from app.platform.clock import now_us
from app.platform.context import context_of
from app.venues.service import the_network
from app.web import dates, texts_of
from app.web.sheets import as_csv

router = APIRouter(include_in_schema=False)

HERE: Final = f"{CARDS}/anew"
SOON_DAYS: Final = 30
SOON_US: Final = SOON_DAYS * 86_400 * 1_000_000
SHOWN: Final = 500
# A card that lies at a desk right now is written within seconds.
UNDER_WAY_US: Final = 60 * 1_000_000


@router.get(HERE)
async def anew_page(request: Request, session: SignedIn) -> Response:
    now = now_us()
    async with context_of(request).reader.connect() as connection:
        network, sets = await the_network(connection), {it.id: it for it in await key_sets(connection)}
        found = await to_write_anew(connection, now + SOON_US)
        torn = await half_written(connection, now - UNDER_WAY_US)
    return render_admin(
        request,
        session,
        "carddesk/anew.html",
        place=CARDS,
        network_name=network.name,
        zone=network.settings.zone,
        cards_url=CARDS,
        here=HERE,
        days=SOON_DAYS,
        now=now,
        opened=sum(it.open for it in found),
        number=len(found),
        torn=torn,
        chips=[(it, sets[it.key_set]) for it in found[:SHOWN]],
    )


@router.get(f"{HERE}/cards.csv")
async def anew_table(request: Request) -> Response:
    """All of them, for whoever looks for the cards."""
    texts = texts_of(request)
    async with context_of(request).reader.connect() as connection:
        network, sets = await the_network(connection), {it.id: it for it in await key_sets(connection)}
        found = await to_write_anew(connection, now_us() + SOON_US)

    def day(at_us: int | None) -> str:
        return "" if at_us is None else dates.local(at_us, network.settings.zone).date().isoformat()

    head = [
        texts.gettext("Label"),
        texts.gettext("Number of the chip"),
        texts.gettext("Set of keys"),
        texts.gettext("Ends"),
        texts.gettext("Written"),
        texts.gettext("Keys are open"),
    ]
    said = {True: texts.gettext("Yes"), False: texts.gettext("No")}

    def row(label: str, uid: str, of: KeySet, written_at_us: int, is_open: bool) -> list[str]:
        return [label, uid, of.name, day(of.until_us), day(written_at_us), said[is_open]]

    rows = [row(it.label, it.uid, sets[it.key_set], it.written_at_us, it.open) for it in found]
    return as_csv("cards-to-write.csv", texts, [head, *rows])
