"""What was paid online for a cancelled event goes on to that payment: once, and whatever fails, it is somewhere."""

from __future__ import annotations

import asyncio
import re
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from app.boxoffice.service import complete_all
from app.cards.service import wallet_key
from app.events import orders, service
from app.events.paying import tend
from app.events.rules import Event
from app.ledger.rules.kinds import AccountKey
from app.ledger.rules.operations import Operation, Posting
from app.ledger.service import currency_book
from app.ledger.verify import verify
from app.platform.clock import now_us
from app.refunds import booking
from app.refunds.service import advance_all
from app.refunds.tables import refund
from app.returns.onward import send_all_on
from app.returns.reading import Onward, onward_for
from app.returns.service import confirm, tend_returns
from app.rules.ids import uuid7
from app.rules.policy import Policy, Redeem
from app.topups import refunding
from app.topups.provider import Back, BackStatus, ProviderAway, ProviderRefused
from app.topups.service import settle
from app.topups.tables import payment_refund, topup
from tests.app.returns.test_giving_back import HOUR_US, cancelled, concert, states
from tests.support.network import RAF, Network, both
from tests.support.pages import form_to, led_to, look, send, words

pytestmark = pytest.mark.anyio


async def topped_up_for(network: Network, at: Event) -> str:
    """A place at 12.00 of which awa, who has 5.00, pays the rest on the payment page: the card's address."""
    await network.top_up("awa", 500)
    home = f"/c/{network.cards['awa'].token}"
    form = form_to(await look(network.client, f"{home}/events/bal"), f"{home}/events/bal")
    pay_at = led_to(await send(network.client, form, **{f"places-{at.prices[0].id}": "1"}))
    back = led_to(await send(network.client, form_to(await look(network.client, pay_at), pay_at), act="paid"))
    assert led_to(await look(network.client, back)).startswith(f"{home}/tickets")
    return home


def sandbox(network: Network) -> Any:
    return network.app.state.provider


async def test_what_was_topped_up_for_it_can_be_sent_on(network: Network) -> None:
    at = await concert(network)
    home = await topped_up_for(network, at)
    await cancelled(network, at)
    assert await tend_returns(network.ledger) == 1
    assert await send_all_on(network.ledger, sandbox(network)) == 1
    assert (await network.holds("awa"))["RAF"] == 1200, "the rules of this money pay no holders"
    assert "Le faire renvoyer" not in words(await look(network.client, f"{home}/tickets"))
    await network.rules(RAF, Policy(redeem=Redeem(who=("venues", "holders"))))
    page = await look(network.client, f"{home}/tickets")
    assert "Le faire renvoyer" in words(page)
    assert f'href="{home}/refund"' in page.text
    assert (await look(network.client, f"{home}/refund")).status_code == 200


@both
async def test_what_was_paid_online_goes_on_to_that_payment_and_the_rest_stays(network: Network) -> None:
    await network.rules(RAF, Policy(redeem=Redeem(who=("venues", "holders"))))
    at = await concert(network)
    home = await topped_up_for(network, at)
    async with network.engine.begin() as connection:
        await service.cancel(connection, "test", at.id)
    marie, here = await network.person("marie"), f"/admin/events/{at.id}/giving-back"
    seen = words(await look(marie, here))
    assert "dont sur les cartes 5,00 €" in seen
    assert "dont vers les cartes bancaires 7,00 €" in seen
    await confirm(network.engine, "test", at.id)
    assert await tend_returns(network.ledger) == 1
    assert (await network.holds("awa"))["RAF"] == 1200
    rounds = [send_all_on(network.ledger, sandbox(network)) for _ in range(2)]
    assert sum(await asyncio.gather(*rounds)) == 1
    assert await send_all_on(network.ledger, sandbox(network)) == 0
    assert (await network.holds("awa"))["RAF"] == 500, "7.00 were missing, and paid online"
    for _ in range(3):
        await advance_all(network.ledger, sandbox(network))
    await send_all_on(network.ledger, sandbox(network))
    page = await look(network.client, f"{home}/tickets")
    assert "est de retour sur votre carte bancaire" in words(page)
    (link,) = set(re.findall(rf'href="({re.escape(home)}/refund/[0-9a-f-]+)"', page.text))
    told = words(await look(network.client, link))
    assert "7,00 €" in told
    async with network.engine.connect() as connection:
        assert await onward_for(connection, at.id) == Onward(700, 1, 0)
        rows = await connection.execute(sa.select(payment_refund.c.euro_cents, payment_refund.c.status))
        assert [tuple(row) for row in rows] == [(700, "paid")]
    assert (await states(network))[0] == ["refunded"]
    assert (await verify(network.engine)).ok
    seen = words(await look(marie, here))
    assert "Reparti vers les cartes bancaires 7,00 €" in seen
    assert "sur la carte bancaire" in seen
    assert "dont sur les cartes" not in seen


async def bought_and_back(network: Network) -> tuple[Event, str]:
    """A cancelled concert of which awa's 12.00 are on the card again, 7.00 of them paid online: with the card's
    address."""
    await network.rules(RAF, Policy(redeem=Redeem(who=("venues", "holders"))))
    at = await concert(network)
    home = await topped_up_for(network, at)
    await cancelled(network, at)
    await tend_returns(network.ledger)
    return at, home


class Bank:
    """A provider's refunds as they become: `says` for each that is asked for."""

    def __init__(self, network: Network) -> None:
        self.name = sandbox(network).name
        self.says, self.asked = list[BackStatus | Exception](), list[UUID]()

    async def refund(self, payment: str, refund: UUID, euro_cents: int) -> Back:
        self.asked.append(refund)
        said = self.says.pop(0) if self.says else "paid"
        if isinstance(said, Exception):
            raise said
        return Back(f"rf_{refund.hex}", said)


async def rounds(network: Network, bank: Any, many: int = 3) -> None:
    for _ in range(many):
        await send_all_on(network.ledger, bank)
        await advance_all(network.ledger, bank)
    await send_all_on(network.ledger, bank)


@both
@pytest.mark.parametrize("late", [False, True])
async def test_what_the_provider_refuses_for_good_is_on_the_card_again(network: Network, late: bool) -> None:
    """At once, or after it had said that it was paid."""
    at, home = await bought_and_back(network)
    bank = Bank(network)
    bank.says = ["pending"] if late else [ProviderRefused("sandbox", 400, "charge_expired")]
    await rounds(network, bank)
    if late:
        assert (await network.holds("awa"))["RAF"] == 500
        async with network.engine.connect() as connection:
            (given,) = (await refunding.asked(connection, set(bank.asked))).values()
        assert given.status == "paid"
        await refunding.failed(network.engine, given, "came back")
        await rounds(network, bank)
    assert (await network.holds("awa"))["RAF"] == 1200
    assert len(set(bank.asked)) == 1
    said = words(await look(network.client, f"{home}/tickets"))
    assert "il reste sur votre carte" in said
    async with network.engine.connect() as connection:
        assert await onward_for(connection, at.id) == Onward(0, 0, 1)
        of = await connection.scalar(sa.select(refund.c.id))
    assert "ne l’a pas repris" in words(await look(network.client, f"{home}/refund/{of}"))
    await rounds(network, bank)
    assert (await network.holds("awa"))["RAF"] == 1200
    assert (await states(network))[0] == ["refunded"]
    assert (await verify(network.engine)).ok


async def test_a_provider_that_does_not_answer_is_asked_again_under_the_same_id(network: Network) -> None:
    at, _ = await bought_and_back(network)
    bank = Bank(network)
    bank.says = [ProviderAway("sandbox", "timeout"), ProviderRefused("sandbox", 429, "rate"), "pending", "pending"]
    await rounds(network, bank, 2)
    assert (await network.holds("awa"))["RAF"] == 500
    await rounds(network, bank, 5)
    assert len(bank.asked) > 4
    assert len(set(bank.asked)) == 1
    async with network.engine.connect() as connection:
        assert await onward_for(connection, at.id) == Onward(700, 1, 0)
        (given,) = (await refunding.asked(connection, set(bank.asked))).values()
    assert given.status == "paid"
    assert (await states(network))[0] == ["refunded"]


async def test_without_a_way_there_it_stays_on_the_card(network: Network) -> None:
    at, _ = await bought_and_back(network)
    assert await send_all_on(network.ledger, None) == 1
    await rounds(network, sandbox(network))
    assert (await network.holds("awa"))["RAF"] == 1200
    async with network.engine.connect() as connection:
        assert await onward_for(connection, at.id) == Onward()


async def test_no_more_than_the_card_holds_goes_on(network: Network) -> None:
    at, _ = await bought_and_back(network)
    await spent(network, 900)
    await rounds(network, sandbox(network))
    assert (await network.holds("awa")).get("RAF", 0) == 0
    async with network.engine.connect() as connection:
        assert await onward_for(connection, at.id) == Onward(300, 1, 0)
    assert (await states(network))[0] == ["refunded"]
    assert (await verify(network.engine)).ok


async def spent(network: Network, units: int) -> None:
    book = currency_book(RAF.issuer, RAF.code)
    keys = [wallet_key(network.cards["awa"].owner, RAF), AccountKey(book, "fund", "fund:common")]
    wallet, into = await network.ledger.accounts(keys)
    day = network.venues["raffinerie"].day_of(now_us())
    gift = Operation(uuid7(), "donation", b"g" * 32, (Posting(wallet, into, units),), "test", now_us(), day)
    await network.ledger.post_one(gift)


async def test_who_pays_too_late_and_is_placed_again_has_it_back_there_too(network: Network) -> None:
    """The order that took the first one's place has the payment that paid it."""
    await network.rules(RAF, Policy(redeem=Redeem(who=("venues", "holders"))))
    at = await concert(network)
    await network.top_up("awa", 500)
    home = f"/c/{network.cards['awa'].token}"
    form = form_to(await look(network.client, f"{home}/events/bal"), f"{home}/events/bal")
    pay_at = led_to(await send(network.client, form, **{f"places-{at.prices[0].id}": "1"}))
    await tend(network.ledger, now_us() + HOUR_US)
    await send(network.client, form_to(await look(network.client, pay_at), pay_at), act="paid")
    async with network.engine.connect() as connection:
        (first,) = await orders.awaited(connection)
        assert first.state == "released"
        reference = (await connection.execute(sa.select(topup.c.id))).scalar_one()
    await settle(network.engine, network.ledger, sandbox(network), {"RAF": RAF}, "Europe/Paris", reference)
    for _ in range(2):
        await complete_all(network.ledger)
    await cancelled(network, at)
    await tend_returns(network.ledger)
    await rounds(network, sandbox(network))
    assert (await network.holds("awa"))["RAF"] == 500
    async with network.engine.connect() as connection:
        assert await onward_for(connection, at.id) == Onward(700, 1, 0)
    assert sorted((await states(network))[0]) == ["refunded", "released"]


@both
async def test_what_was_spent_meanwhile_is_not_sent_on(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also in the moment between writing it down and setting it aside."""
    at, _ = await bought_and_back(network)
    whole = booking.set_aside

    async def late(*arguments: Any) -> Operation:
        await spent(network, 1200)
        return await whole(*arguments)

    with monkeypatch.context() as patched:
        patched.setattr(booking, "set_aside", late)
        assert await send_all_on(network.ledger, sandbox(network)) == 1
    await rounds(network, sandbox(network))
    assert (await network.holds("awa")).get("RAF", 0) == 0
    async with network.engine.connect() as connection:
        assert await onward_for(connection, at.id) == Onward(0, 0, 1)
        assert await connection.scalar(sa.select(refund.c.status)) == "nothing"
        brought = (await connection.execute(sa.select(topup.c.id))).scalar_one()
        assert await refunding.left_of(connection, [brought]) == {brought: 700}
    assert (await states(network))[0] == ["refunded"]
    assert (await verify(network.engine)).ok


@both
async def test_a_server_that_dies_between_refund_and_row_sends_it_once(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    await network.rules(RAF, Policy(redeem=Redeem(who=("venues", "holders"))))
    at = await concert(network)
    await topped_up_for(network, at)
    await cancelled(network, at)
    await tend_returns(network.ledger)

    async def died(*_: object, **__: object) -> None:
        raise RuntimeError("the server died")

    with monkeypatch.context() as dying:
        dying.setattr("app.refunds.service.advance", died)
        assert await send_all_on(network.ledger, sandbox(network)) == 0
    assert (await network.holds("awa"))["RAF"] == 1200, "written down, and not set aside yet"
    for _ in range(3):
        await send_all_on(network.ledger, sandbox(network))
        await advance_all(network.ledger, sandbox(network))
    assert (await network.holds("awa"))["RAF"] == 500
    async with network.engine.connect() as connection:
        assert await onward_for(connection, at.id) == Onward(700, 1, 0)
    assert (await verify(network.engine)).ok
