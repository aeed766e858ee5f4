"""The review of a terminal's journal: its branches side by side, and what a person decides about each row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from app.cards.service import Card, cards_by_uid
from app.currencies.service import Currency, currencies
from app.identity.admin_frame import render_admin
from app.identity.guard import Caller, SignedIn
from app.identity.roles import Principal
from app.ledger.service import ledger_of
from app.money import format_amount
from app.platform.context import context_of
from app.platform.errors import Invalid
from app.sales.review import Epoch, Line, decide, epochs
from app.terminals.service import listed, revoked_at_us
from app.venues.service import the_network, venues
from app.web import N_, Texts, texts_of
from app.wire import AnyRow, CancelRow, SaleRow, VoidRow

router = APIRouter(include_in_schema=False)

HERE = "/admin/terminals/{terminal}/review"

# Kinds of rows by the word that they bear on the wire; one that is not here is shown by that word.
KINDS: Mapping[str, str] = {
    "sale": N_("Sale"),
    "void": N_("Sale voided"),
    "cancel": N_("Sale cancelled before it was paid"),
    "topup": N_("Top-up"),
    "refund": N_("Refund"),
    "credit": N_("Credit"),
}


@router.get(HERE)
async def review_page(request: Request, caller: Caller, session: SignedIn, terminal: UUID) -> Response:
    ledger, texts = ledger_of(request), texts_of(request)
    async with context_of(request).reader.connect() as connection:
        at = await listed(connection, terminal)
        caller.require_venue(at.venue)
        found = await epochs(connection, ledger, at, await revoked_at_us(connection, terminal))
        _require_all(caller, found)
        network, places, known = await the_network(connection), await venues(connection), await currencies(connection)
        rows = [line.payload for it in found for branch in it.branches for line in branch.lines]
        uids = {row.sale.card for row in rows if isinstance(row, SaleRow) and row.sale.card}
        cards = await cards_by_uid(connection, uids)
    return render_admin(
        request,
        session,
        "sales/review.html",
        place="/admin/terminals",
        network_name=network.name,
        terminal=at,
        waiting=sum(line.waits for it in found for branch in it.branches for line in branch.lines)
        + sum(it.more for it in found),
        epochs=[
            {
                "parts_at": it.parts_at,
                "venue": places[it.venue],
                "more": it.more,
                "branches": [
                    {
                        "followed": branch.followed,
                        "silent": branch.silent,
                        "lines": [_shown(line, known, cards, texts) for line in branch.lines],
                    }
                    for branch in it.branches
                ],
            }
            for it in found
        ],
    )


@router.post(HERE)
async def decide_rows(
    request: Request,
    caller: Caller,
    session: SignedIn,
    terminal: UUID,
    act: Annotated[Literal["book", "book_all", "leave_out"], Form()],
    reason: Annotated[str, Form(max_length=200)] = "",
    row: Annotated[list[int] | None, Form()] = None,
) -> Response:
    """Book rows, each once by its id, or leave them out; the reason is kept with who decided."""
    context = context_of(request)
    async with context.reader.connect() as connection:
        at = await listed(connection, terminal)
        caller.require_venue(at.venue)
        revoked = await revoked_at_us(connection, terminal)
        _require_all(caller, await epochs(connection, ledger_of(request), at, revoked))
    if act != "book_all" and not row:
        raise Invalid("Choose the rows first.")
    await decide(
        context.engine,
        ledger_of(request),
        at,
        None if act == "book_all" else row,
        "left_out" if act == "leave_out" else "booked",
        reason,
        request.app.state.row_handlers,
        session.principal.actor,
        revoked,
    )
    return RedirectResponse(HERE.format(terminal=terminal), 303)


def _require_all(caller: Principal, found: list[Epoch]) -> None:
    """A terminal that was moved sold at more than one venue, and each of them is touched."""
    for it in found:
        caller.require_venue(it.venue)


def _shown(line: Line, known: Mapping[str, Currency], cards: Mapping[str, Card], texts: Texts) -> dict[str, Any]:
    return {
        "line": line,
        "what": texts.gettext(KINDS[kind]) if (kind := _kind(line)) in KINDS else kind,
        "about": _about(line.payload, cards),
        "amount": _amount(line.payload, known, texts),
    }


def _kind(line: Line) -> str:
    return str(getattr(line.payload, "kind", ""))


def _about(row: AnyRow | None, cards: Mapping[str, Card]) -> str:
    """What was sold and to which card, or why it was undone."""
    if isinstance(row, SaleRow):
        items = ", ".join(f"{it.quantity} × {it.name}" for it in row.sale.lines)
        card = row.sale.card or ""
        return f"{items} · {cards[card].label if card in cards else card}" if card else items
    if isinstance(row, CancelRow):
        return ""
    return row.reason if isinstance(row, VoidRow) else str(getattr(row, "reason", None) or "")


def _amount(row: AnyRow | None, known: Mapping[str, Currency], texts: Texts) -> str:
    """What the cards pay, by currency; a currency that is not in the network by its bare number."""
    if not isinstance(row, SaleRow):
        return ""
    paid: dict[str, int] = {}
    for it in row.sale.tenders:
        paid[it.currency] = paid.get(it.currency, 0) + it.amount
    return ", ".join(
        format_amount(minor, known[code].unit, known[code].symbol, texts.language)
        if code in known
        else f"{minor} {code}"
        for code, minor in paid.items()
    )
