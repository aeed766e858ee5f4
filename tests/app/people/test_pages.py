"""Inviting somebody and giving them roles, as an admin does it on the pages."""

from __future__ import annotations

import re
from dataclasses import replace

import httpx
import pytest
import sqlalchemy as sa

from app.cards.service import card_by_uid
from app.cli.demo.forms import forms
from app.identity.tables import audit, invitation, person
from tests.support.network import CARDS, Network, problem
from tests.support.pages import form_to, led_to, look, send, words

pytestmark = pytest.mark.anyio

PEOPLE = "/admin/people"
NEW = "quatre mots bien choisis"


@pytest.fixture
def database_kind() -> str:
    return "sqlite"


async def invited(network: Network, by: str, **typed: str) -> httpx.Response:
    client = await network.person(by)
    return await send(client, form_to(await look(client, PEOPLE), PEOPLE), **typed)


def link_of(answer: httpx.Response) -> str:
    found = re.search(r'value="http[^"]*(/welcome/[^"]+)"', answer.text)
    assert found is not None, words(answer)
    return found[1]


async def choose(network: Network, link: str, password: str = NEW, again: str = NEW) -> httpx.Response:
    assert (await look(network.client, link)).status_code == 200
    return await network.client.post(
        link, data={"password": password, "again": again}, headers={"Accept": "text/html", "Origin": "null"}
    )


async def test_somebody_is_invited_chooses_a_password_and_works(network: Network) -> None:
    venue = str(network.venues["raffinerie"].id)
    told = await invited(network, "marie", name="Ana Kermarec", login="ana", role="cashier", venue=venue)
    assert told.status_code == 200
    assert told.headers["cache-control"] == "no-store"
    link = link_of(told)
    for password, again in (("court", "court"), (NEW, "autre chose que lui")):
        assert (await choose(network, link, password, again)).status_code == 422
    done = await choose(network, link)
    pin = re.search(r": (\d{4})\b", words(done))
    assert done.status_code == 200
    assert pin is not None
    opened = await network.client.post("/api/v1/sessions", json={"login": "ana", "password": NEW})
    assert opened.status_code == 201
    assert (await network.client.get(link)).status_code == 404, "it works once"
    async with network.context.reader.connect() as connection:
        said = (await connection.execute(sa.select(audit.c.action).where(audit.c.action.like("person.%")))).scalars()
        assert {"person.create", "person.grant", "person.link", "person.accept"} <= set(said)
        assert (await connection.execute(sa.select(invitation))).all() == []


async def test_what_was_typed_stays_when_it_is_refused(network: Network) -> None:
    venue = str(network.venues["raffinerie"].id)
    await network.hired("marie")
    for typed in ({"login": "marie"}, {"login": "?"}, {"venue": ""}, {"name": " "}):
        values = {"name": "Ana Kermarec", "login": "ana", "role": "cashier", "venue": venue, **typed}
        again = await invited(network, "nadia", **values)
        assert again.status_code == 422, typed
        assert f'value="{values["login"]}"' in again.text
    async with network.context.reader.connect() as connection:
        assert "ana" not in set((await connection.execute(sa.select(person.c.login))).scalars())


async def test_nobody_is_given_more_than_the_giver_has(network: Network) -> None:
    here, there = (str(network.venues[slug].id) for slug in ("raffinerie", "canal"))
    for by, role, venue in (
        ("marie", "network_admin", ""),
        ("marie", "auditor", ""),
        ("marie", "cashier", there),
        ("sana", "venue_admin", here),
        ("sana", "shift_manager", here),
    ):
        refused = await invited(network, by, name="Ana", login="ana", role=role, venue=venue)
        assert refused.status_code == 403, (by, role)
    assert (await invited(network, "sana", name="Ana", login="ana", role="cashier", venue=here)).status_code == 200


async def test_roles_are_granted_and_withdrawn_at_several_venues(network: Network) -> None:
    lucas, nadia = await network.hired("lucas"), await network.person("nadia")
    page, at = f"{PEOPLE}/{lucas}", {slug: str(it.id) for slug, it in network.venues.items()}
    form = form_to(await look(nadia, page), f"{page}/grants")
    assert led_to(await send(nadia, form, role="shift_manager", venue=at["canal"])) == page
    said = words(await look(nadia, page))
    assert "Responsable de soirée, " in said
    form = form_to(await look(nadia, page), f"{page}/withdraw")
    assert led_to(await send(nadia, form, role="cashier", venue=at["raffinerie"])) == page
    me = (await network.get("lucas", "/me")).json()
    assert me["grants"] == [{"role": "shift_manager", "venue": at["canal"]}]
    # Of no interest to the other venue any more.
    assert (await look(await network.person("marie"), page)).status_code == 404


async def test_a_new_link_ends_sessions_once_it_is_used(network: Network) -> None:
    nadia, lucas = await network.person("nadia"), await network.person("lucas")
    page = f"{PEOPLE}/{await network.hired('lucas')}"
    link = link_of(await send(nadia, form_to(await look(nadia, page), f"{page}/link")))
    second = link_of(await send(nadia, form_to(await look(nadia, page), f"{page}/link")))
    assert (await network.client.get(link)).status_code == 404, "the newer link stands alone"
    assert (await lucas.get("/api/v1/me")).status_code == 200
    assert (await choose(network, second)).status_code == 200
    assert (await lucas.get("/api/v1/me")).status_code == 401


async def test_programs_grant_and_withdraw_too(network: Network) -> None:
    venue = str(network.venues["raffinerie"].id)
    made = await network.post("nadia", "/people", {"login": "ana", "name": "Ana", "role": "auditor"})
    assert made.status_code == 201
    assert "/welcome/" in made.json()["address"]
    granted = await network.post("nadia", "/people/ana/grants", {"role": "cashier", "venue": venue})
    assert granted.status_code == 204
    nadia = await network.person("nadia")
    assert (await nadia.delete("/api/v1/people/ana/grants/auditor")).status_code == 204
    (ana,) = [it for it in (await network.get("nadia", "/people")).json() if it["login"] == "ana"]
    assert ana["grants"] == [{"role": "cashier", "venue": venue}]
    wrong = await network.post("nadia", "/people/ana/grants", {"role": "cashier"})
    assert wrong.status_code == 422


async def test_a_staff_card_is_given_by_its_label_number_or_code_and_taken_away(network: Network) -> None:
    bar, lucas = await network.terminal("raffinerie"), await network.hired("lucas")
    marie, page = await network.person("marie"), f"{PEOPLE}/{await network.hired('lucas')}"
    async with network.context.reader.connect() as connection:
        awa = await card_by_uid(connection, CARDS["awa"])
    for typed in ("carte de awa", "04:a0:00:00:00:a0:01", f"https://x/c/{awa.token}"):
        form = form_to(await look(marie, page), f"{page}/card")
        assert led_to(await send(marie, form, card=typed)) == page, typed
        said = await look(marie, page)
        assert "Carte de awa" in words(said)
        staff = (await bar.snapshot()).json()["staff"]
        assert [it["id"] for it in staff if it.get("card") == CARDS["awa"]] == [str(lucas)]
        taking = next(it for it in forms(said.text) if it.fields.get("take"))
        assert led_to(await send(marie, taking)) == page
        assert "Carte de awa" not in words(await look(marie, page))
    async with network.context.reader.connect() as connection:
        kept = await connection.execute(
            sa.select(audit.c.actor, audit.c.subject).where(audit.c.action == "person.card")
        )
        assert set(kept) == {(f"person:{await network.hired('marie')}", f"person:{lucas}")}


async def test_a_card_that_is_not_theirs_to_have_is_refused_in_words(network: Network) -> None:
    nadia, lucas = await network.person("nadia"), f"{PEOPLE}/{await network.hired('lucas')}"
    await network.hired("marie")
    assert (await nadia.put("/api/v1/people/marie/card", json={"card": CARDS["awa"]})).status_code == 204
    form = form_to(await look(nadia, lucas), f"{lucas}/card")
    for typed, told in (
        ("carte de personne", "Aucune carte ne correspond"),
        ("carte", "Plusieurs cartes"),
        (CARDS["awa"], "est déjà la carte d’équipe de Marie"),
    ):
        refused = await send(nadia, form, card=typed)
        assert refused.status_code == 422, typed
        assert told in words(refused)
        assert f'value="{typed}"' in refused.text
    # Beyond the giver's rights, by the page as by a program; and neither page nor form where one may not.
    sana, marie = await network.person("sana"), f"{PEOPLE}/{await network.hired('marie')}"
    assert f"{marie}/card" not in (await look(sana, marie)).text
    own = form_to(await look(sana, lucas), f"{lucas}/card")
    assert (await send(sana, replace(own, action=f"{marie}/card"), card="carte de basile")).status_code == 403
    refused = await sana.put("/api/v1/people/marie/card", json={"card": None})
    assert problem(refused) == (403, "not-yours-to-grant")
