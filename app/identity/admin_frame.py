"""The frame of the pages for people who signed in: where they may go, who they are, and the way out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse

from app.identity.guard import SignedIn
from app.identity.rights import RIGHTS, allows
from app.identity.roles import Role
from app.web import N_, render, texts_of


@dataclass(frozen=True, slots=True)
class Place:
    """A page of the menu: its address, its name in a word, and who is shown the way there (the rights decide)."""

    url: str
    name: str
    roles: frozenset[Role]


PLACES = (
    Place("/admin", N_("Positions"), RIGHTS["list_positions"]),
    Place("/admin/settlements", N_("Settlements"), RIGHTS["settlements_page"]),
    Place("/admin/reserve", N_("Reserve"), RIGHTS["reserve_page"]),
    Place("/admin/moneys", N_("Moneys"), RIGHTS["moneys_page"]),
    Place("/admin/statements", N_("Bank"), RIGHTS["statements_page"]),
    Place("/admin/handovers", N_("Cash"), RIGHTS["handovers_page"]),
    Place("/admin/exceptions", N_("To look at"), RIGHTS["exceptions_page"]),
    Place("/admin/closings", N_("Closings"), RIGHTS["closings_page"]),
    Place("/admin/books", N_("Books"), RIGHTS["books_page"]),
    Place("/admin/counter", N_("Counter"), RIGHTS["counter_page"]),
    Place("/admin/hours", N_("Hours"), RIGHTS["hours_page"] & RIGHTS["issue_page"]),
    Place("/admin/issue", N_("Issue"), RIGHTS["issue_page"]),
    Place("/admin/members", N_("Members"), RIGHTS["members_page"]),
    Place("/admin/loans", N_("Loans"), RIGHTS["loans_page"]),
    Place("/admin/lapses", N_("Lapses"), RIGHTS["lapses_page"]),
    Place("/admin/terminals", N_("Terminals"), RIGHTS["terminals_page"]),
    Place("/admin/limits", N_("Without network"), RIGHTS["limits_page"]),
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
    """A page that extends "admin.html"; `place` is the address of the menu's entry that it belongs to. To templates,
    `may("close_day")` says whether the reader's rights open an endpoint: what they do not open is not shown."""
    texts, roles = texts_of(request), session.principal.roles
    return render(
        request,
        template,
        status_code=status_code,
        headers=headers,
        session=session,
        may=partial(allows, session.principal),
        places=[(it.url, texts.gettext(it.name), it.url == place) for it in PLACES if it.roles & roles],
        **context,
    )
