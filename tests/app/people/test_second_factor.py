"""Who moves money or lets others in is asked for the second factor, and what they had filled in is not lost."""

from __future__ import annotations

import re
from dataclasses import replace
from uuid import uuid4

import httpx
import pyotp
import pytest
from anyio import to_thread
from click.testing import CliRunner
from fastapi.params import File
from fastapi.routing import iter_route_contexts

from app.cli.second_factor import reset_second_factor
from app.identity import store
from app.identity.cookie import COOKIE
from app.identity.rights import ACT_OF, GUARDED
from app.identity.roles import PERSONAL, Grant, Role
from app.identity.tables import session
from app.platform import clock
from tests.support.network import PASSWORD, Network
from tests.support.pages import Form, form_to, led_to, look, send, words

pytestmark = pytest.mark.anyio

PEOPLE = "/admin/people"
SET_UP = "/second-factor/set-up"
ANA = {"name": "Ana Kermarec", "login": "ana", "role": "auditor", "venue": ""}
STEP_S = 30
# No such run: that is found out after the guard.
STEPS = {"freeze": 404, "cancel": 404, "approve": 403, "book": 403, "send": 403}


@pytest.fixture
def database_kind() -> str:
    """The statements are those of tests/app/identity/test_second_factor.py, which runs on both."""
    return "sqlite"


def required(network: Network) -> None:
    settings = network.context.settings.model_copy(update={"require_second_factor": True})
    network.app.state.context = replace(network.context, settings=settings)


async def set_up(client: httpx.AsyncClient, page: httpx.Response) -> tuple[pyotp.TOTP, httpx.Response]:
    form = form_to(page, SET_UP)
    totp = pyotp.TOTP(form.fields["second_factor_secret"])
    code = totp.at(clock.now_us() // 1_000_000)
    return totp, await send(client, form, second_factor_code=code, second_factor_password=PASSWORD)


async def nadia_enrolled(network: Network) -> tuple[httpx.AsyncClient, pyotp.TOTP]:
    """In a session that is trusted no more."""
    client = await network.person("nadia")
    totp, done = await set_up(client, await look(client, "/second-factor"))
    assert done.status_code == 200, words(done)
    async with network.context.engine.begin() as connection:
        await connection.execute(session.update().values(second_factor_at_us=None))
    return client, totp


def next_code(totp: pyotp.TOTP) -> str:
    return totp.at(clock.now_us() // 1_000_000 + STEP_S)


def test_what_moves_money_or_lets_others_in_asks_for_it() -> None:
    assert {
        *("approve_settlement", "send_settlement", "settlement_file", "retire_claim", "grant_credit_line"),
        *("ask_venue_bank_account", "ask_network_bank_account", "decide_bank_account", "decide_bank_from_page"),
        *("book_about_exception", "take_back_from_page", "won_from_page"),
        *("invite_person", "grant_role", "make_link", "invite_from_page", "grant_from_page", "change_person_from_page"),
    } <= GUARDED
    # A terminal has no telephone.
    assert all(act.roles <= PERSONAL for act in ACT_OF.values() if act.guarded)


async def test_no_form_that_waits_for_a_code_has_a_file(network: Network) -> None:
    """Its fields are kept; a file would be lost."""
    bodies = {it.name: it.body_field for it in iter_route_contexts(network.app.routes) if it.name in GUARDED}
    assert set(bodies) == GUARDED
    assert not [name for name, body in bodies.items() if body and isinstance(body.field_info, File)]


async def test_a_form_waits_while_its_sender_sets_a_second_factor_up(network: Network) -> None:
    required(network)
    client = await network.person("nadia")
    form = form_to(await look(client, PEOPLE), PEOPLE)
    asked = await send(client, form, **ANA)
    assert asked.status_code == 403
    assert "Ana Kermarec" not in words(await look(client, PEOPLE))
    wrong = await send(client, form_to(asked, SET_UP), second_factor_code="000 00", second_factor_password=PASSWORD)
    assert wrong.status_code == 422
    not_hers = await send(client, form_to(wrong, SET_UP), second_factor_code="1", second_factor_password="guessed it?")
    assert not_hers.status_code == 401
    assert "guessed it?" not in not_hers.text
    secrets = {form_to(it, SET_UP).fields["second_factor_secret"] for it in (asked, wrong, not_hers)}
    assert len(secrets) == 1, "the key that was scanned stays"
    before = client.cookies[COOKIE]
    _, done = await set_up(client, not_hers)
    assert client.cookies[COOKIE] != before
    assert len(re.findall(r"<li><code>(\w{4}-){3}\w{4}</code></li>", done.text)) == 10
    assert done.headers["cache-control"] == "no-store"
    waiting = form_to(done, PEOPLE)
    assert {name: waiting.fields[name] for name in ANA} == ANA
    assert not [name for name in waiting.fields if name.startswith("second_factor")]
    told = await send(client, waiting)
    assert told.status_code == 200
    assert "Ana Kermarec" in words(told)


async def test_a_form_is_carried_out_with_the_code(network: Network) -> None:
    client, totp = await nadia_enrolled(network)
    before = client.cookies[COOKIE]
    asked = await send(client, form_to(await look(client, PEOPLE), PEOPLE), **ANA)
    assert asked.status_code == 403
    wrong = await send(client, form_to(asked, "/second-factor"), second_factor_code="12345")
    assert wrong.status_code == 422
    form = form_to(wrong, "/second-factor")
    taken = await send(client, form, second_factor_code=next_code(totp))
    # 307: the browser sends the very same fields to the address that they were for.
    assert (taken.status_code, taken.headers["location"]) == (307, PEOPLE)
    assert client.cookies[COOKIE] != before
    again = Form(PEOPLE, {**form.fields, "second_factor_code": "123456"})
    sent = await send(client, again)
    assert sent.status_code == 200
    assert "Ana Kermarec" in words(await look(client, PEOPLE))
    assert (
        await send(client, form_to(await look(client, PEOPLE), PEOPLE), **{**ANA, "login": "ana2"})
    ).status_code == 200


async def test_a_button_without_fields_is_carried_out_too(network: Network) -> None:
    """Its form has nothing but the session's token: that it was sent at all is what waits."""
    client, totp = await nadia_enrolled(network)
    lucas = await network.hired("lucas")
    page = await look(client, f"{PEOPLE}/{lucas}")
    asked = await send(client, form_to(page, f"{PEOPLE}/{lucas}/leave"))
    form = form_to(asked, "/second-factor")
    taken = await send(client, form, second_factor_code=next_code(totp))
    assert (taken.status_code, taken.headers["location"]) == (307, f"{PEOPLE}/{lucas}/leave")


@pytest.mark.parametrize("query", ["", "a=1&" + "x" * 900])
async def test_a_look_is_led_on_to_what_it_was_for(network: Network, query: str) -> None:
    client, totp = await nadia_enrolled(network)
    target = f"/admin/audit?{query}" if query else "/admin/audit"
    page = await client.get("/second-factor", params={"next": target}, headers={"Accept": "text/html"})
    form = form_to(page, "/second-factor")
    assert form.fields["second_factor_to"] == target
    assert led_to(await send(client, form, second_factor_code=next_code(totp))) == target
    assert led_to(await client.get("/second-factor", params={"next": target})) == target, "trusted now"
    away = await client.get("/second-factor", params={"next": "//evil.example"})
    assert led_to(away) == "/admin"


async def test_the_bank_s_file_waits_behind_a_link_on_a_page(network: Network) -> None:
    client, totp = await nadia_enrolled(network)
    file = f"/api/v1/settlements/{uuid4()}/file"
    assert (await client.get(file)).json()["type"] == "/problems/second-factor-needed"
    asked = await look(client, file)
    assert led_to(asked) == f"/second-factor?next={file}"
    page = await look(client, led_to(asked))
    taken = await send(client, form_to(page, "/second-factor"), second_factor_code=next_code(totp))
    assert taken.status_code == 200
    assert f'href="{file}"' in taken.text, "a file leaves the browser where it was: on the page of a used code"
    assert (await look(client, file)).status_code == 404, "there is no such run"


async def test_programs_are_told_what_to_do(network: Network) -> None:
    client, totp = await nadia_enrolled(network)
    body = {"login": "ana", "name": "Ana Kermarec", "role": "auditor", "venue": None}
    refused = await client.post("/api/v1/people", json=body)
    assert (refused.status_code, refused.json()["type"]) == (403, "/problems/second-factor-needed")
    assert "/api/v1/sessions/current/second-factor" in refused.json()["detail"]
    code, before = next_code(totp), client.cookies[COOKIE]
    proved = await client.post("/api/v1/sessions/current/second-factor", json={"code": code})
    assert proved.status_code == 204
    assert client.cookies[COOKIE] != before
    again = await client.post("/api/v1/sessions/current/second-factor", json={"code": code})
    assert (again.status_code, again.json()["type"]) == (422, "/problems/second-factor-wrong")
    assert (await client.post("/api/v1/people", json=body)).status_code == 201
    required(network)
    marie = await network.person("marie")
    missing = await marie.post("/api/v1/people", json=body)
    assert (missing.status_code, missing.json()["type"]) == (403, "/problems/second-factor-missing")


async def test_only_what_releases_money_asks_in_a_settlement(network: Network) -> None:
    """One endpoint with steps of two acts."""
    client, _ = await nadia_enrolled(network)
    run = f"/admin/settlements/{uuid4()}"
    answers = {it: await client.post(f"{run}/{it}", headers={"Accept": "text/html"}) for it in STEPS}
    assert {it: found.status_code for it, found in answers.items()} == STEPS


async def test_a_lost_telephone_is_seen_to_by_another_admin_and_its_owner_is_told(network: Network) -> None:
    client, _ = await nadia_enrolled(network)
    nadia = await network.hired("nadia")
    own = await look(client, f"{PEOPLE}/{nadia}")
    assert "/reset" not in own.text
    hired = await network.hired("zoe")
    async with network.context.engine.begin() as connection:
        await store.insert_grants(connection, hired, [Grant(Role.NETWORK_ADMIN)])
    zoe = await network.person("zoe")
    page = await look(zoe, f"{PEOPLE}/{nadia}")
    assert led_to(await send(zoe, form_to(page, f"{PEOPLE}/{nadia}/reset"))) == f"{PEOPLE}/{nadia}"
    assert "/reset" not in (await look(zoe, f"{PEOPLE}/{nadia}")).text
    assert "Votre second facteur a été réinitialisé" in words(await look(client, "/admin/positions"))
    assert "Zoe Montreuil" in words(await look(client, "/second-factor"))
    assert "Second facteur réinitialisé" in words(await look(zoe, "/admin/audit"))


async def test_the_command_line_resets_it(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    client, _ = await nadia_enrolled(network)
    monkeypatch.setenv("COMPTOIR_DATA", str(network.settings.data))
    monkeypatch.setenv("COMPTOIR_DATABASE_URL", network.settings.sqlalchemy_url)
    said = await to_thread.run_sync(lambda: CliRunner().invoke(reset_second_factor, ["nadia"], catch_exceptions=False))
    assert (said.exit_code, said.output) == (0, "nadia has no second factor any more.\n")
    twice = await to_thread.run_sync(lambda: CliRunner().invoke(reset_second_factor, ["nadia"]))
    assert twice.exit_code == 1
    assert "nadia has no second factor here" in twice.output
    assert form_to(await look(client, "/second-factor"), SET_UP)
