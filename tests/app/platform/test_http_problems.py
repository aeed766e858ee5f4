"""Every error becomes problem+json or a page, in the user's words, and gives nothing away."""

from __future__ import annotations

import ast
import asyncio
import threading
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa
from fastapi import FastAPI, Request
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, Response

import app as server_package
from app.platform import errors
from app.platform.context import Context
from app.platform.database import create_engine
from app.platform.errors import DomainError, Invalid, NotFound, TooManyRequests, Unavailable
from app.platform.http_problems import ProblemDetails
from app.platform.problem_kinds import CODE_OF_STATUS, KINDS
from app.rules.offline import Refusal
from app.wire import Problem

from .conftest import Log

pytestmark = pytest.mark.anyio


class Order(BaseModel):
    quantity: int = Field(ge=1)
    note: str = Field(max_length=5)


class Many(BaseModel):
    numbers: list[int]


def problem(response: httpx.Response) -> Problem:
    assert response.headers["content-type"] == "application/problem+json"
    return Problem.model_validate(response.json())


@pytest.fixture
def answers(app: FastAPI, client: httpx.AsyncClient) -> Callable[[Exception], object]:
    async def answer(error: Exception) -> httpx.Response:
        @app.get("/fails")
        async def fails() -> None:
            raise error

        return await client.get("/fails")

    return answer


async def test_a_domain_error_is_a_problem_with_its_code_status_and_extra_members(answers) -> None:
    response = await answers(DomainError("insufficient-funds", "There are 3.00 left.", balance=300))
    assert response.status_code == 402
    assert problem(response).model_dump(exclude_none=True) == {
        "type": "/problems/insufficient-funds",
        "title": "There is not enough on the card",
        "status": 402,
        "detail": "There are 3.00 left.",
        "balance": 300,
    }
    assert response.headers["cache-control"] == "no-store"


async def test_extra_members_cannot_replace_the_problem_s_own() -> None:
    document = ProblemDetails("conflict", "No.", {"status": 200, "type": "x"}).document()
    assert (document["status"], document["type"]) == (409, "/problems/conflict")


async def test_errors_that_pass_say_when_to_come_back(answers) -> None:
    assert (await answers(TooManyRequests(17))).headers["retry-after"] == "17"


async def test_a_busy_server_says_when_to_come_back(answers) -> None:
    response = await answers(Unavailable("2000 operations wait already.", 1))
    assert (response.status_code, response.headers["retry-after"]) == (503, "1")


async def test_an_answer_401_names_a_way_to_authenticate(answers) -> None:
    assert (await answers(errors.NotSignedIn())).headers["www-authenticate"] == "Bearer"


async def test_a_code_without_a_kind_is_an_unexpected_error_that_the_log_names(answers, logged: Log) -> None:
    response = await answers(DomainError("no-such-code", "Oops."))
    assert problem(response).name == "unexpected"
    assert "no-such-code" in logged.text


def test_every_code_that_the_server_s_source_raises_has_a_kind() -> None:
    used: dict[str, str] = {}
    for path in Path(server_package.__file__).parent.rglob("*.py"):
        tree = ast.parse(path.read_text())
        ours = {
            name.name
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom) and node.module == "app.platform.errors"
            for name in node.names
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ours:
                position = {"DomainError": 0, "Unavailable": 2}.get(node.func.id, 1)
                given = [*node.args[position : position + 1], *(k.value for k in node.keywords if k.arg == "code")]
                used |= {str(x.value): str(path) for x in given if isinstance(x, ast.Constant)}
    assert "wrong-credentials" in used
    assert {code: path for code, path in used.items() if code not in KINDS} == {}


def test_every_status_falls_to_a_kind_of_that_status() -> None:
    assert {status: KINDS[code].status for status, code in CODE_OF_STATUS.items()} == {s: s for s in CODE_OF_STATUS}


def test_what_a_server_may_answer_to_a_sale_is_a_refusal_that_terminals_know() -> None:
    for refusal in ("card-unknown", "card-blocked", "insufficient-funds", "currency-not-accepted", "price-changed"):
        assert refusal in KINDS
        assert refusal in set(Refusal)


async def test_a_wrong_body_is_told_field_by_field_without_repeating_it(
    app: FastAPI, client: httpx.AsyncClient
) -> None:
    @app.post("/orders")
    async def order(order: Order) -> None: ...

    response = await client.post("/orders", json={"quantity": 0, "note": "my secret password"})
    assert response.status_code == 422
    assert problem(response).errors == [
        {"field": "quantity", "message": "must be at least 1"},
        {"field": "note", "message": "must have at most 5 characters"},
    ]
    assert "quantity: must be at least 1" in str(problem(response).detail)
    assert "secret" not in response.text


async def test_a_wrong_path_parameter_is_told_too(app: FastAPI, client: httpx.AsyncClient) -> None:
    @app.get("/orders/{number}")
    async def show(number: int) -> None: ...

    assert problem(await client.get("/orders/x")).errors == [
        {"field": "path.number", "message": "must be a whole number"}
    ]


async def test_many_wrong_fields_are_told_in_part(app: FastAPI, client: httpx.AsyncClient) -> None:
    @app.post("/many")
    async def many(many: Many) -> None: ...

    found = problem(await client.post("/many", json={"numbers": ["x"] * 150}))
    assert len(found.errors or []) == 20
    assert str(found.detail).endswith("and 17 more.")


async def test_broken_json_is_called_that(app: FastAPI, client: httpx.AsyncClient) -> None:
    @app.post("/orders")
    async def order(order: Order) -> None: ...

    response = await client.post("/orders", content=b'{"quantity": ', headers={"content-type": "application/json"})
    assert (response.status_code, problem(response).name) == (400, "malformed-json")


async def test_an_unknown_address_and_a_wrong_method_are_problems(app: FastAPI, client: httpx.AsyncClient) -> None:
    @app.get("/there")
    async def there() -> None: ...

    assert problem(await client.get("/nowhere")).name == "not-found"
    response = await client.post("/there")
    assert (problem(response).name, response.headers["allow"]) == ("method-not-allowed", "GET")


@pytest.mark.parametrize(("status", "code"), [(418, "malformed-request"), (415, "unsupported-media-type")])
async def test_other_http_errors_fall_to_the_nearest_kind(answers, status: int, code: str) -> None:
    assert problem(await answers(HTTPException(status))).name == code


async def test_an_unexpected_error_gives_an_incident_id_that_the_log_has_and_nothing_else(answers, logged: Log) -> None:
    response = await answers(RuntimeError("the password is hunter2"))
    found = problem(response)
    incident = (found.model_extra or {})["incident"]
    assert (response.status_code, found.name) == (500, "unexpected")
    assert "hunter2" not in response.text
    assert "Traceback" not in response.text
    assert incident in str(found.detail)
    assert incident in logged.text
    assert "RuntimeError: the password is hunter2" in logged.text


async def test_an_error_after_the_answer_began_closes_the_connection(app: FastAPI, client: httpx.AsyncClient) -> None:
    @app.get("/half")
    async def half() -> Response:
        class Half(Response):
            async def __call__(self, scope, receive, send) -> None:
                await send({"type": "http.response.start", "status": 200, "headers": []})
                raise RuntimeError("in the middle")

        return Half()

    with pytest.raises(RuntimeError, match="in the middle"):
        await client.get("/half")


class TestPages:
    @staticmethod
    def page(_request: Request, problem: ProblemDetails) -> Response:
        return HTMLResponse(f"<h1>{problem.kind.title}</h1>{problem.incident}", problem.kind.status)

    @pytest.fixture
    def app(self, make_app: Callable[..., FastAPI]) -> FastAPI:
        app: FastAPI = make_app(self.page)

        @app.get("/page")
        @app.get("/api/v1/thing")
        async def missing() -> None:
            raise NotFound

        @app.get("/broken")
        async def broken() -> None:
            raise RuntimeError

        return app

    async def test_browsers_get_a_page(self, client: httpx.AsyncClient) -> None:
        response = await client.get("/page", headers={"accept": "text/html,application/xhtml+xml;q=0.9"})
        assert (response.status_code, response.text) == (404, "<h1>This page does not exist</h1>")
        assert response.headers["cache-control"] == "no-store"

    async def test_the_api_always_answers_in_json(self, client: httpx.AsyncClient) -> None:
        assert problem(await client.get("/api/v1/thing", headers={"accept": "text/html"})).name == "not-found"

    async def test_programs_get_json(self, client: httpx.AsyncClient) -> None:
        assert problem(await client.get("/page", headers={"accept": "application/json"})).name == "not-found"

    async def test_unexpected_errors_have_a_page_too(self, client: httpx.AsyncClient) -> None:
        assert "Something went wrong" in (await client.get("/broken", headers={"accept": "text/html"})).text

    async def test_when_that_page_fails_the_answer_is_json(self, make_app: Callable[..., FastAPI], logged: Log) -> None:
        def fails(_request: Request, _problem: ProblemDetails) -> Response:
            raise ZeroDivisionError

        app = make_app(fails)

        @app.get("/broken")
        async def broken() -> None:
            raise RuntimeError

        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://server.test") as client:
            assert problem(await client.get("/broken", headers={"accept": "text/html"})).name == "unexpected"
        assert "ZeroDivisionError" in logged.text


class TestDatabases:
    """The database is out of reach or too busy: 503 and when to retry. A wrong statement of ours: 500."""

    @pytest.fixture
    def app(self, app: FastAPI) -> FastAPI:
        @app.get("/read")
        async def read(request: Request, statement: str = "SELECT 1") -> None:
            engine = request.app.state.engine
            async with engine.connect() as connection:
                await connection.execute(sa.text(statement))

        return app

    async def ask(self, app: FastAPI, client: httpx.AsyncClient, url: str, statement: str) -> httpx.Response:
        before = set(threading.enumerate())
        app.state.engine = create_engine(url)
        try:
            return await client.get("/read", params={"statement": statement})
        finally:
            await app.state.engine.dispose()
            # A SQLite connection that never came about ends in a thread of its own, which still speaks to this loop.
            for thread in set(threading.enumerate()) - before:
                if "_connection_worker_thread" in thread.name:
                    await asyncio.to_thread(thread.join, 10)

    @pytest.mark.parametrize(
        "url",
        [
            "postgresql+asyncpg://nobody@127.0.0.1:1/none",
            "postgresql+asyncpg://nobody@/none?host=/nonexistent",
            "sqlite+aiosqlite:////nonexistent/folder/comptoir.sqlite3",
        ],
    )
    async def test_an_unreachable_database_is_told_with_when_to_retry(
        self, app: FastAPI, client: httpx.AsyncClient, url: str
    ) -> None:
        response = await self.ask(app, client, url, "SELECT 1")
        assert (response.status_code, problem(response).name) == (503, "database-unavailable")
        assert response.headers["retry-after"] == "5"
        assert "nonexistent" not in response.text

    async def test_a_wrong_statement_is_our_mistake(
        self, app: FastAPI, client: httpx.AsyncClient, database_url: str
    ) -> None:
        response = await self.ask(app, client, database_url, "SELECT * FROM no_such_table")
        assert (response.status_code, problem(response).name) == (500, "unexpected")
        assert "no_such_table" not in response.text

    async def test_the_values_of_a_failed_statement_do_not_reach_the_log(
        self, app: FastAPI, client: httpx.AsyncClient, database_url: str, logged: Log
    ) -> None:
        @app.get("/write")
        async def write(request: Request, value: str) -> None:
            async with request.app.state.engine.begin() as connection:
                await connection.execute(sa.text("INSERT INTO nowhere VALUES (:value)"), {"value": value})

        app.state.engine = create_engine(database_url)
        await client.get("/write", params={"value": "hunter2"})
        await app.state.engine.dispose()
        assert "INSERT INTO nowhere" in logged.text
        assert all("hunter2" not in str(line) for line in logged.lines if line["logger"] != "httpx")

    async def test_a_connection_that_breaks_is_told_as_such(
        self, app: FastAPI, client: httpx.AsyncClient, migrated_template: str, postgres_server: str
    ) -> None:
        url = postgres_server.format(db="postgres").replace("postgresql://", "postgresql+asyncpg://")
        response = await self.ask(app, client, url, "SELECT pg_terminate_backend(pg_backend_pid())")
        assert (response.status_code, problem(response).name) == (503, "database-unavailable")

    async def test_a_locked_sqlite_database_is_told_as_unavailable(
        self, app: FastAPI, client: httpx.AsyncClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("app.platform.database.SQLITE_PRAGMAS", ("journal_mode=WAL", "busy_timeout=1"))
        url = f"sqlite+aiosqlite:///{tmp_path}/busy.sqlite3"
        holder = create_engine(url)
        async with holder.begin():
            response = await self.ask(app, client, url, "SELECT 1")
        await holder.dispose()
        assert (response.status_code, problem(response).name) == (503, "database-unavailable")

    async def test_other_failures_of_the_system_are_not_blamed_on_the_database(self, answers) -> None:
        assert problem(await answers(ConnectionRefusedError("another service"))).name == "unexpected"


async def test_a_request_whose_client_left_is_no_error_of_ours(app: FastAPI, context: Context, logged: Log) -> None:
    @app.post("/slow")
    async def slow(request: Request) -> None:
        await request.body()

    async def receive() -> dict[str, str]:
        return {"type": "http.disconnect"}

    sent: list[dict[str, object]] = []

    async def send(message: dict[str, object]) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/slow",
        "query_string": b"",
        "headers": [],
        "scheme": "http",
        "http_version": "1.1",
    }
    await app(scope, receive, send)
    assert sent == []
    assert {line["level"] for line in logged.lines} == {"info"}


def test_invalid_is_an_answer_422() -> None:
    assert KINDS[Invalid("no").code].status == 422
