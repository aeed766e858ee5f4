"""A terminal's journal comes in: kept byte for byte, booked once by its ids, and never refused on its merits."""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.platform.clock import now_us
from app.platform.errors import Unavailable
from app.rules.ids import uuid7
from app.sales import intake as service
from app.sales.rows import HANDLERS
from app.sales.service import counter_of
from app.sales.tables import intake
from app.terminals import service as terminals
from app.terminals.rows import Exceptions
from app.terminals.service import revoke, terminal_named
from app.wire import CancelRow, IntentRow, RefusedRow, Sale, SaleRow, VoidRow
from tests.support.network import UNKNOWN_UID, Network, Terminal, both, problem

pytestmark = pytest.mark.anyio


@pytest.fixture
def database_kind() -> str:
    """Where it makes a difference, a test is marked as one for both databases."""
    return "sqlite"


def cancel(sale: Sale) -> CancelRow:
    return CancelRow(id=uuid7(), sale=sale.id, at_us=now_us())


def void(sale: Sale) -> VoidRow:
    return VoidRow(id=uuid7(), sale=sale.id, reason="Erreur de saisie", at_us=now_us())


async def kept(network: Network, terminal: Terminal) -> list[tuple[int, str]]:
    """(sequence, payload) of everything received from a terminal."""
    async with network.context.reader.connect() as connection:
        query = sa.select(intake.c.sequence, intake.c.payload).where(intake.c.device == terminal.id)
        return [(row.sequence, row.payload) for row in await connection.execute(query.order_by(intake.c.id))]


@pytest.fixture
async def bar(network: Network) -> Terminal:
    """A terminal at the Raffinerie; Awa's card holds 10.00."""
    await network.top_up("awa", 1000)
    return await network.terminal("raffinerie")


@both
class TestDelivery:
    async def test_an_offline_sale_is_booked_when_it_comes(self, network: Network, bar: Terminal) -> None:
        row = bar.sale_row("awa", {"Demi": 2})
        intent = IntentRow(sale=row.sale.id, at_us=now_us())
        reply = await bar.deliver(intent, row)
        assert (reply["acknowledged"], reply["resend_from"], reply["quarantined"]) == (2, None, False)
        assert reply["exceptions"] == []
        assert abs(reply["server_time_us"] - now_us()) < 60_000_000
        assert await network.holds("awa") == {"RAF": 300, "TEMPS": 0}
        assert await network.claims("raffinerie") == {"RAF": 700}
        assert await kept(network, bar) == [(1, intent.model_dump_json()), (2, row.model_dump_json())]

    async def test_a_sale_booked_online_is_not_booked_again_by_its_row(self, network: Network, bar: Terminal) -> None:
        sale = bar.sale("awa", {"Demi": 1})
        await bar.sell(sale)
        await bar.deliver(bar.sale_row(sale, mode="online"))
        assert await network.holds("awa") == {"RAF": 650, "TEMPS": 0}
        assert await network.exceptions() == []

    async def test_the_same_bytes_again_get_the_same_answer_and_book_nothing_twice(
        self, network: Network, bar: Terminal
    ) -> None:
        batch = bar.journal.batch(bar.journal.add(bar.sale_row("awa", {"Demi": 1}), bar.sale_row("awa", {"Eau": 2})))
        answers = [(await bar.sync(batch)).json() for _ in range(3)]
        assert len({tuple(it[k] for k in ("acknowledged", "resend_from", "quarantined")) for it in answers}) == 1
        assert await network.holds("awa") == {"RAF": 450, "TEMPS": 0}
        assert len(await kept(network, bar)) == 2

    async def test_a_batch_that_overlaps_what_was_taken_goes_on_from_there(
        self, network: Network, bar: Terminal
    ) -> None:
        await bar.deliver(*(bar.sale_row("awa", {"Eau": 1}) for _ in range(3)))
        bar.journal.add(bar.sale_row("awa", {"Eau": 1}))
        reply = (await bar.sync(bar.journal.batch())).json()
        assert reply["acknowledged"] == 4
        assert await network.holds("awa") == {"RAF": 600, "TEMPS": 0}

    async def test_a_gap_is_kept_but_not_skipped(self, network: Network, bar: Terminal) -> None:
        rows = bar.journal.add(*(bar.sale_row("awa", {"Eau": 1}) for _ in range(4)))
        early = (await bar.sync(bar.journal.batch(rows[2:]))).json()
        assert (early["acknowledged"], early["resend_from"]) == (0, 1)
        assert await network.holds("awa") == {"RAF": 1000, "TEMPS": 0}
        assert [sequence for sequence, _ in await kept(network, bar)] == [3, 4]
        assert (await bar.sync(bar.journal.batch(rows[:2]))).json()["acknowledged"] == 2
        assert (await bar.sync(bar.journal.batch(rows[2:]))).json()["acknowledged"] == 4
        assert await network.holds("awa") == {"RAF": 600, "TEMPS": 0}
        assert len(await kept(network, bar)) == 4

    async def test_what_was_not_delivered_before_a_new_pairing_still_is(self, network: Network, bar: Terminal) -> None:
        batch = bar.journal.batch(bar.journal.add(bar.sale_row("awa", {"Eau": 1})))
        body = {"name": "Bar", "terminal": str(bar.id)}
        code = (await network.post("marie", f"/venues/{bar.venue.id}/pairing-codes", body)).json()["code"]
        again = await network.pair(code, bar.key)
        assert (await again.sync(batch)).json()["acknowledged"] == 1
        assert (await again.deliver(again.sale_row("awa", {"Eau": 1})))["acknowledged"] == 1
        assert await network.holds("awa") == {"RAF": 800, "TEMPS": 0}

    async def test_when_the_mark_could_not_be_moved_the_batch_is_taken_again(
        self, network: Network, bar: Terminal, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A server that dies after booking and before it noted so, as the next one finds it."""
        await network.shift("awa", 10)
        rows = (bar.sale_row("awa", {"Demi": 3}), bar.sale_row(UNKNOWN_UID, {"Eau": 1}), "no row of ours")
        batch = bar.journal.batch(bar.journal.add(*rows))
        advance = terminals.advance

        async def dies(*_: object) -> None:
            raise Unavailable("The server goes down.", 1)

        monkeypatch.setattr(terminals, "advance", dies)
        assert problem(await bar.sync(batch)) == (503, "busy")
        assert await network.exceptions() == [], "nothing half-written"
        await network.block("awa")
        monkeypatch.setattr(terminals, "advance", advance)
        assert (await bar.sync(batch)).json()["acknowledged"] == 3
        assert await network.holds("awa") == {"RAF": -50, "TEMPS": 10}
        assert await network.suspense() == {"RAF": -100}
        found = await network.exceptions()
        assert sorted(kind for kind, _ in found) == ["offline-overdraft", "unknown-card", "unreadable"]

    async def test_two_deliveries_of_one_batch_at_once_leave_one_exception_of_each(
        self, network: Network, bar: Terminal
    ) -> None:
        async with network.context.reader.connect() as connection:
            counter = await counter_of(network.context.reader, bar.id, bar.epoch)
            assert (await terminal_named(connection, bar.id)).status == "active"
        batch = bar.journal.batch(bar.journal.add("no row of ours", bar.sale_row(UNKNOWN_UID, {"Eau": 1})))
        rows = [(row, service.read_row(row)) for row in batch.rows]
        for _ in range(2):
            found = Exceptions()
            await service.book(network.ledger, counter, rows, HANDLERS, found)
            async with network.engine.begin() as connection:
                await service.open_exceptions(connection, counter, found)
        assert sorted(kind for kind, _ in await network.exceptions()) == ["unknown-card", "unreadable"]


class TestNotTheirs:
    """Batches that are not this terminal's journal are refused whole, and not even kept."""

    async def test_signed_with_another_key(self, network: Network, bar: Terminal) -> None:
        bar.journal.add(bar.sale_row("awa", {"Eau": 1}))
        forged = replace(bar.journal, key=Ed25519PrivateKey.generate())
        assert problem(await bar.sync(forged.batch())) == (401, "wrong-signature")
        good = bar.journal.batch()
        for signature in ("", "no base64", base64.b64encode(bytes(64)).decode(), good.signature[:-4]):
            body = {**good.model_dump(mode="json"), "signature": signature}
            assert problem(await bar.sync(body)) == (401, "wrong-signature")
        assert await kept(network, bar) == []
        assert await network.holds("awa") == {"RAF": 1000, "TEMPS": 0}

    async def test_another_terminal_s(self, network: Network, bar: Terminal) -> None:
        terrace = await network.terminal("raffinerie", "Terrasse")
        terrace.journal.add(terrace.sale_row("awa", {"Eau": 1}))
        assert problem(await bar.sync(terrace.journal.batch())) == (401, "wrong-signature")

    async def test_a_revoked_terminal_s(self, network: Network, bar: Terminal) -> None:
        bar.journal.add(bar.sale_row("awa", {"Eau": 1}))
        async with network.engine.begin() as connection:
            await revoke(connection, bar.id)
        assert problem(await bar.sync(bar.journal.batch())) == (401, "terminal-revoked")

    async def test_an_epoch_that_was_never_issued(self, network: Network, bar: Terminal) -> None:
        later = replace(bar.journal, epoch=7, rows=[])
        later.add(bar.sale_row("awa", {"Eau": 1}))
        assert problem(await bar.sync(later.batch())) == (422, "epoch-unknown")

    async def test_a_chain_that_is_broken(self, network: Network, bar: Terminal) -> None:
        rows = bar.journal.add(*(bar.sale_row("awa", {"Eau": 1}) for _ in range(3)))
        dearer = rows[1].payload.replace('"quantity":1', '"quantity":9')
        for wrong in (
            [rows[0], rows[1].model_copy(update={"payload": dearer}), rows[2]],
            [rows[0], rows[1].model_copy(update={"previous": rows[1].hash}), rows[2]],
            [rows[0], rows[2]],
            [rows[1], rows[0]],
        ):
            assert problem(await bar.sync(bar.journal.batch(wrong))) == (422, "broken-chain")
        assert await kept(network, bar) == []

    async def test_bodies_out_of_bounds(self, network: Network, bar: Terminal) -> None:
        body = bar.journal.batch(bar.journal.add(bar.sale_row("awa", {"Eau": 1}))).model_dump(mode="json")
        row: dict[str, Any] = body["rows"][0]
        change: dict[str, Any]
        for change in (
            {"rows": []},
            {"rows": [row] * 501},
            {"rows": [{**row, "sequence": 0}]},
            {"rows": [{**row, "hash": "00"}]},
            {"rows": [{**row, "payload": "x" * 64_001}]},
            {"epoch": 2**64},
            {"epoch": 0},
            {"waiting": -1},
            {"waiting": 2**40},
            {"sent_at_us": "now"},
            {"extra": 1},
        ):
            assert problem(await bar.sync({**body, **change})) == (422, "invalid"), change
        too_large = {**body, "rows": [{**row, "payload": "x" * 60_000}] * 20}
        assert problem(await bar.sync(too_large)) == (413, "body-too-large")

    async def test_a_payload_that_no_text_column_can_hold(self, network: Network, bar: Terminal) -> None:
        bar.journal.add("\0")
        assert problem(await bar.sync(bar.journal.batch())) == (422, "broken-chain")


class TestForks:
    """Two journals under one identity: a copied SD card. Both branches are kept, none is believed."""

    @both
    async def test_both_branches_are_kept_and_the_terminal_is_set_aside(self, network: Network, bar: Terminal) -> None:
        await bar.deliver(bar.sale_row("awa", {"Eau": 1}))
        copy = bar.journal.copy()
        await bar.deliver(bar.sale_row("awa", {"Eau": 2}))
        other = bar.sale_row("awa", {"Eau": 3})
        reply = (await bar.sync(copy.batch(copy.add(other)))).json()
        assert (reply["quarantined"], reply["acknowledged"]) == (True, 2)
        assert [sequence for sequence, _ in await kept(network, bar)] == [1, 2, 2]
        assert (2, other.model_dump_json()) in await kept(network, bar)
        assert await network.holds("awa") == {"RAF": 700, "TEMPS": 0}
        assert problem(await bar.sell("awa", {"Eau": 1})) == (403, "quarantined")
        fleet = (await network.get("marie", "/terminals")).json()
        assert [it["status"] for it in fleet] == ["quarantined"]

    async def test_what_comes_later_is_kept_and_waits_for_the_review(self, network: Network, bar: Terminal) -> None:
        copy = bar.journal.copy()
        await bar.deliver(bar.sale_row("awa", {"Eau": 1}))
        await bar.sync(copy.batch(copy.add(bar.sale_row("awa", {"Eau": 2}))))
        for journal in (bar.journal, copy):
            reply = (await bar.sync(journal.batch(journal.add(bar.sale_row("awa", {"Eau": 5}))))).json()
            # Kept is acknowledged, so that either may be paired anew; nothing of it is booked.
            assert (reply["quarantined"], reply["acknowledged"]) == (True, 2)
        assert [sequence for sequence, _ in await kept(network, bar)] == [1, 1, 2, 2]
        assert await network.holds("awa") == {"RAF": 900, "TEMPS": 0}

    async def test_a_branch_that_leaves_below_the_first_row_sent_is_seen_too(
        self, network: Network, bar: Terminal
    ) -> None:
        copy = bar.journal.copy()
        await bar.deliver(bar.sale_row("awa", {"Eau": 1}))
        rows = copy.add(bar.sale_row("awa", {"Eau": 2}), bar.sale_row("awa", {"Eau": 3}))
        assert (await bar.sync(copy.batch(rows[1:]))).json()["quarantined"] is True
        assert await network.holds("awa") == {"RAF": 900, "TEMPS": 0}

    async def test_a_fork_does_not_bring_a_revoked_terminal_back(self, network: Network, bar: Terminal) -> None:
        copy = bar.journal.copy()
        await bar.deliver(bar.sale_row("awa", {"Eau": 1}))
        counter = await counter_of(network.context.reader, bar.id, bar.epoch)
        async with network.engine.begin() as connection:
            await revoke(connection, bar.id)
        batch = copy.batch(copy.add(bar.sale_row("awa", {"Eau": 2})))
        assert (await service.receive(network.engine, network.ledger, counter, batch, HANDLERS)).quarantined
        async with network.context.reader.connect() as connection:
            assert (await terminal_named(connection, bar.id)).status == "revoked"


class TestExceptions:
    """The beer was poured: it is booked, and a person is told what is wrong with it."""

    @both
    async def test_an_unknown_card_goes_to_suspense(self, network: Network, bar: Terminal) -> None:
        row = bar.sale_row(UNKNOWN_UID, {"Demi": 1})
        reply = await bar.deliver(row)
        assert reply["exceptions"] == [str(row.sale.id)]
        assert await network.exceptions() == [("unknown-card", {"card": UNKNOWN_UID})]
        assert await network.suspense() == {"RAF": -350}
        assert await network.claims("raffinerie") == {"RAF": 350}

    async def test_a_blocked_card_goes_to_suspense_and_its_holder_keeps_the_money(
        self, network: Network, bar: Terminal
    ) -> None:
        await network.block("awa")
        row = bar.sale_row("awa", {"Demi": 1})
        await bar.deliver(row)
        assert await network.exceptions() == [("blocked-card", {"card": row.sale.card})]
        assert await network.suspense() == {"RAF": -350}
        assert await network.holds("awa") == {"RAF": 1000, "TEMPS": 0}

    @both
    async def test_more_than_the_card_held_is_owed_and_repaid_by_the_next_top_up(
        self, network: Network, bar: Terminal
    ) -> None:
        row = bar.sale_row("awa", {"Demi": 4})
        await bar.deliver(row)
        assert await network.exceptions() == [
            ("offline-overdraft", {"card": row.sale.card, "owed": {row.sale.card: {"RAF": 400}}})
        ]
        assert await network.holds("awa") == {"RAF": -400, "TEMPS": 0}
        assert await network.claims("raffinerie") == {"RAF": 1400}
        assert problem(await bar.sell("awa", {"Eau": 1})) == (402, "insufficient-funds")
        await network.top_up("awa", 900)
        assert await network.holds("awa") == {"RAF": 500, "TEMPS": 0}
        assert (await bar.sell("awa", {"Eau": 5})).json()["balances"] == {"RAF": 0}

    async def test_hours_that_were_owed_are_repaid_by_the_next_shift(self, network: Network, bar: Terminal) -> None:
        await bar.deliver(bar.sale_row("awa", {"Demi": 2}, pay="TEMPS"))
        assert await network.holds("awa") == {"RAF": 1000, "TEMPS": -60}
        await network.shift("awa", 90)
        assert problem(await bar.sell("awa", {"Demi": 2}, pay="TEMPS")) == (402, "insufficient-funds")
        assert await network.holds("awa") == {"RAF": 1000, "TEMPS": 30}

    async def test_a_sale_told_as_online_that_this_server_never_booked_is_looked_at_like_any_other(
        self, network: Network, bar: Terminal
    ) -> None:
        """As after a restored backup: the terminal has a green light on record, and we do not."""
        await bar.deliver(
            bar.sale_row("awa", {"Demi": 4}, mode="online"), bar.sale_row(UNKNOWN_UID, {"Eau": 1}, mode="online")
        )
        assert [kind for kind, _ in await network.exceptions()] == ["offline-overdraft", "unknown-card"]

    async def test_a_card_blocked_after_it_paid_is_no_exception(self, network: Network, bar: Terminal) -> None:
        sale = bar.sale("awa", {"Eau": 1})
        await bar.sell(sale)
        await network.block("awa")
        await bar.deliver(bar.sale_row(sale))
        assert await network.exceptions() == []

    @both
    async def test_a_row_that_nobody_can_read_is_kept_and_the_next_ones_are_booked(
        self, network: Network, bar: Terminal
    ) -> None:
        newer = '{"kind":"tip","amount":100}'
        reply = await bar.deliver(newer, "", "[" * 5000, bar.sale_row("awa", {"Eau": 1}))
        assert reply["acknowledged"] == 4
        assert (await kept(network, bar))[0] == (1, newer)
        found = await network.exceptions()
        assert [kind for kind, _ in found] == ["unreadable"] * 3
        assert {details["sequence"] for _, details in found} == {1, 2, 3}
        assert await network.holds("awa") == {"RAF": 900, "TEMPS": 0}

    async def test_a_currency_that_nobody_knows(self, network: Network, bar: Terminal) -> None:
        sale = bar.sale("awa", {"Demi": 1}, pay="GALETS", prices={"Demi": 10})
        reply = await bar.deliver(bar.sale_row(sale), bar.sale_row("awa", {"Eau": 1}))
        assert reply["acknowledged"] == 2
        assert [kind for kind, _ in await network.exceptions()] == ["currency-unknown"]
        assert await network.holds("awa") == {"RAF": 900, "TEMPS": 0}

    async def test_an_id_that_is_taken_by_another_sale(self, network: Network, bar: Terminal) -> None:
        sale = bar.sale("awa", {"Eau": 1})
        await bar.sell(sale)
        other = bar.sale("awa", {"Demi": 1}, id_=sale.id)
        await bar.deliver(bar.sale_row(other), bar.sale_row("awa", {"Eau": 1}))
        assert [kind for kind, _ in await network.exceptions()] == ["not-booked"]
        assert await network.holds("awa") == {"RAF": 800, "TEMPS": 0}

    async def test_a_price_that_changed_and_a_venue_that_stopped_accepting_do_not_matter(
        self, network: Network
    ) -> None:
        till = await network.terminal("canal")
        await network.shift("awa", 60)
        await till.deliver(
            till.sale_row("awa", {"Café": 1}, prices={"Café": 1}),
            till.sale_row("awa", {"Café": 1}, pay="TEMPS", prices={"Café": 10}),
        )
        assert await network.claims("canal") == {"RAF": 1, "TEMPS": 10}

    async def test_refused_and_intended_sales_are_evidence_only(self, network: Network, bar: Terminal) -> None:
        sale = uuid7()
        refused = RefusedRow(sale=sale, card=None, reason="insufficient-funds", at_us=now_us())
        assert (await bar.deliver(IntentRow(sale=sale, at_us=now_us()), refused))["acknowledged"] == 2
        assert await network.exceptions() == []
        assert await network.claims("raffinerie") == {}

    async def test_each_admin_sees_those_of_their_venue(self, network: Network, bar: Terminal) -> None:
        await bar.deliver(bar.sale_row(UNKNOWN_UID, {"Eau": 1}))
        assert len(await network.exceptions("marie")) == 1
        assert await network.exceptions("yann") == []

    async def test_a_venue_s_exceptions_are_not_hidden_by_another_s(
        self, network: Network, bar: Terminal, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        till = await network.terminal("canal")
        await till.deliver(till.sale_row(UNKNOWN_UID, {"Café": 1}))
        await bar.deliver(*(bar.sale_row(UNKNOWN_UID, {"Eau": 1}) for _ in range(3)))
        monkeypatch.setattr("app.sales.exceptions.SHOWN_MAX", 2)
        assert len(await network.exceptions("nadia")) == 2
        assert len(await network.exceptions("yann")) == 1


@both
class TestCancels:
    """A light that never turned green: whatever the server made of the sale must not stand."""

    async def test_of_a_sale_that_was_booked_takes_it_back(self, network: Network, bar: Terminal) -> None:
        sale = bar.sale("awa", {"Demi": 1})
        await bar.sell(sale)
        row = cancel(sale)
        await bar.deliver(row)
        assert await network.holds("awa") == {"RAF": 1000, "TEMPS": 0}
        assert await network.claims("raffinerie") == {}
        (reversal,) = (await network.ledger.booked([row.id])).values()
        assert (reversal.kind, reversal.reverses) == ("sale.reversal", sale.id)
        assert await network.exceptions() == []

    async def test_of_a_sale_not_seen_yet_refuses_its_late_arrival(self, network: Network, bar: Terminal) -> None:
        sale = bar.sale("awa", {"Demi": 1})
        await bar.deliver(IntentRow(sale=sale.id, at_us=now_us()), cancel(sale))
        assert problem(await bar.sell(sale)) == (409, "cancelled")
        assert await network.holds("awa") == {"RAF": 1000, "TEMPS": 0}
        assert await network.exceptions() == []

    async def test_of_a_sale_that_was_refused_changes_nothing(self, network: Network, bar: Terminal) -> None:
        sale = bar.sale("basile", {"Demi": 1})
        await bar.sell(sale)
        await bar.deliver(cancel(sale))
        assert problem(await bar.sell(sale)) == (402, "insufficient-funds")
        assert await network.exceptions() == []

    async def test_twice_takes_it_back_once(self, network: Network, bar: Terminal) -> None:
        sale = bar.sale("awa", {"Demi": 1})
        await bar.sell(sale)
        await bar.deliver(cancel(sale), cancel(sale))
        assert await network.holds("awa") == {"RAF": 1000, "TEMPS": 0}

    async def test_goods_that_are_gone_after_all_override_a_refusal(self, network: Network, bar: Terminal) -> None:
        """Refused by the server, the answer lost, then accepted by the terminal alone."""
        sale = bar.sale("basile", {"Demi": 1})
        assert problem(await bar.sell(sale)) == (402, "insufficient-funds")
        await bar.deliver(bar.sale_row(sale))
        assert await network.holds("basile") == {"RAF": -350, "TEMPS": 0}
        assert await network.claims("raffinerie") == {"RAF": 350}
        late = await bar.sell(sale)
        assert (late.status_code, late.json()["balances"]) == (200, {})


class TestVoids:
    async def test_a_void_gives_the_money_back_to_the_card_it_came_from(self, network: Network, bar: Terminal) -> None:
        row = bar.sale_row("awa", {"Demi": 1})
        await bar.deliver(row, void(row.sale))
        assert await network.holds("awa") == {"RAF": 1000, "TEMPS": 0}
        assert await network.claims("raffinerie") == {}
        assert await network.exceptions() == []

    async def test_twice_gives_it_back_once(self, network: Network, bar: Terminal) -> None:
        row = bar.sale_row("awa", {"Demi": 1})
        await bar.deliver(row, void(row.sale), void(row.sale))
        assert await network.holds("awa") == {"RAF": 1000, "TEMPS": 0}
        assert await network.exceptions() == []

    @both
    async def test_of_a_sale_on_credit_clears_what_was_owed(self, network: Network, bar: Terminal) -> None:
        row = bar.sale_row("awa", {"Demi": 4})
        await bar.deliver(row, void(row.sale))
        assert await network.holds("awa") == {"RAF": 1000, "TEMPS": 0}

    async def test_of_a_sale_with_an_unknown_card_clears_suspense(self, network: Network, bar: Terminal) -> None:
        row = bar.sale_row(UNKNOWN_UID, {"Demi": 1})
        await bar.deliver(row, void(row.sale))
        assert await network.suspense() == {}

    async def test_of_another_terminal_s_sale_is_for_a_person_to_look_at(self, network: Network, bar: Terminal) -> None:
        terrace = await network.terminal("raffinerie", "Terrasse")
        sale = bar.sale("awa", {"Demi": 1})
        await bar.sell(sale)
        await terrace.deliver(void(sale), cancel(sale))
        assert await network.holds("awa") == {"RAF": 650, "TEMPS": 0}
        assert [kind for kind, _ in await network.exceptions()] == ["void-of-unknown-sale"] * 2

    async def test_of_a_sale_nobody_knows_is_for_a_person_to_look_at(self, network: Network, bar: Terminal) -> None:
        await bar.deliver(void(bar.sale("awa", {"Demi": 1})))
        assert [kind for kind, _ in await network.exceptions()] == ["void-of-unknown-sale"]

    async def test_of_a_top_up_is_not_taken_for_a_sale(self, network: Network, bar: Terminal) -> None:
        key = uuid7()
        body = {"card": bar.sale("awa", {"Eau": 1}).card, "currency": "RAF", "amount": 500}
        await network.post("lucas", f"/venues/{bar.venue.id}/topups", body, key)
        sale = SaleRow(mode="offline", sale=bar.sale("awa", {"Eau": 1}, id_=key))
        await bar.deliver(void(sale.sale))
        assert await network.holds("awa") == {"RAF": 1500, "TEMPS": 0}
