"""A provider's report: each row once, matched with the books, its payout with the bank, and what does not fit told."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from app.banking import importing, payouts, service
from app.banking.rules.finding import Coming, Expected, proposals
from app.banking.rules.lines import Line, NotAStatement
from app.banking.rules.stripe_csv import fees_of, read_stripe
from app.banking.tables import payout_line
from app.inbox import service as inbox
from app.inbox.rules import Case
from app.ledger.verify import verify
from app.platform.clock import now_us
from app.platform.errors import Conflict, Invalid
from app.rules.ids import uuid7
from app.settlement.terms import NetworkTerms, set_terms
from app.topups import chargebacks
from app.topups import service as topups
from app.topups.provider import Payment
from app.topups.tables import topup
from tests.app.banking.samples import camt053, entry
from tests.app.banking.stripe import report, row
from tests.app.inbox.test_inbox import NADIA
from tests.support.network import RAF, Network, both
from tests.support.pages import form_to, led_to, look, send, words

DAY, KNOWN, ZONE = date(2026, 11, 20), {"RAF": RAF}, "Europe/Paris"


class Stripe:
    """The provider as `settle` asks it: everything was paid."""

    name = "stripe"

    def __init__(self, cents: int, fee: int | None) -> None:
        self._cents, self._fee = cents, fee

    async def look_up(self, reference: str) -> Payment:
        return Payment(reference, "paid", self._cents, self._fee)


async def paid(network: Network, cents: int, reference: str, *, credit: bool = True, fee: int | None = None) -> UUID:
    """An online top-up by Stripe, credited or not yet. `fee`: what it says that it keeps."""
    id_, card = uuid7(), network.cards["awa"]
    it = {"id": id_, "wallet": card.wallet, "card": card.id, "currency": "RAF", "amount": cents, "euro_cents": cents}
    it |= {"provider": "stripe", "reference": reference, "status": "pending", "created_at_us": 1, "changed_at_us": 1}
    async with network.engine.begin() as connection:
        await connection.execute(sa.insert(topup).values(**it))
    if credit:
        await topups.settle(network.engine, network.ledger, Stripe(cents, fee), KNOWN, ZONE, id_)  # type: ignore[arg-type]
    return id_


async def whats(network: Network) -> dict[str, str]:
    async with network.engine.connect() as connection:
        return {it.line.key: it.what for of in await payouts.payouts(connection) for it in of.rows}


async def euros(network: Network, kind: str, owner: str = "") -> int:
    return sum(
        it.balance
        for it in await network.ledger.balances(owners=[owner], kinds=[kind])
        if it.key.book.kind == "reserve"
    )


@pytest.mark.anyio
@both
async def test_a_payout_is_matched_row_by_row_and_comes_to_the_bank_by_itself(network: Network) -> None:
    """Fifty and twenty paid, the fifty disputed, a fee for the month: the bank gets what is left, and clearing is 0."""
    fifty = await paid(network, 5000, "pi_50")
    await paid(network, 2000, "pi_20", fee=55)
    file = report(
        row("a", "charge", "50.00", "1.00", "49.00", source="ch_a", topup=str(fifty), text="Rafftou, carte 1"),
        row("b", "charge", "20.00", "0.55", "19.45", source="ch_b", intent="pi_20"),
        row("c", "dispute", "-50.00", "15.00", "-65.00", source="dp_7", intent="pi_50"),
        row("d", "charge", "70.00", "1.20", "68.80", source="ch_d", intent="pi_70"),
        row("e", "fee", "-2.00", "0.00", "-2.00", source="fee_1"),
    )
    await paid(network, 7000, "pi_70", fee=120)  # its fee is in the books already
    told = await asyncio.gather(
        *(payouts.take_in(network.engine, "nov.csv", file, actor="person:nadia") for _ in range(2)),
        return_exceptions=True,
    )
    assert sum(isinstance(it, tuple) for it in told) == 1
    with pytest.raises(Conflict):
        await payouts.take_in(network.engine, "nov.csv", file, actor="person:nadia")
    assert await payouts.take_in(network.engine, "again.csv", file + b"\r\n", actor="person:nadia") == (0, 5)
    assert await whats(network) == {
        "txn_a": "topup",
        "txn_b": "topup",
        "txn_c": "not_booked",
        "txn_d": "topup",
        "txn_e": "fee",
    }
    (case,) = [it for it in await inbox.cases(network.ledger, NADIA) if it.fault.kind == "payout-line"]
    assert case.fault.facts["reference"] == "dp_7"
    # Not all of it is in the books: the bank's line waits for somebody.
    statement = camt053([entry("70.25", "CRDT", party="STRIPE PAYMENTS EUROPE", day="2026-11-21")], "0", "70.25")
    await importing.take_in(network.engine, "november.xml", statement, "", actor="person:nadia")
    assert await service.match_what_is_certain(network.engine, network.ledger, DAY) == 0
    it = await topups.named(network.engine, fifty)
    await chargebacks.take_back(network.ledger, KNOWN, ZONE, it, "dp_7", "dispute", 5000, 1500, actor="test")
    assert (await whats(network))["txn_c"] == "taken_back"
    assert (await inbox.case(network.ledger, NADIA, case.fault.key)).state == "done"
    assert await service.match_what_is_certain(network.engine, network.ledger, DAY) == 1
    assert await service.match_what_is_certain(network.engine, network.ledger, DAY) == 0
    assert (await euros(network, "clearing", "stripe"), await euros(network, "bank")) == (0, 7025)
    fees = sum(it.balance for it in await network.ledger.balances(kinds=["provider_fees"]))
    assert fees == 100 + 55 + 120 + 200 + 1500
    async with network.engine.connect() as connection:
        (payout,) = await payouts.payouts(connection)
        (line,) = await service.lines(connection, open_=False)
    assert (payout.bank_line, payout.net_cents, payout.fees_cents) == (line.id, 7025, 475)
    # Opened again, the payout is on its way again and can be matched once more.
    await service.undo(network.engine, network.ledger, line.id, "Wrong", DAY, actor="person:nadia")
    assert await service.match_what_is_certain(network.engine, network.ledger, DAY) == 1
    report_ = await verify(network.engine)
    assert report_.ok, report_.findings


@pytest.mark.anyio
@both
async def test_what_the_provider_says_and_the_books_do_not_is_told(network: Network) -> None:
    await paid(network, 3000, "pi_30")
    await paid(network, 1000, "pi_10", credit=False)
    rows = (
        row("a", "charge", "29.00", "0.50", "28.50", intent="pi_30"),
        row("b", "charge", "10.00", "0.40", "9.60", intent="pi_10"),
        row("c", "charge", "8.00", "0.40", "7.60", intent="pi_of_somebody_else"),
        row("d", "refund", "-30.00", "0.00", "-30.00", source="re_1", intent="pi_30"),
        row("e", "dispute_reversal", "30.00", "-15.00", "45.00", source="dp_1", intent="pi_30"),
        row("f", "other_adjustment", "1.00", "0.00", "1.00"),
    )
    await payouts.take_in(network.engine, "x.csv", report(*rows), actor="person:nadia")
    assert list((await whats(network)).values()) == [
        "other_amount",
        "not_credited",
        "unknown",
        "not_booked",
        "not_booked",
        "unknown",
    ]
    faults = [it for it in await inbox.cases(network.ledger, NADIA) if it.fault.kind == "payout-line"]
    assert len(faults) == 6
    for change in (sa.update(payout_line).values(text="x"), sa.delete(payout_line)):
        with pytest.raises(sa.exc.DBAPIError):
            async with network.engine.begin() as connection:
                await connection.execute(change)


@pytest.mark.anyio
@pytest.mark.parametrize("database_kind", ["sqlite"])
async def test_the_page_takes_a_report_in_and_a_payment_back(network: Network) -> None:
    fifty = await paid(network, 5000, "pi_50")
    nadia = await network.person("nadia")
    page = await look(nadia, "/admin/payments")
    headers = {"X-CSRF-Token": nadia.headers["X-CSRF-Token"], "Origin": str(nadia.base_url), "Accept-Language": "fr"}
    wrong = await nadia.post("/admin/payments", files={"file": ("x.csv", b"a,b\n1,2\n")}, headers=headers)
    assert "il manque des colonnes" in words(wrong)
    file = report(row("a", "charge", "50.00", "1.00", "49.00", topup=str(fifty)))
    done = await nadia.post("/admin/payments", files={"file": ("x.csv", file)}, headers=headers)
    assert "1 ligne reprise" in words(await look(nadia, led_to(done)))
    assert "49,00 €" in words(await look(nadia, "/admin/payments/po_1Q"))
    form = form_to(page, f"/admin/payments/topups/{fifty}/taken-back")
    refused = await send(nadia, form, reference="dp_1", amount="50,01", kind="dispute", fee="15")
    assert refused.status_code == 422
    assert 'value="50,01"' in refused.text
    for _ in range(2):
        led_to(await send(nadia, form, reference="dp_1", amount="50", kind="dispute", fee="15"))
    assert await network.holds("awa") == {"RAF": 0, "TEMPS": 0}
    extra = report(row("b", "charge", "8.00", "0.40", "7.60", intent="pi_of_somebody_else"))
    await payouts.take_in(network.engine, "y.csv", extra, actor="person:nadia")
    statement = camt053([entry("12.00", "CRDT", party="Somebody")], "0", "12.00")
    await importing.take_in(network.engine, "november.xml", statement, "", actor="person:nadia")
    found = {it.fault.kind: it for it in await inbox.cases(network.ledger, NADIA)}
    # Whether its payout is late yet is a matter of today's date.
    assert set(found) - {"payout-late"} == {"chargeback", "payout-line", "bank-line", "reserve-owed"}
    for case in found.values():
        said = words(await look(nadia, f"/admin/exceptions/{case.fault.key}"))
        assert "Ce qui s’est passé" in said, said
    page = await look(nadia, "/admin/payments")
    (won,) = [part.split('"')[0] for part in page.text.split('action="') if part.split('"')[0].endswith("/won")]
    led_to(await send(nadia, form_to(page, won), fee="15"))
    assert await network.holds("awa") == {"RAF": 5000, "TEMPS": 0}
    assert "Gagné" in words(await look(nadia, "/admin/payments"))


async def two_lines(network: Network) -> list[UUID]:
    """A payout of 49.00, and two lines of the bank of that amount."""
    await paid(network, 5000, "pi_50")
    await paid(network, 5000, "pi_51")
    file = report(row("a", "charge", "50.00", "1.00", "49.00", intent="pi_50"))
    await payouts.take_in(network.engine, "x.csv", file, actor="person:nadia")
    entries = [entry("49.00", "CRDT", party="STRIPE", day=f"2026-11-{day}") for day in (21, 22)]
    await importing.take_in(network.engine, "x.xml", camt053(entries, "0", "98.00"), "", actor="person:nadia")
    async with network.engine.connect() as connection:
        return [it.id for it in await service.lines(connection, open_=True)]


async def came(network: Network, line: UUID, **more: Any) -> object:
    said = {"gross_cents": 5000, "payout": "po_1Q", **more}
    return await service.decide(network.engine, network.ledger, line, "payout", "stripe", DAY, actor="x", **said)


@pytest.mark.anyio
@both
async def test_two_lines_are_matched_to_one_payout_once(network: Network) -> None:
    """At the same instant, or after a server that booked it and stopped before it said so."""
    first, second = await two_lines(network)
    told = await asyncio.gather(came(network, first), came(network, second), return_exceptions=True)
    assert [it.code for it in told if isinstance(it, Conflict)] == ["payout-matched"]
    assert (await euros(network, "clearing", "stripe"), await euros(network, "bank")) == (5000, 4900)
    matched = first if isinstance(told[1], Conflict) else second
    await service.undo(network.engine, network.ledger, matched, "Wrong", DAY, actor="x")
    keep = service._keep
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(service, "_keep", stopped)
        with pytest.raises(RuntimeError, match="stopped"):
            await came(network, matched)
    assert service._keep is keep
    other = second if matched == first else first
    with pytest.raises(Conflict) as caught:
        await came(network, other)
    assert caught.value.code == "payout-matched"
    async with network.engine.connect() as connection:
        (payout,) = await payouts.payouts(connection)
    assert payout.bank_line == matched
    assert (await euros(network, "clearing", "stripe"), await euros(network, "bank")) == (5000, 4900)
    proof = await verify(network.engine)
    assert proof.ok, proof.findings


@pytest.mark.anyio
@pytest.mark.parametrize("database_kind", ["sqlite"])
async def test_of_two_lines_that_could_be_a_payout_the_second_waits(network: Network) -> None:
    await two_lines(network)
    assert await service.match_what_is_certain(network.engine, network.ledger, DAY) == 1
    async with network.engine.connect() as connection:
        assert len(await service.lines(connection, open_=True)) == 1
    assert await euros(network, "bank") == 4900


async def stopped(*_: object) -> None:
    raise RuntimeError("the server stopped")


@pytest.mark.anyio
@pytest.mark.parametrize("database_kind", ["postgresql"])
async def test_the_database_itself_lets_one_of_two_transactions_have_the_payout(network: Network) -> None:
    lines = await two_lines(network)
    match = "INSERT INTO bank_match VALUES (:line, 1, 'payout', 'stripe', :line, '', 'x', 1)"
    which = "INSERT INTO payout_match VALUES (:line, 1, 'stripe', 'po_1Q')"
    async with network.engine.connect() as one, network.engine.connect() as other:
        for connection, line in ((one, lines[0]), (other, lines[1])):
            await connection.execute(sa.text(match), {"line": line})
        await one.execute(sa.text(which), {"line": lines[0]})
        waits = asyncio.create_task(other.execute(sa.text(which), {"line": lines[1]}))
        done, _ = await asyncio.wait([waits], timeout=0.3)
        assert not done, "it waits for the other to be over"
        await one.commit()
        with pytest.raises(sa.exc.DBAPIError, match="a payout comes to the bank once"):
            await waits


@pytest.mark.anyio
@both
async def test_a_payout_that_never_reaches_the_bank_needs_somebody(network: Network) -> None:
    """After as many days as the terms give it; it is over once a line of the bank is it."""
    now = network.venues["canal"].day_of(now_us())
    await paid(network, 5000, "pi_50")
    await paid(network, 3000, "pi_30")
    late, young = (f"{now - timedelta(days=it)} 00:00:00" for it in (7, 6))
    rows = [row("a", "charge", "50.00", "1.00", "49.00", intent="pi_50", day=late)]
    rows += [row("b", "charge", "30.00", "1.00", "29.00", intent="pi_30", day=young, payout="po_2Q")]
    await payouts.take_in(network.engine, "x.csv", report(*rows), actor="person:nadia")

    async def found() -> list[Case]:
        return [it for it in await inbox.cases(network.ledger, NADIA) if it.fault.kind == "payout-late"]

    (case,) = await found()
    assert (case.fault.facts["cents"], case.fault.facts["payout"]) == (4900, "po_1Q")
    said = words(await look(await network.person("nadia"), f"/admin/exceptions/{case.fault.key}"))
    assert "Un versement de 49,00 € n’est pas arrivé à la banque" in said
    assert "Stripe dit l’avoir versé" in said
    async with network.engine.begin() as connection:
        await set_terms(connection, "network", NetworkTerms(payout_days=6), actor="test")
    assert len(await found()) == 2
    statement = camt053([entry("49.00", "CRDT", party="STRIPE", day=str(now))], "0", "49.00")
    await importing.take_in(network.engine, "x.xml", statement, "", actor="person:nadia")
    assert await service.match_what_is_certain(network.engine, network.ledger, DAY) == 1
    assert [it.fault.facts["payout"] for it in await found()] == ["po_2Q"]
    assert (await inbox.case(network.ledger, NADIA, case.fault.key)).state == "done"


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "no-lines"),
        (b"date,montant\n2026-11-20,5\n", "no-columns"),
        (report(row("a", "charge", "5.00", "0.10", "4.90", currency="usd")), "not-in-euros"),
        (report(row("a", "charge", "5.00", "0.10", "4.91")), "does-not-add-up"),
        (report(row("a", "charge", "5.001", "0.10", "4.90")), "bad-amount"),
        (report(row("a", "charge", "5.00", "0.10", "4.90", day="20/11/2026")), "bad-day"),
        (report(row("a", "payout", "-5.00", "0.00", "-5.00")), "no-lines"),
        (report(row("a", "charge", "5.00", "0.10", "4.90", payout="")), "no-columns"),
    ],
)
def test_a_file_that_is_none_is_told_why(content: bytes, problem: str) -> None:
    with pytest.raises(NotAStatement) as caught:
        read_stripe(content)
    assert caught.value.problem == problem


def test_a_decimal_comma_and_a_mark_at_the_beginning_are_read() -> None:
    text = report(row("a", "charge", "1.50", "0.10", "1.40")).decode().replace(",", ";").replace(".", ",")
    (line,) = read_stripe(b"\xef\xbb\xbf" + text.encode())
    assert (line.gross_cents, line.fee_cents, line.net_cents, line.payout) == (150, 10, 140, "po_1Q")


cents = st.integers(1, 10**7)


@given(st.lists(st.tuples(cents, st.integers(0, 500), st.sampled_from(["charge", "fee", "dispute"])), min_size=1))
def test_what_comes_to_the_bank_and_the_fees_are_what_was_paid_less_disputes(
    parts: list[tuple[int, int, str]],
) -> None:
    """What leaves the clearing account: net + fees + disputes with theirs = gross of what was paid."""
    rows = []
    for number, (gross, fee, category) in enumerate(parts):
        signed = gross if category == "charge" else -gross
        kept = 0 if category == "fee" else fee
        texts = [f"{'-' if it < 0 else ''}{abs(it) // 100}.{abs(it) % 100:02d}" for it in (signed, kept, signed - kept)]
        rows.append(row(str(number), category, *texts))
    lines = read_stripe(report(*rows))
    charged = sum(it.gross_cents for it in lines if it.category == "charge")
    disputed = sum(-it.net_cents for it in lines if it.category == "dispute")
    assert sum(it.net_cents for it in lines) + fees_of(lines) + disputed == charged


def test_a_payout_is_certain_only_where_it_is_the_only_one_and_explained() -> None:
    line = Line(DAY, 4900, "STRIPE", text="PAYOUT")
    one = Coming("stripe", "po_1", 4900, 100, DAY, True)
    other = Coming("stripe", "po_2", 4900, 100, DAY, True)
    held = {"stripe": 20_000}

    def sure(*coming: Coming, clearing: dict[str, int] = held) -> list[bool]:
        return [it.certain for it in proposals(line, Expected(clearing=clearing, coming=coming)) if it.payout]

    assert sure(one) == [True]
    assert sure(one, other) == [False, False]
    assert sure(Coming("stripe", "po_1", 4900, 100, DAY, False)) == [False]
    assert sure(Coming("stripe", "po_1", 4900, 100, date(2026, 12, 1), True)) == []
    assert sure(one, clearing={"stripe": 4999}) == []


def test_a_file_too_large_is_refused() -> None:
    with pytest.raises(Invalid):
        asyncio.run(payouts.take_in(None, "x", b"x" * (payouts.FILE_MAX_BYTES + 1), actor="test"))  # type: ignore[arg-type]
