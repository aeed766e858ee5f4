"""Statements taken in, lines decided, cash handed in: in the books once, whatever is done twice or at once."""

from __future__ import annotations

import asyncio
from datetime import date
from uuid import UUID

import pytest
import sqlalchemy as sa

from app.banking import booking, handovers, importing, service
from app.ledger.rules.kinds import AccountKey
from app.ledger.rules.operations import Operation, Posting
from app.ledger.service import reserve_book
from app.ledger.verify import verify
from app.platform.errors import Conflict, Forbidden, Invalid
from app.rules.ids import uuid7
from tests.app.banking.samples import camt053, entry
from tests.support.network import Network, both
from tests.support.pages import form_to, look, send, words

pytestmark = [pytest.mark.anyio, both]

DAY = date(2026, 11, 20)
NADIA, OMAR = "person:nadia", "person:omar"


def ledger(network: Network) -> service.Ledger:
    found: service.Ledger = network.app.state.ledger
    return found


async def euros(network: Network, kind: str, owner: str = "") -> int:
    """Balance of an account of the reserve, in cents."""
    rows = await ledger(network).balances(owners=[owner], kinds=[kind])
    return sum(it.balance for it in rows if it.key.book.kind == "reserve")


async def taken_in(
    network: Network, *entries: str, closing: str = "0", name: str = "november.xml"
) -> list[service.Seen]:
    """The statement's lines as they are open afterwards."""
    content = camt053(entries, "0", closing)
    await importing.take_in(network.engine, name, content, "", actor=NADIA)
    async with network.engine.connect() as connection:
        return await service.open_lines(connection, ledger(network))


async def proves(network: Network) -> None:
    report = await verify(network.engine)
    assert report.ok, report.findings


async def test_a_remittance_pays_what_the_venue_owed_once(network: Network) -> None:
    await network.top_up("awa", 2000)
    raffinerie = network.venues["raffinerie"]
    (line,) = await taken_in(network, entry("20.00", "CRDT", party="Raffinerie"), closing="20.00")
    assert [(it.kind, it.subject) for it in line.proposals] == [("remittance", raffinerie.owner)]

    async def decide(actor: str) -> service.Seen:
        return await service.decide(
            network.engine, ledger(network), line.id, "remittance", raffinerie.owner, DAY, actor=actor
        )

    both_at_once = await asyncio.gather(decide(NADIA), decide(OMAR), return_exceptions=True)
    assert sorted(type(it).__name__ for it in both_at_once) == ["Conflict", "Seen"]
    assert (await euros(network, "bank"), await euros(network, "due_from", raffinerie.owner)) == (2000, 0)
    await service.undo(network.engine, ledger(network), line.id, "Wrong venue", DAY, actor=NADIA)
    assert (await euros(network, "bank"), await euros(network, "due_from", raffinerie.owner)) == (0, 2000)
    with pytest.raises(Conflict):
        await service.undo(network.engine, ledger(network), line.id, "Again", DAY, actor=NADIA)
    again = await decide(NADIA)
    assert again.found is not None
    assert again.found.number == 3
    assert await euros(network, "bank") == 2000
    await proves(network)


async def test_a_decision_whose_server_stopped_half_way_is_completed_and_not_booked_again(network: Network) -> None:
    await network.top_up("awa", 2000)
    owner = network.venues["raffinerie"].owner
    (line,) = await taken_in(network, entry("20.00", "CRDT"), closing="20.00")
    postings = await booking.legs_of(ledger(network), "remittance", owner, 2000, None)
    booked = booking.operation_of(booking.booked_as(line.id, 1), "remittance", owner, line, postings, DAY, NADIA)
    await ledger(network).post_one(booked)
    with pytest.raises(Conflict):
        await service.decide(
            network.engine, ledger(network), line.id, "aside", "", DAY, actor=OMAR, reason="None of our business"
        )
    async with network.engine.connect() as connection:
        (decided,) = await service.lines(connection, open_=False)
    assert decided.found is not None
    assert (decided.found.kind, decided.found.decided_by) == ("remittance", NADIA)
    assert await euros(network, "bank") == 2000


async def test_a_payout_clears_the_provider_and_its_fee_is_the_network_s_expense(network: Network) -> None:
    await network.top_up("awa", 100)
    books = ledger(network)
    clearing = AccountKey(reserve_book("network"), "clearing", "stripe")
    keys = [
        clearing,
        AccountKey(reserve_book("network"), "due_from", network.venues["raffinerie"].owner),
    ]
    ids = await books.accounts(keys)
    moved = Operation(uuid7(), "test", bytes(32), (Posting(ids[0], ids[1], 5000),), "test", 1, DAY)
    await books.post_one(moved)
    (line,) = await taken_in(network, entry("49.00", "CRDT", party="STRIPE"), closing="49.00")
    with pytest.raises(Invalid):
        await service.decide(network.engine, books, line.id, "payout", "stripe", DAY, actor=NADIA, gross_cents=5001)
    await service.decide(network.engine, books, line.id, "payout", "stripe", DAY, actor=NADIA, gross_cents=5000)
    assert (await euros(network, "clearing", "stripe"), await euros(network, "bank")) == (0, 4900)
    assert await euros(network, "due_from", "operating") == 100
    fees = [it.balance for it in await books.balances(kinds=["provider_fees"])]
    assert fees == [100]


async def test_overlapping_statements_bring_each_line_once(network: Network) -> None:
    first, second = entry("1.00", "CRDT", text="A"), entry("2.00", "CRDT", text="B")
    assert len(await taken_in(network, first, closing="1.00")) == 1
    assert len(await taken_in(network, first, second, closing="3.00")) == 2
    with pytest.raises(Conflict):
        await importing.take_in(network.engine, "again", camt053([first], "0", "1.00"), "", actor=NADIA)
    with pytest.raises(Invalid) as refused:
        await importing.take_in(network.engine, "cut", camt053([first], "0", "9.00"), "", actor=NADIA)
    assert refused.value.extra["problem"] == "does-not-add-up"


async def test_announced_cash_that_came_by_transfer_is_matched_by_itself(network: Network) -> None:
    await network.top_up("awa", 3000)
    raffinerie = network.venues["raffinerie"]
    sent = await handovers.declare(network.engine, uuid7(), raffinerie, 3000, "transfer", actor=NADIA)
    await taken_in(network, entry("30.00", "CRDT", text=f"VIR {sent.reference}"), closing="30.00")
    assert await service.match_what_is_certain(network.engine, ledger(network), DAY) == 1
    assert await euros(network, "due_from", raffinerie.owner) == 0
    async with network.engine.connect() as connection:
        assert (await handovers.named(connection, sent.id)).outcome == "received"
        assert await service.open_lines(connection, ledger(network)) == []


async def test_cash_is_counted_by_somebody_else_and_once(network: Network) -> None:
    await network.top_up("awa", 3000)
    raffinerie, books, engine = network.venues["raffinerie"], ledger(network), network.engine
    id_ = uuid7()
    bag = await handovers.declare(engine, id_, raffinerie, 3000, "cash", actor=OMAR)
    assert await handovers.declare(engine, id_, raffinerie, 3000, "cash", actor=OMAR) == bag
    with pytest.raises(Forbidden):
        await handovers.receive(engine, books, bag.id, raffinerie, DAY, actor=OMAR)
    ended = await asyncio.gather(
        handovers.receive(engine, books, bag.id, raffinerie, DAY, actor=NADIA),
        handovers.withdraw(engine, books, bag.id, actor=OMAR),
        handovers.receive(engine, books, bag.id, raffinerie, DAY, actor=NADIA),
        return_exceptions=True,
    )
    async with engine.connect() as connection:
        outcome = (await handovers.named(connection, bag.id)).outcome
        counted = await service.counted_cents(connection)
    assert any(isinstance(it, handovers.Handover) for it in ended)
    assert await euros(network, "bank") == counted == (3000 if outcome == "received" else 0)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE handover SET amount_cents = 1",
        "DELETE FROM bank_line",
        "INSERT INTO handover_end (handover, outcome, operation, ended_by, ended_at_us) "
        "SELECT id, 'received', id, declared_by, 1 FROM handover",
        "INSERT INTO bank_match (line, number, kind, subject, reason, decided_by, decided_at_us) "
        "SELECT id, 2, 'aside', '', 'x', 'me', 1 FROM bank_line",
        "INSERT INTO bank_match (line, number, kind, subject, reason, decided_by, decided_at_us) "
        "SELECT id, 1, 'undone', '', 'x', 'me', 1 FROM bank_line",
    ],
)
async def test_the_database_itself_keeps_what_was_said(network: Network, change: str) -> None:
    await handovers.declare(network.engine, uuid7(), network.venues["raffinerie"], 100, "cash", actor=OMAR)
    await taken_in(network, entry("1.00", "CRDT"), closing="1.00")
    with pytest.raises(sa.exc.DBAPIError):
        async with network.engine.begin() as connection:
            await connection.execute(sa.text(change))


async def test_the_page_takes_a_statement_in_and_the_line_is_decided_there(network: Network) -> None:
    await network.top_up("awa", 2000)
    nadia = await network.person("nadia")
    page = await look(nadia, "/admin/statements")
    content = camt053([entry("20.00", "CRDT", party="Raffinerie"), entry("3.00", "DBIT", text="FRAIS")], "3", "20")
    form = form_to(page, "/admin/statements")
    headers = {"Origin": str(nadia.base_url), "Accept-Language": "fr", "Accept": "text/html"}
    answer = await nadia.post(form.action, data=form.fields, files={"file": ("n.xml", content)}, headers=headers)
    assert answer.status_code == 303, words(answer)
    page = await look(nadia, answer.headers["location"])
    said = words(page)
    assert "2 lignes reprises" in said
    assert "Lignes qui vous attendent 2" in said
    line = UUID(page.text.split('id="line-')[1][:36])
    lines = {it.line.amount_cents: it.id for it in await _open(network)}
    decided = await send(
        nadia,
        form_to(page, f"/admin/statements/{lines[2000]}"),
        what=f"remittance {network.venues['raffinerie'].owner}",
    )
    assert decided.status_code == 303
    no_reason = await send(nadia, form_to(page, f"/admin/statements/{lines[-300]}"), what="aside", reason="")
    assert no_reason.status_code == 422
    assert "vérifiez votre choix" in words(no_reason)
    assert line in lines.values()
    said = words(await look(nadia, "/admin/statements"))
    assert "Espèces de Raffinerie" in said
    again = await nadia.post(form.action, data=form.fields, files={"file": ("n.xml", content)}, headers=headers)
    assert "Ce fichier a déjà été repris" in words(again)
    table = await nadia.post(
        form.action, data=form.fields, files={"file": ("n.csv", b"Date;Montant\n")}, headers=headers
    )
    assert "donnez son IBAN" in words(table)


async def _open(network: Network) -> list[service.Seen]:
    async with network.engine.connect() as connection:
        return await service.open_lines(connection, ledger(network))


async def test_a_venue_announces_and_the_network_counts_on_the_page(network: Network) -> None:
    await network.top_up("awa", 2000)
    marie, nadia = await network.person("marie"), await network.person("nadia")
    page = await look(marie, "/admin/handovers")
    assert "détient 20,00 €" in words(page)
    wrong = await send(
        marie, form_to(page, "/admin/handovers"), amount="vingt", venue=str(network.venues["raffinerie"].id)
    )
    assert "ne peut pas être lu" in words(wrong)
    done = await send(marie, form_to(page, "/admin/handovers"), amount="20", venue=str(network.venues["raffinerie"].id))
    said = words(await look(marie, done.headers["location"]))
    assert "20,00 € sont annoncés sous" in said
    assert "J’ai compté" not in said
    page = await look(nadia, "/admin/handovers")
    assert "J’ai compté 20,00 €" in words(page)
    (bag,) = [it for it in await _handovers(network) if it.outcome is None]
    assert (await send(nadia, form_to(page, f"/admin/handovers/{bag.id}/receive"))).status_code == 303
    assert await euros(network, "due_from", network.venues["raffinerie"].owner) == 0
    yann = await network.person("yann")
    assert (await send(yann, form_to(page, f"/admin/handovers/{bag.id}/receive"))).status_code == 403


async def _handovers(network: Network) -> list[handovers.Handover]:
    async with network.engine.connect() as connection:
        return await handovers.listed(connection)
