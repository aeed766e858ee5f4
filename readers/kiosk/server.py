"""The staff screen's routes on Starlette: the page, what it shows, and the commands it gives the till."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Final, TypeVar

from jinja2 import Environment, PackageLoader, StrictUndefined, Template, select_autoescape
from pydantic import BaseModel, ValidationError
from pydantic_core import to_json
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from readers.kiosk import door, receipts, sessions, tabs
from readers.kiosk.bodies import Act, Complete, Nothing, Pay, SignIn, SoldOut, Take, Train, Void
from readers.kiosk.events import screen_json, stream
from readers.kiosk.guard import Guard
from readers.kiosk.languages import COOKIE, LANGUAGES, Language, language_of, words_in
from readers.kiosk.problems import malformed, refused_by_till
from readers.terminal.commands import Till, TillError
from readers.terminal.view import ByHand

LOOPBACK: Final = ("127.0.0.1", "localhost", "[::1]")
YEAR_S: Final = 365 * 24 * 3600

Body = TypeVar("Body", bound=BaseModel)
Handler = Callable[[Request], Awaitable[Response]]


def create_kiosk(till: Till, *, language_default: Language = "fr", hosts: Sequence[str] = LOOPBACK) -> Starlette:
    """The staff screen of one till.

    `hosts`: the names under which it may be called (without port). Event streams end with their connections only, so
    whoever stops the server closes these.
    """
    screen = _Screen(till, language_default)
    routes = [
        Route("/", screen.page),
        Route("/api/catalogue", screen.catalogue),
        Route("/api/screen", screen.screen),
        Route("/api/events", screen.events),
        Route("/api/sign-in", _command(SignIn, lambda body: till.sign_in(body.pin)), methods=["POST"]),
        Route("/api/sign-out", _command(Nothing, lambda _: till.sign_out()), methods=["POST"]),
        Route("/api/pay", _command(Pay, screen.pay), methods=["POST"]),
        Route("/api/take", _command(Take, screen.take), methods=["POST"]),
        Route("/api/sold-out", _command(SoldOut, screen.sold_out), methods=["POST"]),
        Route("/api/act", _command(Act, screen.act), methods=["POST"]),
        Route("/api/complete", _command(Complete, lambda body: till.complete(body.offer)), methods=["POST"]),
        Route("/api/cancel", _command(Nothing, lambda _: till.cancel()), methods=["POST"]),
        Route("/api/dismiss", _command(Nothing, lambda _: till.dismiss()), methods=["POST"]),
        Route("/api/void", _command(Void, lambda body: till.void(body.sale, body.reason)), methods=["POST"]),
        Route("/api/train", _command(Train, lambda body: till.train(body.on)), methods=["POST"]),
        *tabs.routes(till),
        *door.routes(till, screen.door_page),
        *receipts.routes(till, language_default),
        *sessions.routes(till, language_default),
        Route("/healthz", screen.health),
        Mount("/static", StaticFiles(packages=[("app", "web/static")])),
        Mount("/kiosk", StaticFiles(packages=[("readers.kiosk", "static")])),
    ]
    guards = [
        Middleware(TrustedHostMiddleware, allowed_hosts=list(hosts), www_redirect=False),
        Middleware(Guard),
        # A phone beside the bar loads the pages over a crowded network. Event streams are left as they are.
        Middleware(GZipMiddleware, minimum_size=500),
    ]
    return Starlette(routes=routes, middleware=guards)


class _Screen:
    """What the routes share: the till and the page's template."""

    def __init__(self, till: Till, language_default: Language) -> None:
        self.till = till
        self.language_default = language_default
        environment = Environment(
            loader=PackageLoader("readers.kiosk"), autoescape=select_autoescape(), undefined=StrictUndefined
        )
        self.template = environment.get_template("kiosk.html")
        self.door_template = environment.get_template("door.html")

    async def page(self, request: Request) -> Response:
        return self._rendered(request, self.template)

    async def door_page(self, request: Request) -> Response:
        return self._rendered(request, self.door_template)

    def _rendered(self, request: Request, template: Template) -> Response:
        chosen = request.query_params.get("lang")
        if chosen in LANGUAGES:
            redirect = RedirectResponse(request.url.path, status_code=303)
            redirect.set_cookie(COOKIE, chosen, max_age=YEAR_S, httponly=True, samesite="strict")
            return redirect
        cookie = request.cookies.get(COOKIE)
        language = language_of(request.headers.get("accept-language"), cookie, self.language_default)
        words = words_in(language)
        html = template.render(language=language, words=words, words_json=to_json(words).decode())
        return HTMLResponse(html, headers={"Content-Language": language, "Vary": "Accept-Language, Cookie"})

    async def catalogue(self, _: Request) -> Response:
        return Response(to_json(self.till.catalogue()), media_type="application/json")

    async def screen(self, _: Request) -> Response:
        return Response(screen_json(self.till), media_type="application/json")

    async def events(self, _: Request) -> Response:
        return StreamingResponse(
            stream(self.till), media_type="text/event-stream", headers={"Cache-Control": "no-store"}
        )

    async def pay(self, body: Pay) -> dict[str, str]:
        return {"sale": str(await self.till.pay([it.chosen() for it in body.items], body.currency, body.bill))}

    async def take(self, body: Take) -> dict[str, str]:
        how = ByHand(body.means, body.given, body.reason)
        return {"sale": str(await self.till.take([it.chosen() for it in body.items], body.currency, how, body.bill))}

    async def sold_out(self, body: SoldOut) -> None:
        await self.till.set_sold_out(body.product, body.sold_out)

    async def act(self, body: Act) -> dict[str, str]:
        return {"id": str(await self.till.act(body.name, body.wish))}

    async def health(self, _: Request) -> Response:
        """The agent answers. Being offline or without a reader is told, and is no reason to restart it."""
        now = self.till.screen()
        return JSONResponse({"status": "ok", "online": now.online, "reader": now.reader, "waiting": now.waiting})


def _command(model: type[Body], carry_out: Callable[[Body], Awaitable[dict[str, str] | None]]) -> Handler:
    """A route that reads a body and has the till do it: 200 with what it answers, 409 or 422 with why not."""

    async def handle(request: Request) -> Response:
        try:
            body = model.model_validate_json(await request.body())
        except ValidationError as error:
            return malformed(error)
        try:
            return JSONResponse(await carry_out(body) or {})
        except TillError as error:
            return refused_by_till(error)

    return handle
