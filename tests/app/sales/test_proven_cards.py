"""A venue that takes only cards that prove themselves: said on its page, kept at the counter, told to its tills."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from app.cards.tables import card
from app.platform.clock import now_us
from app.rules.ids import uuid7
from app.rules.offline import Assurance, CardLimits, CardView, OfflineLimits, Refusal, Refuse, TerminalView, decide
from app.rules.policy import Issue, Policy, Redeem
from app.rules.proven import DEMANDS, Demand, offline_levels, pays_online, stricter
from app.venues.service import set_network, the_network
from app.wire import RefundRow, Sale, Tender, TopUpRow
from tests.support.network import CARDS, RAF, Network, both, problem
from tests.support.pages import form_to, led_to, look, send, words

pytestmark = pytest.mark.anyio
levels = st.sampled_from(get_args(Assurance))
demands = st.sampled_from(DEMANDS)


async def demand_at(network: Network, demand: str) -> None:
    """Marie chooses it on the page of her venue."""
    marie, path = await network.person("marie"), f"/admin/products/{network.venues['raffinerie'].id}/paid"
    led_to(await send(marie, form_to(await look(marie, path), path), proven_cards=demand))
    assert f'value="{demand}" selected' in (await look(marie, path)).text


async def keyed(network: Network, name: str) -> None:
    async with network.engine.begin() as connection:
        await connection.execute(sa.update(card).where(card.c.uid == CARDS[name]).values(assurance="A"))


@both
async def test_with_network_the_server_refuses_a_card_that_did_not_prove_itself(
    network: Network, database_kind: str
) -> None:
    for name in ("awa", "basile"):
        await network.top_up(name, 2000)
    await keyed(network, "awa")
    bar = await network.terminal("raffinerie")
    weak, strong = bar.sale("basile", {"Demi": 1}), bar.sale("awa", {"Demi": 1})
    assert (await bar.sell(strong)).status_code == 201
    await demand_at(network, "offline")
    assert (await bar.sell(weak)).status_code == 201
    await demand_at(network, "always")
    assert (await bar.sell(weak)).status_code == 200, "what was booked stays booked, and is told again"
    for claims in (bar.sale("basile", {"Demi": 1}), read_as(bar.sale("basile", {"Demi": 1}), "A")):
        assert problem(await bar.sell(claims)) == (403, "card-not-proven")
    copied = bar.sale("awa", {"Demi": 1})
    assert problem(await bar.sell(copied)) == (403, "card-not-proven"), "its number alone was read"
    proven = read_as(bar.sale("awa", {"Demi": 1}), "A")
    assert (await bar.sell(proven)).status_code == 201
    two = proven.model_copy(
        update={
            "id": uuid7(),
            "tenders": (Tender(currency="RAF", amount=300), Tender(currency="RAF", amount=50, card=CARDS["basile"])),
        }
    )
    answer = await bar.sell(two)
    assert (problem(answer), answer.json()["card"]) == ((403, "card-not-proven"), CARDS["basile"])
    await keyed(network, "basile")
    assert problem(await bar.sell(two)) == (403, "card-not-proven")
    assert (await bar.sell(two.model_copy(update={"other_assurance": {CARDS["basile"]: "A"}}))).status_code == 201
    await bar.deliver(bar.sale_row("camille", {"Demi": 1}))
    assert (await network.holds("camille"))["RAF"] == -350, "a sale that was delivered is always booked"
    cafe = await network.terminal("canal")
    assert (await cafe.sell("camille", {"Café": 1})).status_code == 402, "another venue takes any card"


def read_as(sale: Sale, level: Assurance) -> Sale:
    return sale.model_copy(update={"assurance": level})


async def test_a_tab_is_opened_only_with_a_card_that_proved_itself(network: Network) -> None:
    await network.top_up("awa", 2000)
    await keyed(network, "awa")
    bar = await network.terminal("raffinerie")
    await demand_at(network, "always")
    wanted = {"id": str(uuid7()), "card": CARDS["awa"], "currency": "RAF", "amount": 1500}

    async def ask(**more: str) -> tuple[int, str]:
        answer = await network.client.post("/api/v1/tabs", json={**wanted, **more}, headers=bar.headers)
        return (answer.status_code, "") if answer.is_success else problem(answer)

    assert await ask() == (403, "card-not-proven")
    assert await ask(assurance="A") == (201, "")


async def test_cash_is_given_only_for_a_card_that_proved_itself(network: Network) -> None:
    await network.top_up("awa", 2000)
    await keyed(network, "awa")
    await network.rules(
        RAF, Policy(issue=Issue(("network_admin", "venue_admin", "cashier")), redeem=Redeem(who=("venues", "holders")))
    )
    marie, bar = await network.hired("marie"), await network.terminal("raffinerie")
    await demand_at(network, "always")

    async def ask(read: Assurance, kind: type[RefundRow | TopUpRow] = RefundRow, **more: str) -> tuple[int, str]:
        common = {"mode": "online", "id": uuid7(), "card": CARDS["awa"], "currency": "RAF", "amount": 500}
        row = kind.model_validate({**common, "cashier": marie, "at_us": now_us(), **more})
        if isinstance(row, RefundRow):
            row = row.model_copy(update={"assurance": read})
        answer = await network.client.post(
            "/api/v1/terminals/acts", json=row.model_dump(mode="json"), headers=bar.headers
        )
        return (answer.status_code, "") if answer.is_success else problem(answer)

    assert await ask("C") == (403, "card-not-proven")
    assert await ask("A") == (201, "")
    assert await ask("C", TopUpRow, means="cash") == (201, ""), "money put on a card asks for no proof"


async def test_tills_are_told_by_limits_that_any_of_them_reads(network: Network) -> None:
    bar = await network.terminal("raffinerie")
    before = (await bar.snapshot()).json()
    assert set(before["limits"]["cards"]["RAF"]) == {"A", "B", "C"}
    async with network.engine.begin() as connection:
        it = await the_network(connection)
        await set_network(connection, it.name, replace(it.settings, proven_cards="offline"))
    after = (await bar.snapshot()).json()
    assert {code: set(it) for code, it in after["limits"]["cards"].items()} == {"RAF": {"A"}, "TEMPS": {"A"}}
    assert after.keys() == before.keys()
    marie = await network.person("marie")
    page = words(await look(marie, f"/admin/products/{network.venues['raffinerie'].id}/paid"))
    assert "Le réseau dit : sans réseau, seulement les cartes qui font leurs preuves." in page


@given(demands, st.none() | demands)
def test_a_venue_demands_more_and_never_less(network: Demand, venue: Demand | None) -> None:
    found = stricter(network, venue)
    assert found in {network, venue}
    assert DEMANDS.index(found) >= DEMANDS.index(network)


@given(demands, levels, levels)
def test_only_what_was_proven_pays_where_that_is_demanded(demand: Demand, read: Assurance, known: Assurance) -> None:
    assert pays_online(demand, read, known) == (demand != "always" or read == known == "A")
    usual = dict.fromkeys(get_args(Assurance), CardLimits(100, 100, 5))
    limits = OfflineLimits({"RAF": offline_levels(demand, usual)}, {"RAF": 1000})
    card = CardView(False, max(read, known), {"RAF": 100}, {}, {}, 0)
    decision = decide({"RAF": 50}, card, TerminalView({}, 0, 1.0), limits)
    refused = demand != "any" and not read == known == "A"
    assert (decision == Refuse(Refusal.CARD_NOT_PROVEN)) == refused
