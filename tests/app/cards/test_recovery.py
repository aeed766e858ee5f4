"""A lost card is blocked from any phone with its recovery code, and by nobody without it."""

from __future__ import annotations

import asyncio
import base64
import hmac
import re
from dataclasses import replace
from uuid import uuid4

import httpx
import pytest
import sqlalchemy as sa
from hypothesis import assume, given
from hypothesis import strategies as st

from app.cards import lifecycle, recovery, rules, visits
from app.cards.recovery import TOLD_AGAIN_US
from app.cards.tables import card, wallet_recovery
from app.cli.demo.forms import Form
from app.identity.tables import audit
from app.platform.clock import now_us
from app.platform.errors import Conflict
from app.rules.ids import uuid7
from app.venues.service import set_network, the_network
from tests.app.sales.test_deltas import Holder
from tests.support.network import CARDS, UNKNOWN_UID, Network
from tests.support.pages import ENGLISH, form_to, led_to, look, send, words

CODE = re.compile(r"<code>(\S{9})</code> <code>(\S{9})</code>")


def told(page: httpx.Response) -> str:
    assert page.status_code == 200, words(page)
    assert page.headers["cache-control"] == "no-store"
    (found,) = CODE.findall(page.text)
    return "-".join(found)


async def made(network: Network, name: str = "awa") -> str:
    home = f"/c/{network.cards[name].token}"
    return told(await send(network.client, form_to(await look(network.client, home), f"{home}/recovery")))


async def lost(network: Network, code: str) -> httpx.Response:
    return await send(network.client, form_to(await look(network.client, "/lost"), "/lost"), code=code)


async def statuses(network: Network) -> dict[str, str]:
    async with network.context.reader.connect() as connection:
        rows = await connection.execute(sa.select(card.c.uid, card.c.status))
        return {row.uid: row.status for row in rows}


RANDOM, PLACES = st.binary(min_size=32, max_size=32), st.integers(0, 15)


@given(RANDOM, PLACES, PLACES, st.sampled_from(rules.RECOVERY_LETTERS))
def test_a_code_is_read_as_it_was_written_and_no_slip_of_the_pen_is_another(
    random: bytes, place: int, other: int, letter: str
) -> None:
    code = rules.recovery_code(random)
    assert rules.read_recovery_code(code) == code
    assert rules.read_recovery_code(f" {code.lower().replace('-', '  ')} ") == code
    plain = list(code.replace("-", ""))
    wrong = [*plain[:place], letter, *plain[place + 1 :]]
    swapped = list(plain)
    swapped[place], swapped[other] = plain[other], plain[place]
    for it in (wrong, swapped):
        assert (rules.read_recovery_code("".join(it)) is None) == (it != plain)
    assert rules.read_recovery_code("".join(plain[:-1])) is None


@given(RANDOM, RANDOM)
def test_codes_differ(one: bytes, other: bytes) -> None:
    assume(one != other)
    assert rules.recovery_code(one) != rules.recovery_code(other)


async def test_the_whole_way_from_the_code_to_the_new_card(network: Network) -> None:
    await network.top_up("awa", 2000)
    code = await made(network)
    async with network.context.reader.connect() as connection:
        (kept,) = (await connection.execute(sa.select(wallet_recovery.c.mark))).scalars()
        rows = (await connection.execute(sa.select(audit.c.action, audit.c.details))).all()
    assert len(kept) == 32
    assert "card.recovery" in {row.action for row in rows}
    assert code not in str(rows)
    bar = await network.terminal("raffinerie")
    assert (await bar.sell("awa", {"Demi": 1})).status_code == 201
    page = await lost(network, code.lower().replace("-", " "))
    assert page.status_code == 200
    assert page.headers["cache-control"] == "no-store"
    assert "Votre carte est bloquée" in words(page)
    assert "16,50 €" in words(page), "what is left"
    assert "Your card is blocked" in words(await network.client.post("/lost", data={"code": code}, headers=ENGLISH))
    assert (await bar.sell("awa", {"Demi": 1})).status_code == 403
    # At the desk another card is made to open the wallet; the code is the wallet's and blocks that one too.
    async with network.engine.begin() as connection:
        await lifecycle.replace(connection, "person:desk", network.cards["awa"].id, UNKNOWN_UID, "N-1")
    assert (await statuses(network))[UNKNOWN_UID] == "active"
    assert "Carte N-1" in words(await lost(network, code))
    assert (await statuses(network))[UNKNOWN_UID] == "blocked"
    assert (await statuses(network))[CARDS["basile"]] == "active", "nobody else's"


async def test_terminals_hear_of_it_as_of_any_block(network: Network) -> None:
    await network.top_up("awa", 2000)
    code, holder = await made(network), Holder(await network.terminal("raffinerie"))
    await holder.update()
    assert {it.uid: it.status for it in holder.content().cards}[CARDS["awa"]] == "active"
    await lost(network, code)
    assert await holder.update() == "delta"
    assert {it.uid: it.status for it in holder.content().cards}[CARDS["awa"]] == "blocked"
    fresh = Holder(await network.terminal("canal"))
    await fresh.update()
    assert {it.uid: it.status for it in fresh.content().cards}[CARDS["awa"]] == "blocked"


async def test_every_card_of_the_wallet_is_blocked(network: Network) -> None:
    async with network.engine.begin() as connection:
        await lifecycle.link(connection, "person:desk", network.cards["awa"].id, UNKNOWN_UID, "N-1")
    assert "Vos 2 cartes sont bloquées" in words(await lost(network, await made(network)))
    found = await statuses(network)
    assert (found[CARDS["awa"]], found[UNKNOWN_UID], found[CARDS["basile"]]) == ("blocked", "blocked", "active")


async def test_a_code_that_is_nobody_s_blocks_nothing_and_keeps_what_was_typed(network: Network) -> None:
    await made(network)
    for typed in ("", "7K3M", rules.recovery_code(b"x" * 32), "<b>"):
        page = await lost(network, typed)
        assert page.status_code == 422
        assert "Aucune carte n’a ce code" in words(page)
    assert 'value="&lt;b&gt;"' in page.text
    assert set((await statuses(network)).values()) == {"active"}


async def test_guessing_is_slowed_down_by_address_and_for_all_together(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(10):
        assert (await lost(network, "7K3M")).status_code == 422
    assert (await lost(network, "7K3M")).status_code == 429
    names = iter(range(10**6))
    monkeypatch.setattr("app.cards.recovery_pages.client_address", lambda _: f"192.0.2.{next(names)}")
    answers = [(await network.client.post("/lost", data={"code": "7K3M"})).status_code for _ in range(300)]
    assert answers.count(422) == 290
    assert answers[-1] == 429


async def test_the_same_form_again_shows_the_same_code_and_another_one_no_first_code(network: Network) -> None:
    home = f"/c/{network.cards['awa'].token}"
    form = form_to(await look(network.client, home), f"{home}/recovery")
    code = told(await send(network.client, form))
    assert told(await send(network.client, form)) == code, "the answer was lost on the way"
    other = await send(network.client, Form(form.action, {**form.fields, "form": str(uuid4())}))
    assert other.status_code == 409
    assert "a déjà un code de secours" in words(other)
    assert "/recovery" not in (await look(network.client, home)).text, "there is nothing to press"
    async with network.engine.begin() as connection:
        earlier = wallet_recovery.c.made_at_us - TOLD_AGAIN_US
        await connection.execute(sa.update(wallet_recovery).values(made_at_us=earlier))
    assert (await send(network.client, form)).status_code == 409, "told once is told once"
    assert "est bloquée" in words(await lost(network, code))


def tap(network: Network, name: str) -> None:
    """As after a tap that proved the card: its cookie for a quarter of an hour."""
    it, claims = network.cards[name], visits._CLAIMS.pack(0, now_us() + 10**9)
    mac = hmac.digest(network.context.keys.token, visits._LABEL + it.id.bytes + claims, "sha256")[:16]
    network.client.cookies.set(visits.COOKIE, base64.urlsafe_b64encode(claims + mac).decode(), path=f"/c/{it.token}")


async def test_who_has_the_card_at_the_phone_makes_a_new_code_and_the_old_one_is_void(network: Network) -> None:
    old = await made(network)
    tap(network, "awa")
    new = await made(network)
    assert new != old
    assert (await lost(network, old)).status_code == 422
    assert "est bloquée" in words(await lost(network, new))
    home = f"/c/{network.cards['awa'].token}"
    assert "/recovery" not in (await look(network.client, home)).text
    refused = await network.client.post(f"{home}/recovery", data={"form": str(uuid4())})
    assert refused.status_code == 403, "whoever found a blocked card may hold it to a phone"


async def test_a_page_that_is_kept_back_makes_no_code_before_a_tap(network: Network) -> None:
    async with network.engine.begin() as connection:
        it = await the_network(connection)
        await set_network(connection, it.name, replace(it.settings, page_by_tap=True))
        await connection.execute(sa.update(card).values(taps=True))
    home = f"/c/{network.cards['awa'].token}"
    assert (await network.client.post(f"{home}/recovery", data={"form": str(uuid4())})).status_code == 403
    tap(network, "awa")
    assert await made(network)


async def test_at_a_counter_a_code_is_made_after_a_top_up_in_cash(network: Network) -> None:
    cashier, it = await network.person("lucas"), network.cards["awa"]
    counter = f"/admin/counter?card={it.uid}"
    page = await look(cashier, counter)
    done = await look(cashier, led_to(await send(cashier, form_to(page, "/admin/counter"), amount="1000")))
    code = told(await send(cashier, form_to(done, f"/admin/cards/{it.id}/recovery")))
    again = told(await send(cashier, form_to(await look(cashier, counter), f"/admin/cards/{it.id}/recovery")))
    assert again != code
    assert (await lost(network, code)).status_code == 422
    assert "10,00 €" in words(await lost(network, again))


async def test_a_wallet_that_was_never_used_is_left_with_its_code(network: Network) -> None:
    code = await made(network, "camille")
    async with network.engine.begin() as connection:
        await lifecycle.link(connection, "person:desk", network.cards["awa"].id, CARDS["camille"])
    assert (await lost(network, code)).status_code == 422


async def test_of_two_first_codes_at_once_one_is_made(network: Network) -> None:
    it, key = network.cards["awa"], network.context.keys.token

    async def first() -> str:
        async with network.engine.begin() as connection:
            return await recovery.make(connection, key, "holder", it, uuid7(), first=True)

    one, other = sorted(await asyncio.gather(first(), first(), return_exceptions=True), key=lambda it: str(type(it)))
    assert isinstance(one, Conflict)
    assert isinstance(other, str)
    assert "est bloquée" in words(await lost(network, other))
