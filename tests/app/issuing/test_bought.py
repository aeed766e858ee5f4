"""Gift vouchers that holders buy: money of theirs, until somebody has used the code, once."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from typing import Any

import pytest

from app.cards.claim_codes import claim_code_of
from app.currencies.policies import add_policy, policies, policy_at
from app.issuing import bought, vouchers
from app.issuing.due import lapse_vouchers
from app.issuing.service import terms_of
from app.issuing.vouchers import Voucher
from app.platform.clock import now_us
from app.platform.errors import Conflict, DomainError
from app.rules.ids import uuid7
from app.rules.policy import Lapse, Limits, Transfer
from app.venues.service import the_network
from tests.support.network import RAF, Network, both
from tests.support.pages import form_to, led_to, look, send, words

pytestmark = pytest.mark.anyio

CODE = re.compile(r"\b(?:[A-Z]{4}-){3}[A-Z]{4}\b")


@pytest.fixture
def database_kind() -> str:
    """Where it makes a difference, a test is marked as one for both databases."""
    return "sqlite"


async def passed_on(network: Network, **other: Any) -> None:
    """From now on RAF goes from holder to holder, 50 a day."""
    async with network.engine.begin() as connection:
        now = policy_at((await policies(connection))["RAF"], now_us()).policy
        new = replace(now, transfer=Transfer(True, 3000, 5000), **other)
        await add_policy(connection, "RAF", new, now_us(), "test")


async def terms(network: Network) -> Any:
    async with network.engine.connect() as connection:
        at = await the_network(connection)
    return await terms_of(network.ledger, at, None, RAF)


async def a_voucher(network: Network, amount: int = 2000, card: str = "awa") -> tuple[Voucher, str]:
    key, id_ = network.context.keys.token, uuid7()
    await bought.buy(
        network.ledger, await terms(network), key, network.cards[card], amount, id_, actor="holder", words="Léa"
    )
    code = bought.code_of(key, id_)
    return await vouchers.voucher_behind(network.ledger, code), code


async def set_aside(network: Network) -> int:
    return sum(it.balance for it in await network.ledger.balances(kinds=["fund"]))


async def test_bought_on_the_page_printed_and_used_by_whoever_has_the_code(network: Network) -> None:
    await passed_on(network)
    await network.top_up("awa", 2500)
    card = network.cards["awa"]
    there, mine = f"/c/{card.token}/gift-vouchers", claim_code_of(network.context.keys.token, card.token)
    form = form_to(await look(network.client, there), there)
    typed = {"amount": "20", "words": "Bon anniversaire, Léa"}
    assert "Ce n’est pas le code de cette carte" in words(await send(network.client, form, **typed, code="AAAA-AAAA"))
    told = [words(await send(network.client, form, **typed, code=mine)) for _ in range(2)]
    assert told[0] == told[1], "the same form is one voucher"
    assert "Bon anniversaire, Léa" in told[0]
    (code,) = CODE.findall(told[0])
    assert ((await network.holds("awa"))["RAF"], await set_aside(network)) == (500, 2000)
    listed = await look(network.client, there)
    assert "pas encore utilisé" in words(listed)
    page = re.findall(rf"{there}/[0-9a-f-]+", listed.text)[0]
    alone = await look(network.client, page)
    assert CODE.findall(alone.text) == [], "who has but the card's address is not told what spends it"
    opened = await send(network.client, form_to(alone, page), act="show", code=mine)
    assert CODE.findall(words(opened)) == [code]

    use = f"/c/{network.cards['basile'].token}/voucher"
    done = await send(network.client, form_to(await look(network.client, use), use), code=code.lower())
    assert "20,00 € sont sur votre carte" in words(await look(network.client, led_to(done)))
    assert (await network.holds("basile"))["RAF"] == 2000
    assert "Il a été utilisé" in words(await look(network.client, page))
    assert await set_aside(network) == 0
    other = f"/c/{network.cards['camille'].token}/voucher"
    again = await send(network.client, form_to(await look(network.client, other), other), code=code)
    assert "une seule fois" in words(again)


@both
async def test_of_all_who_want_its_money_at_once_one_has_it(network: Network) -> None:
    await passed_on(network)
    await network.top_up("awa", 2000)
    it, _ = await a_voucher(network)
    ledger, rules = network.ledger, await terms(network)

    async def use(card: str) -> bool:
        try:
            await vouchers.redeem(ledger, rules, it, network.cards[card], actor="holder")
        except Conflict as error:
            return error.code not in {"voucher-used", "voucher-cancelled"}
        return True

    got = await asyncio.gather(use("basile"), use("camille"), bought.take_back(ledger, rules, it, actor="holder"))
    assert sum(got) == 1
    held = [(await network.holds(card))["RAF"] for card in ("awa", "basile", "camille")]
    assert sorted(held) == [0, 0, 2000]
    assert await set_aside(network) == 0


async def test_what_is_bought_keeps_to_what_may_be_passed_on(network: Network) -> None:
    await network.top_up("awa", 9000)
    with pytest.raises(DomainError) as refused:
        await a_voucher(network)
    assert refused.value.code == "transfer-not-allowed"
    there = f"/c/{network.cards['awa'].token}/gift-vouchers"
    assert "Aucun bon ne peut être acheté avec cette carte" in words(await look(network.client, there))
    await passed_on(network)
    codes = []
    for amount in (3100, 3000, 2100, 2000):
        try:
            await a_voucher(network, amount)
        except DomainError as error:
            codes.append(error.code)
    assert codes == ["spending-limit", "spending-limit"], "more than at once, more than in one day"
    assert ((await network.holds("awa"))["RAF"], await set_aside(network)) == (4000, 5000)
    assert len(await bought.bought_by(network.ledger, network.cards["awa"].wallet)) == 2
    with pytest.raises(DomainError) as refused:
        await a_voucher(network, 100, "basile")
    assert refused.value.code == "insufficient-funds"
    assert await bought.bought_by(network.ledger, network.cards["basile"].wallet) == []


async def test_nobody_uses_their_own_and_nobody_beyond_what_a_card_may_hold(network: Network) -> None:
    await passed_on(network, limits=Limits(ceiling=3000))
    await network.top_up("awa", 2000)
    await network.top_up("basile", 2000)
    it, _ = await a_voucher(network)
    for card, code in (("awa", "voucher-own"), ("basile", "over-ceiling")):
        with pytest.raises(DomainError) as refused:
            await vouchers.redeem(network.ledger, await terms(network), it, network.cards[card], actor="holder")
        assert refused.value.code == code
    await vouchers.redeem(network.ledger, await terms(network), it, network.cards["camille"], actor="holder")
    assert (await network.holds("camille"))["RAF"] == 2000


async def test_where_the_rules_let_money_lapse_it_goes_back_to_its_buyer(network: Network) -> None:
    await passed_on(network)
    await network.top_up("awa", 4000)
    forever, _ = await a_voucher(network)
    assert forever.batch.valid_until_us is None
    await passed_on(network, lapse=Lapse(expires_after_days=90, legal_ground="CMF L311-5"))
    ends, _ = await a_voucher(network)
    assert ends.batch.valid_until_us is not None
    due = await vouchers.lapsing(network.ledger, ends.batch.valid_until_us + 1)
    assert [it.id for it in due] == [ends.id]
    assert await lapse_vouchers(network.ledger) == 0, "not yet"
    assert await vouchers.withdraw(network.ledger, await terms(network), due, actor="server", lapsed=True) == 1
    assert ((await network.holds("awa"))["RAF"], await set_aside(network)) == (2000, 2000)
    assert (await vouchers.vouchers_of(network.ledger, ends.batch))[0].state == "cancelled"
