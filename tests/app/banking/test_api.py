"""Programs read what the bank says: statements and lines, a page at a time."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from app.banking import importing, service
from tests.app.banking.samples import camt053, entry
from tests.app.banking.test_statements import DAY, NADIA, ledger
from tests.support.network import Network, both

pytestmark = [pytest.mark.anyio, both]


async def pages(network: Network, path: str, what: str) -> list[dict[str, Any]]:
    """Every row, a page after another."""
    found: list[dict[str, Any]] = []
    cursor = ""
    while True:
        answer = await network.get("ines", f"{path}{cursor}")
        assert answer.status_code == 200, answer.text
        found += answer.json()[what]
        if answer.json()["next"] is None:
            return found
        cursor = f"&cursor={answer.json()['next']}"


async def test_statements_and_lines_are_read_a_page_at_a_time(network: Network) -> None:
    await network.top_up("awa", 2000)
    owner = network.venues["raffinerie"].owner
    for number in range(3):
        lines = [entry("20.00", "CRDT", text=f"{number} first"), entry("5.00", "DBIT", text=f"{number} second")]
        content = camt053(lines, "0", "15.00")
        await importing.take_in(network.engine, f"{number}.xml", content, "", actor=NADIA)
    async with network.engine.connect() as connection:
        every = await service.lines(connection)
    remitted = next(it for it in every if it.line.text == "1 first")
    await service.decide(network.engine, ledger(network), remitted.id, "remittance", owner, DAY, actor=NADIA)

    files = await pages(network, "/bank-statements?limit=2", "statements")
    assert [it["name"] for it in files] == ["2.xml", "1.xml", "0.xml"]
    assert [(it["lines"], it["open"], it["opening_cents"], it["closing_cents"]) for it in files] == [
        (2, 2, 0, 1500),
        (2, 1, 0, 1500),
        (2, 2, 0, 1500),
    ]
    assert {it["imported_by"] for it in files} == {NADIA}

    told = await pages(network, "/bank-lines?limit=4", "lines")
    assert [it["id"] for it in told] == [str(it.id) for it in every]
    assert {(it["text"], it["amount_cents"]) for it in told} == {
        (f"{number} {which}", cents) for number in range(3) for which, cents in (("first", 2000), ("second", -500))
    }
    (decided,) = await pages(network, "/bank-lines?state=decided&limit=4", "lines")
    assert decided["id"] == str(remitted.id)
    assert decided["found"] | {"operation": 0, "decided_at_us": 0} == {
        "kind": "remittance",
        "subject": owner,
        "operation": 0,
        "reason": "",
        "decided_by": NADIA,
        "decided_at_us": 0,
    }
    open_ = await pages(network, "/bank-lines?state=open&limit=4", "lines")
    assert {it["id"] for it in open_} == {it["id"] for it in told} - {decided["id"]}
    of_one = await pages(network, f"/bank-lines?statement={files[1]['id']}&limit=1", "lines")
    assert {it["text"] for it in of_one} == {"1 first", "1 second"}
    assert await pages(network, f"/bank-lines?statement={uuid4()}", "lines") == []


async def test_what_is_no_page_is_refused(network: Network) -> None:
    for path, cursor in (
        *(("/bank-statements", it) for it in ("nowhere", f"{2**63}.{uuid4()}", f"1.{uuid4()}.2")),
        *(("/bank-lines", it) for it in ("2026-11-20.1", f"2026-11-20.{2**31}.{uuid4()}", f"yesterday.1.{uuid4()}")),
    ):
        answer = await network.get("ines", f"{path}?cursor={cursor}")
        assert (answer.status_code, answer.json()["type"]) == (422, "/problems/invalid"), cursor
    for login, status in (("nadia", 200), ("hugo", 200), ("marie", 403), ("bea", 403), ("lucas", 403)):
        assert (await network.get(login, "/bank-lines")).status_code == status, login
