"""Static files: small, ours, and cached for exactly as long as their content stays the same."""

from __future__ import annotations

import re

import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from app.web import static_app, static_url
from app.web.assets import STATIC
from tests.app.web.browser import Browser


@pytest.fixture
def client() -> Browser:
    return Browser(Starlette(routes=[Mount("/static", static_app())]))


def test_an_address_with_the_present_hash_is_cached_for_good(client: Browser) -> None:
    response = client.get(static_url("tokens.css"))
    assert response.status_code == 200
    assert response.headers["cache-control"] == "public, max-age=31536000, immutable"


@pytest.mark.parametrize("query", ["", "?v=", "?v=000000000000", "?v=%ff", "?other=1"])
def test_any_other_address_is_asked_for_again(client: Browser, query: str) -> None:
    response = client.get(f"/static/tokens.css{query}")
    assert response.status_code == 200
    assert response.headers["cache-control"] == "public, no-cache"


def test_asking_again_costs_no_body_when_nothing_changed(client: Browser) -> None:
    etag = client.get("/static/base.css").headers["etag"]
    assert client.get("/static/base.css", headers={"if-none-match": etag}).status_code == 304


@pytest.mark.parametrize(
    "path", ["/static/nothing.css?v=1", "/static/../pages.py", "/static/%2e%2e/pages.py", "/static/"]
)
def test_nothing_else_is_served(client: Browser, path: str) -> None:
    assert client.get(path).status_code == 404


def test_a_page_cannot_name_a_file_that_is_not_there() -> None:
    with pytest.raises(FileNotFoundError):
        static_url("nothing.css")


def test_styles_ask_for_files_by_their_present_hash() -> None:
    for sheet in STATIC.glob("*.css"):
        for name, address in re.findall(r'url\("(([^"?]+)[^"]*)"\)', sheet.read_text(encoding="utf-8")):
            assert f"/static/{name}" == static_url(address)


def test_fonts_are_light_and_keep_their_licence() -> None:
    fonts = list((STATIC / "fonts").glob("*.woff2"))
    assert len(fonts) == 2
    assert sum(font.stat().st_size for font in fonts) < 30_000
    assert all(font.read_bytes()[:4] == b"wOF2" for font in fonts)
    assert "SIL Open Font License, Version 1.1" in (STATIC / "fonts/OFL.txt").read_text(encoding="utf-8")
    assert "ISC License" in (STATIC / "icons.LICENSE.txt").read_text(encoding="utf-8")


def test_a_first_visit_is_small() -> None:
    names = ["tokens.css", "base.css", "components.css", "icons.svg", "favicon.svg"]
    assert sum((STATIC / name).stat().st_size for name in names) < 50_000
