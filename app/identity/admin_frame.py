"""The frame of the pages for people who signed in: where they may go, who they are, and the way out."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse

from app.identity.guard import SignedIn
from app.identity.menu import menu_for
from app.identity.rights import allows
from app.web import render


def render_admin(
    request: Request,
    session: SignedIn,
    template: str,
    *,
    place: str,
    status_code: int = 200,
    headers: Mapping[str, str] | None = None,
    **context: Any,
) -> HTMLResponse:
    """A page that extends "admin.html"; `place` is the address of the menu's entry that it belongs to. To templates,
    `may("close_day")` says whether the reader's rights open an endpoint: what they do not open is not shown."""
    return render(
        request,
        template,
        status_code=status_code,
        headers=headers,
        session=session,
        may=partial(allows, session.principal),
        menu=menu_for(session.principal.roles, place),
        **context,
    )
