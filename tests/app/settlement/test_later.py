"""What is put off waits for the next run: sums stay exact, both runs say so, and nothing is paid twice or lost."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.inbox import service as inbox
from app.ledger.verify import verify
from app.rules.policy import Fee
from app.settlement.rules.amounts import NETWORK, Figures, Standing, Taken, redeem, settle
from app.settlement.rules.later import Later, cents_of, most, without
from tests.app.inbox.test_inbox import NADIA
from tests.support.network import both
from tests.support.pages import form_to, look, send, words
from tests.support.settling import Settling, month, pain_002

CANAL = "venue:canal"
amounts = st.integers(0, 5_000)
fees = st.builds(
    Fee, st.integers(0, 1_000), st.integers(0, 60), st.none() | st.integers(60, 300), payer=st.just("venue")
)


@st.composite
def standings(draw: st.DrawFn) -> tuple[Standing, dict[str, Fee]]:
    terms = {"RAF": draw(fees), "CAN": draw(fees)}
    taken = (
        Taken("RAF", NETWORK, draw(st.sampled_from([1, 2])), draw(st.integers(-500, 5_000)), 0, 0, terms["RAF"]),
        Taken("CAN", CANAL, 1, draw(amounts), 0, 0, terms["CAN"]),
    )
    due = {NETWORK: draw(st.integers(-300, 4_000)), CANAL: draw(amounts)}
    carried = {NETWORK: draw(amounts), CANAL: draw(amounts)}
    return Standing("venue:u", taken, due, carried, draw(amounts), draw(amounts)), terms


@given(standings(), st.data())
def test_what_is_paid_and_what_waits_is_what_was_owed(
    found: tuple[Standing, dict[str, Fee]], data: st.DataObject
) -> None:
    standing, terms = found
    of: Figures = settle([standing])[0]["venue:u"]
    lines = [("claim", NETWORK, "RAF"), ("claim", CANAL, "CAN"), ("carried", NETWORK, "EUR"), ("cash", NETWORK, "EUR")]
    lines += [("carried", CANAL, "EUR"), ("cash", CANAL, "EUR"), ("fees_owed", NETWORK, "EUR")]
    waiting = [Later(*it, data.draw(st.integers(0, most(of, *it)))) for it in lines]
    now = without(of, "venue:u", waiting, terms)
    assert now.payment >= 0
    assert now.net == of.net - sum(cents_of(of, now, it) for it in waiting)
    # Of each claim, what is redeemed and what waits is what was to be redeemed.
    for it in waiting[:2]:
        units = [r.units for part in now.parts for r in part.redeemed if r.currency == it.currency]
        assert sum(units) + it.units == most(of, "claim", it.issuer, it.currency)
    # Nothing is put off: nothing changes.
    assert without(of, "venue:u", [], terms) == of
    # The next run finds the claim that was left, and charges its own fee on it.
    for taken, it in zip(standing.taken, waiting[:2], strict=True):
        if it.units:
            rest = Taken(taken.currency, taken.issuer, taken.cents_per_unit, it.units, 0, 0, taken.fee)
            assert redeem(rest, "venue:u").units == it.units


def test_more_than_there_is_cannot_wait() -> None:
    of = settle([Standing("venue:u", (Taken("RAF", NETWORK, 1, 500),))])[0]["venue:u"]
    with pytest.raises(ValueError, match="501 of a claim"):
        without(of, "venue:u", [Later("claim", NETWORK, "RAF", 501)], {})


@pytest.mark.anyio
@both
async def test_a_disputed_amount_waits_and_the_next_run_pays_it(settling: Settling) -> None:
    """The month on paper, in which Guinguette disputes its 22.00 and Nadia puts 10.00 of them off. The fee of 5 % is on
    12.00 less the 1.00 that it bears: 0.55; the next run pays the rest, less its own fee of 0.50."""
    network = settling.network
    await month(settling)
    run = await settling.frozen()
    statement = settling.statement(run, "guinguette")
    line = next(it["number"] for it in statement["lines"] if (it["kind"], it["currency"]) == ("claim", "RAF"))
    venue = network.venues["guinguette"].id
    told = {"answer": "disputed", "line": line, "text": "Deux bals de trop"}
    await settling.post("nadia", f"/settlements/{run['id']}/statements/{venue}/answer", told)
    (case,) = [it for it in await inbox.cases(network.ledger, NADIA) if it.fault.kind == "line-disputed"]
    assert (case.fault.facts["cents"], case.fault.facts["reason"]) == (22_00, "Deux bals de trop")
    for wrong in ({"units": 21_01, "reason": "x"}, {"units": 10_00, "reason": " "}):
        answer = await network.post(
            "nadia", f"/settlements/{run['id']}/statements/{venue}/later", {"line": line, **wrong}
        )
        assert answer.status_code == 422, answer.text
    # From the exception itself: what is wrong is said, and what was typed stays.
    nadia, there = await network.person("nadia"), f"/admin/exceptions/{case.fault.key}"
    form = form_to(await look(nadia, there), f"{there}/book/later")
    assert form.fields["amount"] == "21,00 €".replace(" ", "\N{NO-BREAK SPACE}")
    refused = await send(nadia, form, amount="dix", text="On recompte")
    assert (refused.status_code, 'value="dix"' in refused.text) == (422, True)
    assert (await send(nadia, form, amount="10,00", text="On recompte")).status_code == 303
    found = settling.statement(await settling.get(run), "guinguette")
    assert found["answered"] == "open"
    assert [(it["units"], it["cents"], it["reason"]) for it in found["later"]] == [(10_00, 9_50, "On recompte")]
    assert (await inbox.case(network.ledger, NADIA, case.fault.key)).state == "done"
    await settling.accepted(run, "raffinerie", "canal", "guinguette")
    run = await settling.post("olga", f"/settlements/{run['id']}/approve")
    statement = settling.statement(run, "guinguette")
    # 31.95 less 10.00, of which the fee was 0.50.
    assert (statement["net"], statement["payment"]) == (22_45, 22_45)
    assert await settling.books("claim") == {"claim guinguette": 10_00}
    (invoice,) = [it for it in run["invoices"] if it["venue"] == str(venue)]
    assert invoice["redemption"] == 55
    (case,) = [it for it in await inbox.cases(network.ledger, NADIA) if it.fault.kind == "put-off"]
    assert case.owner.startswith("person:")
    assert case.fault.facts["cents"] == 9_50
    late = await network.post(
        "nadia", f"/settlements/{run['id']}/statements/{venue}/later", {"line": line, "units": 1, "reason": "x"}
    )
    assert late.status_code == 409, late.text
    run = await settling.post("nadia", f"/settlements/{run['id']}/send")
    answer = await (await network.person("nadia")).post(
        f"/api/v1/settlements/{run['id']}/bank-answers", content=pain_002(run, set())
    )
    assert answer.status_code == 200, answer.text
    await settling.post("nadia", f"/settlements/{run['id']}/close")
    first = await settling.get(run)

    second = await settling.frozen()
    assert settling.lines(second, "guinguette") == [("claim", "RAF", 10_00), ("redemption_fee", "RAF", -50)]
    page = await look(await network.person("nadia"), f"/admin/settlements/{second['id']}/venues/{venue}")
    assert "Reporté du règlement 1 sur celui-ci" in words(page)
    await settling.accepted(second, "guinguette")
    second = await settling.post("olga", f"/settlements/{second['id']}/approve")
    assert settling.statement(second, "guinguette")["payment"] == 9_50
    assert (await inbox.case(network.ledger, NADIA, case.fault.key)).state == "done"
    assert await settling.books("claim") == {}
    assert await settling.get(run) == first, "a closed run stays as it is"
    report = await verify(network.engine)
    assert report.ok, report.findings


@pytest.mark.anyio
async def test_cash_waits_on_the_page_and_a_refused_form_keeps_what_was_typed(settling: Settling) -> None:
    network = settling.network
    await month(settling)
    run = await settling.frozen()
    nadia, venue = await network.person("nadia"), network.venues["raffinerie"].id
    here = f"/admin/settlements/{run['id']}/venues/{venue}"
    form = form_to(await look(nadia, here), f"{here}/later")
    refused = await send(nadia, form, amount="20,01", reason="Un billet de 5 contesté")
    assert refused.status_code == 422
    assert 'value="20,01"' in refused.text
    assert 'value="Un billet de 5 contesté"' in refused.text
    assert "Une telle part de cette ligne ne peut pas attendre" in words(refused)
    assert (await send(nadia, form, amount="5,00", reason="Un billet de 5 contesté")).status_code == 303
    said = words(await look(nadia, here))
    assert "réglé plus tard Un billet de 5 contesté" in said
    assert "Paiement 11,60 €" in said
    # The venue reads it, and puts nothing off itself.
    marie = await network.person("marie")
    page = await look(marie, here)
    assert "Un billet de 5 contesté" in words(page)
    assert f"{here}/later" not in page.text
    table = await look(nadia, f"/api/v1/settlements/{run['id']}/statements.csv?language=fr")
    assert any(it.endswith("put_off;network;EUR;-500;5,00;;;;;open") for it in table.text.splitlines())
