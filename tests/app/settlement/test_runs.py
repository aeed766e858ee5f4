"""What a run does not do: change once frozen, skip a step, be approved by its maker, pay what people dispute."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.exc import DBAPIError

from app.platform.clock import now_us
from app.platform.errors import Invalid
from app.rules.policy import Fee
from app.settlement import sepa
from app.settlement.rules.accounts import Details
from app.settlement.rules.amounts import Standing, Taken, netting, redeem, settle, yearly_fee
from app.settlement.terms import NetworkTerms, VenueTerms, set_terms
from app.venues.rules import FeeTier, NetworkSettings
from app.venues.service import set_network
from tests.support.network import problem
from tests.support.settling import IBANS, Settling, month

pytestmark = pytest.mark.anyio

HOUR_US = 3_600_000_000


@pytest.fixture
def database_kind() -> str:
    """Both databases see a whole month in test_month.py, and their guards below."""
    return "sqlite"


async def answer(settling: Settling, run: dict[str, Any], slug: str, login: str, **said: Any) -> tuple[int, Any]:
    venue = settling.network.venues[slug].id
    found = await settling.network.post(login, f"/settlements/{run['id']}/statements/{venue}/answer", said)
    return found.status_code, found.json()


async def test_a_disputed_venue_waits_for_the_next_run(settling: Settling) -> None:
    await month(settling)
    run = await settling.frozen()
    assert (await answer(settling, run, "canal", "yann", answer="disputed", line=1))[0] == 422, "without saying why"
    status, said = await answer(settling, run, "canal", "yann", answer="disputed", line=1, text="Il manque une tarte")
    assert (status, said["answered"], said["disputes"]) == (200, "disputed", {"1": "Il manque une tarte"})
    await settling.accepted(run, "raffinerie", "guinguette")
    run = await settling.post("olga", f"/settlements/{run['id']}/approve")
    assert settling.statement(run, "canal")["left_out"] == "disputed"
    run = await settling.post("nadia", f"/settlements/{run['id']}/send")
    assert settling.payments(run) == {"raffinerie": 6_60, "guinguette": 31_95}
    # Guinguette was paid for Canal's money all the same, so Canal owes it in the next run.
    second = await settling.frozen()
    assert settling.lines(second, "canal") == [
        ("claim", "RAF", 17_00),
        ("redemption_fee", "RAF", -85),
        ("cash", "EUR", -12_00),
    ]
    assert settling.statement(second, "canal")["payment"] == 4_15


async def test_a_dispute_is_taken_back_line_by_line_or_as_a_whole(settling: Settling) -> None:
    await month(settling)
    run = await settling.frozen()
    for line in (1, 2):
        await answer(settling, run, "canal", "yann", answer="disputed", line=line, text="Non")
    assert (await answer(settling, run, "canal", "yann", answer="accepted", line=1))[1]["answered"] == "disputed"
    assert (await answer(settling, run, "canal", "yann", answer="accepted"))[1]["answered"] == "accepted"
    assert (await answer(settling, run, "canal", "marie", answer="accepted"))[0] == 403
    assert (await answer(settling, run, "canal", "yann", answer="accepted", line=9))[0] == 404


async def test_two_people_and_every_venue_s_answer(settling: Settling) -> None:
    await month(settling)
    run = await settling.frozen()
    path = f"/settlements/{run['id']}"
    assert problem(await settling.network.post("nadia", f"{path}/approve", {})) == (403, "same-person")
    assert problem(await settling.network.post("olga", f"{path}/approve", {})) == (409, "answers-missing")
    assert problem(await settling.network.post("olga", f"{path}/send")) == (409, "run-moved-on")
    assert problem(await settling.network.post("olga", "/settlements", {"cut_off_us": 0})) == (409, "run-open")
    async with settling.network.engine.begin() as connection:
        await set_terms(connection, "network", NetworkTerms(answer_days=0), actor="test")
    approved = await settling.post("olga", f"{path}/approve")
    assert approved["state"] == "booked", "silence counts once the days are over"
    assert await settling.post("olga", f"{path}/approve") == approved, "approved again, nothing is booked again"


async def test_a_cancelled_run_leaves_everything_to_the_next(settling: Settling) -> None:
    await month(settling)
    run = await settling.frozen()
    gone = await settling.post("nadia", f"/settlements/{run['id']}/cancel", {"reason": "Mauvaise date"})
    assert gone["state"] == "cancelled"
    again = await settling.frozen()
    assert [it["lines"] for it in again["statements"]] == [it["lines"] for it in run["statements"]]


async def test_a_cut_off_lies_after_the_run_before_and_not_ahead(settling: Settling) -> None:
    await month(settling)
    early = now_us()
    await settling.settled("raffinerie", "canal", "guinguette")
    for cut_off_us in (early, now_us() + HOUR_US):
        run = await settling.post("nadia", "/settlements", {"cut_off_us": cut_off_us})
        frozen = await settling.network.post("nadia", f"/settlements/{run['id']}/freeze")
        assert problem(frozen) == (409, "cut-off-refused")
        await settling.post("nadia", f"/settlements/{run['id']}/cancel")


async def test_minimum_share_and_a_venue_that_leaves(settling: Settling) -> None:
    await month(settling)
    network = settling.network
    async with network.engine.begin() as connection:
        await set_terms(connection, network.venues["canal"].owner, VenueTerms(minimum_cents=5_00), actor="test")
        monthly = VenueTerms(cadence="monthly", leaving=True)
        await set_terms(connection, network.venues["guinguette"].owner, monthly, actor="test")
    half = await settling.frozen(percent=50)
    assert settling.statement(half, "canal")["state"] == "under_minimum", "8.08 less what Guinguette took of its money"
    assert settling.lines(half, "raffinerie")[0] == ("claim", "RAF", 14_00)
    await settling.post("nadia", f"/settlements/{half['id']}/cancel")
    whole = await settling.settled("raffinerie", "guinguette")
    assert settling.payments(whole) == {"raffinerie": 6_60, "guinguette": 31_95}
    await network.top_up("awa", 5_00, "guinguette")
    leaving = await settling.frozen()
    assert settling.statement(leaving, "guinguette")["net"] == -5_00, "its turn, for it leaves"


async def test_a_tier_s_fee_is_withheld_with_its_invoice(settling: Settling) -> None:
    await month(settling)
    tier = FeeTier(350, 2_00, 3_00, 1_00)
    terms = NetworkSettings(fee_vat_basis_points=2000, fee_tiers={"t": tier}, venue_tiers={"canal": "t"})
    async with settling.network.engine.begin() as connection:
        await set_network(connection, "Les Comptoirs liés", terms)
    run = await settling.settled("raffinerie", "canal", "guinguette")
    # 3.5 % of 17.00 is 0.595; the floor waits for the year's end.
    assert settling.lines(run, "canal")[-2:] == [("set_up", "EUR", -1_00), ("network_fee", "EUR", -60)]
    canal = str(settling.network.venues["canal"].id)
    billed = next(it for it in run["invoices"] if it["venue"] == canal)
    assert (billed["redemption"], billed["network"], billed["vat"]) == (85, 1_60, 14 + 27)
    assert settling.payments(run)["canal"] == 4_15 - 1_60
    assert (await settling.books("receivable")) == {}


@pytest.mark.parametrize("database_kind", ["sqlite", "postgresql"])
async def test_the_database_keeps_a_run_as_it_was(settling: Settling) -> None:
    await month(settling)
    run = await settling.settled("raffinerie", "canal", "guinguette")
    sqlite = settling.network.engine.dialect.name == "sqlite"
    id_ = f"'{run['id'].replace('-', '') if sqlite else run['id']}'"
    event = "INSERT INTO settlement_event (run, number, kind, actor, at_us, seq, transfer, reason) VALUES"
    for statement in (
        "UPDATE settlement_line SET cents = cents + 1",
        "UPDATE settlement_statement SET payment_cents = 0",
        "DELETE FROM settlement_event",
        "DELETE FROM settlement_payment",
        f"INSERT INTO settlement_line SELECT run, venue, number + 50, kind, issuer, currency, units, cents, year,"
        f" account, opening, closing, from_transfer, upto_transfer FROM settlement_line WHERE run = {id_}",
        f"INSERT INTO settlement_left_out SELECT run, venue, 'chosen' FROM settlement_statement WHERE run = {id_}",
        f"INSERT INTO settlement_payment_event SELECT run, venue, 'returned', '', '', 'x', 1 FROM settlement_payment"
        f" WHERE run = {id_}",
        f"{event} ({id_}, 6, 'closed', 'x', 1, 1, 1, '')",
        f"{event} ({id_}, 6, 'approved', 'x', 1, 1, 1, '')",
        f"{event} ({id_}, 9, 'executed', 'x', 1, 1, 1, '')",
    ):
        with pytest.raises(DBAPIError):
            async with settling.network.engine.begin() as connection:
                await connection.execute(sa.text(statement))


async def test_the_file_is_valid_whatever_names_hold_and_answers_are_read_safely() -> None:
    odd = Details(
        "L’Œuf & la <Poule> — 日本 //", IBANS["canal"], "KREDBEBB", "Quai", "1 bis", "1000", "Bruxelles", "BE"
    )
    transfer = sepa.Transfer("R1-abc", 1, odd, "Règlement n° 1 & fils")
    document = sepa.written("R1-x", Details("Réseau", IBANS["network"]), [transfer], date(2026, 11, 3), 1)
    assert '<InstdAmt Ccy="EUR">0.01</InstdAmt>' in document
    assert "<Nm>L'OEuf + la .Poule. . ..</Nm>" in document
    assert "<TwnNm>Bruxelles</TwnNm><Ctry>BE</Ctry>" in document
    assert "AdrLine" not in document
    with pytest.raises(ValueError, match="IBAN"):
        sepa.validate(document.replace(IBANS["canal"], "BE68"))
    camt = (
        '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.054.001.08"><Ntry><CdtDbtInd>CRDT</CdtDbtInd>'
        "<Sts><Cd>BOOK</Cd></Sts><TxDtls><Refs><EndToEndId>R1-abc</EndToEndId></Refs><RtrInf><Rsn><Cd>AC04</Cd></Rsn></RtrInf></TxDtls>"
        "</Ntry></Document>"
    )
    assert sepa.read(camt.encode()) == [sepa.Report("R1-abc", "returned", "AC04")]
    for hostile in (b"", b"<a/>", b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "é".encode("latin-1")):
        with pytest.raises(Invalid):
            sepa.read(hostile)


def test_a_year_of_a_tier_on_paper() -> None:
    """3.5 % of what was redeemed, at least 750 and at most 5,000 euros a year."""
    terms = Fee(350, 750_00, 5_000_00)
    assert yearly_fee(10_000_00, 0, terms, final=False) == 350_00
    assert yearly_fee(15_000_00, 350_00, terms, final=False) == 175_00
    assert yearly_fee(15_000_00, 525_00, terms, final=True) == 225_00, "up to the floor"
    assert yearly_fee(200_000_00, 525_00, terms, final=False) == 4_475_00, "up to the cap"
    assert yearly_fee(0, 0, terms, final=True) == 0, "nothing is charged on nothing"
    assert yearly_fee(9_000_00, 350_00, terms, final=False) == 0, "a void gives no fee back within the year"


cents = st.integers(-5_000, 50_000)
owners = ["venue:a", "venue:b", "venue:c"]
issuers = st.sampled_from(["network", "venue:a", "venue:b"])
fees = st.builds(Fee, st.sampled_from([0, 500, 10_000]), st.sampled_from([0, 90]), payer=st.just("venue"))
taken = st.builds(
    Taken, st.sampled_from(["X", "Y"]), issuers, st.sampled_from([1, 7]), cents, st.integers(0, 60), fee=fees
)


def standing(owner: str) -> st.SearchStrategy[Standing]:
    return st.builds(
        Standing,
        st.just(owner),
        st.lists(taken, max_size=3).map(tuple),
        st.dictionaries(issuers.filter(lambda it: it != owner), cents, max_size=2),
        st.dictionaries(issuers, st.integers(0, 900), max_size=2),
        st.integers(0, 400),
        st.integers(0, 400),
        minimum=st.sampled_from([0, 3_000]),
        its_turn=st.booleans(),
        leaving=st.booleans(),
    )


@given(st.tuples(*(standing(it) for it in owners)), st.sampled_from([100, 40]))
def test_payments_and_what_is_carried_are_the_claims(standings: tuple[Standing, ...], percent: int) -> None:
    figures, states = settle(standings, percent)
    assert set(figures) == {it for it, state in states.items() if state == "included"}
    between = 0
    for it in standings:
        of = figures.get(it.owner)
        if of is None:
            continue
        redeemed = sum(redeem(one, it.owner, percent).units * one.cents_per_unit for one in it.taken)
        charged = sum(one.fee for part in of.parts for one in part.redeemed)
        owed = redeemed + sum(it.carried.values()) - charged
        owes = sum(it.due.values()) + of.issued + it.owed_fees + it.new_fees
        assert of.net == owed - owes, "the net is what is owed less what is owing"
        assert of.payment - of.still_due - of.fees_left == of.net, "paid and carried are the net"
        assert of.payment >= 0
        assert 0 <= of.fees_withheld <= it.owed_fees + it.new_fees
        assert it.leaving or not 0 < of.payment < it.minimum
        between += of.issued - sum(part.paid for part in of.parts if part.issuer != "network")
    # What venues get for each other's money comes from each other, unless its issuer is not in the run.
    missing = {part.issuer for of in figures.values() for part in of.parts} - set(figures) - {"network"}
    assert missing or between == 0, "what venues owe each other sums to 0"
    saved = netting(figures)
    assert saved.multilateral[0] <= len(figures)
