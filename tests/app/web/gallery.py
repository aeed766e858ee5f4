"""A page with every shared component, for tests and for eyes: `python -m tests.app.web.gallery` prints its address."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Mount, Route

from app.web import Pages, SecurityHeaders, render, render_error, static_app, texts_of

TEMPLATES = {"gallery": Path(__file__).parent / "templates"}

# Saturday 14 November 2026, 23:40 in Paris.
NOW_US = 1_794_696_000_000_000


def gallery(request: Request) -> HTMLResponse:
    """Everything on one page; `?wide` gives it the width of the admin's pages, `?theme=dark` the staff's colours."""
    return render(
        request,
        "gallery/gallery.html",
        theme=request.query_params.get("theme", ""),
        width="wide" if "wide" in request.query_params else "",
        network_name="Les Comptoirs du Pays de Retz",
        home_url="/",
        today=date(2026, 11, 14),
        zone="Europe/Paris",
        minute_us=60_000_000,
        csrf_token="a-token",
    )


def problem(request: Request) -> HTMLResponse:
    texts = texts_of(request)
    french = texts.language == "fr"
    return render_error(
        request,
        409,
        title="Cette recharge est déjà faite" if french else "This top-up is already done",
        happened="Vous avez payé 30,00 € il y a deux minutes." if french else "You paid €30.00 two minutes ago.",
        money="Votre carte a été rechargée une seule fois." if french else "Your card was topped up once only.",
        advice="Revenez à votre carte : le solde y est." if french else "Go back to your card: the balance is there.",
        back_url="/",
        reference="0192-7f3e",
    )


def create_gallery() -> Starlette:
    app = Starlette(routes=[Route("/", gallery), Route("/problem", problem), Mount("/static", static_app())])
    app.state.pages = Pages(templates=TEMPLATES, clock=lambda: NOW_US)
    app.add_middleware(SecurityHeaders, secret_paths=("/problem",))
    return app


if __name__ == "__main__":
    uvicorn.run(create_gallery(), host="127.0.0.1", port=8765)
