"""A holder signs in by a link from their mailbox, good once, and keeps cards in their account that nobody else can."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from dataclasses import replace

import pytest
import sqlalchemy as sa

from app.cards import lifecycle, recovery
from app.cards.tables import card
from app.holders import accounts, wallets
from app.holders.tables import holder_account, holder_link, holder_session, holder_wallet
from app.identity.tables import audit
from app.mail.tables import mail
from app.platform.clock import now_us
from app.platform.errors import Conflict, NotFound
from app.rules.ids import uuid7
from app.venues.service import set_network, the_network
from tests.app.holders.conftest import Phone
from tests.support.network import UNKNOWN_UID, Network, both
from tests.support.pages import form_to, led_to, look, send, words

pytestmark = pytest.mark.anyio
Phones = Callable[..., Phone]


async def test_a_link_signs_in_once_on_any_phone_and_looking_at_it_uses_nothing_up(
    network: Network, phones: Phones
) -> None:
    asking, other, late = phones("Awa@Example.org"), phones(), phones()
    link = await asking.ask()
    for _ in range(3):
        page = await look(other.client, link)
        assert (page.status_code, page.headers["cache-control"]) == (200, "no-store")
        assert "awa@example.org" in words(page)
    assert (await look(other.client, "/me")).headers["location"] == "/me/sign-in"
    async with network.context.reader.connect() as connection:
        (kept,) = (await connection.execute(sa.select(mail.c.data))).scalars()
    token = link.rpartition("/")[2]
    assert token not in kept, "a copy of the database opens nothing"
    assert led_to(await other.client.post(link)) == "/me"
    assert "awa@example.org" in words(await look(other.client, "/me"))
    used = await late.client.post(link, headers={"Accept-Language": "fr"})
    assert used.status_code == 404
    assert "a déjà servi" in words(used)
    assert "a déjà servi ou est trop ancien" in words(await look(late.client, "/me/in/nonsense"))


async def test_asking_says_nothing_about_who_has_an_account(network: Network, phones: Phones) -> None:
    known = phones()
    await known.sign_in()
    answers = []
    for email in ("awa@example.org", "zoe@example.org"):
        answer = await phones().client.post("/me/sign-in", data={"email": email})
        answers.append((answer.status_code, answer.text.replace(email, "")))
    assert answers[0] == answers[1]
    wrong = await phones().client.post("/me/sign-in", data={"email": "awa"})
    assert wrong.status_code == 422
    tries = [(await phones().client.post("/me/sign-in", data={"email": "awa@example.org"})).status_code for _ in "1234"]
    assert tries[-1] == 429, "a mailbox is not flooded"


@both
async def test_of_two_who_use_a_link_at_once_one_signs_in(network: Network, phones: Phones) -> None:
    token = (await phones().ask()).rpartition("/")[2]
    found = await asyncio.gather(
        *(accounts.use_link(network.context, token, "") for _ in range(3)), return_exceptions=True
    )
    assert sum(isinstance(it, tuple) for it in found) == 1, found
    assert sum(isinstance(it, NotFound) for it in found) == 2, found


async def test_a_link_and_a_session_end_in_time(network: Network, phones: Phones) -> None:
    phone = phones()
    link = await phone.ask()
    async with network.engine.begin() as connection:
        await connection.execute(sa.update(holder_link).values(expires_at_us=now_us()))
    assert (await phone.client.post(link)).status_code == 404
    await phone.sign_in()
    assert (await look(phone.client, "/me")).status_code == 200
    async with network.engine.begin() as connection:
        await connection.execute(sa.update(holder_session).values(seen_at_us=now_us() - accounts.IDLE_US))
    assert (await look(phone.client, "/me")).headers["location"] == "/me/sign-in"


async def test_signing_out_here_and_everywhere_else(network: Network, phones: Phones) -> None:
    one, two = phones(), phones()
    await one.sign_in()
    await two.sign_in()
    assert "Connecté sur 1 autre" in words(await look(one.client, "/me"))
    without = await one.client.post("/me/sign-out-elsewhere")
    assert without.status_code == 403, "a cookie alone changes nothing"
    assert led_to(await one.form("/me", "/me/sign-out-elsewhere")) == "/me?done=elsewhere"
    assert (await look(two.client, "/me")).status_code == 303
    assert led_to(await one.form("/me", "/me/sign-out")) == "/me/sign-in"
    assert (await look(one.client, "/me")).status_code == 303


async def test_holders_and_staff_are_kept_apart(network: Network, phones: Phones) -> None:
    phone = phones()
    await phone.sign_in()
    assert led_to(await look(phone.client, "/admin")).startswith("/sign-in")
    staff = await network.person("nadia")
    assert led_to(await look(staff, "/me")) == "/me/sign-in"


async def test_a_card_is_kept_by_its_address_and_the_code_on_its_back(network: Network, phones: Phones) -> None:
    await network.top_up("awa", 2000)
    phone, home = phones(), f"/c/{network.cards['awa'].token}"
    assert f'href="{home}/keep"' in (await look(phone.client, home)).text
    page = await look(phone.client, f"{home}/keep")
    await send(phone.client, form_to(page, "/me/sign-in"), email=phone.email)
    link = await phone.link()
    assert led_to(await phone.client.post(link)) == f"{home}/keep", "back to the card"
    wrong = await phone.keep("awa", "7K3M-9QXT")
    assert wrong.status_code == 422
    assert "pas le code de cette carte" in words(wrong)
    assert led_to(await phone.keep("awa")) == "/me?done=kept"
    me = await look(phone.client, "/me")
    assert "A-1" in words(me) or network.cards["awa"].label in words(me)
    assert "20,00 €" in words(me)
    assert led_to(await look(phone.client, f"{home}/keep")) == "/me"
    other = phones("basile@example.org")
    await other.sign_in()
    refused = await other.keep("awa")
    assert refused.status_code == 422
    assert "dans un autre compte" in words(refused)
    # Released, it is anybody's again.
    wallet = f"/me/wallets/{network.cards['awa'].wallet}"
    assert (await look(other.client, wallet)).status_code == 404
    assert led_to(await phone.form(wallet, f"{wallet}/release")) == "/me?done=released"
    assert led_to(await other.keep("awa")) == "/me?done=kept"
    async with network.context.reader.connect() as connection:
        actions = (await connection.execute(sa.select(audit.c.action, audit.c.actor))).all()
    assert ("wallet.claim", f"account:{await phone.account()}") in [tuple(it) for it in actions]


@both
async def test_of_two_accounts_that_claim_a_card_at_once_one_has_it(network: Network, phones: Phones) -> None:
    one, two = phones(), phones("basile@example.org")
    sessions = []
    for it in (one, two):
        await it.sign_in()
        token = it.client.cookies["comptoir_holder"]
        sessions.append(await accounts.find_session(network.context, token))

    async def claim(session: accounts.Session | None) -> None:
        assert session is not None
        async with network.engine.begin() as connection:
            await wallets.claim(connection, session, network.cards["awa"], "code")

    found = await asyncio.gather(*(claim(it) for it in [*sessions, *sessions]), return_exceptions=True)
    assert sum(it is None for it in found) == 2, "the same account twice is once"
    assert sum(isinstance(it, Conflict) for it in found) == 2
    async with network.context.reader.connect() as connection:
        assert len((await connection.execute(sa.select(holder_wallet))).all()) == 1


async def test_guessing_a_code_is_slowed_down_and_a_recovery_code_is_no_claim(network: Network, phones: Phones) -> None:
    phone, basile = phones(), network.cards["basile"]
    await phone.sign_in()
    async with network.engine.begin() as connection:
        code = await recovery.make(connection, network.context.keys.token, "holder", basile, uuid7())
    assert (await phone.keep("basile", code)).status_code == 422, "its page alone gives one"
    answers = [(await phone.keep("awa", "22222222")).status_code for _ in range(11)]
    assert answers[-1] == 429


async def test_a_counter_tells_the_code_and_takes_a_card_out_of_a_finder_s_account(
    network: Network, phones: Phones
) -> None:
    finder, sana, it = phones("finder@example.org"), await network.person("sana"), network.cards["awa"]
    await finder.sign_in()
    counter = f"/admin/counter?card={it.uid}"
    told = await send(sana, form_to(await look(sana, counter), f"/admin/cards/{it.id}/claim-code"))
    assert told.headers["cache-control"] == "no-store"
    (code,) = re.findall(r"<code>(\S{9})</code>", told.text)
    assert led_to(await finder.keep("awa", code)) == "/me?done=kept"
    told = await send(sana, form_to(await look(sana, counter), f"/admin/cards/{it.id}/claim-code"))
    assert "est dans un compte" in words(told)
    released = await send(sana, form_to(told, f"/admin/cards/{it.id}/release"), reason="Reçu montré")
    assert led_to(released) == counter
    assert it.label not in words(await look(finder.client, "/me"))


async def test_whoever_found_a_blocked_card_claims_nothing(network: Network, phones: Phones) -> None:
    phone = phones()
    await phone.sign_in()
    async with network.engine.begin() as connection:
        await lifecycle.set_blocked(connection, "holder", network.cards["awa"].id, True)
    assert "est bloquée" in words(await phone.keep("awa"))


async def test_a_card_is_named_blocked_and_its_block_lifted_where_it_was_set(network: Network, phones: Phones) -> None:
    phone, it = phones(), network.cards["awa"]
    await network.top_up("awa", 2000)
    await phone.sign_in()
    await phone.keep("awa")
    wallet = f"/me/wallets/{it.wallet}"
    await phone.form(wallet, f"{wallet}/name", name="  Bracelet   de Léa ")
    assert "Bracelet de Léa" in words(await look(phone.client, "/me"))
    assert led_to(await phone.form(wallet, f"/me/cards/{it.id}/block")) == f"{wallet}?done=blocked"
    bar = await network.terminal("raffinerie")
    assert (await bar.sell("awa", {"Demi": 1})).status_code == 403
    await phone.form(wallet, f"/me/cards/{it.id}/unblock")
    assert (await bar.sell("awa", {"Demi": 1})).status_code == 201
    # Blocked by somebody else: staff look at it.
    async with network.engine.begin() as connection:
        await lifecycle.set_blocked(connection, "holder", it.id, True)
    page = await look(phone.client, wallet)
    assert "pas été bloquée depuis ce compte" in words(page)
    assert "/unblock" not in page.text
    csrf = form_to(page, f"{wallet}/name").fields["csrf_token"]
    refused = await phone.client.post(f"/me/cards/{it.id}/unblock", data={"csrf_token": csrf})
    assert refused.status_code == 403
    stranger = phones("basile@example.org")
    await stranger.sign_in()
    assert (await stranger.client.post(f"/me/cards/{it.id}/block", data={"csrf_token": csrf})).status_code == 403


async def test_its_owner_sees_a_card_whose_page_waits_for_a_tap(network: Network, phones: Phones) -> None:
    await network.top_up("awa", 2000)
    phone, it = phones(), network.cards["awa"]
    await phone.sign_in()
    await phone.keep("awa")
    async with network.engine.begin() as connection:
        found = await the_network(connection)
        await set_network(connection, found.name, replace(found.settings, page_by_tap=True))
        await connection.execute(sa.update(card).values(taps=True))
    assert "20,00 €" not in words(await look(phone.client, f"/c/{it.token}"))
    opened = await look(phone.client, f"/me/cards/{it.id}")
    assert "20,00 €" in words(await look(phone.client, led_to(opened)))
    assert "20,00 €" not in words(await look(phones().client, f"/c/{it.token}"))


async def test_a_card_whose_wallet_is_in_an_account_is_not_made_to_open_another(
    network: Network, phones: Phones
) -> None:
    phone = phones()
    await phone.sign_in()
    await phone.keep("camille")
    with pytest.raises(Conflict):
        async with network.engine.begin() as connection:
            await lifecycle.link(connection, "person:desk", network.cards["awa"].id, network.cards["camille"].uid)
    async with network.engine.begin() as connection:
        await lifecycle.link(connection, "person:desk", network.cards["camille"].id, UNKNOWN_UID, "N-1")
    assert "Carte N-1" in words(await look(phone.client, "/me"))


async def test_an_account_is_deleted_and_its_cards_are_anonymous_again(network: Network, phones: Phones) -> None:
    phone, other = phones(), phones("basile@example.org")
    await phone.sign_in()
    await phone.keep("awa")
    assert led_to(await phone.form("/me", "/me/close")) == "/me", "not without saying so"
    assert led_to(await phone.form("/me", "/me/close", sure="yes")) == "/me/sign-in"
    assert (await look(phone.client, "/me")).status_code == 303
    async with network.context.reader.connect() as connection:
        for table in (holder_account, holder_session, holder_wallet, holder_link):
            assert (await connection.execute(sa.select(table))).all() == []
    await other.sign_in()
    assert led_to(await other.keep("awa")) == "/me?done=kept"
