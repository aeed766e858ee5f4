"""Every shared component, rendered in both languages, and what a page carries besides its text."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from jinja2 import UndefinedError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route

from app.web import Pages, render
from app.web.assets import STATIC
from app.web.pages import COOKIE, feature_templates
from tests.app.web.browser import Browser
from tests.app.web.gallery import NOW_US, create_gallery

ROOT = Path(__file__).parents[3]
TEMPLATES = sorted(
    path
    for folder in ("app", "readers", "tests/app/web")
    for path in (ROOT / folder).rglob("*.html")
    if "node_modules" not in path.parts
)


@pytest.fixture
def gallery() -> Browser:
    return Browser(create_gallery())


def macros() -> list[str]:
    source = (ROOT / "app/web/templates/components.html").read_text(encoding="utf-8")
    return re.findall(r"{% macro (\w+)", source)


def test_the_gallery_shows_every_component() -> None:
    page = (Path(__file__).parent / "templates/gallery.html").read_text(encoding="utf-8")
    imported = re.search(r'from "components.html" import (.*?) %}', page)
    assert imported
    assert sorted(imported[1].split(", ")) == sorted(macros())
    assert [name for name in macros() if not re.search(rf"[{{(~ ]{name}\(", page)] == []


@pytest.mark.parametrize(
    ("language", "texts"),
    [
        (
            "fr",
            [
                "12,50\u00a0€",
                "+12\u202f345,50\u00a0€",
                "2\u00a0h\u00a030",
                "ce soir, 23\u00a0h\u00a010",
                "Aujourd’hui",
                "(facultatif)",
            ],
        ),
        ("en", ["€12.50", "+€12,345.50", "2\u00a0h\u00a030", "tonight, 23:10", "Today", "(optional)"]),
    ],
)
def test_the_gallery_speaks_both_languages(gallery: Browser, language: str, texts: list[str]) -> None:
    page = gallery.get("/", headers={"accept-language": language})
    assert page.status_code == 200
    assert page.headers["content-language"] == language
    assert f'<html lang="{language}">' in page.text
    assert [text for text in texts if text not in page.text] == []


def test_what_people_type_is_escaped(gallery: Browser) -> None:
    page = gallery.get("/").text
    assert "Zoé &amp; &lt;Max&gt;" in page
    assert "<Max>" not in page


def test_an_error_is_tied_to_its_field(gallery: Browser) -> None:
    page = gallery.get("/", headers={"accept-language": "en"}).text
    field = re.search(r"<input[^>]*name=\"name\"[^>]*>", page)
    assert field
    assert 'aria-describedby="error-name"' in field[0]
    assert 'aria-invalid="true"' in field[0]
    assert 'maxlength="40"' in field[0]
    assert 'id="error-name"' in page


def test_icons_are_all_in_the_sprite(gallery: Browser) -> None:
    drawn = set(re.findall(r'<symbol id="([\w-]+)"', (STATIC / "icons.svg").read_text(encoding="utf-8")))
    used = set(re.findall(r'icons\.svg[^"#]*#([\w-]+)"', gallery.get("/").text + gallery.get("/problem").text))
    assert used <= drawn
    for template in TEMPLATES:
        assert set(re.findall(r'icon\("([\w-]+)"', template.read_text(encoding="utf-8"))) <= drawn, template


def test_choosing_a_language_is_remembered_and_beats_the_browser(gallery: Browser) -> None:
    chosen = gallery.get("/?lang=en", headers={"accept-language": "fr"})
    assert 'lang="en"' in chosen.text
    cookie = chosen.headers["set-cookie"]
    assert cookie.startswith(f"{COOKIE}=en;")
    assert {"Secure", "HttpOnly", "SameSite=lax"} <= set(cookie.split("; "))
    again = gallery.get("/", headers={"accept-language": "fr"})
    assert again.headers["content-language"] == "en"
    assert "set-cookie" not in again.headers


@pytest.mark.parametrize("asked", ["de", "", "<script>"])
def test_a_language_we_do_not_have_changes_nothing(gallery: Browser, asked: str) -> None:
    page = gallery.get("/", params={"lang": asked}, headers={"accept-language": "en"})
    assert page.headers["content-language"] == "en"
    assert "set-cookie" not in page.headers


def test_the_switch_keeps_the_address_and_its_query(gallery: Browser) -> None:
    page = gallery.get("/?wide=1&lang=fr").text
    assert 'href="/?wide=1&amp;lang=en" hreflang="en" lang="en"' in page


def test_pages_of_people_are_not_kept_by_shared_caches(gallery: Browser) -> None:
    page = gallery.get("/")
    assert page.headers["cache-control"] == "private, no-cache"
    assert page.headers["vary"] == "Accept-Language, Cookie"


def test_a_problem_says_what_happened_what_about_the_money_and_what_to_do(gallery: Browser) -> None:
    page = gallery.get("/problem", headers={"accept-language": "fr"})
    assert page.status_code == 409
    told = [
        "Vous avez payé 30,00 €",
        "Et l’argent",
        "une seule fois",
        "Ce que vous pouvez faire",
        "Revenir",
        "0192-7f3e",
    ]
    assert [text for text in told if text not in page.text] == []


def test_a_page_finds_its_rooms_template_and_refuses_what_it_was_not_given(tmp_path: Path) -> None:
    (tmp_path / "card.html").write_text("{{ balance | money('cent', 'RAF') }} {{ now_us }}")

    def card(request: Request) -> HTMLResponse:
        if "balance" not in request.query_params:
            return render(request, "cards/card.html")
        return render(request, "cards/card.html", balance=int(request.query_params["balance"]))

    app = Starlette(routes=[Route("/card", card)])
    app.state.pages = Pages(templates={"cards": tmp_path}, clock=lambda: NOW_US)
    browser = Browser(app)
    assert browser.get("/card?balance=-1250").text == f"−12,50\u00a0RAF {NOW_US}"
    with pytest.raises(UndefinedError, match="balance"):
        browser.get("/card")


def test_every_room_with_templates_is_found() -> None:
    rooms = {path.relative_to(ROOT / "app").parts[0] for path in TEMPLATES if path.is_relative_to(ROOT / "app")}
    assert rooms - {"web"} <= set(feature_templates())


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_template_holds_inline_script_or_style_or_calls_elsewhere(template: Path) -> None:
    source = template.read_text(encoding="utf-8")
    assert not re.search(r"<style|\sstyle\s*=|\son[a-z]+\s*=\s*[\"']|javascript:", source)
    # JSON-LD is data: browsers run nothing of it.
    assert not re.search(r"<script(?![^>]*\ssrc=)(?! type=\"application/ld\+json\">{{ data \| tojson }}<)", source)
    assert not re.search(r"(src|href)=[\"'](https?:)?//", source)
