"""Baskets paid from several currencies, from two cards, or in part at the venue's own till."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from app.ledger.service import BookedOperation
from app.platform.clock import now_us
from app.rules.policy import Limits, Policy, Spending
from app.wire import Rest, RoundUp, Sale, Tender, VoidRow
from tests.support.network import CARDS, ECU, GIFT, POINTS, RAF, UNKNOWN_UID, Network, Terminal, both, problem

DAY_US = 86_400_000_000


def tender(currency: str, amount: int, covers: str | None = None, covered: int | None = None, **more: Any) -> Tender:
    return Tender(currency=currency, amount=amount, covers=covers, covered=covered, **more)


def paid(sale: Sale, tenders: Sequence[Tender], rest: Sequence[Rest] = (), round_up: RoundUp | None = None) -> Sale:
    """The sale, paid otherwise."""
    return Sale(**{**dict(sale), "tenders": tuple(tenders), "rest": tuple(rest), "round_up": round_up})


async def booked(network: Network, id_: UUID) -> BookedOperation:
    return (await network.ledger.booked([id_]))[id_]


async def funds(network: Network) -> dict[tuple[str, str], int]:
    rows = await network.ledger.balances(kinds=["fund"])
    return {(row.key.owner, row.key.book.currency): row.balance for row in rows if row.balance}


async def gifts(network: Network, policy: Policy | None = None, at: Sequence[str] = ("raffinerie",)) -> Terminal:
    """A bar that takes gift money; Awa has 5 of it, and 20 Rafftou."""
    await network.define(GIFT, policy, at)
    await network.issue("awa", GIFT, 500)
    await network.top_up("awa", 2000)
    return await network.terminal("raffinerie")


def twelve(bar: Terminal) -> Sale:
    """A basket of 12: 5 gift and 7 Rafftou."""
    return paid(bar.sale("awa", {"Demi": 2, "Eau": 5}), [tender("GIFT", 500, "RAF", 500), tender("RAF", 700)])


@both
async def test_a_basket_of_twelve_is_paid_with_five_gift_and_seven_rafftou(network: Network) -> None:
    bar = await gifts(network)
    sale = twelve(bar)
    answer = await bar.sell(sale)
    assert (answer.status_code, answer.json()["balances"]) == (201, {"GIFT": 0, "RAF": 1300})
    assert await network.claims("raffinerie") == {"GIFT": 500, "RAF": 700}
    assert await network.holds("awa") == {"GIFT": 0, "RAF": 1300, "TEMPS": 0}
    operation = await booked(network, sale.id)
    assert [it.amount for it in operation.transfers] == [500, 700], "one operation"
    assert operation.policy == "GIFT@0,RAF@0"
    assert json.loads(operation.details)["tenders"][0] == {
        "currency": "GIFT",
        "amount": 500,
        "covers": "RAF",
        "covered": 500,
    }
    again = await bar.sell(sale)
    assert (again.status_code, again.json()) == (200, answer.json())


@both
async def test_a_mixed_sale_is_voided_whole(network: Network) -> None:
    bar = await gifts(network)
    sale = twelve(bar)
    await bar.sell(sale)
    path = f"/venues/{bar.venue.id}/sales/{sale.id}/void"
    assert (await network.post("marie", path, {"reason": "Erreur"})).status_code == 201
    assert await network.holds("awa") == {"GIFT": 500, "RAF": 2000, "TEMPS": 0}
    assert await network.claims("raffinerie") == {}
    assert problem(await network.post("marie", path, {"reason": "Erreur"})) == (409, "already-reversed")


@both
async def test_money_of_another_rate_pays_at_its_rate(network: Network) -> None:
    await network.define(ECU, at=["raffinerie"])
    await network.top_up("awa", 100, currency=ECU)
    await network.top_up("awa", 150)
    bar = await network.terminal("raffinerie")
    answer = await bar.sell(paid(bar.sale("awa", {"Demi": 1}), [tender("ECU", 100, "RAF", 200), tender("RAF", 150)]))
    assert (answer.status_code, answer.json()["balances"]) == (201, {"ECU": 0, "RAF": 0})
    assert await network.claims("raffinerie") == {"ECU": 100, "RAF": 150}


async def test_lines_in_several_currencies_are_paid_each_in_their_own(network: Network) -> None:
    await network.shift("awa", 60)
    await network.top_up("awa", 100)
    bar = await network.terminal("raffinerie")
    beer, water = bar.sale("awa", {"Demi": 2}, pay="TEMPS"), bar.sale("awa", {"Eau": 1})
    both_lines = Sale(**{**dict(beer), "lines": beer.lines + water.lines, "tenders": beer.tenders + water.tenders})
    answer = await bar.sell(both_lines)
    assert (answer.status_code, answer.json()["balances"]) == (201, {"TEMPS": 0, "RAF": 0})
    assert await network.claims("raffinerie") == {"TEMPS": 60, "RAF": 100}
    assert (await booked(network, beer.id)).policy == "TEMPS@0,RAF@0"


class TestTheRest:
    @both
    async def test_in_cash_it_is_told_and_never_booked(self, network: Network) -> None:
        await network.top_up("awa", 200)
        bar = await network.terminal("raffinerie")
        rest = Rest(means="cash", covers="RAF", amount=150)
        sale = paid(bar.sale("awa", {"Demi": 1}), [tender("RAF", 200)], [rest])
        assert (await bar.sell(sale)).status_code == 201
        assert await network.claims("raffinerie") == {"RAF": 200}
        operation = await booked(network, sale.id)
        assert [it.amount for it in operation.transfers] == [200]
        assert json.loads(operation.details)["rest"] == [{"means": "cash", "covers": "RAF", "amount": 150}]

    async def test_hours_are_not_paid_in_cash(self, network: Network) -> None:
        await network.shift("awa", 20)
        bar = await network.terminal("raffinerie")
        rest = Rest(means="cash", covers="TEMPS", amount=10)
        answer = await bar.sell(paid(bar.sale("awa", {"Demi": 1}, pay="TEMPS"), [tender("TEMPS", 20)], [rest]))
        assert problem(answer) == (422, "tender-not-allowed")
        assert answer.json()["reasons"] == ["rest:TEMPS"]


class TestASecondCard:
    @both
    async def test_pays_what_the_first_one_lacks(self, network: Network) -> None:
        await network.top_up("awa", 300)
        await network.top_up("basile", 100)
        bar = await network.terminal("raffinerie")
        sale = paid(bar.sale("awa", {"Demi": 1}), [tender("RAF", 300), tender("RAF", 50, card=CARDS["basile"])])
        answer = await bar.sell(sale)
        assert answer.status_code == 201
        assert answer.json()["balances"] == {"RAF": 0}
        assert answer.json()["other_cards"] == {CARDS["basile"]: {"RAF": 50}}
        assert (await network.holds("basile"))["RAF"] == 50
        assert await network.claims("raffinerie") == {"RAF": 350}
        again = await bar.sell(sale)
        assert (again.status_code, again.json()) == (200, answer.json())

    @both
    async def test_that_holds_too_little_leaves_the_first_one_alone(self, network: Network) -> None:
        await network.top_up("awa", 300)
        await network.top_up("basile", 49)
        bar = await network.terminal("raffinerie")
        answer = await bar.sell(
            paid(bar.sale("awa", {"Demi": 1}), [tender("RAF", 300), tender("RAF", 50, card=CARDS["basile"])])
        )
        assert problem(answer) == (402, "insufficient-funds")
        told = answer.json()
        assert (told["card"], told["currency"]) == (CARDS["basile"], "RAF")
        assert told["balances"] == {"RAF": 300, "TEMPS": 0}
        assert told["other_cards"] == {CARDS["basile"]: {"RAF": 49, "TEMPS": 0}}
        assert (await network.holds("awa"))["RAF"] == 300

    @pytest.mark.parametrize(("uid", "code"), [(UNKNOWN_UID, "card-unknown"), (CARDS["basile"], "card-blocked")])
    async def test_that_is_not_good_is_named(self, network: Network, uid: str, code: str) -> None:
        await network.top_up("awa", 300)
        await network.block("basile")
        bar = await network.terminal("raffinerie")
        answer = await bar.sell(paid(bar.sale("awa", {"Demi": 1}), [tender("RAF", 300), tender("RAF", 50, card=uid)]))
        assert problem(answer)[1] == code
        assert answer.json()["card"] == uid
        assert (await network.holds("awa"))["RAF"] == 300

    async def test_that_is_blocked_and_comes_by_journal_is_paid_from_suspense(self, network: Network) -> None:
        await network.top_up("awa", 300)
        bar = await network.terminal("raffinerie")
        sale = paid(bar.sale("awa", {"Demi": 1}), [tender("RAF", 300), tender("RAF", 50, card=UNKNOWN_UID)])
        await bar.deliver(bar.sale_row(sale))
        assert (await network.holds("awa"))["RAF"] == 0
        assert await network.suspense() == {"RAF": -50}
        assert await network.claims("raffinerie") == {"RAF": 350}
        assert await network.exceptions() == [("unknown-card", {"card": UNKNOWN_UID})]


class TestWhatThePolicyForbids:
    """Refused with every reason, not remembered, and nothing is taken."""

    async def refused(self, network: Network, bar: Terminal, sale: Sale) -> list[str]:
        before = await network.holds("awa")
        answer = await bar.sell(sale)
        assert problem(answer) == (422, "tender-not-allowed")
        assert await network.holds("awa") == before
        assert await network.claims("raffinerie") == {}
        assert sale.id not in await network.ledger.booked([sale.id])
        reasons: list[str] = answer.json()["reasons"]
        return reasons

    async def test_another_rate_than_par(self, network: Network) -> None:
        bar = await gifts(network)
        sale = paid(bar.sale("awa", {"Demi": 1}), [tender("GIFT", 300, "RAF", 350)])
        assert await self.refused(network, bar, sale) == ["rate:GIFT"]

    async def test_hours_for_prices_in_euros(self, network: Network) -> None:
        await network.shift("awa", 400)
        bar = await network.terminal("raffinerie")
        sale = paid(bar.sale("awa", {"Demi": 1}), [tender("TEMPS", 350, "RAF", 350)])
        assert await self.refused(network, bar, sale) == ["covers:TEMPS"]

    async def test_euros_for_prices_in_points(self, network: Network) -> None:
        await network.define(POINTS, at=["raffinerie"])
        await network.price("raffinerie", "Eau", "PTS", 3)
        await network.top_up("awa", 1000)
        bar = await network.terminal("raffinerie")
        sale = paid(bar.sale("awa", {"Eau": 1}, pay="PTS"), [tender("RAF", 3, "PTS", 3)])
        assert await self.refused(network, bar, sale) == ["covers:RAF"]

    async def test_a_gift_for_meals_pays_no_beer(self, network: Network) -> None:
        bar = await gifts(network, Policy(spending=Spending(categories=("Repas",))))
        assert await self.refused(network, bar, twelve(bar)) == ["category:GIFT"]

    async def test_a_gift_of_another_venue(self, network: Network) -> None:
        bar = await gifts(network, Policy(spending=Spending(venues=("canal",))))
        assert await self.refused(network, bar, twelve(bar)) == ["not-here:GIFT"]

    async def test_more_at_once_than_allowed(self, network: Network) -> None:
        bar = await gifts(network, Policy(limits=Limits(per_payment=499)))
        sale = twelve(bar)
        assert await self.refused(network, bar, sale) == ["over-payment:GIFT"]
        await network.rules(GIFT, Policy(limits=Limits(per_payment=500)))
        assert (await bar.sell(sale)).status_code == 201, "the new rules hold at once, and nothing was remembered"
        assert (await booked(network, sale.id)).policy == "GIFT@2,RAF@0"

    async def test_poured_all_the_same_it_is_booked_and_somebody_is_told(self, network: Network) -> None:
        bar = await gifts(network, Policy(spending=Spending(categories=("Repas",))))
        sale = twelve(bar)
        await bar.deliver(bar.sale_row(sale))
        assert await network.claims("raffinerie") == {"GIFT": 500, "RAF": 700}
        assert await network.exceptions() == [("against-policy", {"card": CARDS["awa"], "reasons": ["category:GIFT"]})]


class TestLimitsInTime:
    @both
    async def test_a_day_s_limit_holds_whoever_asks_at_once(self, network: Network) -> None:
        await network.rules(RAF, Policy(limits=Limits(per_day=500)))
        await network.top_up("awa", 2000)
        bar, second = await network.terminal("raffinerie"), await network.terminal("raffinerie", "Guinguette")
        answers = await asyncio.gather(*((bar, second)[i % 2].sell("awa", {"Eau": 1}) for i in range(9)))
        told = sorted(answer.status_code for answer in answers)
        assert told == [201] * 5 + [409] * 4
        refused = next(it for it in answers if it.status_code == 409)
        assert problem(refused) == (409, "spending-limit")
        assert (refused.json()["currency"], refused.json()["balances"]["RAF"]) == ("RAF", 1500)
        assert await network.claims("raffinerie") == {"RAF": 500}

    @both
    async def test_what_was_voided_may_be_spent_again(self, network: Network) -> None:
        await network.rules(RAF, Policy(limits=Limits(per_day=350)))
        await network.top_up("awa", 2000)
        bar = await network.terminal("raffinerie")
        sale = bar.sale("awa", {"Demi": 1})
        assert (await bar.sell(sale)).status_code == 201
        assert problem(await bar.sell("awa", {"Eau": 1})) == (409, "spending-limit")
        void = f"/venues/{bar.venue.id}/sales/{sale.id}/void"
        assert (await network.post("marie", void, {"reason": "Erreur"})).status_code == 201
        assert (await bar.sell("awa", {"Demi": 1})).status_code == 201

    @both
    async def test_a_week_counts_the_last_seven_days_and_a_month_thirty(self, network: Network) -> None:
        await network.rules(RAF, Policy(limits=Limits(per_day=400, per_week=700, per_month=1000)))
        await network.top_up("awa", 5000)
        bar = await network.terminal("raffinerie")
        now = now_us()
        for days in (29, 7, 6, 1):
            await bar.deliver(bar.sale_row("awa", {"Eau": 3}, at_us=now - days * DAY_US))
        # The week has 600 of its 700, the month 1200 of its 1000: delivered sales are booked whatever the limit.
        assert problem(await bar.sell("awa", {"Eau": 1})) == (409, "spending-limit")
        await network.rules(RAF, Policy(limits=Limits(per_week=700)))
        assert problem(await bar.sell("awa", {"Eau": 2})) == (409, "spending-limit")
        assert (await bar.sell("awa", {"Eau": 1})).status_code == 201

    async def test_one_card_s_limit_is_not_another_s(self, network: Network) -> None:
        await network.rules(RAF, Policy(limits=Limits(per_day=100)))
        await network.top_up("awa", 500)
        await network.top_up("basile", 500)
        bar = await network.terminal("raffinerie")
        assert (await bar.sell("awa", {"Eau": 1})).status_code == 201
        assert (await bar.sell("basile", {"Eau": 1})).status_code == 201

    async def test_without_network_it_stops_nothing(self, network: Network) -> None:
        await network.rules(RAF, Policy(limits=Limits(per_day=100)))
        await network.top_up("awa", 500)
        bar = await network.terminal("raffinerie")
        await bar.deliver(bar.sale_row("awa", {"Eau": 2}))
        assert await network.claims("raffinerie") == {"RAF": 200}
        assert await network.exceptions() == []


class TestByJournal:
    @both
    async def test_each_tender_goes_to_its_own_overdraft_and_a_void_gives_all_of_it_back(
        self, network: Network
    ) -> None:
        await network.define(GIFT, at=["raffinerie"])
        await network.issue("awa", GIFT, 200)
        await network.top_up("awa", 600)
        bar = await network.terminal("raffinerie")
        sale = twelve(bar)
        await bar.deliver(bar.sale_row(sale))
        assert await network.holds("awa") == {"GIFT": -300, "RAF": -100, "TEMPS": 0}
        assert await network.claims("raffinerie") == {"GIFT": 500, "RAF": 700}
        owed = {CARDS["awa"]: {"GIFT": 300, "RAF": 100}}
        assert await network.exceptions() == [("offline-overdraft", {"card": CARDS["awa"], "owed": owed})]
        await bar.deliver(VoidRow(id=UUID(int=7), sale=sale.id, cashier=None, reason="Erreur", at_us=now_us()))
        assert await network.holds("awa") == {"GIFT": 200, "RAF": 600, "TEMPS": 0}
        assert await network.claims("raffinerie") == {}

    async def test_it_is_booked_by_the_rules_of_when_it_was_made(self, network: Network) -> None:
        await network.top_up("awa", 1000)
        bar = await network.terminal("raffinerie")
        yesterday = now_us() - DAY_US
        await network.rules(RAF, Policy(), valid_from_us=now_us() - DAY_US // 2)
        before, after = bar.sale("awa", {"Eau": 1}, at_us=yesterday), bar.sale("awa", {"Eau": 1})
        await bar.deliver(bar.sale_row(before), bar.sale_row(after))
        assert (await booked(network, before.id)).policy == "RAF@0"
        assert (await booked(network, after.id)).policy == "RAF@1"


class TestARoundUp:
    ROUNDED = Policy(spending=Spending(round_up="secours"))

    @both
    async def test_goes_to_its_beneficiary_on_top_of_the_basket(self, network: Network) -> None:
        await network.rules(RAF, self.ROUNDED)
        await network.top_up("awa", 1000)
        bar = await network.terminal("raffinerie")
        sale = paid(bar.sale("awa", {"Demi": 1}), [tender("RAF", 350)], round_up=RoundUp(currency="RAF", amount=50))
        answer = await bar.sell(sale)
        assert (answer.status_code, answer.json()["balances"]) == (201, {"RAF": 600})
        assert await network.claims("raffinerie") == {"RAF": 350}
        assert await funds(network) == {("secours", "RAF"): 50}
        await bar.deliver(VoidRow(id=UUID(int=8), sale=sale.id, cashier=None, reason="Erreur", at_us=now_us()))
        assert (await network.holds("awa"))["RAF"] == 1000
        assert await funds(network) == {}

    @pytest.mark.parametrize("amount", [49, 51, 150])
    async def test_is_to_the_next_whole_euro_and_nothing_else(self, network: Network, amount: int) -> None:
        await network.rules(RAF, self.ROUNDED)
        await network.top_up("awa", 1000)
        bar = await network.terminal("raffinerie")
        more = RoundUp(currency="RAF", amount=amount)
        answer = await bar.sell(paid(bar.sale("awa", {"Demi": 1}), [tender("RAF", 350)], round_up=more))
        assert problem(answer) == (422, "tender-not-allowed")
        assert answer.json()["reasons"] == ["round-up:RAF"]

    async def test_without_a_beneficiary_there_is_none(self, network: Network) -> None:
        await network.top_up("awa", 1000)
        bar = await network.terminal("raffinerie")
        sale = paid(bar.sale("awa", {"Demi": 1}), [tender("RAF", 350)], round_up=RoundUp(currency="RAF", amount=50))
        assert problem(await bar.sell(sale)) == (422, "tender-not-allowed")
        await bar.deliver(bar.sale_row(sale))
        assert await network.claims("raffinerie") == {"RAF": 350}
        assert (await network.holds("awa"))["RAF"] == 650

    async def test_nobody_gives_what_a_blocked_card_was_to_pay(self, network: Network) -> None:
        await network.rules(RAF, self.ROUNDED)
        await network.top_up("awa", 1000)
        await network.block("awa")
        bar = await network.terminal("raffinerie")
        sale = paid(bar.sale("awa", {"Demi": 1}), [tender("RAF", 350)], round_up=RoundUp(currency="RAF", amount=50))
        await bar.deliver(bar.sale_row(sale))
        assert await network.suspense() == {"RAF": -350}
        assert await funds(network) == {}


async def test_the_snapshot_tells_what_a_terminal_needs_to_decide_alike(network: Network) -> None:
    own = replace(ECU, issuer=network.venues["raffinerie"].owner)
    policy = Policy(limits=Limits(per_payment=500), spending=Spending(categories=("Bar",)))
    await network.define(GIFT, policy, at=["raffinerie"])
    await network.define(own, at=["raffinerie"])
    bar = await network.terminal("raffinerie")
    told = (await bar.snapshot()).json()
    assert told["venue_slug"] == "raffinerie"
    by_code = {it["code"]: it for it in told["currencies"]}
    assert {code: (it["kind"], it["cents"], it["issuer"], it["policy_label"]) for code, it in by_code.items()} == {
        "RAF": ("pegged", 1, "network", "RAF@0"),
        "TEMPS": ("time", None, "network", "TEMPS@0"),
        "GIFT": ("gift", 1, "network", "GIFT@1"),
        "ECU": ("pegged", 2, "raffinerie", "ECU@0"),
    }
    assert by_code["GIFT"]["policy"]["spending"]["categories"] == ["Bar"]
    assert by_code["GIFT"]["policy"]["limits"]["per_payment"] == 500
