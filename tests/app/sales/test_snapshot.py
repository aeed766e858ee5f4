"""What a terminal gets to sell without us: signed, without a name in it, and exact about what it already contains."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from app.platform.clock import now_us
from app.platform.errors import Unavailable
from app.rules.ids import uuid7
from app.terminals import service as terminals
from app.wire import CancelRow, TerminalSnapshot, VoidRow
from app.wire.snapshot import SIGNATURE_HEADER
from tests.support.network import CARDS, NAMES, PASSWORD, PEOPLE, PIN, Network, Terminal, both, problem

pytestmark = pytest.mark.anyio


@pytest.fixture
def database_kind() -> str:
    """Where it makes a difference, a test is marked as one for both databases."""
    return "sqlite"


@pytest.fixture
async def bar(network: Network) -> Terminal:
    await network.top_up("awa", 1000)
    return await network.terminal("raffinerie")


async def snapshot(terminal: Terminal) -> TerminalSnapshot:
    answer = await terminal.snapshot()
    assert answer.status_code == 200, answer.text
    return TerminalSnapshot.model_validate_json(answer.content)


async def applied(terminal: Terminal) -> tuple[int, set[str]]:
    now = await snapshot(terminal)
    return now.applied_through, {str(event) for event in now.applied_beyond}


class TestDocument:
    async def test_the_signature_is_the_server_s_over_the_bytes_that_travel(
        self, network: Network, bar: Terminal
    ) -> None:
        answer = await bar.snapshot()
        key = Ed25519PublicKey.from_public_bytes(base64.b64decode(network.context.keys.public_key))
        signature = base64.b64decode(answer.headers[SIGNATURE_HEADER])
        key.verify(signature, answer.content)
        with pytest.raises(InvalidSignature):
            key.verify(signature, answer.content.replace(b"1000", b"9000"))

    async def test_it_says_what_this_venue_needs_and_no_more(self, network: Network, bar: Terminal) -> None:
        await network.shift("awa", 60)
        await network.block("basile")
        till = await network.terminal("canal")
        here, there = await snapshot(bar), await snapshot(till)
        assert (here.accepted, there.accepted) == (("RAF", "TEMPS"), ("RAF",))
        assert {p.names["fr"]: p.prices for p in here.products} == {
            "Demi": {"RAF": 350, "TEMPS": 30},
            "Eau": {"RAF": 100},
        }
        assert {p.names["fr"]: p.prices for p in there.products} == {"Café": {"RAF": 160}, "Tarte": {"RAF": 340}}
        of_here, of_there = ({card.uid: card for card in it.cards} for it in (here, there))
        assert of_here[CARDS["awa"]].balances == {"RAF": 1000, "TEMPS": 60}
        assert of_there[CARDS["awa"]].balances == {"RAF": 1000}
        assert (of_here[CARDS["basile"]].status, of_here[CARDS["camille"]].status) == ("blocked", "active")
        assert (here.zone, there.zone) == ("Indian/Reunion", "Europe/Paris")
        assert set(here.limits.cards) == {"RAF", "TEMPS"}

    async def test_staff_of_the_venue_and_of_the_network_may_sign_in(self, network: Network, bar: Terminal) -> None:
        ids = {login: await network.hired(login) for login in PEOPLE}
        staff = {it.id for it in (await snapshot(bar)).staff}
        assert staff == {ids[login] for login in ("nadia", "marie", "sana", "lucas")}

    async def test_no_name_nor_anything_of_a_person_is_in_it(self, network: Network, bar: Terminal) -> None:
        for login in PEOPLE:
            await network.hired(login)
        text = (await bar.snapshot()).text
        document: dict[str, Any] = json.loads(text)
        for login in PEOPLE:
            assert NAMES[login] not in text
            assert f'"{login}"' not in text
        for card in network.cards.values():
            assert card.label not in text
            assert card.token not in text
            assert str(card.id) not in text
            assert str(card.wallet) not in text
        assert PASSWORD not in text
        assert f'"{PIN}"' not in text
        assert all(set(it) == {"id", "pin", "rights"} for it in document["staff"])
        assert all(it["pin"].startswith("$argon2id$") for it in document["staff"])
        assert all(set(it) == {"uid", "status", "assurance", "balances"} for it in document["cards"])

    @both
    async def test_it_is_not_sent_again_while_nothing_changed(self, network: Network, bar: Terminal) -> None:
        first = await bar.snapshot()
        again = await bar.snapshot(**{"If-None-Match": first.headers["etag"]})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])
        for change in (
            network.top_up("awa", 1),
            network.block("basile"),
            network.hired("marie"),
            bar.sell("awa", {"Eau": 1}),
        ):
            known = (await bar.snapshot()).headers["etag"]
            await change
            changed = await bar.snapshot(**{"If-None-Match": known})
            assert changed.status_code == 200
            assert changed.headers["etag"] != known

    async def test_it_is_for_terminals_that_may_still_sell(self, network: Network, bar: Terminal) -> None:
        await network.post("marie", f"/terminals/{bar.id}/revoke")
        assert problem(await bar.snapshot()) == (401, "terminal-revoked")


class TestApplied:
    """Which of this terminal's own rows the balances contain: those up to the mark, and those named beyond it."""

    async def test_nothing_yet(self, bar: Terminal) -> None:
        now = await snapshot(bar)
        assert (now.applied_epoch, now.applied_through, now.applied_beyond) == (1, 0, ())

    async def test_booked_online_before_its_row_comes(self, bar: Terminal) -> None:
        sale = bar.sale("awa", {"Eau": 1})
        await bar.sell(sale)
        assert await applied(bar) == (0, {str(sale.id)})

    @both
    async def test_booked_online_and_its_row_is_in(self, bar: Terminal) -> None:
        sale = bar.sale("awa", {"Eau": 1})
        await bar.sell(sale)
        await bar.deliver(bar.sale_row(sale, mode="online"))
        assert await applied(bar) == (1, set())

    @both
    async def test_rows_that_are_kept_and_booked_while_the_mark_has_not_moved(
        self, network: Network, bar: Terminal, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await bar.deliver(bar.sale_row("awa", {"Eau": 1}))
        online = bar.sale("awa", {"Eau": 1})
        await bar.sell(online)
        offline = bar.sale_row("awa", {"Eau": 1})
        void = VoidRow(id=uuid7(), sale=offline.sale.id, reason="Erreur", at_us=now_us())
        advance = terminals.advance

        async def dies(*_: object) -> None:
            raise Unavailable("The server goes down.", 1)

        monkeypatch.setattr(terminals, "advance", dies)
        batch = bar.journal.batch(bar.journal.add(bar.sale_row(online, mode="online"), offline, void))
        assert (await bar.sync(batch)).status_code == 503
        assert await applied(bar) == (1, {str(online.id), str(offline.sale.id), str(void.id)})
        balance = next(it for it in (await snapshot(bar)).cards if it.uid == CARDS["awa"]).balances
        assert balance == {"RAF": 800}
        monkeypatch.setattr(terminals, "advance", advance)
        await bar.sync(batch)
        assert await applied(bar) == (4, set())

    async def test_rows_beyond_a_gap_are_kept_but_not_applied(self, bar: Terminal) -> None:
        rows = bar.journal.add(*(bar.sale_row("awa", {"Eau": 1}) for _ in range(3)))
        await bar.sync(bar.journal.batch(rows[1:]))
        assert await applied(bar) == (0, set())
        await bar.sync(bar.journal.batch(rows))
        assert await applied(bar) == (3, set())

    async def test_a_cancel_that_found_nothing_is_applied_by_the_mark_alone(self, bar: Terminal) -> None:
        await bar.deliver(CancelRow(id=uuid7(), sale=uuid7(), at_us=now_us()))
        assert await applied(bar) == (1, set())

    async def test_other_terminals_rows_are_none_of_this_one_s(self, network: Network, bar: Terminal) -> None:
        terrace = await network.terminal("raffinerie", "Terrasse")
        await terrace.sell("awa", {"Eau": 1})
        await terrace.deliver(terrace.sale_row("awa", {"Eau": 1}))
        assert await applied(bar) == (0, set())
        balance = next(it for it in (await snapshot(bar)).cards if it.uid == CARDS["awa"]).balances
        assert balance == {"RAF": 800}

    async def test_a_new_epoch_begins_at_its_first_row(self, network: Network, bar: Terminal) -> None:
        await bar.deliver(*(bar.sale_row("awa", {"Eau": 1}) for _ in range(3)))
        body = {"name": "Bar", "terminal": str(bar.id)}
        code = (await network.post("marie", f"/venues/{bar.venue.id}/pairing-codes", body)).json()["code"]
        again = await network.pair(code)
        now = await snapshot(again)
        assert (now.applied_epoch, now.applied_through) == (2, 0)
        await again.deliver(again.sale_row("awa", {"Eau": 1}))
        assert (await snapshot(again)).applied_through == 1


class TestPeers:
    """The other terminals that may sell: how to know rows that they signed, and which of them the balances contain."""

    @both
    async def test_each_peer_comes_with_its_key_and_its_marks(self, network: Network, bar: Terminal) -> None:
        terrace = await network.terminal("raffinerie", "Terrasse")
        await terrace.deliver(terrace.sale_row("awa", {"Eau": 1}))
        online = terrace.sale("awa", {"Eau": 1})
        await terrace.sell(online)
        of_bar, of_terrace = await snapshot(bar), await snapshot(terrace)
        (peer,), (applied,) = of_bar.peers, of_bar.applied_others
        assert (peer.device, peer.epoch) == (terrace.id, 1)
        Ed25519PublicKey.from_public_bytes(base64.b64decode(peer.key)).verify(terrace.key.sign(b"row"), b"row")
        assert (applied.device, applied.epoch, applied.through, applied.beyond) == (terrace.id, 1, 1, (online.id,))
        assert [it.device for it in of_terrace.peers] == [it.device for it in of_terrace.applied_others] == [bar.id]

    async def test_one_that_may_no_longer_sell_is_no_peer(self, network: Network, bar: Terminal) -> None:
        terrace = await network.terminal("raffinerie", "Terrasse")
        await network.post("marie", f"/terminals/{terrace.id}/revoke")
        now = await snapshot(bar)
        assert (now.peers, now.applied_others) == ((), ())

    @both
    async def test_of_one_that_may_no_longer_sell_it_is_still_told_what_the_balances_contain(
        self, network: Network, bar: Terminal
    ) -> None:
        """What it sold may have come to the bar through the site hub, and would count twice."""
        terrace = await network.terminal("raffinerie", "Terrasse")
        await terrace.deliver(terrace.sale_row("awa", {"Eau": 1}))
        await network.post("marie", f"/terminals/{terrace.id}/revoke")
        now = await snapshot(bar)
        assert now.peers == ()
        assert [(it.device, it.through) for it in now.applied_others] == [(terrace.id, 1)]
