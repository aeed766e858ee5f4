"""One's own sessions, and those of somebody whom an admin locks out."""

from __future__ import annotations

import pytest

from app.identity.service import sign_in
from app.people.devices import device
from app.web.i18n import texts_in
from tests.support.network import PASSWORD, Network
from tests.support.pages import form_to, forms, led_to, look, send, words

pytestmark = pytest.mark.anyio

HERE = "/admin/sessions"
PHONE = "Mozilla/5.0 (Android 15; Mobile; rv:142.0) Gecko/142.0 Firefox/142.0"
MAC = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/18.5 Safari/605.1.15"
CHROME = "AppleWebKit/537.36 Chrome/140.0 Safari/537.36"


@pytest.fixture
def database_kind() -> str:
    """The statements are those of tests/app/identity/test_service.py, which runs on both."""
    return "sqlite"


@pytest.mark.parametrize(
    ("user_agent", "said"),
    [
        (PHONE, "Firefox on Android"),
        (MAC, "Safari on Mac"),
        (f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {CHROME} Edg/140.0", "Edge on Windows"),
        (f"Mozilla/5.0 (Linux; Android 10; K) {CHROME}", "Chrome on Android"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) CriOS/140.0 Safari/604.1", "Chrome on iPhone"),
        ("python-httpx/0.28.1", "python-httpx"),
        ("", "Unknown device"),
    ],
)
def test_a_device_is_told_in_words(user_agent: str, said: str) -> None:
    assert device(user_agent, texts_in("en")) == said


async def test_one_session_or_all_others_are_ended_and_this_one_stays(network: Network) -> None:
    lucas = await network.person("lucas")
    for agent in (PHONE, MAC, "curl/8"):
        await sign_in(network.context, "lucas", PASSWORD, agent)
    page = await look(lucas, HERE)
    for said in ("Firefox sur Android", "Safari sur Mac", "curl", "Ici"):
        assert said in words(page)
    ends = [it for it in forms(page.text) if it.action == f"{HERE}/end"]
    assert len(ends) == 3, "not the one that is looked from"
    assert led_to(await send(lucas, ends[0])) == HERE
    assert len([it for it in forms((await look(lucas, HERE)).text) if it.action == f"{HERE}/end"]) == 2
    assert (await send(lucas, ends[0])).status_code == 404, "it is over"
    nadia = await network.person("nadia")
    other = await nadia.post(f"{HERE}/end", data=ends[1].fields, headers={"Origin": str(nadia.base_url)})
    assert other.status_code in {403, 404}, "another's"
    assert led_to(await send(lucas, form_to(await look(lucas, HERE), f"{HERE}/end-others"))) == HERE
    alone = await look(lucas, HERE)
    assert alone.status_code == 200
    assert [it for it in forms(alone.text) if it.action.startswith(HERE)] == []


async def test_whoever_manages_somebody_ends_their_sessions(network: Network) -> None:
    lucas, nadia, marie = [await network.person(it) for it in ("lucas", "nadia", "marie")]
    await sign_in(network.context, "lucas", PASSWORD, PHONE)
    page = f"/admin/people/{await network.hired('lucas')}"
    seen = await look(nadia, page)
    assert "Firefox sur Android" in words(seen)
    assert led_to(await send(nadia, form_to(seen, f"{page}/sessions"))) == page
    assert (await lucas.get("/api/v1/me")).status_code == 401
    assert "Firefox" not in words(await look(nadia, page))
    # Nobody locks out somebody whose rights go beyond their own.
    above = f"/admin/people/{await network.hired('nadia')}/sessions"
    assert (await marie.post(above, headers={"Origin": str(marie.base_url)})).status_code == 403
    assert (await nadia.get("/api/v1/me")).status_code == 200
