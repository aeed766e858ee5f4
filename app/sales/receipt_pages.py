"""The page behind a receipt's QR code, for whoever was handed it."""

from __future__ import annotations

from functools import lru_cache

import segno
from fastapi import APIRouter, Request
from starlette.responses import Response

from app.currencies.service import currencies
from app.events.service import events
from app.leases.selling import handed_over
from app.ledger.service import ledger_of
from app.platform.context import context_of
from app.platform.limits import RateLimit, client_address
from app.rules.receipts import sale_of_token
from app.rules.tickets import encode
from app.sales.receipts import PATH, key_of, receipt
from app.venues.service import the_network, venues
from app.web import render, render_error, texts_of

router = APIRouter(include_in_schema=False)

# Guests of one bar share one address on its Wi-Fi, so a known receipt counts for itself; guessing counts by address.
PER_RECEIPT = RateLimit("receipt-page", "120/minute")
UNKNOWN_RECEIPTS = RateLimit("receipt-page-unknown", "20/minute")


@router.get(f"{PATH}{{token}}")
async def receipt_page(request: Request, token: str) -> Response:
    """A sale that a terminal made without network is not here before the terminal is back: the page says so."""
    context = context_of(request)
    sale = sale_of_token(key_of(context), token)
    if sale is None:
        UNKNOWN_RECEIPTS.check(request, client_address(request))
        return _unknown(request)
    PER_RECEIPT.check(request, str(sale))
    async with context.reader.connect() as connection:
        network, known, at = await the_network(connection), await currencies(connection), await venues(connection)
        tickets = await handed_over(connection, sale)
        shows = await events(connection, ids={it.event for it in tickets})
    found = await receipt(ledger_of(request), sale, known, at)
    codes = [(it, shows[it.event], _code(encode(it.event, it.id, context.keys.signing))) for it in tickets]
    return render(request, "sales/receipt.html", network_name=network.name, receipt=found, tickets=codes, venues=at)


@lru_cache(maxsize=256)
def _code(text: str) -> str:
    """An SVG to stand in a page."""
    return segno.make(text, error="m").svg_inline(border=4, light="#fff", omitsize=True)


def _unknown(request: Request) -> Response:
    texts = texts_of(request)
    return render_error(
        request,
        404,
        title=texts.gettext("We do not know this receipt"),
        happened=texts.gettext("No receipt has this address. Perhaps a letter of it is missing."),
        money=texts.gettext("What was paid stays as it is. Nothing was charged."),
        advice=texts.gettext("Scan the code again, or ask at the counter: staff find the last sales there."),
    )
