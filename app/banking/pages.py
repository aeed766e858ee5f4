"""What does the bank say? Statements taken in, and each of their lines told what it is."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Form, Query, Request, UploadFile
from starlette.responses import RedirectResponse, Response

from app.banking import importing, service
from app.banking.rules.finding import Proposal
from app.banking.service import Kind, Seen
from app.identity.admin_frame import render_admin
from app.identity.guard import Caller, SignedIn
from app.identity.service import names_of
from app.ledger.service import ledger_of
from app.money import AmountNotUnderstood, Unit, parse_amount
from app.platform.clock import now_us
from app.platform.context import context_of
from app.platform.errors import Conflict, DomainError, Invalid
from app.venues.service import the_network, venues
from app.web import N_, Texts, dates, texts_of

router = APIRouter(include_in_schema=False)

HERE = "/admin/statements"

PROBLEMS = {
    "has-a-document-type": N_("The file declares a document type, which no bank does."),
    "not-xml": N_("The file is neither a statement in XML nor a table."),
    "no-statement": N_("There is no account statement (camt.053) in the file."),
    "no-iban": N_("The statement does not say of which account it is."),
    "no-amount": N_("An entry has no amount."),
    "no-direction": N_("An entry does not say whether money came in or went out."),
    "not-in-euros": N_("The account is not in euros."),
    "bad-amount": N_("An amount cannot be read: line %(where)s."),
    "bad-day": N_("A date cannot be read: line %(where)s."),
    "no-lines": N_("There is no line in the statement."),
    "no-columns": N_("No line of headings was found with a date and an amount, or a date, debit and credit."),
    "does-not-add-up": N_("Opening balance and lines do not come to the closing balance: the file is not whole."),
    "no-account": N_("A table does not say of which account it is: give its IBAN."),
    "too-large": N_("The file is too large: export a shorter time."),
}
KINDS = {
    "payout": N_("Paid out by %(name)s"),
    "remittance": N_("Cash from %(name)s"),
    "handover": N_("Counted cash, carried to the bank"),
    "payment": N_("Payment %(name)s of a settlement"),
    "aside": N_("None of the network’s business"),
}

Typed = Annotated[str, Form(max_length=300)]


@router.get(HERE)
async def statements_page(
    request: Request,
    _caller: Caller,
    session: SignedIn,
    taken: Annotated[int | None, Query(ge=0)] = None,
    known: Annotated[int, Query(ge=0)] = 0,
) -> Response:
    return await _render(request, session, taken=taken, known=known)


@router.post(HERE)
async def import_statement(
    request: Request, caller: Caller, session: SignedIn, file: UploadFile, iban: Typed = ""
) -> Response:
    """Take a file in, and match what needs nobody."""
    context = context_of(request)
    content = await file.read(importing.FILE_MAX_BYTES + 1)
    texts = texts_of(request)
    try:
        found = await importing.take_in(context.engine, file.filename or "", content, iban, actor=caller.actor)
    except Conflict:
        return await _render(request, session, wrong=texts.gettext("This file was taken in already."), iban=iban)
    except Invalid as error:
        problem = PROBLEMS[error.extra["problem"]]
        said = texts.gettext(problem, where=error.extra["where"])
        return await _render(request, session, wrong=said, iban=iban)
    await service.match_what_is_certain(context.engine, ledger_of(request), await _day(request))
    taken, known = sum(it.lines for it in found), sum(it.known for it in found)
    return RedirectResponse(f"{HERE}?taken={taken}&known={known}", 303)


@router.post(HERE + "/{line}")
async def decide_line(
    request: Request,
    caller: Caller,
    session: SignedIn,
    line: UUID,
    what: Typed,
    gross: Typed = "",
    reason: Typed = "",
    handover: UUID | None = Form(None),
) -> Response:
    """`what`: a kind and whom it is about, as in "remittance venue:<id>"."""
    kind, _, subject = what.partition(" ")
    texts = texts_of(request)
    try:
        await service.decide(
            context_of(request).engine,
            ledger_of(request),
            line,
            _kind(kind),
            subject,
            await _day(request),
            actor=caller.actor,
            reason=reason,
            gross_cents=parse_amount(gross, Unit.CENT) if gross.strip() else None,
            handover=handover,
        )
    except AmountNotUnderstood:
        said = texts.gettext("This amount cannot be read.")
        return await _render(request, session, wrong_line=(line, said))
    except DomainError as error:
        if error.code not in _TOLD:
            raise
        told = _TOLD[error.code]
        return await _render(request, session, wrong_line=(line, texts.gettext(told)))
    return RedirectResponse(HERE, 303)


@router.post(HERE + "/{line}/undo")
async def undo_line(request: Request, caller: Caller, session: SignedIn, line: UUID, reason: Typed = "") -> Response:
    if not reason.strip():
        return await _render(request, session, wrong_line=(line, texts_of(request).gettext("Say why.")))
    engine, day = context_of(request).engine, await _day(request)
    await service.undo(engine, ledger_of(request), line, reason, day, actor=caller.actor)
    return RedirectResponse(HERE, 303)


_TOLD = {
    "bank-line-invalid": N_("This does not fit the line: check what you chose, the amount and the reason."),
    "line-decided": N_("Somebody decided about this line meanwhile."),
    "payout-matched": N_("This payout came with another line of the bank."),
}


def _kind(kind: str) -> Kind:
    match kind:
        case "payout" | "remittance" | "handover" | "payment" | "aside":
            return kind
        case _:
            raise Invalid("There is no such kind of line.", "bank-line-invalid")


async def _day(request: Request) -> date:
    async with context_of(request).reader.connect() as connection:
        zone = (await the_network(connection)).settings.zone
    return dates.local(now_us(), zone).date()


async def _render(
    request: Request,
    session: SignedIn,
    *,
    taken: int | None = None,
    known: int = 0,
    wrong: str = "",
    iban: str = "",
    wrong_line: tuple[UUID, str] | None = None,
) -> Response:
    texts, ledger = texts_of(request), ledger_of(request)
    async with context_of(request).reader.connect() as connection:
        network, at = await the_network(connection), await venues(connection)
        open_ = await service.open_lines(connection, ledger)
        decided = await service.lines(connection, open_=False, limit=50)
        files = await service.statements(connection)
        counted = await service.counted_cents(connection)
        expected = await service.expected(connection, ledger)
        who = {it.found.decided_by for it in decided if it.found} | {it["imported_by"] for it in files}
        names = await names_of(connection, who)
    named = {it.owner: it.name for it in at.values()}
    zone = network.settings.zone
    return render_admin(
        request,
        session,
        "banking/statements.html",
        place=HERE,
        status_code=422 if wrong or wrong_line else 200,
        network_name=network.name,
        here=HERE,
        zone=zone,
        today=dates.local(now_us(), zone).date(),
        taken=taken,
        known=known,
        wrong=wrong,
        iban=iban,
        wrong_line=wrong_line,
        typed_cents=_typed,
        open=[_open(it, named, texts) for it in open_],
        choices=[
            *((f"remittance {it.owner}", _name("remittance", it.owner, named, texts)) for it in expected.venues),
            *((f"payout {it}", _name("payout", it, named, texts)) for it in expected.clearing),
            ("handover", _name("handover", "", named, texts)),
        ],
        decided=[
            {"it": it, "what": _name(it.found.kind, it.found.subject, named, texts)} for it in decided if it.found
        ],
        files=files,
        counted_cents=counted,
        names=names,
    )


def _typed(cents: int) -> str:
    """An amount as somebody would type it."""
    return f"{cents // 100},{cents % 100:02d}"


def _open(it: Seen, named: dict[str, str], texts: Texts) -> dict[str, Any]:
    return {"it": it, "proposals": [_proposed(each, named, texts) for each in it.proposals]}


def _proposed(it: Proposal, named: dict[str, str], texts: Texts) -> dict[str, Any]:
    return {
        "value": f"{it.kind} {it.subject}".strip(),
        "name": _name(it.kind, it.subject, named, texts),
        "is_payout": it.kind == "payout",
        "handover": it.handover,
    }


def _name(kind: str, subject: str, named: dict[str, str], texts: Texts) -> str:
    said = KINDS[kind]
    return texts.gettext(said, name=named.get(subject, subject if kind == "payment" else subject.capitalize()))
