"""The frame of the pages for people who signed in: where they may go, who they are, and the way out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse

from app.identity.guard import SignedIn
from app.identity.roles import PERSONAL, Role
from app.web import N_, render, texts_of

_MANAGERS = frozenset({Role.NETWORK_ADMIN, Role.VENUE_ADMIN})


@dataclass(frozen=True, slots=True)
class Place:
    """A page of the menu: its address, its name in a word, and who is shown the way there (the rights decide)."""

    url: str
    name: str
    roles: frozenset[Role]


PLACES = (
    Place("/admin", N_("Positions"), _MANAGERS),
    Place("/admin/settlements", N_("Settlements"), _MANAGERS),
    Place("/admin/reserve", N_("Reserve"), frozenset({Role.NETWORK_ADMIN})),
    Place("/admin/moneys", N_("Moneys"), _MANAGERS),
    Place("/admin/statements", N_("Bank"), frozenset({Role.NETWORK_ADMIN})),
    Place("/admin/handovers", N_("Cash"), _MANAGERS),
    Place("/admin/exceptions", N_("To look at"), _MANAGERS),
    Place("/admin/closings", N_("Closings"), _MANAGERS),
    Place("/admin/books", N_("Books"), _MANAGERS),
    Place("/admin/counter", N_("Counter"), PERSONAL),
    Place("/admin/hours", N_("Hours"), _MANAGERS),
    Place("/admin/issue", N_("Issue"), _MANAGERS),
    Place("/admin/members", N_("Members"), frozenset({Role.NETWORK_ADMIN})),
    Place("/admin/loans", N_("Loans"), frozenset({Role.NETWORK_ADMIN})),
    Place("/admin/lapses", N_("Lapses"), frozenset({Role.NETWORK_ADMIN})),
    Place("/admin/terminals", N_("Terminals"), _MANAGERS),
    Place("/admin/limits", N_("Without network"), frozenset({Role.NETWORK_ADMIN})),
)


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
    """A page that extends "admin.html"; `place` is the address of the menu's entry that it belongs to."""
    texts, roles = texts_of(request), session.principal.roles
    return render(
        request,
        template,
        status_code=status_code,
        headers=headers,
        session=session,
        places=[(it.url, texts.gettext(it.name), it.url == place) for it in PLACES if it.roles & roles],
        **context,
    )
