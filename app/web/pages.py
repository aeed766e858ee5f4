"""Pages from templates: `render(request, "cards/card.html", ...)` finds app/cards/templates/card.html.

Templates see, besides what is passed: `language`, `_`, `ngettext`, `static_url`, `source_url`, `other_language`,
`now_us`, and the filters `money(unit, symbol)`, `when(zone)`, `moment(zone)`, `day(today)` and `sentence`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import (
    ChoiceLoader,
    Environment,
    FileSystemLoader,
    PrefixLoader,
    StrictUndefined,
    pass_context,
    select_autoescape,
)
from jinja2.runtime import Context
from starlette.requests import Request
from starlette.responses import HTMLResponse

from app.money import Unit, format_amount
from app.web import dates
from app.web.assets import static_url
from app.web.i18n import LANGUAGES, Language, Texts, language_of, texts_in

COOKIE = "comptoir_lang"
_COOKIE_AGE_S = 365 * 24 * 3600
_ROOMS = Path(__file__).parent.parent
_SHARED = Path(__file__).parent / "templates"


class Pages:
    """The templates of all features, in each language.

    `templates` gives each feature's folder by its prefix (default: every app/*/templates). `source_url` is where this
    server's source code is offered, as its licence asks. `clock` gives the present in microseconds.
    """

    def __init__(
        self,
        *,
        templates: Mapping[str, Path] | None = None,
        source_url: str = "/source",
        clock: Callable[[], int] = lambda: time.time_ns() // 1000,
    ) -> None:
        folders = feature_templates() if templates is None else templates
        self._environments = {it: _environment(it, tuple(sorted(folders.items()))) for it in LANGUAGES}
        self._source_url = source_url
        self._clock = clock

    def render(
        self,
        request: Request,
        template: str,
        *,
        status_code: int = 200,
        headers: Mapping[str, str] | None = None,
        **context: Any,
    ) -> HTMLResponse:
        """The page in the reader's language. A template that uses what it was not given raises UndefinedError."""
        language = request_language(request)
        environment = self._environments[language]
        html = environment.get_template(template).render(
            {
                "source_url": self._source_url,
                "other_language": _other_language(request, language),
                "now_us": self._clock(),
                **context,
            }
        )
        response = HTMLResponse(html, status_code=status_code, headers=dict(headers or {}))
        response.headers["Content-Language"] = language
        response.headers.setdefault("Vary", "Accept-Language, Cookie")
        # Pages show balances: no shared cache keeps them, and a browser asks again before it shows one from yesterday.
        response.headers.setdefault("Cache-Control", "private, no-cache")
        if request.query_params.get("lang") == language:
            secure = request.url.scheme == "https"
            response.set_cookie(COOKIE, language, max_age=_COOKIE_AGE_S, secure=secure, httponly=True, samesite="lax")
        return response

    def text(self, language: Language, template: str, **context: Any) -> str:
        """What is no answer to a request, in a language that is known: an e-mail."""
        return self._environments[language].get_template(template).render({"now_us": self._clock(), **context})


def render(
    request: Request,
    template: str,
    *,
    status_code: int = 200,
    headers: Mapping[str, str] | None = None,
    **context: Any,
) -> HTMLResponse:
    """The page by the `Pages` that app.main put on `app.state.pages`, or by plain ones."""
    pages = getattr(request.app.state, "pages", None) or default_pages()
    return pages.render(request, template, status_code=status_code, headers=headers, **context)


def render_error(
    request: Request,
    status_code: int,
    *,
    title: str,
    happened: str = "",
    money: str = "",
    advice: str = "",
    back_url: str = "",
    reference: str = "",
) -> HTMLResponse:
    """A problem told to a person, in translated texts: what happened, what it means for the money, what to do."""
    return render(
        request,
        "error.html",
        status_code=status_code,
        title=title,
        happened=happened,
        money=money,
        advice=advice,
        back_url=back_url,
        reference=reference,
    )


def request_language(request: Request) -> Language:
    asked = request.query_params.get("lang")
    chosen = asked if asked in LANGUAGES else request.cookies.get(COOKIE)
    return language_of(request.headers.get("accept-language"), chosen)


def texts_of(request: Request) -> Texts:
    """The messages in the reader's language, for texts that Python makes."""
    return texts_in(request_language(request))


@cache
def default_pages() -> Pages:
    return Pages()


def feature_templates() -> dict[str, Path]:
    """Each room's templates folder by the room's name."""
    return {folder.parent.name: folder for folder in sorted(_ROOMS.glob("*/templates")) if folder != _SHARED}


@cache
def _environment(language: Language, folders: tuple[tuple[str, Path], ...]) -> Environment:
    """One for each language of a process, however many servers it starts: templates are compiled once."""
    texts = texts_in(language)
    shared = FileSystemLoader(_SHARED)
    features = PrefixLoader({prefix: FileSystemLoader(folder) for prefix, folder in folders})
    environment = Environment(
        loader=ChoiceLoader([shared, features]),
        # What is no page, such as the text of an e-mail, is written as it is.
        autoescape=select_autoescape(disabled_extensions=("txt",), default=True, default_for_string=True),
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.policies["ext.i18n.trimmed"] = True
    environment.install_gettext_translations(texts.translations, newstyle=True)  # type: ignore[attr-defined]
    environment.globals.update(language=texts.language, static_url=static_url)

    def money(minor: int, unit: Unit | str, symbol: str, *, signed: bool = False) -> str:
        text = format_amount(minor, Unit(unit), symbol, texts.language)
        return f"+{text}" if signed and minor > 0 else text

    @pass_context
    def when(context: Context, at_us: int, zone: str) -> str:
        return dates.when(at_us, zone, context["now_us"], texts)

    environment.filters.update(
        money=money,
        when=when,
        moment=lambda at_us, zone: dates.moment(at_us, zone, texts),
        day=lambda day, today: dates.day_in_words(day, today, texts),
        sentence=dates.sentence,
    )
    return environment


def _other_language(request: Request, language: Language) -> dict[str, str]:
    """The language not shown: its code, its own name, and this page's address in it."""
    other: Language = "en" if language == "fr" else "fr"
    url = request.url.include_query_params(lang=other)
    return {"code": other, "name": LANGUAGES[other], "url": f"{url.path}?{url.query}"}
