"""Cards for programs: added once, blocked and unblocked, and what each holds."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from app.identity.tables import audit
from tests.support.network import CARDS, UNKNOWN_UID, Network, both, problem

pytestmark = pytest.mark.anyio


@pytest.fixture
def database_kind() -> str:
    """Where it makes a difference, a test is marked as one for both databases."""
    return "sqlite"


NEW = {"uid": "04D0D0D0D0D0D0", "label": "Carte 12"}


async def test_a_new_card_has_an_empty_wallet_and_a_page_of_its_own(network: Network) -> None:
    answer = await network.post("nadia", "/cards", NEW)
    assert answer.status_code == 201
    added = answer.json()
    assert (added["uid"], added["label"], added["status"], added["assurance"]) == (*NEW.values(), "active", "C")
    assert added["page"].startswith("http://server.test/c/")
    assert len(added["page"].rsplit("/", 1)[-1]) >= 22, "128 random bits"
    held = (await network.get("lucas", f"/cards/{NEW['uid']}/balances")).json()
    assert held == {"uid": NEW["uid"], "status": "active", "balances": {"RAF": 0, "TEMPS": 0}}
    listed = (await network.get("nadia", "/cards")).json()
    assert {it["uid"] for it in listed} == {*CARDS.values(), NEW["uid"]}
    assert len({it["page"] for it in listed}) == len(listed)


@both
async def test_a_chip_is_in_the_network_once(network: Network) -> None:
    await network.top_up("awa", 1000)
    again = {"uid": CARDS["awa"], "label": "Another"}
    assert problem(await network.post("nadia", "/cards", again)) == (409, "card-exists")
    assert await network.holds("awa") == {"RAF": 1000, "TEMPS": 0}


async def test_what_is_no_card_is_refused(network: Network) -> None:
    for change in ({"uid": "04d0d0d0d0d0d0"}, {"uid": "04"}, {"label": ""}, {"assurance": "D"}, {"balance": 100}):
        assert problem(await network.post("nadia", "/cards", {**NEW, **change})) == (422, "invalid"), change


@both
async def test_a_block_holds_until_it_is_lifted_and_both_are_on_record(network: Network) -> None:
    path = f"/cards/{CARDS['awa']}"
    for state in ("blocked", "active"):
        assert (await network.post("lucas", f"{path}/{state}")).status_code == 204
        assert (await network.get("lucas", f"{path}/balances")).json()["status"] == state
    assert problem(await network.post("lucas", f"{path}/stolen")) == (404, "not-found")
    async with network.context.reader.connect() as connection:
        rows = await connection.execute(sa.select(audit).where(audit.c.action.startswith("card.")))
        acts = [(row.action, row.actor) for row in rows]
    actor = f"person:{await network.hired('lucas')}"
    assert acts == [("card.blocked", actor), ("card.active", actor)]


async def test_a_card_nobody_knows_is_told_so(network: Network) -> None:
    assert problem(await network.get("lucas", f"/cards/{UNKNOWN_UID}/balances")) == (404, "card-unknown")
    assert problem(await network.post("lucas", f"/cards/{UNKNOWN_UID}/blocked")) == (404, "card-unknown")
    assert problem(await network.get("lucas", "/cards/nothing/balances")) == (422, "invalid")
