"""The frame of the pages for people who signed in: where they may go, who they are, and the way out."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any
from uuid import UUID

from starlette.requests import Request
from starlette.responses import HTMLResponse

from app.identity.guard import SignedIn
from app.identity.menu import menu_for
from app.identity.rights import allows
from app.identity.roles import Principal
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
        menu_waiting=_waiting(request, session.principal),
        **context,
    )


def _waiting(request: Request, reader: Principal) -> dict[str, int]:
    """How much waits for the reader behind an entry of the menu, by its address. `app.state.menu_counts`: how many by
    venue, None for the network's own; as of a minute ago, for a page does not wait for it."""
    counts: Mapping[str, Mapping[UUID | None, int]] = request.app.state.menu_counts
    return {
        url: sum(
            number
            for venue, number in found.items()
            if (reader.sees_network if venue is None else reader.may_see_venue(venue))
        )
        for url, found in counts.items()
    }
