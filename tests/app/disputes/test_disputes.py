"""A holder disputes a sale, and its venue answers: from the card's page to the answer, each once."""

from __future__ import annotations

import asyncio
from uuid import UUID

import httpx
import pytest
import sqlalchemy as sa

from app.disputes.rules import ANSWERED_WITHIN_US
from app.disputes.tables import dispute
from app.disputes.venue_pages import initials
from app.mail.tables import mail
from app.platform.clock import now_us
from app.platform.settings import Settings
from tests.support.network import Network, both
from tests.support.pages import form_to, led_to, look, send, words


@pytest.fixture
def database_kind() -> str:
    return "sqlite"


@pytest.fixture
def network_settings(network_settings: Settings) -> Settings:
    return network_settings.model_copy(update={"mail": "sandbox"})


async def sold(network: Network, card: str = "awa", **items: int) -> UUID:
    await network.top_up(card, 2000)
    bar = await network.terminal("raffinerie")
    sale = bar.sale(card, items or {"Demi": 2})
    assert (await bar.sell(sale)).status_code == 201
    return sale.id


def page_of(network: Network, sale: UUID, card: str = "awa") -> str:
    return f"/c/{network.cards[card].token}/sales/{sale}"


async def disputed(network: Network, sale: UUID, **typed: str) -> httpx.Response:
    page = page_of(network, sale)
    form = form_to(await look(network.client, page), f"{page}/dispute")
    return await send(network.client, form, **{"reason": "not_me", **typed})


async def only(network: Network) -> sa.Row[tuple[object, ...]]:
    async with network.context.reader.connect() as connection:
        return (await connection.execute(sa.select(dispute))).one()


async def answered(network: Network, login: str, **typed: str) -> httpx.Response:
    client, page = await network.person(login), f"/admin/disputes/{(await only(network)).id}"
    return await send(client, form_to(await look(client, page), page), **typed)


async def test_from_the_page_to_the_money_back_and_the_words(network: Network) -> None:
    sale = await sold(network)
    home = await look(network.client, f"/c/{network.cards['awa'].token}")
    assert f'href="{page_of(network, sale)}"' in home.text
    assert "Quelque chose ne va pas" in words(await look(network.client, page_of(network, sale)))
    led = led_to(await disputed(network, sale, text="J’étais à la plage.", email="awa@example.org"))
    assert "Le lieu est prévenu" in words(await look(network.client, led))
    inbox = await look(await network.person("marie"), "/admin/exceptions")
    assert "Un porteur conteste une vente : Ce n’était pas moi" in words(inbox)
    case = await look(await network.person("marie"), f"/admin/exceptions/sale-dispute:{(await only(network)).id}")
    assert f"/admin/disputes/{(await only(network)).id}" in case.text
    staff = words(await look(await network.person("marie"), f"/admin/disputes/{(await only(network)).id}"))
    assert "« J’étais à la plage. »" in staff
    assert "2 × Demi cette vente 7,00 €" in staff
    assert "awa@example.org" not in staff, "the venue is not told the address"
    led_to(await answered(network, "marie", act="take_back", words="Avec nos excuses."))
    assert (await network.holds("awa"))["RAF"] == 2000
    said = words(await look(network.client, page_of(network, sale)))
    assert "Le lieu a annulé cette vente Avec nos excuses." in said
    async with network.context.reader.connect() as connection:
        (letter,) = (await connection.execute(sa.select(mail))).all()
    assert (letter.recipient, letter.template) == ("awa@example.org", "disputes/answer_mail")
    assert (await only(network)).email is None, "the address goes with the answer"
    assert "Rien ne vous attend" in words(await look(await network.person("marie"), "/admin/exceptions"))


async def test_a_refusal_needs_words_and_may_be_disputed_again(network: Network) -> None:
    sale = await sold(network)
    await disputed(network, sale, reason="amount")
    silent = await answered(network, "sana", act="refuse", words=" ")
    assert silent.status_code == 422
    assert (await only(network)).state == "open"
    led_to(await answered(network, "sana", act="refuse", words="Le prix est affiché."))
    said = words(await look(network.client, page_of(network, sale)))
    assert "« Le prix est affiché. »" in said
    assert (await network.holds("awa"))["RAF"] == 1300
    led_to(await disputed(network, sale, reason="twice"))


async def test_only_the_wallet_that_paid_and_only_the_venue_that_sold(network: Network) -> None:
    sale = await sold(network)
    assert (await look(network.client, page_of(network, sale, "basile"))).status_code == 404
    stolen = {"reason": "not_me"}
    wrong = await network.client.post(f"{page_of(network, sale, 'basile')}/dispute", data=stolen)
    assert wrong.status_code == 404
    await disputed(network, sale)
    page = f"/admin/disputes/{(await only(network)).id}"
    assert (await look(await network.person("yann"), page)).status_code == 404
    assert "Ce n’était pas moi" not in words(await look(await network.person("yann"), "/admin/disputes"))
    canal = await network.person("yann")
    assert (await canal.post(page, data={"act": "take_back"})).status_code in {403, 404}
    assert (await (await network.person("lucas")).post(page, data={"act": "take_back"})).status_code == 403


async def test_what_is_not_understood_books_nothing(network: Network) -> None:
    sale = await sold(network)
    page = page_of(network, sale)
    form = form_to(await look(network.client, page), f"{page}/dispute")
    told = await send(network.client, form, email="nobody@")
    assert told.status_code == 422
    assert "Choisissez ce qui ne va pas." in words(told)
    async with network.context.reader.connect() as connection:
        assert (await connection.execute(sa.select(dispute))).all() == []


async def test_the_network_sees_what_a_venue_leaves_unanswered(network: Network) -> None:
    await disputed(network, await sold(network))
    nadia = await network.person("nadia")
    assert "n’a pas répondu" not in words(await look(nadia, "/admin/exceptions"))
    async with network.engine.begin() as connection:
        old = now_us() - ANSWERED_WITHIN_US - 1
        await connection.execute(sa.update(dispute).values(opened_at_us=old))
    assert "Un lieu n’a pas répondu à un porteur" in words(await look(nadia, "/admin/exceptions"))
    assert "Un lieu n’a pas répondu" not in words(await look(await network.person("marie"), "/admin/exceptions"))


@both
async def test_pressed_at_once_it_is_one_dispute_and_one_answer(network: Network) -> None:
    page = page_of(network, await sold(network))
    form = form_to(await look(network.client, page), f"{page}/dispute")
    for it in await asyncio.gather(*(send(network.client, form, reason="not_me") for _ in range(4))):
        led_to(it)
    assert (await only(network)).state == "open"
    marie, page = await network.person("marie"), f"/admin/disputes/{(await only(network)).id}"
    form = form_to(await look(marie, page), page)
    for it in await asyncio.gather(*(send(marie, form, act="take_back") for _ in range(3))):
        led_to(it)
    assert (await network.holds("awa"))["RAF"] == 2000
    assert (await only(network)).state == "taken_back"


async def test_nobody_floods_a_venue(network: Network) -> None:
    sale = await sold(network)
    body = {"reason": "not_me"}
    answers = [await network.client.post(f"{page_of(network, sale)}/dispute", data=body) for _ in range(11)]
    assert [it.status_code for it in answers] == [303] * 10 + [429]


def test_initials() -> None:
    assert initials("Lucas de Montreuil") == "L. D. M."
    assert initials("") == ""
