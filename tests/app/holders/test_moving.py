"""Money moves between the cards of one account once for each form, and only as the currency's rules let it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest

from app.cli.demo.forms import Form
from app.currencies.policies import defaults
from app.holders import accounts, moving, wallets
from app.platform.errors import DomainError
from app.rules.ids import uuid7
from app.rules.policy import Policy, Transfer
from tests.app.holders.conftest import Phone
from tests.support.network import TEMPS, Network, both
from tests.support.pages import form_to, led_to, look, send, words

pytestmark = pytest.mark.anyio
Phones = Callable[..., Phone]


async def family(network: Network, phones: Phones) -> Phone:
    """An account with two cards, awa's with 20 euros and an hour."""
    phone = phones()
    await phone.sign_in()
    await network.top_up("awa", 2000)
    await network.shift("awa", 60)
    await phone.keep("awa")
    await phone.keep("basile")
    return phone


async def test_money_moves_once_and_both_histories_say_so(network: Network, phones: Phones) -> None:
    phone, awa, basile = await family(network, phones), network.cards["awa"], network.cards["basile"]
    here = f"/me/wallets/{awa.wallet}/move"
    page = await look(phone.client, here)
    assert "Heures" not in words(page), "hours are not passed on, by default"
    form = form_to(page, here)
    for _ in range(2):
        moved = await send(phone.client, form, to=str(basile.wallet), amount="7,50")
        assert led_to(moved) == "/me?done=moved"
    assert (await network.holds("awa"), await network.holds("basile")) == (
        {"RAF": 1250, "TEMPS": 60},
        {"RAF": 750, "TEMPS": 0},
    )
    for name, sign in (("awa", "−7,50 €"), ("basile", "+7,50 €")):
        history = words(await look(phone.client, f"/c/{network.cards[name].token}"))
        assert "Déplacé entre vos cartes" in history
        assert sign in history
    other = await send(phone.client, form, to=str(basile.wallet), amount="1")
    assert "déjà été envoyé" in words(other)


async def test_what_cannot_be_moved_is_said_in_words(network: Network, phones: Phones) -> None:
    phone, awa, basile = await family(network, phones), network.cards["awa"], network.cards["basile"]
    here = f"/me/wallets/{awa.wallet}/move"
    form = form_to(await look(phone.client, here), here)

    async def said(**typed: str) -> str:
        fresh = Form(form.action, {**form.fields, "id": str(uuid7())})
        answer = await send(phone.client, fresh, **{"to": str(basile.wallet), "currency": "RAF", **typed})
        assert answer.status_code == 422
        return words(answer)

    assert "Écrivez un montant" in await said(amount="beaucoup")
    assert "une autre carte" in await said(amount="0")
    assert "pas autant sur cette carte" in await said(amount="20,01")
    assert "ne permettent pas" in await said(amount="1", currency="TEMPS")
    assert "une autre carte" in await said(amount="1", to=str(network.cards["camille"].wallet))
    assert await network.holds("awa") == {"RAF": 2000, "TEMPS": 60}
    stranger = phones("zoe@example.org")
    await stranger.sign_in()
    assert (await look(stranger.client, here)).status_code == 404


@both
async def test_limits_of_a_policy_hold_under_the_lock_and_a_form_twice_at_once_moves_once(
    network: Network, phones: Phones
) -> None:
    phone = await family(network, phones)
    hours = replace(defaults("time"), transfer=Transfer(allowed=True, per_payment=40, per_day=50))
    await network.rules(TEMPS, hours)
    terms = await moving.terms_of(network.ledger)
    session = await accounts.find_session(network.context, phone.client.cookies["comptoir_holder"])
    assert session is not None
    async with network.context.reader.connect() as connection:
        known = {code: it.currency for code, it in terms.items()}
        awa, basile = await wallets.wallets_of(connection, network.ledger, session.account, known)

    async def moved(amount: int, id_: object = None) -> object:
        return await moving.move(network.ledger, terms["TEMPS"], session, awa, basile, amount, id_ or uuid7())  # type: ignore[arg-type]

    with pytest.raises(DomainError, match="at once"):
        await moved(41)
    same = uuid7()
    await asyncio.gather(*(moved(20, same) for _ in range(3)))
    found = await asyncio.gather(*(moved(20) for _ in range(3)), return_exceptions=True)
    assert sum(isinstance(it, DomainError) for it in found) == 2, found
    assert (await network.holds("basile"))["TEMPS"] == 40


def test_by_default_only_money_at_par_moves() -> None:
    assert not any(defaults(kind).transfer.allowed for kind in ("pegged", "time", "gift", "points", "mutual"))
    assert Policy().transfer == Transfer()
