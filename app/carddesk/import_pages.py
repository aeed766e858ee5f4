"""A supplier's list: looked at first, line by line, and taken in whole or not at all."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Form, Query, Request, UploadFile
from starlette.responses import RedirectResponse, Response

from app.carddesk.pages import HERE as CARDS
from app.carddesk.printing import address_of
from app.carddesk.rules import LINES_MAX, decoded, read_list
from app.cards import batches, importing
from app.cards.importing import Naming, Planned, Trouble
from app.identity.admin_frame import render_admin
from app.identity.guard import Caller, SignedIn
from app.platform.context import context_of
from app.platform.errors import Conflict, Invalid
from app.venues.service import the_network
from app.web import N_, texts_of

router = APIRouter(include_in_schema=False)

HERE: Final = f"{CARDS}/import"
FILE_MAX_BYTES: Final = 700_000
# Of what is right, only the beginning is shown; of what is wrong, all that anybody will read.
SHOWN: Final = 10
WRONG_SHOWN: Final = 200

TROUBLES: Final[dict[Trouble, str]] = {
    "shape": N_("this is no number of a chip"),
    "double": N_("the same chip as in line %(about)s"),
    "known": N_("this chip is the card %(about)s already"),
    "no-label": N_("no label: say with which number to begin, or choose a batch that has enough"),
    "label-long": N_("the label has more than 40 characters"),
    "label-double": N_("this label is twice in the list"),
    "label-taken": N_("this label is another card’s"),
    "not-in-batch": N_("the batch has no such label"),
    "no-address": N_("this address is on no label of ours"),
}
_EMPTY = N_("There is no line in it.")
_LONG = N_("A list has at most %(most)s lines: cut it in two.")
_FIRST = N_("The first number, in digits: 1, or 001.")
_MEANWHILE = N_("Somebody added some of these cards meanwhile. Look at the list again.")

Typed = Annotated[str, Form(max_length=60)]


@router.get(HERE)
async def import_page(
    request: Request, session: SignedIn, added: Annotated[int | None, Query(ge=0)] = None
) -> Response:
    return await _page(request, session, {}, added=added)


@router.post(HERE)
async def import_from_page(
    request: Request,
    caller: Caller,
    session: SignedIn,
    file: UploadFile | None = None,
    text: Annotated[str, Form()] = "",
    batch: Typed = "",
    prefix: Typed = "",
    first: Typed = "",
    sure: Typed = "",
) -> Response:
    """Without `sure`, what would become of it; with it, done, as it was shown."""
    typed = {"text": text, "batch": batch, "prefix": prefix, "first": first}
    texts, naming, content = texts_of(request), Naming(_uuid(batch), prefix, first), b""
    if file is not None and file.size:
        content = await file.read(FILE_MAX_BYTES + 1)
        typed["text"] = decoded(content)
    too_long = len(content) > FILE_MAX_BYTES
    entries = [] if too_long else read_list(typed["text"])
    if too_long or not entries or len(entries) > LINES_MAX:
        said = texts.gettext(_LONG, most=LINES_MAX) if too_long or entries else texts.gettext(_EMPTY)
        typed["text"] = "" if too_long else typed["text"]
        return await _page(request, session, typed, {"text": said})
    context, problems = context_of(request), {}
    try:
        if sure:
            async with context.engine.begin() as connection:
                added = await importing.take_in(connection, caller.actor, entries, naming)
            return RedirectResponse(f"{HERE}?added={added}", 303)
    except Conflict as error:
        if error.code != "list-wrong":
            raise
        problems["list"] = texts.gettext(_MEANWHILE)
    try:
        async with context.reader.connect() as connection:
            planned = await importing.plan(connection, entries, naming)
    except Invalid as error:
        if error.extra.get("field") not in ("first", "prefix"):
            raise
        return await _page(request, session, typed, {"first": texts.gettext(_FIRST)})
    return await _page(request, session, typed, problems, planned=planned)


async def _page(
    request: Request,
    session: SignedIn,
    typed: dict[str, str],
    problems: dict[str, str] | None = None,
    *,
    planned: Sequence[Planned] = (),
    added: int | None = None,
) -> Response:
    context, texts = context_of(request), texts_of(request)
    async with context.reader.connect() as connection:
        network, made = await the_network(connection), await batches.batches(connection)
    wrong = [(it, texts.gettext(TROUBLES[it.trouble], about=it.about)) for it in planned if it.trouble]
    return render_admin(
        request,
        session,
        "carddesk/import.html",
        place=CARDS,
        status_code=422 if problems or wrong else 200,
        network_name=network.name,
        cards_url=CARDS,
        here=HERE,
        batches=[it for it in made if it.joined < it.cards or str(it.id) == typed.get("batch")],
        typed={"text": "", "batch": "", "prefix": "", "first": "", **typed},
        problems=problems or {},
        planned=planned,
        right=[it for it in planned if not it.trouble][:SHOWN],
        wrong=wrong[:WRONG_SHOWN],
        wrong_count=len(wrong),
        added=added,
        # What was looked at is what is taken in, under the labels that were shown.
        confirmed=_as_text(planned, context.settings.base_url) if planned and not wrong else "",
    )


def _as_text(planned: Sequence[Planned], base_url: str) -> str:
    out = io.StringIO()
    rows: list[list[Any]] = [["uid", "label", "address"]]
    rows += [[it.uid, it.label, address_of(base_url, it.token) if it.token else ""] for it in planned]
    csv.writer(out, delimiter=";", lineterminator="\n").writerows(rows)
    return out.getvalue()


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
