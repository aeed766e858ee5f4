"""The public page of what is kept; and a holder's own: reading all of it, taking it away as a file, erasing it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from app.cards.addresses import card_behind
from app.cards.service import Card
from app.cards.visits import require_tap
from app.currencies.service import Currency, currencies
from app.disputes.words import SAID, STATES
from app.holders.signed_in import holder_of
from app.identity.guard import Caller
from app.ledger.service import ledger_of
from app.mail.pages import KINDS
from app.money import Unit, format_amount
from app.moneys import account_words
from app.people.audit_words import ACTS
from app.platform.clock import now_us
from app.platform.context import context_of
from app.platform.errors import Conflict, Forbidden, Invalid
from app.platform.limits import RateLimit
from app.privacy import proof, service
from app.privacy.registry import SOURCES
from app.privacy.words import FIELDS, PROVIDERS, SECTIONS, VALUES
from app.venues.service import the_network
from app.web import Texts, dates, render, texts_of

router = APIRouter(include_in_schema=False)

# All of it is read at once: it costs as much as the wallet has moved.
READ = RateLimit("held-about", "20/hour")
NOT_KEPT = {"Cache-Control": "no-store"}
CACHED = "public, max-age=300"
SHOWN_MAX = 200


@router.get("/privacy")
async def privacy_page(request: Request) -> Response:
    settings, texts = context_of(request).settings, texts_of(request)
    async with context_of(request).reader.connect() as connection:
        network = await the_network(connection)
    provider = PROVIDERS.get(settings.payments)
    return render(
        request,
        "privacy/privacy.html",
        # A choice of language sets a cookie, which no shared cache may hand on.
        headers={"Cache-Control": CACHED if "lang" not in request.query_params else "private, no-cache"},
        network_name=network.name,
        contact=network.settings.contact,
        sources=SOURCES,
        provider=texts.gettext(provider) if provider else "",
        by_mail=settings.mail != "none",
    )


@router.get("/c/{token}/data")
async def own_data_page(request: Request, token: str) -> Response:
    """The way in: whoever has not shown that the card is theirs is asked for its code."""
    card = await card_behind(request, token)
    await require_tap(request, card)
    return await _rights(request, card)


@router.post("/c/{token}/data")
async def prove_own_data(request: Request, token: str, code: Annotated[str, Form(max_length=100)] = "") -> Response:
    card = await card_behind(request, token)
    await require_tap(request, card)
    try:
        async with context_of(request).reader.connect() as connection:
            await proof.check_code(request, connection, card, code)
    except Invalid:
        return await _rights(request, card, wrong="code")
    except Forbidden as error:
        if error.code != "code-not-enough":
            raise
        return await _rights(request, card, wrong="address")
    answer = RedirectResponse(f"/c/{token}/data", 303)
    proof.remember(request, answer, card)
    return answer


@router.get("/c/{token}/data/all")
async def own_data_all(request: Request, token: str) -> Response:
    """All of it, to be read."""
    card = await card_behind(request, token)
    await proof.require(request, card)
    READ.check(request, str(card.wallet))
    texts, held = texts_of(request), await service.held_about(ledger_of(request), card.wallet)
    async with context_of(request).reader.connect() as connection:
        network, known = await the_network(connection), await currencies(connection)
    titles = {it.name: it.title for it in SOURCES} | dict(SECTIONS)
    order = ["balances", "cards", "movements", *(it for it in held if it not in {"balances", "cards", "movements"})]
    tell = _Teller(texts, known, network.settings.zone)
    return render(
        request,
        "privacy/all.html",
        headers=NOT_KEPT,
        network_name=network.name,
        home=f"/c/{token}",
        sections=[
            (texts.gettext(titles[name]), [tell.record(it) for it in held[name][:SHOWN_MAX]], len(held[name]))
            for name in order
            if held[name]
        ],
        shown_max=SHOWN_MAX,
    )


@router.get("/c/{token}/data/all.json")
async def own_data_file(request: Request, token: str) -> Response:
    """The same as a file, whole."""
    card = await card_behind(request, token)
    await proof.require(request, card)
    READ.check(request, str(card.wallet))
    held = await service.held_about(ledger_of(request), card.wallet)
    async with context_of(request).reader.connect() as connection:
        network = await the_network(connection)
    headers = {**NOT_KEPT, "Content-Disposition": 'attachment; filename="comptoir.json"'}
    text = service.as_json(held, network.name, now_us())
    return Response(text, media_type="application/json", headers=headers)


@router.post("/c/{token}/data/erase")
async def erase_own_data(
    request: Request,
    caller: Caller,
    token: str,
    sure: Annotated[Literal["", "yes"], Form()] = "",
    keep: Annotated[Literal["", "yes"], Form()] = "",
) -> Response:
    """`keep`: what is left stays on the card, without a name. Pressed again it says the same."""
    card = await card_behind(request, token)
    await proof.require(request, card)
    if not sure:
        return await _rights(request, card, wrong="sure")
    try:
        await service.erase(ledger_of(request), caller.actor, card.wallet, keep_money=keep == "yes")
    except Conflict as error:
        if error.code != "money-left":
            raise
        return await _rights(request, card, wrong="money")
    async with context_of(request).reader.connect() as connection:
        network = await the_network(connection)
    return render(
        request, "privacy/erased.html", headers=NOT_KEPT, network_name=network.name, home=f"/c/{token}", card=card
    )


async def _rights(request: Request, card: Card, wrong: str = "") -> Response:
    async with context_of(request).reader.connect() as connection:
        network, known = await the_network(connection), await currencies(connection)
    proven, session = await proof.proven(request, card), await holder_of(request)
    left = await service.left(ledger_of(request), card.wallet) if proven else {}
    return render(
        request,
        "privacy/own.html",
        status_code=422 if wrong else 200,
        headers=NOT_KEPT,
        network_name=network.name,
        home=f"/c/{card.token}",
        card=card,
        proven=proven,
        csrf_token="" if session is None else session.csrf,
        left=[known[code].text(minor, texts_of(request).language) for code, minor in left.items() if minor > 0],
        wrong=wrong,
    )


class _Teller:
    """Records in the reader's words."""

    def __init__(self, texts: Texts, known: Mapping[str, Currency], zone: str) -> None:
        self._texts, self._known, self._zone = texts, known, zone

    def record(self, it: Mapping[str, Any]) -> list[tuple[str, str]]:
        return [
            (self._texts.gettext(FIELDS[name]) if name in FIELDS else name, self._value(name, value))
            for name, value in it.items()
            if value not in (None, "", [])
        ]

    def _value(self, name: str, value: Any) -> str:
        match value:
            case int() if name.endswith("_us"):
                return dates.when(value, self._zone, now_us(), self._texts)
            case {"currency": str(code), "minor": int(minor)}:
                if code in self._known:
                    return self._known[code].text(minor, self._texts.language)
                return format_amount(minor, Unit.CENT, "€", self._texts.language)
            case str() if name == "currency" and value in self._known:
                return self._known[value].names[self._texts.language]
            case list():
                return ", ".join(str(it) for it in value)
            case str() if name in {"what", "status", "reason", "by"}:
                return self._word(value)
        return str(value)

    def _word(self, value: str) -> str:
        said = {str(key): it for of in (VALUES, KINDS, ACTS, SAID, STATES) for key, it in of.items()}
        return self._texts.gettext(said[value]) if value in said else account_words.operation(value, self._texts)
