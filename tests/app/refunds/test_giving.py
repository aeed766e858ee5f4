"""Giving what is left, rounding a top-up up, and the reminder before the last day."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
import sqlalchemy as sa

from app.holders.tables import holder_account, holder_wallet
from app.ledger.service import Ledger
from app.mail.tables import mail
from app.platform.clock import now_us
from app.refunds import reminding
from app.rules.business_day import business_day
from app.rules.ids import uuid7
from app.rules.policy import Refund, Spending
from tests.app.refunds.conftest import policy
from tests.app.refunds.test_bank import code_of
from tests.support.network import RAF, Network
from tests.support.pages import form_to, led_to, look, send, words

FUND = "Les Amis de la Grange"


@pytest.fixture
def database_kind() -> str:
    return "sqlite"


async def funds(ledger: Ledger) -> dict[str, int]:
    return {row.key.owner: row.balance for row in await ledger.balances(kinds=["fund"]) if row.balance}


async def test_a_part_is_given_and_the_receipt_says_so(refunding: Network) -> None:
    network = refunding
    await network.rules(RAF, replace(policy(), spending=Spending(round_up=FUND)))
    await network.top_up("awa", 2000)
    home = f"/c/{network.cards['awa'].token}"
    form = form_to(await look(network.client, f"{home}/give"), f"{home}/give")
    typed = {"to": FUND, "amount": "7", "email": "awa@example.org"}
    assert (await send(network.client, form, **typed)).status_code == 422, "the address is no proof"
    code = await code_of(network)
    much = await send(network.client, form, **{**typed, "amount": "20,01"}, code=code)
    assert "La carte ne contient pas autant." in words(much)
    review = await send(network.client, form, **typed, code=code)
    assert f"Vous donnez 7,00 € à : {FUND}. Il reste 13,00 € sur la carte Carte de awa." in words(review)
    sure = form_to(review, f"{home}/give")
    receipt = led_to(await send(network.client, sure))
    assert led_to(await send(network.client, sure)) == receipt, "sent twice it gives once"
    assert f"Vous avez donné 7,00 € à : {FUND}" in words(await look(network.client, receipt))
    assert (await network.holds("awa"))["RAF"] == 1300
    assert await funds(network.ledger) == {FUND: 700}
    other = f"/c/{network.cards['basile'].token}/give/{receipt.rsplit('/', 1)[1]}"
    assert (await look(network.client, other)).status_code == 404
    async with network.engine.connect() as connection:
        assert len((await connection.execute(sa.select(mail.c.id).where(mail.c.template == "refunds/gift_mail"))).all())
    assert "Don de votre part" in words(await look(network.client, home))


async def test_a_top_up_is_rounded_up_only_if_asked(refunding: Network) -> None:
    network = refunding
    here = f"/c/{network.cards['awa'].token}/top-up"
    assert "Arrondir" not in words(await look(network.client, here)), "off by default"
    await network.rules(RAF, replace(policy(), spending=Spending(top_up_round_up=FUND)))
    page = await look(network.client, here)
    assert f"Arrondir à l’euro supérieur, pour {FUND}" in words(page)
    pay = led_to(await send(network.client, form_to(page, here), other="24,50", round_up="yes"))
    checkout = await look(network.client, pay)
    assert "25,00 €" in words(checkout)
    back = led_to(await send(network.client, form_to(checkout, pay), act="paid"))
    told = words(await look(network.client, back))
    assert "24,50 € sont sur votre carte" in told
    assert f"0,50 € vont à {FUND}. Merci." in told
    assert (await network.holds("awa"))["RAF"] == 2450
    assert await funds(network.ledger) == {FUND: 50}
    pay = led_to(await send(network.client, form_to(await look(network.client, here), here), other="24,50"))
    assert "24,50 €" in words(await look(network.client, pay))


async def test_who_has_an_account_is_reminded_once_and_may_end_it(refunding: Network) -> None:
    network = refunding
    today = business_day(now_us(), "Europe/Paris")
    await network.rules(RAF, policy(Refund(closes=(today + timedelta(days=5)).isoformat(), remind_days=7)))
    account, key = uuid7(), network.context.keys.token
    async with network.engine.begin() as connection:
        row = {"id": account, "email": "awa@example.org", "created_at_us": now_us()}
        await connection.execute(sa.insert(holder_account).values(row))
        for name in ("awa", "basile"):
            row = {"wallet": network.cards[name].wallet, "account": account, "name": "", "since_us": now_us()}
            await connection.execute(sa.insert(holder_wallet).values(row))
    await network.top_up("awa", 2000)
    assert [await reminding.remind(network.ledger, key) for _ in range(2)] == [1, 0], "once, and of what is left alone"
    async with network.engine.connect() as connection:
        (letter,) = (await connection.execute(sa.select(mail).where(mail.c.template == reminding.TEMPLATE))).all()
    assert letter.recipient == "awa@example.org"
    stop = f"/reminders/{reminding.mark(key, account)}"
    assert stop in letter.data
    page = await look(network.client, stop)
    assert "Plus de rappels" in words(page)
    assert "Vous ne recevrez plus de rappels" in words(await send(network.client, form_to(page, stop)))
    assert (await look(network.client, f"{stop[:-3]}AAA")).status_code == 404
    await network.top_up("basile", 2000)
    assert await reminding.remind(network.ledger, key) == 0


def test_when_it_is_time() -> None:
    world = type("World", (), {})()
    world.known, world.rules = {"RAF": RAF}, {"RAF": policy(Refund(closes="2027-03-31", remind_days=7))}
    assert reminding.due_on(world, date(2027, 3, 23)) == {}
    assert reminding.due_on(world, date(2027, 3, 24)) == {"RAF": date(2027, 3, 31)}
    assert reminding.due_on(world, date(2027, 4, 1)) == {}
