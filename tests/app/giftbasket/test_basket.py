"""A gift voucher whose money is not on the card: paid in one basket, bought once, and never for nothing."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace

import pytest
import sqlalchemy as sa

from app.cards.claim_codes import claim_code_of
from app.giftbasket import held, service
from app.giftbasket.tables import gift_basket
from app.issuing import bought
from app.ledger.verify import verify
from app.platform.settings import Settings
from app.rules.policy import Policy, Transfer
from app.topups.online import reconcile
from tests.support.network import RAF, Network, both
from tests.support.pages import form_to, led_to, look, send, words

pytestmark = pytest.mark.anyio


@pytest.fixture
def database_kind() -> str:
    """Where it makes a difference, a test is marked as one for both databases."""
    return "sqlite"


@pytest.fixture
def network_settings(network_settings: Settings) -> Settings:
    return network_settings.model_copy(update={"payments": "sandbox"})


@pytest.fixture(autouse=True)
def _no_notices(monkeypatch: pytest.MonkeyPatch) -> None:
    async def lost(base_url: str, reference: str) -> None:
        pass

    monkeypatch.setattr("app.topups.pages.sandbox._notify", lost)


async def begun(network: Network) -> tuple[str, str]:
    """A voucher of 20.00 of which 5.00 are on the card: (the sandbox's page, where the form was)."""
    await network.rules(RAF, Policy(transfer=Transfer(True, 3000, 5000)))
    await network.top_up("awa", 500)
    card = network.cards["awa"]
    there, code = f"/c/{card.token}/gift-vouchers", claim_code_of(network.context.keys.token, card.token)
    form = form_to(await look(network.client, there), there)
    typed = {"amount": "20", "words": "Bravo", "code": code}
    refused = await send(network.client, form, **typed)
    assert "Payer en ligne ce qui manque" in words(refused)
    assert 'value="20"' in refused.text
    action = re.search(r'formaction="([^"]+)"', refused.text)
    assert action is not None
    again = replace(form_to(refused, there), action=action[1])
    pages = [led_to(await send(network.client, again, **typed)) for _ in range(2)]
    assert pages[0] == pages[1], "the same form is one payment"
    return pages[0], there


async def paid(network: Network, page: str, act: str = "paid") -> None:
    """On the provider's page; no notice comes of it."""
    await send(network.client, form_to(await look(network.client, page), page), act=act)


async def credited(network: Network) -> None:
    """The reconciliation asks for it."""
    await reconcile(network.context, network.ledger, network.app.state.provider, due_us=2**53)


async def waiting(network: Network) -> int:
    async with network.engine.connect() as connection:
        return int(await connection.scalar(sa.select(sa.func.count()).select_from(gift_basket)) or 0)


async def mine(network: Network) -> list[int]:
    return [it.amount for it in await bought.bought_by(network.ledger, network.cards["awa"].wallet)]


@both
async def test_paid_online_it_is_bought_once_whoever_looks_first(network: Network) -> None:
    page, there = await begun(network)
    async with network.engine.connect() as connection:
        (kept,) = await held.held_about(connection, network.cards["awa"].wallet)
    assert kept["what"] == "Bravo"
    assert "Votre paiement est en route" in words(await look(network.client, await _back(network, there)))
    await paid(network, page)
    key = network.context.keys.token
    looks = [look(network.client, await _back(network, there)) for _ in range(2)]
    await asyncio.gather(*looks, *(service.complete_all(network.ledger, key) for _ in range(2)))
    assert await mine(network) == [2000]
    assert (await network.holds("awa")).get("RAF", 0) == 0, "5.00 were there, 15.00 were missing"
    assert await waiting(network) == 0
    assert (await verify(network.engine)).ok


@both
async def test_a_server_that_dies_over_it_buys_it_once(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    page, _ = await begun(network)
    await paid(network, page)
    await credited(network)
    key = network.context.keys.token
    real = bought.buy

    async def died(*args: object, **kwargs: object) -> None:
        await real(*args, **kwargs)  # type: ignore[arg-type]
        raise RuntimeError("the server died")

    with monkeypatch.context() as dying:
        dying.setattr(bought, "buy", died)
        await service.complete_all(network.ledger, key)
    assert (await mine(network), await waiting(network)) == ([2000], 1)
    await service.complete_all(network.ledger, key)
    assert (await mine(network), await waiting(network)) == ([2000], 0)


async def test_not_paid_nothing_is_bought_and_what_cannot_be_bought_stays_on_the_card(network: Network) -> None:
    page, there = await begun(network)
    await paid(network, page, "failed")
    back = await look(network.client, await _back(network, there))
    assert led_to(back).endswith("?stayed=1")
    assert "Aucun bon n’a été acheté" in words(await look(network.client, led_to(back)))
    assert (await mine(network), await waiting(network)) == ([], 0)
    assert (await network.holds("awa"))["RAF"] == 500


async def test_rules_that_changed_meanwhile_leave_the_money_on_the_card(network: Network) -> None:
    page, _ = await begun(network)
    await network.rules(RAF, Policy())
    await paid(network, page)
    await credited(network)
    await service.complete_all(network.ledger, network.context.keys.token)
    assert (await mine(network), await waiting(network)) == ([], 0)
    assert (await network.holds("awa"))["RAF"] == 2000
    assert (await verify(network.engine)).ok


async def _back(network: Network, there: str) -> str:
    async with network.engine.connect() as connection:
        found = await connection.scalar(sa.select(gift_basket.c.id))
    assert found is not None
    return f"{there}/basket/{found}"
