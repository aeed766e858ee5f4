"""Batches: cards that are made ahead, their labels, and the chips that get them."""

from __future__ import annotations

from typing import Annotated, Any, Final
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Query, Request
from starlette.responses import RedirectResponse, Response

from app.carddesk.labels import SHEETS
from app.carddesk.pages import HERE as CARDS
from app.carddesk.printing import LABELS_MAX, Wanted, address_of, labels_file, parts
from app.cards import batches
from app.cards.claim_codes import claim_code_of
from app.cards.rules import read_uid
from app.identity.admin_frame import render_admin
from app.identity.guard import Caller, SignedIn
from app.platform.context import context_of
from app.platform.errors import Conflict, Invalid, NotFound
from app.venues.service import the_network
from app.web import N_, texts_of
from app.web.sheets import as_csv

router = APIRouter(include_in_schema=False)

HERE: Final = f"{CARDS}/batches"
ONE: Final = f"{HERE}/{{batch}}"
SHOWN: Final = 100

_WRONG: Final = {
    "name": N_("Name the batch: at most 60 characters."),
    "prefix": N_("A label has at most 40 characters."),
    "first": N_("The first number, in digits: 1, or 001."),
    "number": N_("From 1 to 2000 cards."),
}
_KNOWN = N_("There is a batch of this name already.")
_TAKEN = N_("There is a card %(label)s already: begin with another number, or choose other words.")
_NO_UID = N_("This is no number of a chip: it has 8, 14 or 20 digits and letters from A to F.")
_NO_LABEL = N_("This batch has no such label.")
_JOINED = N_("This label is another card’s.")
_CHIP = N_("This chip is the card %(label)s already.")
_USED_UP = N_("Every label of this batch is a card’s.")

Typed = Annotated[str, Form(max_length=300)]


@router.get(HERE)
async def batches_page(request: Request, session: SignedIn) -> Response:
    return await _batches(request, session)


@router.post(HERE)
async def make_batch_from_page(
    request: Request,
    caller: Caller,
    session: SignedIn,
    name: Typed = "",
    prefix: Typed = "",
    first: Typed = "",
    number: Typed = "",
) -> Response:
    texts, typed = texts_of(request), {"name": name, "prefix": prefix, "first": first, "number": number}
    cards = int(number) if number.isascii() and number.isdigit() and len(number) < 6 else 0
    try:
        async with context_of(request).engine.begin() as connection:
            made = await batches.make(connection, caller.actor, name, prefix, first, cards)
    except Invalid as error:
        field = str(error.extra["field"])
        return await _batches(request, session, typed, {field: texts.gettext(_WRONG[field])})
    except Conflict as error:
        if error.code == "labels-taken":
            said = {"first": texts.gettext(_TAKEN, label=error.extra["label"])}
        else:
            said = {"name": texts.gettext(_KNOWN)}
        return await _batches(request, session, typed, said)
    return RedirectResponse(f"{HERE}/{made.id}", 303)


@router.get(ONE)
async def batch_page(
    request: Request,
    session: SignedIn,
    batch: UUID,
    page: Annotated[int, Query(ge=1, le=1000)] = 1,
    joined: Annotated[str, Query(max_length=40)] = "",
) -> Response:
    return await _batch(request, session, batch, page=page, joined=joined)


@router.get(f"{ONE}/labels.pdf")
async def batch_labels(request: Request, batch: UUID, wanted: Annotated[Wanted, Depends()]) -> Response:
    context = context_of(request)
    async with context.reader.connect() as connection:
        await batches.batch_with(connection, batch)
        found, network = await batches.blanks(connection, batch), await the_network(connection)
    return await labels_file(found, context.settings.base_url, network.name, wanted, context.keys.token)


@router.get(f"{ONE}/labels.csv")
async def batch_table(request: Request, batch: UUID) -> Response:
    """For a print shop: each label with its address, and the chip where it is known."""
    texts, context = texts_of(request), context_of(request)
    async with context.reader.connect() as connection:
        await batches.batch_with(connection, batch)
        found = await batches.blanks(connection, batch)
    head = [texts.gettext("Label"), texts.gettext("Address"), texts.gettext("Number of the chip")]
    head.append(texts.gettext("Code for its back"))
    base_url, key = context.settings.base_url, context.keys.token
    rows = [[it.label, address_of(base_url, it.token), it.uid or "", claim_code_of(key, it.token)] for it in found]
    return as_csv("labels.csv", texts, [head, *rows])


@router.post(f"{ONE}/cards")
async def join_from_page(
    request: Request, caller: Caller, session: SignedIn, batch: UUID, uid: Typed = "", label: Typed = ""
) -> Response:
    texts, typed, problems = texts_of(request), {"uid": uid, "label": label}, {}
    chip = read_uid(uid)
    if chip is None:
        problems["uid"] = texts.gettext(_NO_UID)
    else:
        try:
            async with context_of(request).engine.begin() as connection:
                card = await batches.join(connection, caller.actor, batch, chip, label.strip() or None)
            return RedirectResponse(f"{HERE}/{batch}?{urlencode({'joined': card.label})}", 303)
        except NotFound as error:
            if error.code != "card-unknown":
                raise
            problems["label"] = texts.gettext(_NO_LABEL)
        except Conflict as error:
            said = {
                "card-exists": ("uid", texts.gettext(_CHIP, label=error.extra.get("label", ""))),
                "label-taken": ("label", texts.gettext(_JOINED)),
                "batch-used-up": ("uid", texts.gettext(_USED_UP)),
            }
            field, problem = said[error.code]
            problems[field] = problem
    return await _batch(request, session, batch, typed=typed, problems=problems)


async def _batches(
    request: Request,
    session: SignedIn,
    typed: dict[str, str] | None = None,
    problems: dict[str, str] | None = None,
) -> Response:
    async with context_of(request).reader.connect() as connection:
        network, found = await the_network(connection), await batches.batches(connection)
    return render_admin(
        request,
        session,
        "carddesk/batches.html",
        place=CARDS,
        status_code=422 if problems else 200,
        network_name=network.name,
        zone=network.settings.zone,
        cards_url=CARDS,
        here=HERE,
        batches=found,
        typed=typed or {"first": "001"},
        problems=problems or {},
    )


async def _batch(
    request: Request,
    session: SignedIn,
    batch: UUID,
    *,
    page: int = 1,
    joined: str = "",
    typed: dict[str, Any] | None = None,
    problems: dict[str, str] | None = None,
) -> Response:
    async with context_of(request).reader.connect() as connection:
        found, network = await batches.batch_with(connection, batch), await the_network(connection)
        labels, free = await batches.blanks(connection, batch), await batches.next_blank(connection, batch)
    begin = (page - 1) * SHOWN
    return render_admin(
        request,
        session,
        "carddesk/batch.html",
        place=CARDS,
        status_code=422 if problems else 200,
        network_name=network.name,
        zone=network.settings.zone,
        cards_url=CARDS,
        here=f"{HERE}/{batch}",
        back=HERE,
        batch=found,
        labels=labels[begin : begin + SHOWN],
        free=free,
        joined=joined if any(it.card and it.label == joined for it in labels) else "",
        earlier=f"{HERE}/{batch}?page={page - 1}" if page > 1 else None,
        later=f"{HERE}/{batch}?page={page + 1}" if len(labels) > begin + SHOWN else None,
        sheets=SHEETS,
        parts=parts(found.cards),
        labels_max=LABELS_MAX,
        typed=typed or {},
        problems=problems or {},
    )
