"""Money is sent to a friend by a link where the rules let holders pass it on, and comes back where nobody takes it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from dataclasses import replace

import pytest
import sqlalchemy as sa

from app.currencies.policies import defaults
from app.holders import accounts, moving, parcels, wallets
from app.holders.tables import holder_parcel
from app.mail.carriers import Sandbox
from app.mail.sending import Mailer
from app.mail.tables import sandbox_mail
from app.platform.clock import now_us
from app.platform.errors import Conflict
from app.rules.policy import Transfer
from tests.app.holders.conftest import Phone
from tests.support.network import RAF, Network, both
from tests.support.pages import form_to, led_to, look, send, words

pytestmark = pytest.mark.anyio
Phones = Callable[..., Phone]

FRIEND = "basile@example.org"


async def two(network: Network, phones: Phones) -> tuple[Phone, Phone]:
    """A sender with 20 euros, a friend with a card; the rules let holders pass up to 10 euros on at once."""
    await network.top_up("awa", 2000)
    one, other = phones(), phones(FRIEND)
    for phone, name in ((one, "awa"), (other, "basile")):
        await phone.sign_in()
        await phone.keep(name)
    await network.rules(RAF, replace(defaults("pegged"), transfer=Transfer(allowed=True, per_payment=1000)))
    return one, other


async def link(network: Network) -> str:
    await Mailer(network.context, Sandbox(network.context.engine)).round()
    async with network.context.reader.connect() as connection:
        texts = (await connection.execute(sa.select(sandbox_mail.c.text))).scalars().all()
    return next(found[0] for it in texts if (found := re.findall(r"/me/gift/\S+", it)))


async def test_a_friend_takes_what_was_sent_once(network: Network, phones: Phones) -> None:
    one, other = await two(network, phones)
    here = f"/me/wallets/{network.cards['awa'].wallet}/send"
    form = form_to(await look(one.client, here), here)
    for _ in range(2):
        assert led_to(await send(one.client, form, amount="6", email=FRIEND)) == f"{here}?done=yes"
    assert "basile@example.org" in words(await look(one.client, here))
    bar = await network.terminal("raffinerie")
    assert (await bar.sell("awa", {"Demi": 4})).status_code == 201, "14 euros of 20 are free"
    assert (await bar.sell("awa", {"Demi": 1})).status_code == 402
    gift = await link(network)
    assert (await look(phones("zoe@example.org").client, gift)).headers["location"] == "/me/sign-in"
    page = await look(other.client, gift)
    assert "6,00 € pour vous" in words(page)
    assert led_to(await send(other.client, form_to(page, gift))) == "/me?done=taken"
    assert ((await network.holds("awa"))["RAF"], (await network.holds("basile"))["RAF"]) == (0, 600)
    assert "Il n’y a rien à prendre" in words(await look(other.client, gift))


async def test_it_comes_back_by_hand_and_by_itself(network: Network, phones: Phones) -> None:
    one, other = await two(network, phones)
    here = f"/me/wallets/{network.cards['awa'].wallet}/send"
    await one.form(here, here, amount="6", email=FRIEND)
    gift = await link(network)
    page = await look(other.client, gift)
    back = re.findall(r'action="(/me/parcels/[^"]+)"', (await look(one.client, here)).text)
    assert led_to(await one.form(here, back[0])) == "/me?done=back"
    assert "Il n’y a rien à prendre" in words(await send(other.client, form_to(page, gift)))
    async with network.context.reader.connect() as connection:
        assert (await connection.execute(sa.select(holder_parcel))).all() == []
    bar = await network.terminal("raffinerie")
    assert (await bar.sell("awa", {"Demi": 5})).status_code == 201, "all of it is free again"


async def test_what_the_rules_do_not_let_is_not_sent(network: Network, phones: Phones) -> None:
    one, _ = await two(network, phones)
    here = f"/me/wallets/{network.cards['awa'].wallet}/send"
    for typed, said in (
        ({"amount": "10,01"}, "en une fois"),
        ({"amount": "x"}, "Écrivez un montant"),
        ({"amount": "5", "email": "basile"}, "Écrivez une adresse"),
    ):
        refused = await one.form(here, here, **{"email": FRIEND, **typed})
        assert (refused.status_code, said in words(refused)) == (422, True), typed
    form = form_to(await look(one.client, here), here)
    await network.rules(RAF, defaults("pegged"), now_us() - 1)
    assert "ne permettent pas" in words(await send(one.client, form, amount="5", email=FRIEND))
    assert "Envoyer à un ami" not in words(await look(one.client, here.removesuffix("/send")))
    assert await network.holds("awa") == {"RAF": 2000, "TEMPS": 0}


@both
async def test_of_two_who_take_it_at_once_one_has_it(network: Network, phones: Phones) -> None:
    one, other = await two(network, phones)
    third = phones("camille@example.org")
    await third.sign_in()
    await third.keep("camille")
    here = f"/me/wallets/{network.cards['awa'].wallet}/send"
    await one.form(here, here, amount="6", email=FRIEND)
    terms = (await moving.terms_of(network.ledger))["RAF"]
    token = (await link(network)).rpartition("/")[2]
    async with network.context.reader.connect() as connection:
        parcel = await parcels.parcel_behind(connection, token)

    async def take(phone: Phone) -> None:
        session = await accounts.find_session(network.context, phone.client.cookies["comptoir_holder"])
        assert session is not None
        async with network.context.reader.connect() as connection:
            (own,) = await wallets.wallets_of(connection, network.ledger, session.account, {"RAF": RAF})
        await parcels.take(network.ledger, terms, session, parcel, own)

    found = await asyncio.gather(take(other), take(third), take(other), return_exceptions=True)
    assert {type(it) for it in found} == {type(None), Conflict}, found
    held = [(await network.holds(it))["RAF"] for it in ("awa", "basile", "camille")]
    assert sorted(held) == [0, 600, 1400]
