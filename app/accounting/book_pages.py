"""The books for the accountant: what is closed, what it says, every journal, and files to take away."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import date
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Form, Query, Request
from starlette.responses import RedirectResponse, Response, StreamingResponse

from app.accounting.books import keeping, service, sheets, store
from app.accounting.books.chart import REGIMES, Account, defaults
from app.accounting.books.entries import JOURNALS, JournalCode
from app.accounting.books.keeping import Books
from app.accounting.books.sheets import TABLES, Table
from app.accounting.books.words import day_said, month_said
from app.currencies.service import currencies
from app.identity.admin_frame import render_admin
from app.identity.guard import Caller, SignedIn
from app.identity.roles import Principal
from app.ledger.service import ledger_of
from app.platform.context import context_of
from app.platform.errors import DomainError, Forbidden, Invalid, NotFound
from app.venues.service import the_network
from app.web import N_, texts_of

router = APIRouter(include_in_schema=False)

HERE: Final = "/admin/books"
ENTRIES_SHOWN: Final = 25
WRONG: Final = {
    "legal_name": N_("The books are somebody’s: enter the legal name."),
    "siren": N_("This SIREN is not right: nine digits, the last of which checks the others."),
    "regime": N_("Books are an association’s or a cooperative’s, and their year begins in a month."),
    "accounts": N_(
        "An account is not right: a number begins with three digits of the chart (classes 1 to 7), and has a name."
    ),
    "": N_("Months are closed already: the year begins when it began."),
}
_MONTH: Final = re.compile(r"([0-9]{4})-(0[1-9]|1[0-2])")

First = Annotated[str, Query(max_length=7)]
From = Annotated[int, Query(ge=1, le=2**62)]
Typed = Annotated[str, Form(max_length=200)]


@router.get(HERE)
async def books_page(request: Request, caller: Caller) -> Response:
    """The first set of books that somebody may read."""
    mine = await _reached(request, caller)
    if not mine:
        raise NotFound("There are no books yet.")
    return RedirectResponse(f"{HERE}/{mine[0].slug}", 303)


@router.get(f"{HERE}/{{slug}}")
async def books_of(request: Request, caller: Caller, session: SignedIn, slug: str) -> Response:
    """What is closed, and what is still open."""
    mine = await _reached(request, caller, slug)
    found = await service.overview(ledger_of(request), slug)
    exercises = sorted({it.document.books.exercise for it in found.months if it.document.books}, reverse=True)
    return await _render(request, session, "books", mine, found.books, found=found, exercises=exercises)


@router.post(f"{HERE}/{{slug}}/close")
async def close_books(request: Request, caller: Caller, session: SignedIn, slug: str) -> Response:
    """Close the oldest open month, for good."""
    await _reached(request, caller, slug)
    key = context_of(request).keys.signing
    month = await service.close_next(ledger_of(request), key, slug, session.principal.actor)
    return RedirectResponse(f"{HERE}/{slug}/{month:%Y-%m}", 303)


@router.get(f"{HERE}/{{slug}}/settings")
async def books_settings(request: Request, caller: Caller, session: SignedIn, slug: str) -> Response:
    """Whose books they are, and under which numbers they keep what."""
    mine = await _reached(request, caller, slug)
    books = _named(mine, slug)
    return await _settings(request, session, mine, books)


@router.post(f"{HERE}/{{slug}}/settings")
async def keep_books(
    request: Request,
    caller: Caller,
    session: SignedIn,
    slug: str,
    legal_name: Typed,
    regime: Typed,
    year_starts: Annotated[int, Form(ge=1, le=12)],
    siren: Typed = "",
) -> Response:
    """Accounts come as fields "number:<key>" and "name:<key>"."""
    mine = await _reached(request, caller, slug)
    books = _named(mine, slug)
    form = await request.form()
    known = {**defaults(books.regime, venue=books.of_venue), **books.changed}
    changed = {
        key: Account(str(form.get(f"number:{key}", it.number)).strip(), str(form.get(f"name:{key}", it.name)).strip())
        for key, it in known.items()
    }
    of_regime = defaults("cooperative" if regime == "cooperative" else "association", venue=books.of_venue)
    # What stood at the default of the kind of books that they were, follows the kind that they become.
    before = defaults(books.regime, venue=books.of_venue)
    kept = {key: it for key, it in changed.items() if it not in (before.get(key), of_regime.get(key))}
    try:
        async with context_of(request).engine.begin() as connection:
            await service.keep_books(
                connection,
                slug,
                legal_name=legal_name,
                siren=siren.replace(" ", ""),
                regime=regime,
                year_starts=year_starts,
                changed=kept,
                actor=session.principal.actor,
            )
    except DomainError as error:
        if error.code not in {"invalid", "conflict"}:
            raise
        typed = {"legal_name": legal_name, "siren": siren, "regime": regime, "year_starts": year_starts}
        return await _settings(
            request, session, mine, books, typed=typed, accounts=changed, wrong=str(error.extra.get("field", ""))
        )
    return RedirectResponse(f"{HERE}/{slug}", 303)


@router.get(f"{HERE}/{{slug}}/fec/{{exercise}}")
async def books_fec(request: Request, caller: Caller, slug: str, exercise: int) -> Response:
    """The file for the tax office, of what is closed of an exercise."""
    await _reached(request, caller, slug)
    name, parts = await service.fec_of(ledger_of(request), slug, exercise)
    return _file(parts, name, "text/plain; charset=iso-8859-15")


@router.get(f"{HERE}/{{slug}}/table/{{table}}.{{ending}}")
async def books_table(
    request: Request, caller: Caller, slug: str, table: Table, ending: Literal["csv", "xlsx"], first: First, last: First
) -> Response:
    """A table of some closed months, `first` to `last` (YYYY-MM)."""
    await _reached(request, caller, slug)
    ledger = ledger_of(request)
    stretch = await service.stretch_of(ledger, slug, _month(first), _month(last))
    rows = sheets.rows(table, store.apart(ledger.reader), stretch)
    name = f"{table}-{slug}-{first}{'' if first == last else f'-{last}'}.{ending}"
    if ending == "csv":
        return _file(sheets.as_csv(table, rows), name, "text/csv; charset=utf-8")
    media = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    return _file(sheets.as_xlsx(table, rows), name, media)


@router.get(f"{HERE}/{{slug}}/{{month}}.pdf")
async def books_statement(request: Request, caller: Caller, slug: str, month: str) -> Response:
    """The statement of a month, for paper."""
    from app.accounting.books.pdf import statement_pdf  # noqa: PLC0415 (its library takes a while to load)

    await _reached(request, caller, slug)
    stretch = await service.stretch_of(ledger_of(request), slug, _month(month), _month(month))
    content = statement_pdf(stretch, texts_of(request), [it.digest.hex() for it in stretch.months])
    headers = _named_as(f"{slug}-{month}.pdf")
    return Response(content, media_type="application/pdf", headers=headers)


@router.get(f"{HERE}/{{slug}}/{{month}}")
async def books_month(request: Request, caller: Caller, session: SignedIn, slug: str, month: str) -> Response:
    """The statement of a closed month: VAT by rate, accounts, journals."""
    mine = await _reached(request, caller, slug)
    stretch = await service.stretch_of(ledger_of(request), slug, _month(month), _month(month))
    return await _render(request, session, "month", mine, stretch.books, stretch=stretch, month=month, tables=TABLES)


@router.get(f"{HERE}/{{slug}}/{{month}}/{{journal}}")
async def books_journal(
    request: Request, caller: Caller, session: SignedIn, slug: str, month: str, journal: JournalCode, start: From = 1
) -> Response:
    """The entries of a journal in a closed month, from number `start` on."""
    mine = await _reached(request, caller, slug)
    ledger = ledger_of(request)
    stretch = await service.stretch_of(ledger, slug, _month(month), _month(month))
    of = stretch.journals().get(journal)
    if of is None:
        raise NotFound("There is no entry in this journal.")
    first = min(max(start, of.first), of.last)
    last = min(first + ENTRIES_SHOWN - 1, of.last)
    lines = store.lines(store.apart(ledger.reader), stretch.books.id, stretch.exercise, journal, first, last)
    entries: dict[int, list[Any]] = {}
    async for it in lines:
        entries.setdefault(it.number, []).append(it)
    return await _render(
        request,
        session,
        "journal",
        mine,
        stretch.books,
        stretch=stretch,
        month=month,
        journal=journal,
        entries=entries,
        before=max(of.first, first - ENTRIES_SHOWN) if first > of.first else None,
        after=last + 1 if last < of.last else None,
    )


async def _reached(request: Request, caller: Principal, slug: str | None = None) -> list[Books]:
    """The books that somebody may read. NotFound, Forbidden: not the ones named `slug`."""
    async with context_of(request).reader.connect() as connection:
        everybodys = await keeping.all_books(connection)
    mine = [it for it in everybodys if (caller.may_see_venue(it.id) if it.of_venue else caller.sees_network)]
    if slug is not None and slug not in {it.slug for it in mine}:
        if slug in {it.slug for it in everybodys}:
            raise Forbidden("Your rights do not reach these books.")
        raise NotFound("There are no such books.")
    return mine


def _named(mine: list[Books], slug: str) -> Books:
    return next(it for it in mine if it.slug == slug)


def _month(text: str) -> date:
    """The first day of a month written YYYY-MM."""
    found = _MONTH.fullmatch(text)
    if found is None or not 1 <= int(found[1]) <= 9998:
        raise Invalid("A month is written as 2026-11.")
    return date(int(found[1]), int(found[2]), 1)


async def _settings(
    request: Request,
    session: SignedIn,
    mine: list[Books],
    books: Books,
    *,
    typed: dict[str, Any] | None = None,
    accounts: dict[str, Account] | None = None,
    wrong: str | None = None,
) -> Response:
    shown = {
        "legal_name": books.legal_name,
        "siren": books.siren,
        "regime": books.regime,
        "year_starts": books.year_starts,
    }
    known = accounts or {**defaults(books.regime, venue=books.of_venue), **books.changed}
    async with context_of(request).reader.connect() as connection:
        issues = any(it.issuer == books.owner for it in (await currencies(connection)).values())
    if books.of_venue and not issues:
        known = {key: it for key, it in known.items() if not key.startswith(("issuer.", "own."))}
    return await _render(
        request,
        session,
        "settings",
        mine,
        books,
        status_code=200 if wrong is None else 422,
        typed={**shown, **(typed or {})},
        accounts=sorted(known.items(), key=lambda it: (it[1].number, it[0])),
        regimes=REGIMES,
        months=[date(2000, month, 1) for month in range(1, 13)],
        wrong=None if wrong is None else texts_of(request).gettext(WRONG[wrong]),
    )


async def _render(
    request: Request,
    session: SignedIn,
    template: str,
    mine: list[Books],
    books: Books,
    *,
    status_code: int = 200,
    **context: Any,
) -> Response:
    texts = texts_of(request)
    async with context_of(request).reader.connect() as connection:
        network = await the_network(connection)
    return render_admin(
        request,
        session,
        f"accounting/{template}.html",
        place=HERE,
        status_code=status_code,
        network_name=network.name,
        mine=mine,
        books=books,
        journals=JOURNALS,
        month_said=lambda day: month_said(day, texts),
        day_said=lambda day: day_said(day, texts),
        **context,
    )


def _file(parts: AsyncIterator[bytes], name: str, media_type: str) -> Response:
    return StreamingResponse(parts, media_type=media_type, headers=_named_as(name))


def _named_as(name: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
