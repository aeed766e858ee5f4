"""The card tray: a page of the demo where a person picks up a card and taps it, and the same for scripts.

    GET  /api/state                                             what lies where
    POST /api/present {"field": "...", "uid": "...", "for_s": 1.2}  lay a card down; for_s null leaves it there
    POST /api/remove  {"field": "..."}                              take it away

`field` may be left out where there is only one. Each answer is the state; errors are problem details (RFC 9457).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.staticfiles import StaticFiles
from fastapi.templating import Jinja2Templates
from pydantic import BaseModel, ConfigDict, Field

from app.wire import Problem
from readers.emulator.cards import Card, card_with_uid
from readers.emulator.config import TrayCard, tidy_uid
from readers.emulator.field import UdpCardField
from readers.emulator.hand import Hand
from readers.emulator.texts import TEXTS, language_for

TAP_S = 1.2
_PAGE = Path(__file__).with_name("tray_page")
_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}


class PresentRequest(BaseModel):
    model_config = ConfigDict(extra="forbid")

    uid: Annotated[str, Field(max_length=64)]
    field: str | None = None
    for_s: Annotated[float, Field(ge=0.05, le=3600, allow_inf_nan=False)] | None = TAP_S


class RemoveRequest(BaseModel):
    model_config = ConfigDict(extra="forbid")

    field: str | None = None


class NotOnTray(Exception):
    """A card or reader that this tray does not have."""

    def __init__(self, name: str, title: str, detail: str) -> None:
        super().__init__(detail)
        self.problem = Problem(type=f"/problems/{name}", title=title, status=404, detail=detail)


class Tray:
    """The cards, and one hand for each reader."""

    def __init__(self, cards: Sequence[TrayCard], fields: Mapping[str, UdpCardField]) -> None:
        self.cards = tuple(cards)
        self._fields = dict(fields)
        self._hands = {name: Hand(field) for name, field in fields.items()}
        self._models: dict[str, Card] = {
            card.uid_hex: card_with_uid(bytes.fromhex(card.uid_hex), card.url) for card in cards
        }
        self._labels = {card.uid_hex: card.label for card in cards}

    def hand(self, name: str | None) -> Hand:
        if name is None and len(self._hands) == 1:
            return next(iter(self._hands.values()))
        if name is None or name not in self._hands:
            asked = "The field was not named" if name is None else f"No field is named {name!r}"
            raise NotOnTray("unknown-field", "No such field", f"{asked}; there are: {', '.join(self._hands)}.")
        return self._hands[name]

    def model(self, uid: str) -> Card:
        card = self._models.get(tidy_uid(uid))
        if card is None:
            detail = f"No card with UID {uid!r} lies on this tray; GET /api/state lists them."
            raise NotOnTray("unknown-card", "No such card", detail)
        return card

    async def present(self, name: str | None, uid: str, for_s: float | None) -> None:
        """Lay a card down; should it lie on another reader, it is taken from there, as there is only one of it."""
        hand, card = self.hand(name), self.model(uid)
        for other in self._hands.values():
            if other.card is card and other is not hand:
                other.remove()
        await hand.present(card, for_s)

    def state(self) -> dict[str, Any]:
        return {
            "fields": [self._field_state(name, hand) for name, hand in self._hands.items()],
            "cards": [
                {"label": card.label, "uid": card.uid_hex, "note": card.note, "url": card.url} for card in self.cards
            ],
        }

    def clear(self) -> None:
        for hand in self._hands.values():
            hand.remove()

    def _field_state(self, name: str, hand: Hand) -> dict[str, Any]:
        uid = hand.card.uid.hex() if hand.card else None
        return {
            "name": name,
            "reader": self._fields[name].path,
            "card": {"uid": uid, "label": self._labels.get(uid, uid)} if uid else None,
            "leaves_in_s": hand.leaves_in_s,
        }


def create_tray(cards: Sequence[TrayCard], fields: Mapping[str, UdpCardField]) -> FastAPI:
    """The tray as an ASGI app. `fields` by the name each terminal shows; they stay the caller's to close."""
    tray = Tray(cards, fields)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        tray.clear()

    app = FastAPI(title="Comptoir card tray", openapi_url=None, lifespan=lifespan)
    app.mount("/static", StaticFiles(directory=str(files("app") / "web" / "static")), name="static")
    app.mount("/tray", StaticFiles(directory=_PAGE / "assets"), name="tray")
    templates = Jinja2Templates(directory=_PAGE)

    @app.get("/")
    async def page(request: Request, lang: str | None = None) -> Response:
        language = language_for(request.headers.get("accept-language", ""), lang)
        context = {"state": tray.state(), "language": language, "t": TEXTS[language], "tap_s": TAP_S}
        return templates.TemplateResponse(
            request, "tray.html", context, headers=_HEADERS | {"Content-Language": language, "Vary": "Accept-Language"}
        )

    @app.get("/api/state")
    async def state() -> dict[str, Any]:
        return tray.state()

    @app.post("/api/present")
    async def present(body: PresentRequest) -> dict[str, Any]:
        await tray.present(body.field, body.uid, body.for_s)
        return tray.state()

    @app.post("/api/remove")
    async def remove(body: RemoveRequest) -> dict[str, Any]:
        tray.hand(body.field).remove()
        return tray.state()

    @app.exception_handler(NotOnTray)
    async def not_on_tray(_: Request, error: NotOnTray) -> Response:
        return _problem(error.problem)

    @app.exception_handler(RequestValidationError)
    async def malformed(_: Request, error: RequestValidationError) -> Response:
        errors = [{"at": list(each["loc"]), "message": each["msg"]} for each in error.errors()]
        detail = "; ".join(f"{'.'.join(map(str, each['at'][1:])) or 'body'}: {each['message']}" for each in errors)
        return _problem(
            Problem(type="/problems/malformed", title="Malformed request", status=422, detail=detail, errors=errors)
        )

    return app


def _problem(problem: Problem) -> Response:
    content = problem.model_dump(exclude_none=True)
    return JSONResponse(content, status_code=problem.status, media_type="application/problem+json")
