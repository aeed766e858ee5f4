"""Money before there is a wristband, and the wristband that takes the place of the address on the phone."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from app.cards.claim_codes import claim_code_of
from app.cards.rules import is_phone_uid, read_uid
from app.cards.service import Card, card_by_token
from app.holders import accounts, before_card
from app.platform.errors import Conflict
from tests.app.holders.conftest import Phone
from tests.support.network import CARDS, UNKNOWN_UID, Network, both
from tests.support.pages import form_to, led_to, look, send, words

pytestmark = pytest.mark.anyio
Phones = Callable[..., Phone]


async def opened(network: Network, phone: Phone) -> tuple[str, Card]:
    """A wallet without a card: its page, and the address that stands in for a card; with 15 euros."""
    await phone.sign_in()
    page = led_to(await phone.form("/me", "/me/wallets", name="Léa")).partition("?")[0]
    shown = await look(phone.client, page)
    token = shown.text.partition("/c/")[2].partition("/")[0]
    async with network.context.reader.connect() as connection:
        card = await card_by_token(connection, token)
    assert is_phone_uid(card.uid)
    assert read_uid(card.uid) == card.uid
    home = f"/c/{token}"
    form = form_to(await look(phone.client, f"{home}/top-up"), f"{home}/top-up")
    payment = led_to(await send(phone.client, form, other="15"))
    state = led_to(await send(phone.client, form_to(await look(phone.client, payment), payment), act="paid"))
    assert "15,00" in words(await look(phone.client, state))
    return page, card


async def test_a_wristband_is_given_for_the_code_on_the_phone(network: Network, phones: Phones) -> None:
    phone, lucas = phones(), await network.person("lucas")
    page, card = await opened(network, phone)
    counter = f"/admin/counter?card=http%3A%2F%2Fserver.test%2Fc%2F{card.token}"
    give = f"/admin/cards/{card.id}/wristband"
    desk = await send(lucas, form_to(await look(lucas, counter), give))
    await network.top_up("basile", 100)
    for other, said in ((CARDS["basile"], "qui a servi"), ("quoi", "Aucune puce"), (UNKNOWN_UID, "imprimé dessus")):
        assert said in words(await send(lucas, form_to(desk, give), other=other))
    for _ in range(2):
        given = await send(lucas, form_to(desk, give), other=CARDS["awa"])
        assert led_to(given) == f"/admin/counter?card={CARDS['awa']}"
    assert "15,00" in words(await look(phone.client, page))
    assert "qr.svg" not in (await look(phone.client, page)).text, "its code is of no more use"
    assert "a été remplacée" in words(await look(phone.client, f"/c/{card.token}"))
    bar = await network.terminal("raffinerie")
    assert (await bar.sell("awa", {"Demi": 1})).status_code == 201
    csrf = form_to(desk, give).fields["csrf_token"]
    awa = network.cards["awa"].id
    refused = await lucas.post(f"/admin/cards/{awa}/wristband", data={"csrf_token": csrf, "other": CARDS["camille"]})
    assert refused.status_code == 422, "a cashier replaces no chips"


async def test_its_holder_links_a_new_wristband_alone(network: Network, phones: Phones) -> None:
    phone = phones()
    _, card = await opened(network, phone)
    awa = network.cards["awa"]
    form = form_to(await look(phone.client, f"/c/{awa.token}/keep"), f"/c/{awa.token}/keep")
    code = claim_code_of(network.context.keys.token, awa.token)
    assert (await send(phone.client, form, code="22222222", into=str(card.wallet))).status_code == 422
    assert led_to(await send(phone.client, form, code=code, into=str(card.wallet))) == "/me?done=linked"
    assert "15,00" in words(await look(phone.client, f"/c/{awa.token}"))


@both
async def test_of_two_wristbands_at_once_one_opens_the_wallet_and_nobody_opens_wallets_without_end(
    network: Network, phones: Phones
) -> None:
    phone = phones()
    await phone.sign_in()
    session = await accounts.find_session(network.context, phone.client.cookies["comptoir_holder"])
    assert session is not None

    async def another() -> Card:
        async with network.engine.begin() as connection:
            return await before_card.open_wallet(connection, session, "")

    async def give(uid: str) -> Card:
        async with network.engine.begin() as connection:
            return await before_card.give_chip(connection, "person:desk", card, uid)

    found = await asyncio.gather(*(another() for _ in range(7)), return_exceptions=True)
    assert sum(isinstance(it, Conflict) for it in found) == 2, found
    card = next(it for it in found if isinstance(it, Card))
    given = await asyncio.gather(give(CARDS["awa"]), give(CARDS["basile"]), return_exceptions=True)
    assert sorted(type(it).__name__ for it in given) == ["Card", "Conflict"], given
