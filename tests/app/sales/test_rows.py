"""How rows of a journal find the room that books them."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

from app.rules.ids import uuid7
from app.rules.offline import Refusal
from app.sales import intake
from app.terminals.rows import Exceptions
from app.wire import CancelRow, IntentRow, JournalRow, RefusedRow, SaleRow, VoidRow
from tests.support.network import Network, both, problem


async def booked_by(*payloads: Any) -> tuple[list[tuple[str, int]], Exceptions]:
    """The kinds that a table of handlers was asked for, in order, with how many rows at once."""
    asked: list[tuple[str, int]] = []
    found = Exceptions()

    async def book(ledger: Any, at: Any, rows: Sequence[Any], exceptions: Exceptions) -> None:
        asked.append((rows[0].kind, len(rows)))

    journal = [
        (JournalRow(sequence=number, previous="0" * 64, hash=f"{number:064x}", payload=""), payload)
        for number, payload in enumerate(payloads, 1)
    ]
    at: Any = SimpleNamespace(terminal=SimpleNamespace(id=uuid7()))
    await intake.book(None, at, journal, dict.fromkeys((SaleRow, CancelRow, VoidRow), book), found)  # type: ignore[arg-type]
    return asked, found


async def test_sales_with_their_intents_between_them_are_booked_in_one_go() -> None:
    sale, intent = SaleRow.model_construct(), IntentRow(sale=uuid7(), at_us=1)
    refused = RefusedRow(sale=uuid7(), card=None, reason=Refusal.CARD_UNKNOWN, at_us=1)
    asked, found = await booked_by(intent, sale, intent, refused, intent, sale, None, sale)
    assert asked == [("sale", 3)]
    assert [(kind, details) for _, kind, details in found.found] == [("unreadable", {"sequence": 7})]


async def test_what_looks_at_what_came_before_comes_after_it() -> None:
    sale, cancel = SaleRow.model_construct(), CancelRow(id=uuid7(), sale=uuid7(), at_us=1)
    void = VoidRow(id=uuid7(), sale=uuid7(), reason="x", at_us=1)
    asked, _ = await booked_by(sale, sale, void, void, sale, cancel)
    assert asked == [("sale", 2), ("void", 2), ("sale", 1), ("cancel", 1)]


@both
async def test_staff_have_the_rights_of_their_roles_here(network: Network) -> None:
    bar = await network.terminal("raffinerie")
    cashier, manager, admin = [await network.hired(login) for login in ("lucas", "marie", "nadia")]
    rights = {it["id"]: it["rights"] for it in (await bar.snapshot()).json()["staff"]}
    assert rights[str(cashier)] == ["sell", "top_up"]
    assert {"refund", "credit", "close", "sold_out"} <= set(rights[str(manager)])
    assert rights[str(admin)] == rights[str(manager)]


@both
async def test_a_staff_card_is_given_and_reaches_the_terminals(network: Network) -> None:
    bar, cashier = await network.terminal("raffinerie"), await network.hired("lucas")
    admin = await network.person("nadia")
    await network.hired("marie")
    assert (await admin.put("/api/v1/people/lucas/card", json={"card": "04A1B2C3D4E5F6"})).status_code == 204
    document = (await bar.snapshot()).json()
    assert [it["id"] for it in document["staff"] if it.get("card") == "04A1B2C3D4E5F6"] == [str(cashier)]
    taken = await admin.put("/api/v1/people/marie/card", json={"card": "04A1B2C3D4E5F6"})
    assert problem(taken) == (409, "card-exists")
    assert problem(await admin.put("/api/v1/people/nobody/card", json={"card": None})) == (404, "not-found")
    assert (await admin.put("/api/v1/people/lucas/card", json={"card": None})).status_code == 204
    assert all("card" not in it for it in (await bar.snapshot()).json()["staff"])
