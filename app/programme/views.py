"""What the public pages have in common: their address in each language, what search engines read, and words of days."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from app.platform.context import context_of
from app.programme.rules import Show, short
from app.web import dates, render, texts_of
from app.web.i18n import LANGUAGES
from app.web.pages import request_language

HERE: Final = "/programme"
_LOCALES: Final = {"fr": "fr_FR", "en": "en_GB"}


def base_of(request: Request) -> str:
    return context_of(request).settings.base_url.rstrip("/")


def page(
    request: Request,
    template: str,
    *,
    network_name: str,
    title: str,
    description: str,
    asked: Mapping[str, str] | None = None,
    picture: str = "",
    data: Mapping[str, Any] | None = None,
    status_code: int = 200,
    **context: Any,
) -> Response:
    """`asked`: what of the query belongs to the address. `picture`: the path of one to preview the page with. `data`:
    as schema.org has it."""
    texts, language, base = texts_of(request), request_language(request), base_of(request)
    address = f"{base}{request.url.path}"

    def in_language(code: str | None) -> str:
        query = urlencode({**(asked or {}), **({"lang": code} if code else {})})
        return f"{address}?{query}" if query else address

    return render(
        request,
        template,
        status_code=status_code,
        network_name=network_name,
        page_title=title,
        description=short(description),
        # The page in one language; the address without one is whatever the reader's browser asks for.
        canonical=in_language(language),
        alternates=[(code, in_language(code)) for code in LANGUAGES] + [("x-default", in_language(None))],
        locale=_LOCALES[language],
        picture=f"{base}{picture}" if picture else "",
        data=data,
        follows=context_of(request).settings.mail != "none",
        clock=lambda at_us, zone: dates.clock(dates.local(at_us, zone), texts),
        today=lambda zone, now_us: dates.local(now_us, zone).date(),
        **context,
    )


def summary(show: Show, request: Request) -> str:
    """When, where and who, and then what is told of it."""
    texts = texts_of(request)
    told = [
        dates.moment(show.begins_us, show.place.zone, texts),
        show.place.name,
        ", ".join(it.name for it in show.players),
        show.words(texts.language),
    ]
    return ". ".join(it.strip().rstrip(".") for it in told if it.strip()) + "."
