"""Top up fifty, get five as a gift: promised before paying, booked with the credit, gone with what is taken back."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.currencies.policies import policies, policy_at
from app.currencies.service import Currency
from app.inbox import booking
from app.inbox import service as inbox
from app.ledger.verify import verify
from app.money import Unit
from app.platform.clock import now_us
from app.rules.ids import uuid7
from app.rules.policy import Bonus, Policy
from app.topups import chargebacks, service
from app.topups.gifts import Gift, gift_for
from app.topups.rules import gift_back
from app.topups.sandbox import Sandbox
from app.topups.service import Topup
from app.venues.service import the_network
from tests.app.inbox.test_inbox import DAY, NADIA
from tests.support.network import GIFT, RAF, Network, both
from tests.support.pages import form_to, look, send, words

pytestmark = pytest.mark.anyio

ZONE, PROMISE = "Europe/Paris", Bonus(gift="GIFT", reached=5000, amount=500)


@pytest.fixture
def database_kind() -> str:
    return "sqlite"


@pytest.fixture
async def giving(network: Network) -> Network:
    await network.define(GIFT, Policy(funding="issuer"), at=("raffinerie",))
    await network.rules(RAF, Policy(bonus=PROMISE))
    return network


async def earned(network: Network, known: dict[str, Currency], currency: Currency, amount: int) -> Gift | None:
    async with network.context.reader.connect() as connection:
        rules = {code: policy_at(of, now_us()).policy for code, of in (await policies(connection)).items()}
    return gift_for(known, rules, currency, amount)


async def begun(network: Network, amount: int, currency: Currency = RAF, known: Any = None) -> Topup:
    known = known or {"RAF": RAF, "GIFT": GIFT}
    async with network.context.reader.connect() as connection:
        of = await the_network(connection)
    gift = await earned(network, known, currency, amount)
    provider, card = network.app.state.provider, network.cards["awa"]
    back, id_ = "http://server.test/{id}", uuid7()
    it, _ = await service.begin(network.engine, provider, of, card, currency, amount, back, id_, gift)
    return it


async def paid(network: Network, id_: UUID, known: Any = None) -> Topup:
    provider: Sandbox = network.app.state.provider
    it = await service.named(network.engine, id_)
    await provider.finish(it.reference or "", "paid")
    known = known or {"RAF": RAF, "GIFT": GIFT}
    for _ in range(2):
        it = await service.settle(network.engine, network.ledger, provider, known, ZONE, id_)
    return it


async def holds(network: Network) -> tuple[int, int]:
    found = await network.holds("awa")
    return found["RAF"], found["GIFT"]


@both
async def test_the_gift_comes_in_the_operation_that_credits_once(giving: Network) -> None:
    it = await begun(giving, 5000)
    # What was promised is given, whatever the rules say by then.
    await giving.rules(RAF, Policy())
    await paid(giving, it.id)
    assert await holds(giving) == (5000, 500)
    operation = (await giving.ledger.booked([it.id]))[it.id]
    assert len(operation.transfers) == 3
    less = await begun(giving, 5000)
    assert less.gift is None
    report = await verify(giving.engine)
    assert report.ok, report.findings


async def test_less_than_what_earns_it_earns_nothing(giving: Network) -> None:
    known = {"RAF": RAF, "GIFT": GIFT}
    found = [await earned(giving, known, RAF, amount) for amount in (4999, 5000, 20_000)]
    assert found == [None, Gift("GIFT", 500), Gift("GIFT", 500)]


@both
async def test_what_is_taken_back_takes_its_gift_and_winning_gives_it_back(giving: Network) -> None:
    """Three of the five were drunk: the card owes them, the network bears them, and winning settles all of it."""
    it = await paid(giving, (await begun(giving, 5000)).id)
    bar = await giving.terminal("raffinerie")
    await giving.price("raffinerie", "Eau", "GIFT", 300)
    await bar.deliver(bar.sale_row("awa", {"Eau": 1}, "GIFT", prices={"Eau": 300}))
    assert await holds(giving) == (5000, 200)
    known = {"RAF": RAF, "GIFT": GIFT}
    taken = await chargebacks.take_back(
        giving.ledger, known, ZONE, it, "dp_1", "dispute", 5000, 0, actor="person:nadia"
    )
    assert await holds(giving) == (0, -300)
    (case,) = [one for one in await inbox.cases(giving.ledger, NADIA) if one.fault.kind == "chargeback"]
    assert case.fault.facts["owed"] == {giving.cards["awa"].uid: {"GIFT": 300}}
    await booking.cover(giving.ledger, NADIA, case.fault, "network", "Gone", DAY)
    assert await holds(giving) == (0, 0)
    await chargebacks.won(giving.ledger, known, ZONE, taken.id, 0, actor="person:nadia")
    assert await holds(giving) == (5000, 200)
    report = await verify(giving.engine)
    assert report.ok, report.findings


async def test_a_part_takes_its_share(giving: Network) -> None:
    it = await paid(giving, (await begun(giving, 5000)).id)
    known = {"RAF": RAF, "GIFT": GIFT}
    await chargebacks.take_back(giving.ledger, known, ZONE, it, "re_1", "refund", 1999, 0, actor="test")
    assert await holds(giving) == (3001, 500 - 199)


async def test_the_page_says_it_before_paying_and_after(giving: Network) -> None:
    address = f"/c/{giving.cards['awa'].token}/top-up"
    page = await look(giving.client, address)
    assert "À partir de 50,00 € : 5,00 € de Cadeau offerts" in words(page)
    answer = await send(giving.client, form_to(page, address), amount="", other="50")
    reference = answer.headers["location"].rpartition("/")[2]
    await giving.app.state.provider.finish(reference, "paid")
    async with giving.engine.connect() as connection:
        (it,) = await service.waiting(connection, giving.cards["awa"].wallet, 0)
    state = await look(giving.client, f"/c/{giving.cards['awa'].token}/top-ups/{it.id}")
    assert "5,00 € de Cadeau vous ont été offerts avec." in words(state)
    card = await look(giving.client, f"/c/{giving.cards['awa'].token}")
    assert "Offert pour une recharge en ligne" in words(card)


@both
async def test_a_venue_s_own_money_is_topped_up_with_its_own_gift(network: Network) -> None:
    """Everything of it in the venue's books, and no gift of somebody else's."""
    owner = network.venues["raffinerie"].owner
    mine = Currency("MINE", owner, "pegged", Unit.CENT, "Mien", "Mine", "€", 1, 5)
    ours = Currency("OURS", owner, "gift", Unit.CENT, "Offert", "Ours", "€", None, 6)
    known = {"RAF": RAF, "GIFT": GIFT, "MINE": mine, "OURS": ours}
    await network.define(GIFT)
    await network.define(ours)
    await network.define(mine, Policy(bonus=replace(PROMISE, gift="GIFT")), at=("raffinerie",))
    assert await earned(network, known, mine, 5000) is None
    await network.rules(mine, Policy(bonus=replace(PROMISE, gift="OURS")))
    it = await paid(network, (await begun(network, 6000, mine, known)).id, known)
    assert it.status == "credited"
    found = await network.holds("awa")
    assert (found["MINE"], found["OURS"]) == (6000, 500)
    rows = await network.ledger.balances(kinds=["clearing", "liability", "issuance"])
    books = {(row.key.book.issuer, row.key.kind): row.balance for row in rows if row.balance}
    assert {issuer for issuer, _ in books} == {owner}
    assert books[owner, "clearing"] == books[owner, "liability"] == 6000
    report = await verify(network.engine)
    assert report.ok, report.findings


@given(st.integers(1, 10_000), st.integers(1, 50_000), st.lists(st.integers(0, 50_000), max_size=6))
def test_parts_never_take_more_than_the_whole_gift(gift: int, paid_cents: int, parts: list[int]) -> None:
    taken, left = 0, paid_cents
    for part in parts:
        cents = min(part, left)
        left -= cents
        taken += gift_back(gift, paid_cents, cents)
    assert 0 <= taken <= gift
    assert gift_back(gift, paid_cents, paid_cents) == gift
