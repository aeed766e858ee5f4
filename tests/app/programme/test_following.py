"""Following the programme by e-mail: asked twice before anything is sent, told once, ended with one press."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa

from app.events.tables import event
from app.mail.sending import written
from app.mail.service import Letter
from app.mail.tables import mail
from app.platform.clock import now_us
from app.programme import reminding
from app.programme.reminding import last_digest_us
from app.programme.tables import follow
from app.venues.places import Place, change_place
from app.venues.point import point
from app.web.pages import Pages
from tests.app.programme.conftest import DAY_US, HOUR_US, Programme
from tests.support.network import both, problem
from tests.support.pages import form_to, look, send, words

pytestmark = pytest.mark.anyio


async def letters(programme: Programme) -> list[Letter]:
    async with programme.network.context.reader.connect() as connection:
        rows = await connection.execute(sa.select(mail).order_by(mail.c.created_at_us))
        return [Letter(it.id, it.template, it.language, it.recipient, json.loads(it.data)) for it in rows]


async def asked(programme: Programme, query: str, address: str = "awa@example.org") -> str:
    """Asks by the page's form; the path of the link in the message."""
    anybody = programme.network.client
    form = form_to(await look(anybody, f"/programme/follow?{query}"), "/programme/follow")
    assert (await send(anybody, form, address=address)).status_code == 200
    (link,) = (it.data["link"] for it in await letters(programme) if it.recipient == address and "link" in it.data)
    return str(link).removeprefix("http://server.test")


@both
async def test_nothing_is_sent_before_yes_was_said(programme: Programme, monkeypatch: pytest.MonkeyPatch) -> None:
    anybody = programme.network.client
    id_ = await programme.event("bal", in_us=DAY_US - HOUR_US)
    # The forenoon of the day before has come at any hour of the day on which the test runs.
    monkeypatch.setattr(reminding, "_HOUR", 0)
    link = await asked(programme, "kind=event&about=bal")
    await reminding.look(programme.network.context)
    # Looking at the link does nothing: mailboxes look at links too.
    page = await look(anybody, link)
    await reminding.look(programme.network.context)
    assert [it.template for it in await letters(programme)] == ["programme/confirm_mail"]
    assert "awa@example.org" in words(await send(anybody, form_to(page, link)))
    await reminding.look(programme.network.context)
    await reminding.look(programme.network.context)
    (_, reminder) = await letters(programme)
    assert reminder.template == "programme/reminder_mail"
    message = written(reminder, programme.network.settings, Pages())
    assert "Soirée bal" in message["Subject"]
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    leave = str(message["List-Unsubscribe"]).strip("<>").removeprefix("http://server.test")
    one_click = await anybody.post(leave, data={"List-Unsubscribe": "One-Click"})
    assert one_click.status_code == 200
    async with programme.network.context.reader.connect() as connection:
        assert (await connection.execute(sa.select(follow))).all() == []
    assert "oubliée" in words(await look(anybody, link))
    assert str(id_) not in (await look(anybody, link)).text


async def test_news_come_once_a_week_and_only_of_what_is_followed(
    programme: Programme, monkeypatch: pytest.MonkeyPatch
) -> None:
    anybody = programme.network.client
    for query, address in (
        ("kind=venue&about=canal", "awa@example.org"),
        ("kind=artist&about=les-zincs", "b@example.org"),
    ):
        link = await asked(programme, query, address)
        await send(anybody, form_to(await look(anybody, link), link))
    await programme.event("bal", plays=True)
    await programme.event("quai", "canal", in_us=4 * DAY_US, plays=False)
    await programme.event("non", "canal", status="cancelled", plays=False)
    await reminding.look(programme.network.context)
    assert all(it.template == "programme/confirm_mail" for it in await letters(programme)), "it is not Thursday yet"
    later = now_us() + 8 * DAY_US
    await programme.event("encore", "canal", in_us=20 * DAY_US, plays=False)
    monkeypatch.setattr(reminding, "now_us", lambda: later)
    # By then the first two are over: what is told is what is still to come.
    await programme.event("danse", in_us=21 * DAY_US, plays=True)
    for _ in range(2):
        await reminding.look(programme.network.context)
    news = {it.recipient: it.data for it in await letters(programme) if it.template == "programme/digest_mail"}
    assert {who: [show["title"] for show in it["shows"]] for who, it in news.items()} == {
        "awa@example.org": ["Soirée encore"],
        "b@example.org": ["Soirée danse"],
    }


@both
async def test_news_of_what_is_near_a_town(programme: Programme, monkeypatch: pytest.MonkeyPatch) -> None:
    anybody, context = programme.network.client, programme.network.context
    async with context.engine.begin() as connection:
        for slug, town, at in (("raffinerie", "Rennes", "48.1173, -1.6778"), ("canal", "Betton", "48.1833, -1.6439")):
            place = Place(town=town, point=point(at))
            await change_place(connection, "test", programme.network.venues[slug].id, Place(), place)
    home = await look(anybody, "/programme?town=Rennes&km=5")
    assert "À moins de 5 km de Rennes" in words(home)
    for km, address in ((5, "awa@example.org"), (10, "b@example.org")):
        link = await asked(programme, f"kind=near&about={km}+Rennes", address)
        await send(anybody, form_to(await look(anybody, link), link))
    later = now_us() + 8 * DAY_US
    await programme.event("bal", in_us=20 * DAY_US)
    await programme.event("quai", "canal", in_us=21 * DAY_US)
    monkeypatch.setattr(reminding, "now_us", lambda: later)
    for _ in range(2):
        await reminding.look(context)
    news = {it.recipient: it.data for it in await letters(programme) if it.template == "programme/digest_mail"}
    assert {who: [show["title"] for show in it["shows"]] for who, it in news.items()} == {
        "awa@example.org": ["Soirée bal"],
        "b@example.org": ["Soirée bal", "Soirée quai"],
    }
    near = (await anybody.get("/api/v1/programme?town=Rennes&km=5")).json()
    assert [it["titles"]["fr"] for it in near] == ["Soirée bal"]
    for query in ("kind=near&about=5+Nantes", "kind=near&about=7+Rennes", "kind=near&about=Rennes"):
        assert (await look(anybody, f"/programme/follow?{query}")).status_code == 404


async def test_a_cancelled_event_is_told_to_who_follows_it(programme: Programme) -> None:
    await programme.event("bal", in_us=20 * DAY_US)
    link = await asked(programme, "kind=event&about=bal")
    await send(programme.network.client, form_to(await look(programme.network.client, link), link))
    async with programme.network.context.engine.begin() as connection:
        await connection.execute(sa.update(event).values(status="cancelled"))
    await reminding.look(programme.network.context)
    await reminding.look(programme.network.context)
    assert [it.template for it in await letters(programme)][1:] == ["programme/cancelled_mail"]


async def test_what_is_refused(programme: Programme) -> None:
    anybody = programme.network.client
    form = form_to(await look(anybody, "/programme/follow"), "/programme/follow")
    assert (await send(anybody, form, address="nobody")).status_code == 422
    assert (await look(anybody, "/programme/follow?kind=event&about=nothing")).status_code == 404
    for token in ("x", "AAAA", "A" * 43, "é"):
        assert problem(await anybody.post(f"/follow/{token}")) == (404, "not-found")
    answers: list[Any] = [await send(anybody, form, address="awa@example.org") for _ in range(8)]
    assert {it.status_code for it in answers} == {200, 429}
    assert len(await letters(programme)) == 1, "asked again within the hour, nobody is asked again"
    assert re.search("no-store", answers[0].headers["cache-control"])


@pytest.mark.parametrize(
    ("now", "due"),
    [
        ("2026-11-26T09:00:00+00:00", "2026-11-26T09:00:00+00:00"),
        ("2026-11-26T08:59:59+00:00", "2026-11-19T09:00:00+00:00"),
        ("2026-11-27T12:00:00+00:00", "2026-11-26T09:00:00+00:00"),
        ("2026-04-01T12:00:00+00:00", "2026-03-26T09:00:00+00:00"),
    ],
)
def test_news_are_due_on_thursday_forenoon(now: str, due: str) -> None:
    at_us = int(datetime.fromisoformat(now).timestamp()) * 1_000_000
    assert datetime.fromtimestamp(last_digest_us(at_us, "Europe/Paris") / 1e6, UTC) == datetime.fromisoformat(due)
