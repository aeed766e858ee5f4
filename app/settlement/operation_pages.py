"""One operation, as it stands in the ledger: where a figure ends that was opened all the way down."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import Response

from app.cards.service import labels_by_owner
from app.currencies.service import Currency, currencies
from app.identity.admin_frame import render_admin
from app.identity.guard import Caller, SignedIn
from app.identity.service import names_of
from app.ledger.rules.kinds import AccountKey, BookKind
from app.ledger.rules.operations import Transfer
from app.ledger.service import ledger_of
from app.money import Unit, format_amount
from app.moneys import account_words
from app.moneys.account_words import Owners
from app.platform.context import context_of
from app.platform.errors import NotFound
from app.venues.service import the_network, venues
from app.web import N_, Texts, texts_of

router = APIRouter(include_in_schema=False)

BOOKS: Mapping[BookKind, str] = {
    BookKind.CURRENCY: N_("Money in circulation"),
    BookKind.RESERVE: N_("Euros held for others"),
    BookKind.OPERATING: N_("The issuer’s own euros"),
}


@dataclass(frozen=True, slots=True)
class Row:
    """One transfer in words, its amount in the money of its book."""

    number: int
    book: str
    debit: str
    credit: str
    amount: str


@router.get("/admin/operations/{operation}")
async def operation_page(request: Request, caller: Caller, session: SignedIn, operation: UUID) -> Response:
    """Its transfers, what was sold, where and by whom, and what took it back."""
    texts = texts_of(request)
    found = await ledger_of(request).history.operation(operation)
    it = next((one for one in found.operations if caller.sees_network or one.venue in caller.venues), None)
    if it is None:
        raise NotFound("There is no such operation, or not for you.")
    async with context_of(request).reader.connect() as connection:
        network, places, known = await the_network(connection), await venues(connection), await currencies(connection)
        names = await names_of(connection, {it.actor})
        owners = Owners(
            await labels_by_owner(connection, {of.owner for of in found.accounts.values()}),
            {of.owner: of.name for of in places.values()},
        )
    venue = None if it.venue is None else places.get(it.venue)
    details: dict[str, Any] = json.loads(it.details)
    return render_admin(
        request,
        session,
        "settlement/operation.html",
        place="/admin",
        network_name=network.name,
        zone=network.settings.zone if venue is None else venue.zone,
        operation=it,
        name=account_words.operation(it.kind, texts),
        venue=venue,
        where=str(details.get("terminal_name", "")),
        who=names.get(it.actor, ""),
        reason=str(details.get("reason", "")),
        lines=[_line(one, known, texts) for one in details.get("lines", ())],
        rows=list(_rows(it.transfers, found.accounts, owners, known, texts)),
        reversed_by=found.reversed_by,
    )


def _line(sold: Mapping[str, Any], known: Mapping[str, Currency], texts: Texts) -> tuple[int, str, str]:
    """(how many, of what, for how much in all)."""
    quantity, of = int(sold["quantity"]), known.get(str(sold.get("currency", "")))
    amount = quantity * int(sold["unit_price"])
    told = format_amount(amount, Unit.CENT, "€", texts.language) if of is None else of.text(amount, texts.language)
    return quantity, str(sold["name"]), told


def _rows(
    transfers: Iterable[Transfer],
    accounts: Mapping[int, AccountKey],
    owners: Owners,
    known: Mapping[str, Currency],
    texts: Texts,
) -> Iterable[Row]:
    for it in transfers:
        debit, credit = accounts[it.debit], accounts[it.credit]
        of = known.get(debit.book.currency) if debit.book.kind is BookKind.CURRENCY else None
        yield Row(
            it.id,
            texts.gettext(BOOKS[debit.book.kind]) if of is None else of.names[texts.language],
            owners.account(debit.kind, debit.owner, texts),
            owners.account(credit.kind, credit.owner, texts),
            of.text(it.amount, texts.language)
            if of is not None
            else format_amount(it.amount, Unit.CENT, "€", texts.language),
        )
