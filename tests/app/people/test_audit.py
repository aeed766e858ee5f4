"""The audit log: what is written down, who reads it, and that nothing of it is ever changed."""

from __future__ import annotations

import csv
import io

import pytest
import sqlalchemy as sa

from app.identity.audit import GUARDS, audit
from app.identity.audit_log import Wanted, entries
from app.identity.recorded import AS_CSV, LOOKED_UP, RECORDED
from app.identity.rights import RIGHTS
from app.identity.tables import audit as table
from app.people.audit_words import ACTS
from tests.support.network import CARDS, Network, both
from tests.support.pages import look, words

pytestmark = pytest.mark.anyio

LOG, TABLE = "/admin/audit", "/admin/audit/audit.csv"


def test_everything_that_is_recorded_has_words_and_every_file_is_recorded() -> None:
    assert {*RECORDED.values(), *AS_CSV.values()} <= set(ACTS)
    assert {*RECORDED, *AS_CSV, *LOOKED_UP} <= set(RIGHTS)
    ends = ("_table", "_csv", "_file", "_archive", "_fec", "_logs")
    files = {it for it in RIGHTS if it.endswith(ends)} - {"send_logs"}
    assert files <= set(RECORDED)


@both
async def test_the_database_keeps_every_row_as_it_was_written(network: Network) -> None:
    async with network.engine.begin() as connection:
        await audit(connection, "test", "person.grant", "network")
        assert await connection.run_sync(GUARDS.missing) == []
    for change in (table.delete(), table.update().values(actor="nobody")):
        with pytest.raises(sa.exc.DBAPIError, match="what was recorded stays"):
            async with network.engine.begin() as connection:
                await connection.execute(change)


@both
async def test_pages_hold_every_row_once_the_newest_first_while_others_arrive(network: Network) -> None:
    async with network.engine.begin() as connection:
        for number in range(7):
            await audit(connection, "test", "counted", "network", number=number)
    seen, before = [], None
    while True:
        async with network.engine.begin() as connection:
            if not (page := await entries(connection, Wanted(), before, 3)):
                break
            await audit(connection, "test", "came later", "network")
        seen += [it.details["number"] for it in page if it.action == "counted"]
        before = page[-1].cursor
    assert seen == [6, 5, 4, 3, 2, 1, 0]


async def test_who_looked_at_a_card_and_took_a_file_away_is_written_down(network: Network) -> None:
    lucas, nadia = await network.person("lucas"), await network.person("nadia")
    assert (await lucas.get(f"/api/v1/cards/{CARDS['awa']}/balances")).status_code == 200
    assert (await nadia.get("/admin/positions.csv")).status_code == 200
    assert (await nadia.get("/api/v1/operations", headers={"Accept": "text/csv"})).status_code == 200
    assert (await nadia.get("/api/v1/operations")).status_code == 200
    hugo = await network.person("hugo")
    rows = list(csv.reader(io.StringIO((await hugo.get(TABLE, headers={"Accept-Language": "en"})).text)))[1:]
    said = [(who, kind, action) for _, who, kind, action, *_ in rows if kind != "changed"]
    assert said == [
        ("Hugo Montreuil", "exported", "export.audit"),
        ("Nadia Montreuil", "exported", "export.operations"),
        ("Nadia Montreuil", "exported", "export.positions"),
        ("Lucas Montreuil", "saw", "view.card"),
    ]
    assert CARDS["awa"] in rows[-1][4] or any(CARDS["awa"] in row[4] for row in rows)


async def test_the_log_is_read_by_person_venue_kind_and_day(network: Network) -> None:
    lucas, venue = await network.person("lucas"), network.venues["raffinerie"].id
    await lucas.get(f"/api/v1/cards/{CARDS['awa']}/balances")
    async with network.engine.begin() as connection:
        await audit(connection, "test", "price.set", f"venue:{venue}")
    hugo, id_ = await network.person("hugo"), await network.hired("lucas")
    for asked, there, not_there in (
        (f"person={id_}", "Une carte", "price.set"),
        (f"venue={venue}", "price.set", "Une carte"),
        ("kind=saw", "Une carte", "price.set"),
        ("kind=changed", "price.set", "Une carte"),
        ("first=2020-01-01", "Une carte", "Rien n’a été noté"),
    ):
        page = words(await look(hugo, f"{LOG}?{asked}&last="))
        assert there in page, asked
        assert not_there not in page, asked
    assert "Une carte" not in words(await look(hugo, f"{LOG}?last=2020-01-01"))
    assert (await hugo.get(f"{LOG}?before=nowhere")).status_code == 422


async def test_the_log_is_the_network_s_to_read(network: Network) -> None:
    for login, status in (("nadia", 200), ("hugo", 200), ("ines", 403), ("marie", 403), ("wim", 403)):
        assert (await (await network.person(login)).get(LOG)).status_code == status, login
