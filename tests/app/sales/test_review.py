"""Rows that wait for a person: forked journals, revoked terminals, old epochs. Nothing is lost, nothing twice."""

from __future__ import annotations

import itertools
import re
from collections import namedtuple
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.platform.clock import now_us
from app.rules.ids import uuid7
from app.sales import late
from app.sales.review import branches_of, decide
from app.terminals.service import of_epoch
from app.wire import Batch, VoidRow
from tests.support.network import Network, Terminal, both, problem
from tests.support.pages import look, words

pytestmark = pytest.mark.anyio


@pytest.fixture
def database_kind() -> str:
    return "sqlite"


@pytest.fixture
async def bar(network: Network) -> Terminal:
    await network.top_up("awa", 2000)
    return await network.terminal("raffinerie", "Terrasse")


def page_of(bar: Terminal) -> str:
    return f"/admin/terminals/{bar.id}/review"


async def hand_over(bar: Terminal, batch: Batch) -> httpx.Response:
    body = batch.model_dump(mode="json")
    return await bar.network.client.post("/api/v1/terminals/handover", json=body)


async def revoke(bar: Terminal) -> None:
    assert (await bar.network.post("marie", f"/terminals/{bar.id}/revoke")).status_code == 204


async def act(
    bar: Terminal, what: str, *rows: str, reason: str = "Both bars sold", login: str = "marie"
) -> httpx.Response:
    """Press a button of the page."""
    client = await bar.network.person(login)
    data = {"act": what, "reason": reason, "row": list(rows)}
    return await client.post(page_of(bar), data=data, headers={"Accept": "text/html"})


async def waiting(bar: Terminal) -> dict[int, list[str]]:
    """The page's boxes that can be ticked, by their row's number."""
    text = (await look(await bar.network.person("marie"), f"{page_of(bar)}?lang=en")).text
    found: dict[int, list[str]] = {}
    for id_, sequence in re.findall(r'name="row" value="(\d+)".*?row (\d+)', text, re.DOTALL):
        found.setdefault(int(sequence), []).append(id_)
    return found


async def fork(bar: Terminal) -> None:
    """Row 1 is common; the original sells 2 waters and then 1, the copy 3 and then a void of it."""
    await bar.deliver(bar.sale_row("awa", {"Eau": 1}))
    copy = bar.journal.copy()
    await bar.deliver(bar.sale_row("awa", {"Eau": 2}))
    sold = bar.sale_row("awa", {"Eau": 3})
    undone = VoidRow(id=uuid7(), sale=sold.sale.id, reason="Erreur", at_us=now_us())
    assert (await bar.sync(copy.batch(copy.add(sold, undone)))).json()["acknowledged"] == 3
    later = await bar.deliver(bar.sale_row("awa", {"Eau": 1}))
    assert (later["quarantined"], later["acknowledged"]) == (True, 3)


class TestForks:
    @both
    async def test_both_branches_stand_side_by_side_and_each_event_is_booked_once(
        self, network: Network, bar: Terminal
    ) -> None:
        await fork(bar)
        assert await network.holds("awa") == {"RAF": 1700, "TEMPS": 0}
        ((kind, details),) = await network.exceptions()
        assert (kind, details["rows"], details["name"]) == ("forked-journal", 3, "Terrasse")
        page = words(await look(await network.person("marie"), f"{page_of(bar)}?lang=en"))
        assert "Booked as it came in" in page
        assert page.count("Waits for you") == 3
        assert "3 × Eau" in page
        assert (await act(bar, "book_all")).status_code == 303
        # 2 + 1 + 1 for what stands, and the 3 of the copy were given back.
        assert await network.holds("awa") == {"RAF": 1600, "TEMPS": 0}
        assert await network.exceptions() == []
        assert await waiting(bar) == {}
        for _ in range(2):
            assert (await act(bar, "book_all")).status_code == 303
        assert await network.holds("awa") == {"RAF": 1600, "TEMPS": 0}

    async def test_rows_are_chosen_one_by_one_and_left_out_for_good(self, network: Network, bar: Terminal) -> None:
        await fork(bar)
        boxes = await waiting(bar)
        assert sorted(boxes) == [2, 3]
        assert (await act(bar, "book", boxes[2][0])).status_code == 303
        assert await network.holds("awa") == {"RAF": 1400, "TEMPS": 0}
        assert (await act(bar, "leave_out", *boxes[3], reason="A test at home")).status_code == 303
        assert (await act(bar, "book", *boxes[3])).status_code == 303
        assert await network.holds("awa") == {"RAF": 1400, "TEMPS": 0}
        page = words(await look(await network.person("marie"), f"{page_of(bar)}?lang=en"))
        assert page.count("Left out") == 2
        assert "A test at home" in page

    async def test_what_a_card_cannot_pay_is_an_exception_like_any_other(self, network: Network, bar: Terminal) -> None:
        copy = bar.journal.copy()
        await bar.deliver(bar.sale_row("awa", {"Eau": 1}))
        await bar.sync(copy.batch(copy.add(bar.sale_row("basile", {"Eau": 4}), "not a row")))
        await act(bar, "book_all")
        assert sorted(kind for kind, _ in await network.exceptions()) == ["offline-overdraft", "unreadable"]
        assert await network.claims("raffinerie") == {"RAF": 500}

    async def test_a_reason_and_a_choice_are_asked_for(self, network: Network, bar: Terminal) -> None:
        await fork(bar)
        (first, *_), *_ = (await waiting(bar)).values()
        assert (await act(bar, "book", first, reason="  ")).status_code == 422
        assert (await act(bar, "book")).status_code == 422
        assert (await act(bar, "book_all", login="yann")).status_code == 403
        assert (await (await network.person("yann")).get(page_of(bar))).status_code == 403
        assert len([box for boxes in (await waiting(bar)).values() for box in boxes]) == 3

    async def test_a_new_epoch_sells_and_the_copy_stays_locked(self, network: Network, bar: Terminal) -> None:
        await fork(bar)
        await act(bar, "book_all")
        code = await network.post(
            "nadia", f"/venues/{bar.venue.id}/pairing-codes", {"name": "x", "terminal": str(bar.id)}
        )
        again = await network.pair(code.json()["code"], bar.key)
        assert (await again.sell("awa", {"Eau": 1})).status_code == 201
        # The copy has the same key, and so gets a token; what it delivers is of an epoch that is over.
        bar.token = again.token
        reply = await bar.deliver(bar.sale_row("awa", {"Eau": 5}))
        assert reply["quarantined"] is True
        assert (await again.sell("awa", {"Eau": 1})).status_code == 201
        assert [kind for kind, _ in await network.exceptions()] == ["late-rows"]
        assert await network.holds("awa") == {"RAF": 1400, "TEMPS": 0}


class TestRevoked:
    @both
    async def test_what_it_had_sold_is_handed_over_kept_and_booked_by_a_person(
        self, network: Network, bar: Terminal
    ) -> None:
        rows = bar.journal.add(bar.sale_row("awa", {"Eau": 2}), bar.sale_row("awa", {"Demi": 1}))
        await revoke(bar)
        assert problem(await bar.sync(bar.journal.batch(rows))) == (401, "terminal-revoked")
        for _ in range(2):
            reply = (await hand_over(bar, bar.journal.batch(rows))).json()
            assert (reply["acknowledged"], reply["quarantined"]) == (2, True)
        assert await network.holds("awa") == {"RAF": 2000, "TEMPS": 0}
        ((kind, details),) = await network.exceptions()
        assert (kind, details["rows"]) == ("late-rows", 2)
        assert "Sold things that wait for your review: 2" in words(
            await look(await network.person("marie"), "/admin/terminals?lang=en")
        )
        await act(bar, "book_all")
        assert await network.holds("awa") == {"RAF": 1450, "TEMPS": 0}
        assert await network.exceptions() == []

    async def test_rows_made_after_the_revocation_are_believed_one_by_one_only(
        self, network: Network, bar: Terminal
    ) -> None:
        bar.journal.add(bar.sale_row("awa", {"Eau": 1}))
        await revoke(bar)
        bar.journal.add(bar.sale_row("awa", {"Demi": 1}, at_us=now_us() + 60_000_000))
        await hand_over(bar, bar.journal.batch())
        await act(bar, "book_all")
        assert await network.holds("awa") == {"RAF": 1900, "TEMPS": 0}
        page = words(await look(await network.person("marie"), f"{page_of(bar)}?lang=en"))
        assert "After it was revoked" in page
        boxes = await waiting(bar)
        assert list(boxes) == [2]
        await act(bar, "book", *boxes[2])
        assert await network.holds("awa") == {"RAF": 1550, "TEMPS": 0}

    async def test_a_second_revocation_does_not_move_the_moment(self, network: Network, bar: Terminal) -> None:
        await revoke(bar)
        row = bar.sale_row("awa", {"Eau": 1}, at_us=now_us())
        await revoke(bar)
        await hand_over(bar, bar.journal.batch(bar.journal.add(row)))
        await act(bar, "book_all")
        assert await network.holds("awa") == {"RAF": 2000, "TEMPS": 0}

    async def test_only_what_the_device_signed_and_only_once_it_may_not_sell(
        self, network: Network, bar: Terminal
    ) -> None:
        bar.journal.add(bar.sale_row("awa", {"Eau": 1}))
        good = bar.journal.batch()
        assert problem(await hand_over(bar, good)) == (409, "conflict")
        await revoke(bar)
        other = await network.terminal("canal")
        forged = Batch(**{**good.model_dump(), "signature": other.journal.key.sign(good.message()).hex()})
        assert problem(await hand_over(bar, forged)) == (401, "wrong-signature")
        assert problem(await hand_over(bar, good.model_copy(update={"epoch": 9}))) == (422, "epoch-unknown")
        assert await waiting(bar) == {}

    async def test_a_gap_asks_for_what_is_missing(self, network: Network, bar: Terminal) -> None:
        rows = bar.journal.add(*(bar.sale_row("awa", {"Eau": 1}) for _ in range(3)))
        await revoke(bar)
        reply = (await hand_over(bar, bar.journal.batch(rows[2:]))).json()
        assert (reply["acknowledged"], reply["resend_from"]) == (1, 2)
        assert (await hand_over(bar, bar.journal.batch(rows))).json()["acknowledged"] == 3

    async def test_who_has_a_stolen_key_can_fill_only_so_much(
        self, network: Network, bar: Terminal, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await revoke(bar)
        monkeypatch.setattr(late, "HELD_ROWS_MAX", 2)
        await hand_over(bar, bar.journal.batch(bar.journal.add(*(bar.sale_row("awa", {"Eau": 1}) for _ in range(2)))))
        more = bar.journal.add(bar.sale_row("awa", {"Eau": 1}))
        assert problem(await hand_over(bar, bar.journal.batch(more))) == (422, "review-full")


async def test_an_old_epochs_rows_are_signed_with_its_key_and_sold_at_its_venue(
    network: Network, bar: Terminal
) -> None:
    """A dead Pi's card, read after its successor was paired with a key of its own."""
    rows = bar.journal.add(bar.sale_row("awa", {"Eau": 2}))
    code = await network.post("nadia", f"/venues/{bar.venue.id}/pairing-codes", {"name": "x", "terminal": str(bar.id)})
    await network.pair(code.json()["code"])
    assert (await hand_over(bar, bar.journal.batch(rows))).json()["acknowledged"] == 1
    await act(bar, "book_all")
    assert await network.claims("raffinerie") == {"RAF": 200}


async def test_a_crash_between_booking_and_noting_it_books_nothing_twice(
    network: Network, bar: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    bar.journal.add(bar.sale_row("awa", {"Eau": 2}))
    await revoke(bar)
    await hand_over(bar, bar.journal.batch())
    async with network.engine.connect() as connection:
        at = await of_epoch(connection, bar.id, 1)

    async def crash(*_: Any) -> None:
        raise RuntimeError("killed")

    arguments: Any = (network.engine, network.ledger, at, None, "booked", "why", network.app.state.row_handlers, "test")
    with monkeypatch.context() as patch:
        patch.setattr("app.sales.review._remember", crash)
        with pytest.raises(RuntimeError):
            await decide(*arguments)
    assert await network.holds("awa") == {"RAF": 1800, "TEMPS": 0}
    assert await decide(*arguments) == 1
    assert await network.holds("awa") == {"RAF": 1800, "TEMPS": 0}


Kept = namedtuple("Kept", "sequence hash previous review")


@st.composite
def journals(draw: st.DrawFn) -> list[Kept]:
    """A tree of rows, as copies of one card would deliver them."""
    rows = [Kept(1, "r0", "root", None)]
    for number in range(1, draw(st.integers(1, 12))):
        before = draw(st.sampled_from(rows))
        rows.append(Kept(before.sequence + 1, f"r{number}", before.hash, draw(st.sampled_from([None, "forked"]))))
    return sorted(rows)


@given(journals())
def test_every_row_is_in_one_branch_in_its_order(rows: list[Kept]) -> None:
    branches = branches_of(rows)
    assert sorted(row for branch in branches for row in branch) == rows
    for branch in branches:
        assert all(after.previous == before.hash for before, after in itertools.pairwise(branch))
