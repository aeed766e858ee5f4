"""The table of rights is whole, and the guard enforces it."""

from __future__ import annotations

from uuid import UUID, uuid4

import httpx
import pytest
from fastapi import APIRouter, Depends, FastAPI, Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from app.identity import service
from app.identity.cookie import COOKIE
from app.identity.guard import Caller, Guard
from app.identity.rights import (
    RIGHTS,
    ambiguous_routes,
    holder_routes_without_token,
    stale_entries,
    unlisted_routes,
)
from app.identity.roles import HOLDER, PUBLIC, Grant, Principal, Role
from app.identity.tokens import issue_terminal_token
from app.platform import clock
from app.platform.context import Context
from app.platform.errors import Forbidden
from app.platform.http_problems import CatchUnexpected, install_problems

from .conftest import GUINGUETTE, PASSWORD, RAFFINERIE

pytestmark = pytest.mark.anyio

IN_AN_HOUR_US = 3600 * 1_000_000


@pytest.fixture
def database_kind() -> str:
    """Who may what does not depend on the database; test_service.py runs on both."""
    return "sqlite"


async def test_every_route_of_identity_is_in_the_table(app: FastAPI) -> None:
    assert unlisted_routes(app) == []
    assert ambiguous_routes(app) == []
    assert holder_routes_without_token(app) == []


async def test_a_route_that_is_not_in_the_table_is_found(app: FastAPI) -> None:
    router = APIRouter(prefix="/new")

    @router.get("/thing")
    async def forgotten() -> None: ...

    outer = APIRouter(prefix="/api")
    outer.include_router(router)
    app.include_router(outer)
    app.router.routes.append(Route("/thin", lambda _: None, name="thin"))
    assert unlisted_routes(app) == ["forgotten", "thin"]


async def test_an_entry_that_no_route_bears_is_found(app: FastAPI) -> None:
    assert stale_entries(app, {**RIGHTS, "gone": frozenset()}) == sorted({*stale_entries(app), "gone"})
    assert "sign_in" not in stale_entries(app)


async def test_one_name_for_two_addresses_is_found(app: FastAPI) -> None:
    @app.get("/elsewhere", name="sign_in")
    async def elsewhere() -> None: ...

    assert ambiguous_routes(app) == ["sign_in"]


async def test_a_holder_s_page_without_a_token_in_its_address_is_found(app: FastAPI) -> None:
    @app.get("/c")
    async def card() -> None: ...

    @app.get("/c/{token}")
    async def card_page() -> None: ...

    rights = {"card": frozenset({Role.HOLDER}), "card_page": frozenset({Role.HOLDER})}
    assert holder_routes_without_token(app, rights) == ["card"]


class TestPrincipal:
    MARIE = Principal(grants=frozenset({Grant(Role.VENUE_ADMIN, GUINGUETTE), Grant(Role.CASHIER, RAFFINERIE)}))

    def test_a_network_admin_sees_every_venue(self) -> None:
        admin = Principal(grants=frozenset({Grant(Role.NETWORK_ADMIN)}))
        assert admin.may_see_venue(uuid4())

    def test_others_see_the_venues_of_their_grants(self) -> None:
        assert self.MARIE.may_see_venue(GUINGUETTE)
        assert self.MARIE.may_see_venue(RAFFINERIE)
        assert not self.MARIE.may_see_venue(uuid4())
        assert self.MARIE.venues == {GUINGUETTE, RAFFINERIE}

    def test_the_rights_of_one_venue_do_not_serve_at_another(self) -> None:
        manager = self.MARIE.limited_to({Role.VENUE_ADMIN})
        manager.require_venue(GUINGUETTE)
        with pytest.raises(Forbidden):
            manager.require_venue(RAFFINERIE)

    @pytest.mark.parametrize("nobody", [PUBLIC, HOLDER, Principal(device=UUID(int=3), epoch=1)])
    def test_whoever_has_no_grant_sees_no_venue(self, nobody: Principal) -> None:
        assert not nobody.may_see_venue(GUINGUETTE)

    def test_the_audit_log_names_each_kind(self) -> None:
        person, device = UUID(int=1), UUID(int=2)
        actors = [Principal(person=person).actor, Principal(device=device).actor, HOLDER.actor, PUBLIC.actor]
        assert actors == [f"person:{person}", f"terminal:{device}", "holder", "public"]

    @pytest.mark.parametrize(
        ("role", "venue"), [(Role.NETWORK_ADMIN, GUINGUETTE), (Role.CASHIER, None), (Role.TERMINAL, None)]
    )
    def test_a_grant_that_makes_no_sense_cannot_be_written(self, role: Role, venue: UUID | None) -> None:
        with pytest.raises(ValueError, match=r"venue|granted"):
            Grant(role, venue)


class TestGuard:
    GUARD = Guard(
        {
            "hello": frozenset({Role.PUBLIC}),
            "card": frozenset({Role.HOLDER}),
            "sell": frozenset({Role.TERMINAL}),
            "manage": frozenset({Role.VENUE_ADMIN, Role.NETWORK_ADMIN}),
            "found_network": frozenset({Role.NETWORK_ADMIN}),
            "thin": frozenset({Role.TERMINAL}),
        }
    )

    @pytest.fixture
    def app(self, context: Context) -> FastAPI:
        app = FastAPI(dependencies=[Depends(self.GUARD)])
        app.add_middleware(CatchUnexpected)
        app.state.context = context
        install_problems(app)

        async def show(caller: Caller) -> dict[str, object]:
            return {"actor": caller.actor, "venues": sorted(map(str, caller.venues)), "epoch": caller.epoch}

        async def thin(request: Request) -> JSONResponse:
            return JSONResponse({"actor": (await self.GUARD.admit(request, "thin")).actor})

        for name in ("hello", "sell", "found_network", "unlisted"):
            app.add_api_route(f"/{name}", show, methods=["GET", "POST"], name=name)
        app.add_api_route("/manage", show, methods=["GET", "POST"], name="manage")
        app.add_api_route("/card/{token}", show, methods=["GET", "POST"], name="card")
        app.router.routes.append(Route("/thin", thin))
        return app

    @pytest.fixture
    async def signed_in(self, context: Context, client: httpx.AsyncClient, marie: UUID) -> service.NewSession:
        session = await service.sign_in(context, "marie", PASSWORD)
        client.cookies.set(COOKIE, session.token)
        return session

    def bearer(self, context: Context, valid_us: int = IN_AN_HOUR_US) -> dict[str, str]:
        token = issue_terminal_token(context.keys.token, UUID(int=9), 4, clock.now_us() + valid_us)
        return {"authorization": f"Bearer {token}"}

    async def test_public_endpoints_let_everybody_in(self, client: httpx.AsyncClient) -> None:
        assert (await client.get("/hello")).json()["actor"] == "public"

    async def test_who_is_not_signed_in_is_told_so(self, client: httpx.AsyncClient) -> None:
        for path in ("/sell", "/manage", "/found_network"):
            response = await client.get(path)
            assert (response.status_code, response.json()["type"]) == (401, "/problems/not-signed-in")

    async def test_an_unlisted_endpoint_lets_nobody_in(self, client: httpx.AsyncClient, signed_in: object) -> None:
        assert (await client.get("/unlisted")).status_code == 500

    async def test_a_person_comes_in_with_the_grants_that_open_this_endpoint(
        self, client: httpx.AsyncClient, signed_in: object, marie: UUID
    ) -> None:
        body = (await client.get("/manage")).json()
        assert body == {"actor": f"person:{marie}", "venues": [str(GUINGUETTE)], "epoch": None}

    async def test_a_person_without_the_right_role_is_refused(
        self, client: httpx.AsyncClient, signed_in: object
    ) -> None:
        for path in ("/found_network", "/sell"):
            response = await client.get(path)
            assert (response.status_code, response.json()["type"]) == (403, "/problems/forbidden")

    async def test_what_a_cookie_authenticates_needs_the_session_s_token_to_change_anything(
        self, client: httpx.AsyncClient, signed_in: service.NewSession
    ) -> None:
        assert (await client.post("/manage")).json()["type"] == "/problems/form-expired"
        assert (await client.post("/manage", headers={"X-CSRF-Token": signed_in.csrf})).status_code == 200
        assert (await client.post("/manage", data={"csrf_token": signed_in.csrf})).status_code == 200

    async def test_a_terminal_comes_in_with_its_token(self, client: httpx.AsyncClient, context: Context) -> None:
        response = await client.post("/sell", headers=self.bearer(context))
        assert response.json() == {"actor": f"terminal:{UUID(int=9)}", "venues": [], "epoch": 4}

    async def test_a_terminal_has_no_rights_of_people(self, client: httpx.AsyncClient, context: Context) -> None:
        assert (await client.get("/manage", headers=self.bearer(context))).status_code == 403

    async def test_an_expired_token_is_told_as_such(self, client: httpx.AsyncClient, context: Context) -> None:
        response = await client.get("/sell", headers=self.bearer(context, valid_us=-1))
        assert (response.status_code, response.json()["type"]) == (401, "/problems/token-expired")

    async def test_a_bad_token_is_not_saved_by_a_good_cookie(
        self, client: httpx.AsyncClient, signed_in: object
    ) -> None:
        response = await client.get("/manage", headers={"authorization": "Bearer ct1_x"})
        assert response.json()["type"] == "/problems/token-invalid"

    async def test_a_card_s_address_is_enough_for_its_holder_even_with_a_stale_cookie(
        self, client: httpx.AsyncClient
    ) -> None:
        client.cookies.set(COOKIE, "stale")
        assert (await client.post("/card/abc")).json()["actor"] == "holder"

    async def test_thin_routes_ask_the_same_guard(self, client: httpx.AsyncClient, context: Context) -> None:
        assert (await client.get("/thin")).status_code == 401
        response = await client.get("/thin", headers=self.bearer(context))
        assert response.json() == {"actor": f"terminal:{UUID(int=9)}"}

    async def test_somebody_without_any_grant_is_signed_in_but_may_nothing(
        self, client: httpx.AsyncClient, context: Context
    ) -> None:
        await service.create_person(context, "guest", "Guest", PASSWORD, actor="test")
        client.cookies.set(COOKIE, (await service.sign_in(context, "guest", PASSWORD)).token)
        assert (await client.get("/manage")).status_code == 403
