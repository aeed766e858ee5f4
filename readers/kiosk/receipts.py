"""A sale's receipt as the staff screen shows it: a QR code of its address, or of its text without internet."""

from __future__ import annotations

import io
from uuid import UUID

import segno
from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from readers.kiosk.languages import COOKIE, Language, language_of
from readers.kiosk.problems import refused_by_till
from readers.terminal.commands import Till, TillError


def routes(till: Till, language_default: Language) -> list[Route]:
    async def show(request: Request) -> Response:
        """What a receipt is: its number, its address and its text."""
        try:
            shown = till.receipt(_sale(request), _language(request, language_default))
        except TillError as error:
            return refused_by_till(error)
        return Response(to_json(shown), media_type="application/json")

    async def code(request: Request) -> Response:
        """A QR code: `of` is "address" (the default, where there is one), "text", or a ticket's place in the list."""
        try:
            shown = till.receipt(_sale(request), _language(request, language_default))
        except TillError as error:
            return refused_by_till(error)
        of = request.query_params.get("of", "address")
        if of.isdecimal():
            if int(of) >= len(shown.tickets):
                return JSONResponse({}, status_code=404)
            content = shown.tickets[int(of)].code
        else:
            content = shown.text if of == "text" or not shown.address else shown.address
        return Response(_drawn(content), media_type="image/svg+xml", headers={"Cache-Control": "no-store"})

    async def print_(request: Request) -> Response:
        try:
            await till.print_receipt(_sale(request), _language(request, language_default))
        except TillError as error:
            return refused_by_till(error)
        return JSONResponse({})

    return [
        Route("/api/receipts/{sale:uuid}", show),
        Route("/api/receipts/{sale:uuid}/code.svg", code),
        Route("/api/receipts/{sale:uuid}/print", print_, methods=["POST"]),
    ]


def _sale(request: Request) -> UUID:
    sale: UUID = request.path_params["sale"]
    return sale


def _language(request: Request, default: Language) -> Language:
    return language_of(request.headers.get("accept-language"), request.cookies.get(COOKIE), default)


def _drawn(content: str) -> bytes:
    """The least correction: a screen has no scratches, and larger squares are read from further away."""
    out = io.BytesIO()
    code = segno.make(content, error="l", micro=False, boost_error=False)
    code.save(out, kind="svg", border=3, light="#fff", omitsize=True, xmldecl=False)
    return out.getvalue()
