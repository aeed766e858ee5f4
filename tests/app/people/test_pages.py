"""Inviting somebody and giving them roles, as an admin does it on the pages."""

from __future__ import annotations

import re

import httpx
import pytest
import sqlalchemy as sa

from app.identity.tables import audit, invitation, person
from tests.support.network import Network
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
