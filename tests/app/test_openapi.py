"""The API describes itself, so that somebody else can write a client without reading our code."""

from __future__ import annotations

from typing import Any

import pytest

from app.identity.rights import RIGHTS
from app.identity.roles import Role
from tests.support.network import Network

pytestmark = pytest.mark.anyio

METHODS = {"get", "put", "post", "delete", "patch"}


@pytest.fixture
def database_kind() -> str:
    return "sqlite"


@pytest.fixture
async def document(network: Network) -> dict[str, Any]:
    answer = await network.client.get("/api/v1/openapi.json")
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()
    return found


def operations(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """ "POST /api/v1/sales": its description, for everything."""
    return {
        f"{method.upper()} {path}": it
        for path, item in document["paths"].items()
        for method, it in item.items()
        if method in METHODS
    }


def references(node: object) -> set[str]:
    if isinstance(node, dict):
        own = {node["$ref"]} if isinstance(node.get("$ref"), str) else set()
        return own.union(*(references(it) for it in node.values()))
    return set[str]().union(*(references(it) for it in node)) if isinstance(node, list) else set()


async def test_it_is_openapi_3_1_and_tells_how_amounts_times_and_errors_are_written(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    assert document["info"]["title"] == "Comptoir"
    for word in ("minor units", "microseconds", "Idempotency-Key", "problem+json"):
        assert word in document["info"]["description"]


async def test_pages_are_not_in_it_and_the_whole_api_is(document: dict[str, Any]) -> None:
    assert all(path.startswith("/api/v1/") for path in document["paths"])
    assert "POST /api/v1/sales" in operations(document)


async def test_every_operation_has_a_title_and_a_success(document: dict[str, Any]) -> None:
    for name, it in operations(document).items():
        assert it.get("summary"), name
        assert it["tags"], name
        assert any(status.startswith("2") for status in it["responses"]), name


async def test_operations_have_different_ids(document: dict[str, Any]) -> None:
    ids = [it["operationId"] for it in operations(document).values()]
    assert len(set(ids)) == len(ids)


async def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    known = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}
    assert references(document["paths"]) <= known
    assert references(document["components"]) <= known


async def test_a_sale_s_refusals_are_named(document: dict[str, Any]) -> None:
    said = operations(document)["POST /api/v1/sales"]["responses"]
    for status, code in (
        ("402", "insufficient-funds"),
        ("403", "card-blocked"),
        ("404", "card-unknown"),
        ("409", "price-changed"),
        ("422", "currency-not-accepted"),
    ):
        assert code in said[status]["description"], status


async def test_what_moves_money_for_people_asks_for_a_key(document: dict[str, Any]) -> None:
    for name in ("topups", "shifts", "sales/{sale}/void"):
        it = operations(document)[f"POST /api/v1/venues/{{venue}}/{name}"]
        (key,) = [one for one in it["parameters"] if one["name"].lower() == "idempotency-key"]
        assert key["required"], name
        assert key["description"], name


async def test_names_of_the_api_s_operations_are_names_of_rights(document: dict[str, Any]) -> None:
    names = {it["operationId"].split("_api_v1")[0] for it in operations(document).values()}
    assert names <= set(RIGHTS)
    assert all(Role.HOLDER not in RIGHTS[name] for name in names)
