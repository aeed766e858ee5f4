"""The audit log: what is written down, who reads it, and that nothing of it is ever changed."""

from __future__ import annotations

import csv
import io

import pytest
import sqlalchemy as sa

from app.identity.audit import GUARDS, MENTIONS, audit
from app.identity.audit_log import Wanted, entries
from app.identity.recorded import AS_CSV, LOOKED_UP, RECORDED
from app.identity.rights import RIGHTS
from app.identity.roles import Role
from app.identity.tables import audit as table
from app.identity.tables import audit_mention
from app.people.audit_words import ACTS
from tests.support.network import CARDS, Network, both
from tests.support.pages import look, words

pytestmark = pytest.mark.anyio

LOG, TABLE = "/admin/audit", "/admin/audit/audit.csv"


def test_everything_that_is_recorded_has_words_and_every_file_is_recorded() -> None:
    assert {*RECORDED.values(), *AS_CSV.values()} <= set(ACTS)
    assert {*RECORDED, *AS_CSV, *LOOKED_UP} <= set(RIGHTS)
    ends = ("_table", "_csv", "_file", "_archive", "_fec", "_logs")
    acts = {"send_logs", "create_refund_file", "make_refund_file", "release_refund_file"}
    files = {it for it in RIGHTS if it.endswith(ends) and RIGHTS[it] - {Role.HOLDER}} - acts
    assert files <= set(RECORDED)


@both
async def test_the_database_keeps_every_row_as_it_was_written(network: Network) -> None:
    async with network.engine.begin() as connection:
        await audit(connection, "test", "person.grant", "network")
        assert await connection.run_sync(GUARDS.missing) == []
        assert await connection.run_sync(MENTIONS.missing) == []
        await audit(connection, "test", "person.grant", f"venue:{network.venues['canal'].id}")
    rewritten = (table.delete(), table.update().values(actor="nobody"))
    for change in (*rewritten, audit_mention.delete(), audit_mention.update().values(word="nobody")):
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


@both
async def test_a_person_and_a_venue_are_found_wherever_a_row_names_them(network: Network) -> None:
    bar, lucas = network.venues["canal"], await network.hired("lucas")
    who = f"person:{lucas}"
    async with network.engine.begin() as connection:
        await audit(connection, who, "a", f"venue:{bar.id}")
        await audit(connection, "server", "b", "network", venue=str(bar.id), was=who)
        await audit(connection, "server", "c", f"/admin/people/{lucas}", asked="venue=canal")
        await audit(connection, "server", "d", f"/admin/books/{bar.slug}/{bar.id}/2026-10")
        await audit(connection, who, "e", "network")
        await audit(connection, "server", "f", "/admin/books/canal-2", asked="text=raffinerie")

    async def found(wanted: Wanted, limit: int = 100) -> str:
        """A page after another."""
        said, before = "", None
        async with network.context.reader.connect() as connection:
            while page := await entries(connection, wanted, before, limit):
                said += "".join(it.action for it in page if len(it.action) == 1)
                before = page[-1].cursor
        return said

    venue = (str(bar.id), bar.slug)
    for limit in (1, 2, 100):
        assert await found(Wanted(venue=venue), limit) == "dcba", "each once"
        assert await found(Wanted(lucas), limit) == "ecba"
        assert await found(Wanted(lucas, venue), limit) == "cba"
        assert await found(Wanted(lucas, venue, "saw"), limit) == ""
    assert await found(Wanted(venue=(bar.slug,))) == "dc"


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


async def test_programs_read_it_a_page_at_a_time(network: Network) -> None:
    lucas, id_ = await network.person("lucas"), await network.hired("lucas")
    for card in ("awa", "basile", "camille"):
        await lucas.get(f"/api/v1/cards/{CARDS[card]}/balances")
    hugo = await network.person("hugo")
    url, seen = f"/api/v1/audit?person={id_}&kind=saw&limit=2", []
    page = (await hugo.get(url)).json()
    while True:
        seen += page["entries"]
        if page["next"] is None:
            break
        page = (await hugo.get(f"{url}&cursor={page['next']}")).json()
    assert [it["subject"].split("/")[-2] for it in seen] == [CARDS[it] for it in ("camille", "basile", "awa")]
    assert {(it["actor"], it["action"], it["kind"]) for it in seen} == {(f"person:{id_}", "view.card", "saw")}
    asked = (await hugo.get("/api/v1/audit?kind=exported")).json()["entries"]
    assert {(it["action"], it["subject"]) for it in asked} == {("export.audit", "/api/v1/audit")}
    raffinerie = network.venues["raffinerie"].id
    assert {it["action"] for it in (await hugo.get(f"/api/v1/audit?venue={raffinerie}")).json()["entries"]} == {
        *("person.create", "export.audit")
    }
    for wrong in ("cursor=nowhere", f"cursor={2**63}.{id_}", f"cursor=-1.{id_}", "kind=heard", "limit=0"):
        assert (await hugo.get(f"/api/v1/audit?{wrong}")).status_code == 422, wrong
    assert (await hugo.get(f"/api/v1/audit?venue={id_}")).status_code == 404
    assert (await (await network.person("ines")).get("/api/v1/audit")).status_code == 403


@pytest.mark.parametrize("database_kind", ["sqlite"])
async def test_details_are_told_in_words(network: Network) -> None:
    venue, lucas = network.venues["raffinerie"], await network.hired("lucas")
    async with network.engine.begin() as connection:
        await audit(connection, "test", "person.grant", f"person:{lucas}", role="cashier", venue=venue.id)
        await audit(connection, "test", "handover.declare", f"venue:{venue.id}", amount_cents=123456, means="cash")
        await audit(connection, "test", "network.limits", "network", most={"was": 1, "now": 2}, signed=True, pin=None)
    page = words(await look(await network.person("hugo"), LOG))
    for said in (
        *("Rôle : Caisse", f"Lieu : {venue.name}", "Lucas Montreuil", "Montant : 1 234,56 €"),
        *("Au plus : 1 → 2", "Signé : Oui"),
    ):
        assert said in page, said
    assert "PIN" not in page
