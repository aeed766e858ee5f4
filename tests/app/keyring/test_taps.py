"""A card at a phone: its message is verified and counted once, and its page goes on without it."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import get_args
from uuid import UUID

import httpx
import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.requests import Request

from app.cards import visits
from app.cards.service import card_by_id
from app.cards.visits import COOKIE, visit_of
from app.keyring import guards, service, taps, writing
from app.keyring.tables import card_tap
from app.rules.chips import sun
from app.rules.chips.keyring import FILE_KEY, META_KEY
from app.venues.service import set_network, the_network
from tests.support.network import Network, both, problem
from tests.support.pages import ENGLISH, form_to, led_to, look, send, words

pytestmark = pytest.mark.anyio
KEYS = [taps.Held(1, bytes(16), bytes(range(16))), taps.Held(2, b"m" * 16, b"f" * 16)]
UID = bytes.fromhex("04A0000000A001")


@dataclass
class Chip:
    """A card that holds keys, and what it says at a phone."""

    token: str
    uid: bytes
    keys: tuple[bytes, ...]
    fill: int = 0

    def address(self, counter: int) -> str:
        self.fill += 1
        said = sun.Sun(self.uid, counter)
        encrypted, mac = sun.make(self.keys[META_KEY], self.keys[FILE_KEY], said, self.fill.to_bytes(5))
        return f"/c/{self.token}?e={encrypted}&c={mac}"


async def begun(network: Network, card: str, key_set: str = "2026") -> tuple[Chip, UUID, int]:
    """What a desk is writing on it."""
    it, token = network.cards[card], network.context.keys.token
    async with network.engine.begin() as connection:
        if key_set not in {one.name for one in await service.key_sets(connection)}:
            await service.make_set(connection, token, key_set, from_us=1, until_us=2)
        keys = await writing.begin(connection, token, it.id, bytes.fromhex(it.uid), key_set)
    return Chip(it.token, bytes.fromhex(it.uid), keys.after), it.id, keys.version


async def written(network: Network, card: str, key_set: str = "2026") -> Chip:
    """Keys of a set whose period is over: what it is worth at terminals is nothing, here it proves the card."""
    chip, card_id, version = await begun(network, card, key_set)
    async with network.engine.begin() as connection:
        await writing.done(connection, card_id, version)
    return chip


def visit(network: Network, card: str, client: httpx.AsyncClient) -> visits.Visit:
    """What the browser shows at the card's page."""
    cookies = "; ".join(
        f"{it.name}={it.value}" for it in client.cookies.jar if it.path == f"/c/{network.cards[card].token}"
    )
    scope = {"type": "http", "headers": [(b"cookie", cookies.encode())], "app": network.app}
    return visit_of(Request(scope), network.cards[card])


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Put every clock of these pages forward, by seconds."""

    def forward(seconds: int) -> None:
        shown = taps.now_us() + seconds * 1_000_000
        for module in (taps, visits):
            monkeypatch.setattr(module, "now_us", lambda: shown)

    return forward


@both
async def test_each_tap_counts_once(network: Network, database_kind: str, later: Callable[[int], None]) -> None:
    chip, browser = await written(network, "awa"), network.client
    first = chip.address(1)
    answer = await look(browser, first)
    assert led_to(answer) == f"/c/{chip.token}", "a shared link must not carry the proof"
    assert "Votre carte vient de faire ses preuves" in words(await look(browser, led_to(answer)))
    assert visit(network, "awa", browser) == "proven"
    assert visit(network, "basile", browser) == "address", "the cookie is of this card alone"

    browser.cookies.clear()
    assert led_to(await look(browser, first)) == f"/c/{chip.token}", "the page loaded again, its answer was lost"
    assert visit(network, "awa", browser) == "seen"
    page = words(await look(browser, f"/c/{chip.token}"))
    assert "Rafftou" in page
    assert "faire ses preuves" not in page
    browser.cookies.clear()
    other = await look(browser, chip.address(1))
    assert (other.status_code, COOKIE in other.cookies) == (403, False), "the same counter with other content"
    assert led_to(await look(browser, chip.address(5))) == f"/c/{chip.token}"
    refused = await browser.get(chip.address(4), headers=ENGLISH)
    assert refused.status_code == 403
    assert "This tap was used already" in words(refused)

    last = chip.address(6)
    await look(browser, last)
    later(taps.AGAIN_US // 1_000_000 + 1)
    browser.cookies.clear()
    assert "Ce passage a déjà servi" in words(await look(browser, last))
    await look(browser, chip.address(7))
    assert visit(network, "awa", browser) == "proven"
    later(visits.LIFETIME_S + 1)
    assert visit(network, "awa", browser) == "address"
    for change in ("UPDATE card_tap SET counter = 7", "UPDATE card_tap SET counter = 6", "DELETE FROM card_tap"):
        async with network.engine.connect() as connection:
            with pytest.raises(sa.exc.DBAPIError, match="stays said"):
                await connection.execute(sa.text(change))
    async with network.engine.connect() as connection:
        assert await connection.run_sync(guards.missing) == []


@both
async def test_of_two_at_once_one_is_new(network: Network, database_kind: str) -> None:
    chip, basile = await written(network, "awa"), network.cards["basile"]
    card = network.cards["awa"].id
    said = [(1, "aa"), (2, "bb"), (2, "bb"), (2, "cc"), (3, "dd")] * 3
    came = await asyncio.gather(*(taps.taken(network.engine, card, 1, counter, mark, "") for counter, mark in said))
    assert 1 <= came.count("new") <= 3
    async with network.engine.connect() as connection:
        assert (await connection.execute(sa.select(card_tap.c.counter))).scalars().all() == [3]
    assert await taps.taken(network.engine, card, 1, 3, "DD", "") == "again"
    assert await taps.taken(network.engine, basile.id, 1, 1, "aa", "") == "new", chip


async def test_what_the_card_did_not_say_is_refused_in_words(network: Network) -> None:
    chip, other = await written(network, "awa"), await written(network, "basile")
    good = chip.address(1)
    path, _, query = good.partition("?")
    for bad in (
        f"{path}?{other.address(1).partition('?')[2]}",
        good[:-1] + ("0" if good[-1] != "0" else "1"),
        good[:-2],
        f"{path}?e=&c=",
        f"{path}?c=00",
        f"{path}?e=zz&c=%C3%A9",
        f"{path}?e=%FF%00&c=%D9%A3",
        f"{path}?e={'A' * 5000}",
        f"{path}?{query.replace('e=', 'e= ')}",
    ):
        answer = await look(network.client, bad)
        assert answer.status_code == 403, bad
        assert "ne prouve pas votre carte" in words(answer)
        assert visit(network, "awa", network.client) == "address"
    assert led_to(await look(network.client, good)) == path, "nothing of that was counted"
    unknown = await look(network.client, f"/c/{'x' * 22}?{query}")
    assert unknown.status_code == 404
    for _ in range(20):
        await look(network.client, f"{path}?e=00&c=00")
    assert (await look(network.client, f"{path}?e=00&c=00")).status_code == 429


async def test_a_card_without_keys_goes_on_as_it_is(network: Network) -> None:
    path = f"/c/{network.cards['awa'].token}"
    answer = await look(network.client, f"{path}?e=00&c=00")
    assert led_to(answer) == path
    assert visit(network, "awa", network.client) == "address"
    assert "Rafftou" in words(await look(network.client, path))


async def test_while_new_keys_are_half_written_the_old_ones_count_too(network: Network) -> None:
    old = await written(network, "awa")
    await look(network.client, old.address(100))
    new, card, version = await begun(network, "awa")
    torn = Chip(old.token, old.uid, (*new.keys[:FILE_KEY], *old.keys[FILE_KEY:]))
    for address in (old.address(101), torn.address(102), new.address(1)):
        assert led_to(await look(network.client, address)) == f"/c/{old.token}"
    assert (await look(network.client, old.address(103))).status_code == 403, "new keys were used since"
    async with network.engine.begin() as connection:
        await writing.done(connection, card, version)
    assert led_to(await look(network.client, new.address(2))) == f"/c/{old.token}"


@both
async def test_where_the_network_wants_it_only_who_held_the_card_sees_what_is_on_it(
    network: Network, database_kind: str, later: Callable[[int], None]
) -> None:
    for name in ("awa", "basile"):
        await network.top_up(name, 2000)
    chip, browser = await written(network, "awa"), network.client
    async with network.engine.begin() as connection:
        it = await the_network(connection)
        await set_network(connection, it.name, replace(it.settings, page_by_tap=True))
    page = f"/c/{chip.token}"
    assert "20,00 €" in words(await look(browser, page)), "it never proved itself, so perhaps it cannot"
    await look(browser, chip.address(1))
    assert "20,00 €" in words(await look(browser, page))
    browser.cookies.clear()
    for path in (page, f"{page}/now"):
        answer = await look(browser, path)
        assert (answer.status_code, "20,00" in answer.text) == (200, False)
        assert "Approchez votre carte de votre téléphone" in answer.text
    assert problem(await browser.get(f"{page}/notices"))[1] == "tap-needed"
    assert "20,00 €" in words(await look(browser, f"/c/{network.cards['basile'].token}")), "a card with a QR code alone"
    again = chip.address(2)
    await look(browser, again)
    browser.cookies.clear()
    await look(browser, again)
    assert "20,00 €" in words(await look(browser, page)), "loaded again it may look"
    later(visits.LIFETIME_S + 1)
    assert "20,00" not in (await look(browser, f"{page}/now")).text
    led_to(await send(browser, form_to(await look(browser, page), f"{page}/block")))
    assert "Cette carte est bloquée" in words(await look(browser, page))


async def test_a_desk_that_wrote_an_address_says_that_the_card_taps(network: Network) -> None:
    for name, addressed in (("awa", True), ("basile", False)):
        _, card, version = await begun(network, name)
        async with network.engine.begin() as connection:
            await writing.done(connection, card, version, addressed=addressed)
            assert (await card_by_id(connection, card)).taps == addressed


@given(st.text() | st.binary().map(lambda raw: base64.urlsafe_b64encode(raw).decode()))
def test_a_cookie_that_was_made_up_is_worth_nothing(cookie: str) -> None:
    assert visits.read(bytes(32), UUID(int=1), cookie, 0) == "address"


@given(st.sampled_from(get_args(visits.Visit)), st.integers(1, 2**63), st.data())
def test_a_cookie_shows_what_it_was_given_for_of_its_card_and_until_then(
    kind: visits.Visit, until_us: int, data: st.DataObject
) -> None:
    cookie = visits.written(b"k" * 32, UUID(int=1), kind, until_us)
    assert visits.read(b"k" * 32, UUID(int=1), cookie, until_us - 1) == kind
    assert visits.read(b"k" * 32, UUID(int=1), cookie, until_us) == "address"
    assert visits.read(b"k" * 32, UUID(int=2), cookie, 0) == "address"
    at = data.draw(st.integers(0, len(cookie) - 1))
    changed = cookie[:at] + ("A" if cookie[at] != "A" else "B") + cookie[at + 1 :]
    assert visits.read(b"k" * 32, UUID(int=1), changed, 0) == "address"


@given(st.text(), st.text())
def test_any_message_is_proven_or_refused(encrypted: str, mac: str) -> None:
    with pytest.raises(sun.NotSun):
        taps.proven(UID, KEYS, encrypted, mac)


@settings(max_examples=40)
@given(st.integers(0, 2**24 - 1), st.sampled_from([0, 1]), st.sampled_from([0, 1]), st.binary(min_size=5, max_size=5))
def test_whatever_keys_of_the_card_made_it_it_is_proven_and_by_another_card_never(
    counter: int, meta: int, file: int, fill: bytes
) -> None:
    made = sun.make(KEYS[meta].meta, KEYS[file].file, sun.Sun(UID, counter), fill)
    assert taps.proven(UID, KEYS, *made) == (file + 1, sun.Sun(UID, counter))
    with pytest.raises(sun.NotSun, match="another card"):
        taps.proven(UID[::-1], KEYS, *made)
