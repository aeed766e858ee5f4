"""A child's card pays so much on one day at tills with network, and nothing at those without."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from app.cards.limits import limits_of
from app.rules.offline import Accept, CardLimits, CardView, OfflineLimits, Refusal, Refuse, TerminalView, decide
from tests.app.holders.conftest import Phone
from tests.app.sales.test_deltas import Holder
from tests.support.network import CARDS, Network, both, problem
from tests.support.pages import led_to, look, words

pytestmark = pytest.mark.anyio
Phones = Callable[..., Phone]


async def limited(network: Network, phone: Phone, most: str) -> None:
    here = f"/me/wallets/{network.cards['awa'].wallet}/limits"
    assert led_to(await phone.form(here, here, **{"most-RAF": most})).endswith("?done=limited")


@both
async def test_a_day_s_limit_is_kept_by_the_server_whatever_tills_ask_at_once(network: Network, phones: Phones) -> None:
    await network.top_up("awa", 5000)
    phone, bar = phones(), await network.terminal("raffinerie")
    await phone.sign_in()
    await phone.keep("awa")
    assert (await bar.sell("awa", {"Demi": 1})).status_code == 201
    await limited(network, phone, "8,00 €")
    answers = await asyncio.gather(*(bar.sell("awa", {"Demi": 1}) for _ in range(3)))
    assert sorted(it.status_code for it in answers) == [201, 409, 409], "7 euros of 8"
    assert problem(next(it for it in answers if it.status_code == 409))[1] == "spending-limit"
    assert (await bar.sell("awa", {"Eau": 1})).status_code == 201
    assert (await network.holds("awa"))["RAF"] == 4200
    wallet = f"/me/wallets/{network.cards['awa'].wallet}"
    assert "8,00 €" in words(await look(phone.client, wallet))
    wrong = await phone.form(f"{wallet}/limits", f"{wallet}/limits", **{"most-RAF": "peu"})
    assert wrong.status_code == 422
    await limited(network, phone, "")
    assert (await bar.sell("awa", {"Demi": 1})).status_code == 201
    await limited(network, phone, "1")
    await phone.form(wallet, f"{wallet}/release")
    async with network.context.reader.connect() as connection:
        assert await limits_of(connection) == {}, "it goes with the account"


async def test_terminals_hear_that_the_card_asks_and_that_it_no_longer_does(network: Network, phones: Phones) -> None:
    await network.top_up("awa", 5000)
    phone, holder = phones(), Holder(await network.terminal("raffinerie"))
    await phone.sign_in()
    await phone.keep("awa")

    def asks() -> bool:
        return {it.uid: it.asks for it in holder.content().cards}[CARDS["awa"]]

    await holder.update()
    assert not asks()
    await limited(network, phone, "8")
    assert await holder.update() == "delta"
    assert asks()
    await limited(network, phone, "")
    assert await holder.update() == "delta"
    assert not asks()


def test_without_network_it_pays_nothing_and_gets_its_deposit_back() -> None:
    limits = OfflineLimits({"RAF": {"C": CardLimits(2000, 5000, 9)}}, {"RAF": 50_000})
    terminal = TerminalView({}, 0, 10.0)

    def card(*, asks: bool) -> CardView:
        return CardView(False, "C", {"RAF": 5000}, {}, {}, 0, asks=asks)

    assert decide({"RAF": 100}, card(asks=False), terminal, limits) == Accept({})
    assert decide({"RAF": 100}, card(asks=True), terminal, limits) == Refuse(Refusal.SPENDING_LIMIT)
    assert decide({"RAF": -100}, card(asks=True), terminal, limits) == Accept({})
