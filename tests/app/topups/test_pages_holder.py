"""The holder tops up online: exactly once, whatever browsers, fingers and networks do."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import httpx
import pytest
import sqlalchemy as sa

from app.cards import lifecycle
from app.platform.clock import now_us
from app.platform.errors import Conflict
from app.platform.settings import Settings
from app.rules.ids import uuid7
from app.topups import online, service
from app.topups.sandbox import OPEN_US, Sandbox
from app.topups.tables import sandbox_payment, topup
from tests.support.network import Network, network_of, running
from tests.support.pages import form_to, led_to, look, send, words
from tests.support.serving import free_port, served


@pytest.fixture(autouse=True)
def _no_notices(monkeypatch: pytest.MonkeyPatch) -> None:
    """The provider's notices get lost, but for the test that is about them."""
    monkeypatch.setattr("app.topups.pages.sandbox._notify", _lost)


async def _lost(base_url: str, reference: str) -> None:
    pass


def form_page(network: Network, card: str = "awa") -> str:
    return f"/c/{network.cards[card].token}/top-up"


async def asked(network: Network, client: httpx.AsyncClient | None = None, **typed: str) -> str:
    """Fill the form in and send it; the payment page's path."""
    client, address = client or network.client, form_page(network)
    form = form_to(await look(client, address), address)
    return led_to(await send(client, form, **typed))


async def paid(network: Network, page: str, act: str = "paid") -> str:
    """Press a button of the payment page; where it leads back to."""
    return led_to(await send(network.client, form_to(await look(network.client, page), page), act=act))


async def topups(network: Network) -> list[Any]:
    async with network.context.reader.connect() as connection:
        return list(await connection.execute(sa.select(topup).order_by(topup.c.id)))


async def test_the_whole_way(network: Network) -> None:
    form = await look(network.client, form_page(network))
    assert "De 5,00 € à 250,00 €" in words(form)
    pay = await asked(network)
    page = await look(network.client, pay)
    assert "Bac à sable : aucun argent réel" in words(page)
    assert "20,00 €" in words(page), "the second amount is picked until another is"
    assert (await network.holds("awa"))["RAF"] == 0
    back = await look(network.client, await paid(network, pay))
    assert "20,00 € sont sur votre carte" in words(back)
    assert "Votre solde à présent" in words(back)
    assert (await network.holds("awa"))["RAF"] == 2000
    assert "Recharge en ligne" in words(await look(network.client, f"/c/{network.cards['awa'].token}"))


async def test_who_pays_while_the_card_is_replaced_is_told_what_became_of_it(network: Network) -> None:
    pay = await asked(network)
    async with network.engine.begin() as connection:
        await lifecycle.replace(connection, "test", network.cards["awa"].id, "04D0D0D0D0D0D0", "Carte 12")
    back = await look(network.client, await paid(network, pay))
    assert "20,00 € sont sur votre carte" in words(back)
    assert "Votre solde à présent" not in words(back), "the old address tells nothing else"
    assert (await network.holds("awa"))["RAF"] == 2000, "the wallet is the same"


async def test_what_was_typed_counts_before_a_chip(network: Network) -> None:
    await paid(network, await asked(network, amount="5000", other="12,5"))
    (found,) = await topups(network)
    assert found.amount == 1250


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("douze", "Écrivez un montant comme 25 ou 12,50. Rien n’a été débité."),
        ("12,505", "Écrivez un montant comme 25 ou 12,50."),
        ("-20", "Écrivez un montant"),
        ("4,99", "De 5,00 € à 250,00 € à la fois. Rien n’a été débité."),
        ("250,01", "De 5,00 € à 250,00 € à la fois."),
    ],
)
async def test_an_amount_that_cannot_be_stays_to_be_corrected(network: Network, typed: str, said: str) -> None:
    address = form_page(network)
    form = form_to(await look(network.client, address), address)
    again = await send(network.client, form, other=typed)
    assert again.status_code == 422
    assert said in words(again)
    assert f'value="{typed}"' in again.text
    assert led_to(await send(network.client, form_to(again, address), other="20")).startswith("/sandbox/pay/")


@pytest.mark.parametrize("chip", ["", "x", "-1000", "1e3", "²", "1" * 30])
async def test_a_chip_that_nobody_offered_is_refused(network: Network, chip: str) -> None:
    address = form_page(network)
    form = form_to(await look(network.client, address), address)
    assert (await send(network.client, form, amount=chip)).status_code == 422
    assert await topups(network) == []


async def test_a_form_sent_twice_leads_to_one_payment(network: Network) -> None:
    address = form_page(network)
    form = form_to(await look(network.client, address), address)
    pages = await asyncio.gather(*(send(network.client, form) for _ in range(4)))
    (pay,) = {led_to(page) for page in pages}
    back = await paid(network, pay)
    assert await paid_again(network, pay) == back, "the payment's button pressed twice"
    for _ in range(3):
        assert "sont sur votre carte" in words(await look(network.client, back))
    assert (await network.holds("awa"))["RAF"] == 2000
    assert len(await topups(network)) == 1
    # The form from before, by the back button: it leads to what became of it, not to another payment.
    assert led_to(await send(network.client, form)) == back


async def paid_again(network: Network, pay: str) -> str:
    answer = await network.client.post(pay, data={"act": "paid"}, headers={"Accept": "text/html"})
    return led_to(answer)


async def test_a_form_changed_after_coming_back_is_another_top_up(network: Network) -> None:
    address = form_page(network)
    form = form_to(await look(network.client, address), address)
    first, second = [led_to(await send(network.client, form, amount=amount)) for amount in ("1000", "3000")]
    assert first != second
    await paid(network, second)
    assert await paid(network, first, "cancelled")
    for found in await topups(network):
        await look(network.client, f"/c/{network.cards['awa'].token}/top-ups/{found.id}")
    assert (await network.holds("awa"))["RAF"] == 3000


async def test_many_who_look_at_once_credit_once(network: Network) -> None:
    back = await paid(network, await asked(network))
    pages = await asyncio.gather(*(look(network.client, back) for _ in range(8)))
    assert {page.status_code for page in pages} == {200}
    assert (await network.holds("awa"))["RAF"] == 2000


@pytest.mark.parametrize(
    ("act", "said"), [("failed", "Le paiement n’a pas abouti"), ("cancelled", "Le paiement a été annulé")]
)
async def test_without_payment_nothing_is_credited_and_one_may_try_again(network: Network, act: str, said: str) -> None:
    back = await look(network.client, await paid(network, await asked(network), act))
    assert said in words(back)
    assert "Rien n’a été prélevé sur votre compte" in words(back)
    assert f'href="{form_page(network)}"' in back.text
    assert (await network.holds("awa"))["RAF"] == 0
    await look(network.client, await paid(network, await asked(network)))
    assert (await network.holds("awa"))["RAF"] == 2000


async def test_who_comes_back_before_paying_is_told_to_wait_and_may_go_on(network: Network) -> None:
    pay = await asked(network)
    (found,) = await topups(network)
    address = f"/c/{network.cards['awa'].token}/top-ups/{found.id}"
    state = await look(network.client, address)
    assert "Nous attendons la confirmation du paiement" in words(state)
    assert '<meta http-equiv="refresh" content="5">' in state.text
    assert led_to(await send(network.client, form_to(state, form_page(network)))) == pay


async def test_an_ended_payment_cannot_end_otherwise(network: Network) -> None:
    pay = await asked(network)
    await paid(network, pay, "cancelled")
    answer = await network.client.post(pay, data={"act": "paid"}, headers={"Accept": "text/html"})
    assert led_to(answer) == pay
    page = await look(network.client, pay)
    assert "Ce paiement a été annulé" in words(page)
    assert "<button" not in page.text


async def test_a_top_up_shows_on_its_own_card_s_page_only(network: Network) -> None:
    await asked(network)
    (found,) = await topups(network)
    other = await look(network.client, f"/c/{network.cards['basile'].token}/top-ups/{found.id}")
    assert other.status_code == 404
    assert (await look(network.client, f"/c/{network.cards['awa'].token}/top-ups/{uuid7()}")).status_code == 404


async def test_an_id_that_the_ledger_knows_is_not_taken_for_a_top_up(network: Network) -> None:
    """It could be paid and never credited."""
    await network.top_up("awa", 1000)
    async with network.context.reader.connect() as connection:
        row = (await connection.execute(sa.text("SELECT id FROM operation"))).scalar_one()
    taken = row if isinstance(row, UUID) else UUID(row)
    pay = await asked(network, id=str(taken))
    await look(network.client, await paid(network, pay))
    assert (await network.holds("awa"))["RAF"] == 3000


async def test_a_blocked_card_is_not_topped_up(network: Network) -> None:
    address = form_page(network)
    form = form_to(await look(network.client, address), address)
    await network.block("awa")
    assert "Cette carte est bloquée" in words(await look(network.client, address))
    assert (await send(network.client, form)).status_code == 403
    assert await topups(network) == []


async def test_a_currency_without_a_price_is_not_sold(network: Network) -> None:
    address = form_page(network)
    form = form_to(await look(network.client, address), address)
    for code in ("TEMPS", "NONE"):
        assert (await send(network.client, form, currency=code)).status_code == 422
    assert await topups(network) == []


async def test_another_website_cannot_send_the_form(network: Network) -> None:
    address = form_page(network)
    form = form_to(await look(network.client, address), address)
    answer = await network.client.post(address, data=form.fields, headers={"Origin": "https://evil.example"})
    assert answer.status_code == 403


class TestReconciliation:
    async def reconcile(self, network: Network) -> int:
        return await online.reconcile(network.context, network.ledger, network.app.state.provider, due_us=2**53)

    async def test_who_never_comes_back_is_credited_all_the_same(self, network: Network) -> None:
        await paid(network, await asked(network))
        await asked(network)  # and another that nobody pays
        assert await self.reconcile(network) == 1
        assert (await network.holds("awa"))["RAF"] == 2000
        assert await self.reconcile(network) == 0
        assert (await network.holds("awa"))["RAF"] == 2000

    async def test_one_that_cannot_be_settled_does_not_hold_up_the_others(
        self, network: Network, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        first, second = await asked(network), await asked(network)
        await paid(network, first)
        await paid(network, second)
        whole = Sandbox.look_up

        async def look_up(self: Sandbox, reference: str) -> Any:
            if first.endswith(reference):
                raise httpx.ConnectError("the provider is away")
            return await whole(self, reference)

        monkeypatch.setattr(Sandbox, "look_up", look_up)
        assert await self.reconcile(network) == 1
        assert (await network.holds("awa"))["RAF"] == 2000
        monkeypatch.undo()
        assert await self.reconcile(network) == 1
        assert (await network.holds("awa"))["RAF"] == 4000

    async def test_it_goes_on_after_an_error(self, network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
        rounds = 0
        done = asyncio.Event()

        async def failing(*_: object, **__: object) -> int:
            nonlocal rounds
            rounds += 1
            if rounds == 3:
                done.set()
            raise OSError("no database")

        monkeypatch.setattr(online, "reconcile", failing)
        provider = network.app.state.provider
        task = asyncio.create_task(online.reconcile_for_ever(network.context, network.ledger, provider, 0.001))
        await asyncio.wait_for(done.wait(), 5)
        assert not task.done()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    async def test_a_payment_page_that_nobody_uses_closes(self, network: Network) -> None:
        pay = await asked(network)
        async with network.engine.begin() as connection:
            await connection.execute(sa.update(sandbox_payment).values(created_at_us=now_us() - OPEN_US - 1))
        with pytest.raises(Conflict):
            await network.app.state.provider.finish(pay.rpartition("/")[2], "paid")
        assert await self.reconcile(network) == 1
        (found,) = await topups(network)
        assert found.status == "cancelled"

    async def test_a_crash_before_the_payment_page_was_opened_is_repaired_by_the_same_form(
        self, network: Network, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        address = form_page(network)
        form = form_to(await look(network.client, address), address)
        whole = Sandbox.open_checkout

        async def crash(*_: object) -> Any:
            raise httpx.ConnectError("the provider is away")

        monkeypatch.setattr(Sandbox, "open_checkout", crash)
        assert (await send(network.client, form)).status_code == 500
        assert [found.reference for found in await topups(network)] == [None]
        assert await self.reconcile(network) == 0
        monkeypatch.setattr(Sandbox, "open_checkout", whole)
        await look(network.client, await paid(network, led_to(await send(network.client, form))))
        assert (await network.holds("awa"))["RAF"] == 2000

    async def test_one_that_was_never_shown_a_payment_page_is_given_up_after_a_day(self, network: Network) -> None:
        await asked(network)
        async with network.engine.begin() as connection:
            old = now_us() - service.UNASKED_US - 1
            await connection.execute(sa.update(topup).values(reference=None, created_at_us=old))
        assert await self.reconcile(network) == 1
        assert [found.status for found in await topups(network)] == ["cancelled"]


async def test_closing_the_browser_right_after_paying_still_credits(
    network_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody follows the payment page's answer: the provider's notice arrives through a real socket."""
    monkeypatch.undo()
    port = free_port()
    settings = network_settings.model_copy(update={"base_url": f"http://127.0.0.1:{port}"})
    async with running(settings) as app, network_of(app, settings) as network, served(app, port) as base:
        async with httpx.AsyncClient(base_url=base, trust_env=False) as browser:
            pay = await asked(network, browser)
            await send(browser, form_to(await look(browser, pay), pay), act="paid")
        async with asyncio.timeout(10):
            while (await network.holds("awa"))["RAF"] != 2000:
                await asyncio.sleep(0.02)


async def test_without_a_provider_the_page_says_where_to_top_up(network_settings: Settings) -> None:
    settings = network_settings.model_copy(update={"payments": "none"})
    async with running(settings) as app, network_of(app, settings) as network:
        assert "Rechargez en espèces" in words(await look(network.client, form_page(network)))
        card = await look(network.client, f"/c/{network.cards['awa'].token}")
        assert "/top-up" not in card.text
        assert "Rechargez en espèces à n’importe quel guichet." in words(card)
        body = {"id": str(uuid7()), "currency": "RAF", "amount": "1000"}
        assert (await network.client.post(form_page(network), data=body)).status_code == 404
        assert (await network.client.get("/sandbox/pay/sb_1")).status_code == 404
