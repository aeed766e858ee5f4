"""Reminders by e-mail: nobody gets one who did not tick the box, nor after saying stop."""

from __future__ import annotations

import re

import pytest
import sqlalchemy as sa

from app.lapses.reminders import remind
from app.mail.consents import stop_token, stopped_by
from app.mail.tables import mail, mail_consent
from app.platform.settings import Settings
from app.rules.ids import uuid7
from tests.app.lapses.conftest import Clock
from tests.app.lapses.test_pages import announced
from tests.support.network import Network
from tests.support.pages import form_to, led_to, look, send, words


@pytest.fixture
def database_kind() -> str:
    return "sqlite"


@pytest.fixture
def network_settings(network_settings: Settings) -> Settings:
    return network_settings.model_copy(update={"mail": "sandbox"})


async def letters(network: Network) -> list[tuple[str | None, str | None]]:
    async with network.context.reader.connect() as connection:
        return [(it.recipient, it.data) for it in await connection.execute(sa.select(mail.c.recipient, mail.c.data))]


async def test_who_agrees_is_reminded_once_and_no_more_after_saying_stop(network: Network, clock: Clock) -> None:
    await announced(network, clock)
    clock.go(10)
    home = f"/c/{network.cards['awa'].token}/notices"
    page = await look(network.client, home)
    assert not re.search(r'name="agreed"[^>]*checked', page.text), "nothing is ticked for anybody"
    form = form_to(page, f"{home}/reminders")
    unticked = await send(network.client, form, email="awa@example.org")
    assert "Cochez la case" in words(unticked)
    assert (await send(network.client, form, email="awa@", agreed="yes")).status_code == 422
    assert await remind(network.context, network.ledger) == 0
    for _ in range(2):
        led_to(await send(network.client, form, email="awa@example.org", agreed="yes"))
    async with network.context.reader.connect() as connection:
        (given,) = (await connection.execute(sa.select(mail_consent))).all()
    assert (given.words, given.withdrawn_at_us) == (1, None)
    for _ in range(2):
        assert await remind(network.context, network.ledger) == 1
    ((recipient, data),) = await letters(network)
    assert recipient == "awa@example.org"
    assert network.cards["awa"].token not in str(data)
    (stop,) = re.findall(r"/mail/stop/[\w-]+", str(data))
    assert "Plus de rappels ?" in words(await look(network.client, stop)), "looking ends nothing"
    ended = await send(network.client, form_to(await look(network.client, stop), stop))
    assert "Plus rien ne vous est envoyé" in words(ended)
    async with network.context.reader.connect() as connection:
        (kept,) = (await connection.execute(sa.select(mail_consent))).all()
    assert kept.address is None
    assert kept.withdrawn_at_us is not None
    assert await remind(network.context, network.ledger) == 0
    assert (await look(network.client, "/mail/stop/nothing")).status_code == 404


def test_a_stop_token_is_nobody_else_s() -> None:
    one, other = uuid7(), uuid7()
    token = stop_token(b"key", one)
    assert stopped_by(b"key", token) == one
    assert stopped_by(b"another", token) is None
    assert stopped_by(b"key", stop_token(b"key", other)[:22] + token[22:]) is None
