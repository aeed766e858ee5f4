"""The holder asks for what is left, reads what it comes to before it is asked for, and follows it to the end."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal
from uuid import UUID, uuid4

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from app.cards.addresses import any_card_behind, card_behind
from app.cards.service import Card, balances
from app.cards.visits import require_tap
from app.identity.guard import Caller
from app.ledger.service import ledger_of
from app.mail.rules import address as mail_address
from app.platform.clock import now_us
from app.platform.context import context_of
from app.platform.errors import Conflict, DomainError, Forbidden, Invalid, NotFound
from app.platform.limits import RateLimit
from app.refunds import freezing, letters, service, store, words
from app.refunds.proofs import may_act, proof_of, require
from app.refunds.rules import CANCELLABLE, Part, Proof, Way, closed
from app.refunds.service import World
from app.rules.business_day import business_day
from app.settlement.rules.accounts import HOLDER_MAX, spelled
from app.topups.provider import Provider
from app.web import render, texts_of

router = APIRouter(include_in_schema=False)

ASKED = RateLimit("refund", "20/minute")
NOT_KEPT = {"Cache-Control": "no-store"}

Typed = Annotated[str, Form(max_length=100)]
Email = Annotated[str, Form(max_length=300)]


@router.get("/c/{token}/refund")
async def refund_form(request: Request, token: str) -> Response:
    card = await card_behind(request, token)
    await require_tap(request, card)
    return await _form(request, card, {})


@router.post("/c/{token}/refund")
async def ask_refund_from_page(
    request: Request,
    caller: Caller,
    token: str,
    id: Annotated[UUID, Form()],
    way: Annotated[Way, Form()] = "bank",
    holder: Typed = "",
    iban: Typed = "",
    email: Email = "",
    code: Typed = "",
    sure: Literal["", "yes"] = Form(""),
) -> Response:
    """First what it comes to, as a sentence; asked for with `sure`. The same form sent twice is one refund."""
    card = await card_behind(request, token)
    await require_tap(request, card)
    ASKED.check(request, str(card.id))
    ledger, provider = ledger_of(request), _provider(request)
    typed = {"way": way, "holder": holder, "iban": iban, "email": email, "code": code}
    async with context_of(request).reader.connect() as connection:
        known = [it for it in await store.of_wallet(connection, card.wallet) if it.id == id]
    if known:
        return RedirectResponse(f"/c/{token}/refund/{id}", 303)
    problems: dict[str, str] = {}
    to = mail_address(email) if email.strip() else ""
    if to is None:
        problems["email"] = texts_of(request).gettext("Write an address like awa@example.org.")
    proof: Proof = "address"
    try:
        async with context_of(request).reader.connect() as connection:
            proof = await proof_of(request, connection, card, code)
        if way == "bank":
            require(proof != "address")
            service.bank_details(holder, iban)
    except (Invalid, Forbidden) as error:
        problems |= words.problem(error, texts_of(request))
    if problems:
        return await _form(request, card, typed, problems)
    if sure:
        try:
            asked = await service.ask(
                ledger,
                provider,
                card,
                way,
                proof,
                id,
                holder=holder,
                iban=iban,
                address=to or "",
                language=texts_of(request).language,
                actor=caller.actor,
            )
        except (Conflict, Forbidden, Invalid) as error:
            return await _form(request, card, typed, words.problem(error, texts_of(request)))
        return RedirectResponse(f"/c/{token}/refund/{asked.id}", 303)
    return await _review(request, card, id, way, typed)


@router.get("/c/{token}/refund/{id}")
async def refund_state(request: Request, token: str, id: UUID) -> Response:
    """Whoever knows this address asked for it, or was sent it."""
    return await _state(request, token, id, {})


@router.post("/c/{token}/refund/{id}/cancel")
async def cancel_refund_from_page(request: Request, caller: Caller, token: str, id: UUID, code: Typed = "") -> Response:
    return await _act(request, caller.actor, token, id, "cancel", code)


@router.post("/c/{token}/refund/{id}/mend")
async def mend_refund_from_page(
    request: Request, caller: Caller, token: str, id: UUID, holder: Typed = "", iban: Typed = "", code: Typed = ""
) -> Response:
    return await _act(request, caller.actor, token, id, "mend", code, holder, iban)


@router.post("/c/{token}/refund/{id}/thaw")
async def thaw_refunded_card(request: Request, caller: Caller, token: str, id: UUID, code: Typed = "") -> Response:
    """The card is empty, and may be used again."""
    return await _act(request, caller.actor, token, id, "thaw", code)


async def _act(
    request: Request,
    actor: str,
    token: str,
    id_: UUID,
    act: Literal["cancel", "mend", "thaw"],
    code: str,
    holder: str = "",
    iban: str = "",
) -> Response:
    card, _ = await any_card_behind(request, token)
    ASKED.check(request, str(card.id))
    ledger, provider = ledger_of(request), _provider(request)
    it = await _named(request, card, id_)
    typed = {"holder": holder, "iban": iban, "code": code}
    try:
        async with context_of(request).reader.connect() as connection:
            proof = await proof_of(request, connection, card, code)
        require(may_act(it.proof, proof))
        if act == "cancel":
            await service.cancel(ledger, provider, id_, actor=actor)
        elif act == "mend":
            await service.mend(ledger, provider, id_, holder, iban, actor=actor)
        else:
            await service.use_again(ledger, it, actor=actor)
    except (Conflict, Forbidden, Invalid) as error:
        return await _state(request, token, id_, words.problem(error, texts_of(request)), typed)
    return RedirectResponse(f"/c/{token}/refund/{id_}", 303)


def _provider(request: Request) -> Provider | None:
    provider: Provider | None = request.app.state.provider
    return provider


async def _named(request: Request, card: Card, id_: UUID) -> store.Request:
    async with context_of(request).reader.connect() as connection:
        it = await store.named(connection, id_)
    if it.wallet != card.wallet:
        raise NotFound
    return it


async def _world(request: Request) -> World:
    async with context_of(request).reader.connect() as connection:
        return await service.world(connection)


async def _form(
    request: Request, card: Card, typed: dict[str, str], problems: dict[str, str] | None = None
) -> Response:
    ledger, provider, at = ledger_of(request), _provider(request), await _world(request)
    async with context_of(request).reader.connect() as connection:
        proof = await proof_of(request, connection, card)
        before = await store.of_wallet(connection, card.wallet)
    codes, today = service.open_now(at), business_day(now_us(), at.network.settings.zone)
    name = provider.name if provider else None
    ways: dict[Way, list[Part]] = {}
    for way in ("cards", "bank"):
        if found := await service.parts(ledger, at, card.wallet, way, name, codes):
            ways[way] = found
    held = await balances(ledger, card.owner, service.refundable(at))
    return render(
        request,
        "refunds/form.html",
        status_code=422 if problems else 200,
        headers=NOT_KEPT,
        network_name=at.network.name,
        home=f"/c/{card.token}",
        card=card,
        id=typed.get("id") or uuid4(),
        zone=at.network.settings.zone,
        open_=next((it for it in before if not it.ended), None),
        ways=ways,
        known=at.known,
        held={code: units for code, units in held.items() if units > 0},
        closed=[words.closed(at, code, today, texts_of(request)) for code in at.known if _why(at, code, today)],
        off=not service.refundable(at),
        notes=words.notes(at, texts_of(request)),
        lasts=[(at.known[code], date.fromisoformat(day)) for code in codes if (day := at.rules[code].refund.closes)],
        terms=words.terms(at, codes, texts_of(request)),
        today=today,
        proof=proof,
        by_mail=context_of(request).settings.mail != "none",
        typed={"way": "", "holder": "", "iban": "", "email": "", "code": "", **typed},
        problems=problems or {},
        holder_max=HOLDER_MAX,
    )


def _why(at: World, code: str, today: date) -> bool:
    return at.known[code].cents_per_unit is not None and bool(closed(at.rules[code], today))


async def _review(request: Request, card: Card, id_: UUID, way: Way, typed: dict[str, str]) -> Response:
    ledger, provider, at = ledger_of(request), _provider(request), await _world(request)
    codes = service.open_now(at)
    found = await service.parts(ledger, at, card.wallet, way, provider.name if provider else None, codes)
    if not found:
        return await _form(request, card, typed, {"": texts_of(request).gettext("There is nothing to refund.")})
    held = await balances(ledger, card.owner, codes)
    stays = {one.currency: held[one.currency] - one.units for one in found if held[one.currency] > one.units}
    return render(
        request,
        "refunds/review.html",
        headers=NOT_KEPT,
        network_name=at.network.name,
        home=f"/c/{card.token}",
        card=card,
        id=id_,
        way=way,
        parts=found,
        known=at.known,
        stays=stays,
        cents=sum(it.cents for it in found),
        fee_cents=sum(it.fee_cents for it in found),
        typed=typed,
        iban=spelled(service.bank_details(typed["holder"], typed["iban"]).iban) if way == "bank" else "",
    )


async def _state(
    request: Request,
    token: str,
    id_: UUID,
    problems: dict[str, str],
    typed: dict[str, str] | None = None,
) -> Response:
    card, end = await any_card_behind(request, token)
    it, at = await _named(request, card, id_), await _world(request)
    async with context_of(request).reader.connect() as connection:
        waiting = await freezing.waited_for(connection, at.network, it) if it.status == "waiting" else []
        tab = it.status == "waiting" and await freezing.has_open_tab(connection, it)
        try:
            proof = await proof_of(request, connection, card)
        except DomainError:
            proof = "address"
        cancellable = it.status in CANCELLABLE and await service.cancellable(connection, it)
    context: dict[str, Any] = {
        "network_name": at.network.name,
        "home": f"/c/{card.token}",
        "card": card,
        "it": it,
        "known": at.known,
        "zone": at.network.settings.zone,
        "waiting": waiting,
        "tab": tab,
        "latest_us": it.asked_at_us + at.network.settings.refund_wait_s * 1_000_000,
        "states": words.STATES,
        "said": words.SAID,
        "tints": words.TINTS,
        "iban": letters.masked(it.iban),
        "cancellable": cancellable,
        "usable": it.status in {"sending", "sent", "paid", "nothing"} and card.status != "active" and end is None,
        "needs_code": not may_act(it.proof, proof),
        "problems": problems,
        "typed": {"holder": "", "iban": "", "code": "", **(typed or {})},
    }
    return render(request, "refunds/state.html", status_code=422 if problems else 200, headers=NOT_KEPT, **context)
