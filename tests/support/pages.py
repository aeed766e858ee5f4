"""Reading pages as people do: the words without the markup, and forms sent as a browser sends them."""

from __future__ import annotations

import html
import re
from urllib.parse import urlsplit

import httpx

from app.cli.demo.forms import Form, forms

FRENCH = {"Accept": "text/html", "Accept-Language": "fr"}
ENGLISH = {"Accept": "text/html", "Accept-Language": "en"}


def words(answer: httpx.Response) -> str:
    """What is to be read on a page, every run of spaces (of any kind) as one."""
    body = answer.text.partition("<body")[2].partition(">")[2]
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", body))).strip()


def form_to(answer: httpx.Response, action: str) -> Form:
    """The form of a page that goes to `action`; the last one, where a search or the rows of a table go there too."""
    return [form for form in forms(answer.text) if form.action == action][-1]


async def look(client: httpx.AsyncClient, path: str) -> httpx.Response:
    """A page, in French."""
    return await client.get(path, headers=FRENCH)


async def send(client: httpx.AsyncClient, form: Form, **typed: str | list[str]) -> httpx.Response:
    """Send a form with what a person chose and typed; the answer as it comes, redirects not followed."""
    headers = {**FRENCH, "Origin": str(client.base_url)}
    return await client.post(form.action, data={**form.fields, **typed}, headers=headers)


def led_to(answer: httpx.Response) -> str:
    """Where a form's answer sends the browser: a path of ours."""
    assert answer.status_code == 303, words(answer)
    address = urlsplit(answer.headers["location"])
    assert not address.netloc, "a form may lead to our own pages only"
    return address.path + (f"?{address.query}" if address.query else "")
