"""Stripe behind the provider's interface, against a server that speaks its API and fails in its ways."""

from __future__ import annotations

import time
from typing import Any

import pytest
import sqlalchemy as sa

from app.currencies.service import Currency
from app.inbox import service as inbox
from app.ledger.verify import verify
from app.money import Unit
from app.platform.settings import Settings
from app.rules.ids import uuid7
from app.topups import online, service
from app.topups.calling import Api
from app.topups.provider import ProviderAway, ProviderRefused
from app.topups.service import Topup
from app.topups.stripe import Stripe
from app.topups.stripe.signature import genuine, sign
from app.topups.tables import topup
from app.topups.webhooks import BODY_MAX_BYTES
from app.venues.service import the_network
from tests.app.inbox.test_inbox import NADIA
from tests.app.topups.test_chargebacks import euros
from tests.support.books import books_of, close
from tests.support.network import RAF, Network, both, problem
from tests.support.pages import form_to, look, send, words
from tests.support.stripe import DISPUTE_FEE, SECRET, FakeStripe, fee_of

pytestmark = pytest.mark.anyio

SERVER = "http://server.test"
FAR_US = 2**53


@pytest.fixture
def database_kind() -> str:
    return "sqlite"


class Shop:
    """A network whose provider is Stripe."""

    def __init__(self, network: Network) -> None:
        self.network, self.stripe = network, FakeStripe()
        self.provider = Stripe(Api("stripe", self.stripe.client(), pause_s=0), [SECRET], SERVER)
        network.app.state.provider = self.provider

    async def begin(
        self, amount: int = 2000, card: str = "awa", id_: Any = None, label: str = "", currency: Currency = RAF
    ) -> Topup:
        async with self.network.context.reader.connect() as connection:
            of = await the_network(connection)
        id_ = id_ or uuid7()
        back = f"{SERVER}/back/{{id}}{label}"
        await service.begin(
            self.network.engine, self.provider, of, self.network.cards[card], currency, amount, back, id_
        )
        return await service.named(self.network.engine, id_)

    async def round(self) -> int:
        return await online.reconcile(self.network.context, self.network.ledger, self.provider, due_us=FAR_US)

    async def tell(self, event: dict[str, Any], **how: Any) -> Any:
        body, headers = self.stripe.signed(event, **how)
        return await self.network.client.post("/payments/stripe", content=body, headers=headers)


@pytest.fixture
def shop(network: Network) -> Shop:
    return Shop(network)


@both
async def test_the_holder_gets_all_and_the_fee_is_booked_with_it(network: Network, shop: Shop) -> None:
    it = await shop.begin(5000)
    assert it.url == f"https://api.stripe.test/pay/{it.reference}"
    assert await shop.round() == 0
    shop.stripe.pay(it.reference or "")
    assert await shop.round() == 1
    assert await shop.round() == 0
    assert await network.holds("awa") == {"RAF": 5000, "TEMPS": 0}
    fee = fee_of(5000)
    assert await euros(network) == {
        "clearing": 5000 - fee,
        "due_from": fee,
        "losses": 0,
        "provider_fees": fee,
        "due_to_reserve": fee,
        "liability": 5000,
    }
    report = await verify(network.engine)
    assert report.ok, report.findings


async def test_a_fee_that_is_not_known_yet_delays_nothing_and_is_left_to_the_payout(
    network: Network, shop: Shop
) -> None:
    it = await shop.begin(5000)
    shop.stripe.pay(it.reference or "", settled=False)
    await shop.round()
    now = await service.named(network.engine, it.id)
    assert (now.status, now.fee_cents) == ("credited", None)
    assert (await euros(network))["clearing"] == 5000


async def test_the_same_top_up_asked_twice_is_one_payment_whatever_is_lost_on_the_way(
    network: Network, shop: Shop
) -> None:
    shop.stripe.faults.extend(["after", "before", "500"])
    id_ = uuid7()
    with pytest.raises(ProviderAway):
        await shop.begin(id_=id_)
    assert (await service.named(network.engine, id_)).reference is None
    shop.stripe.faults.extend(["429", "after"])
    it = await shop.begin(id_=id_)
    assert list(shop.stripe.sessions) == [it.reference]
    assert {key for method, _, key in shop.stripe.requests if method == "POST"} == {f"topup-{id_}"}
    # Its page is known from then on: nobody is asked again.
    asked = len(shop.stripe.requests)
    await shop.begin(id_=id_)
    assert len(shop.stripe.requests) == asked


async def test_asked_for_in_other_words_it_is_the_session_that_is_open(network: Network, shop: Shop) -> None:
    shop.stripe.faults.extend(["after", "before", "before"])
    id_ = uuid7()
    with pytest.raises(ProviderAway):
        await shop.begin(id_=id_)
    it = await shop.begin(id_=id_, label="?other")
    assert list(shop.stripe.sessions) == [it.reference]


async def test_another_amount_or_currency_than_asked_for_is_never_credited(network: Network, shop: Shop) -> None:
    less, foreign = await shop.begin(2000), await shop.begin(2000, "basile")
    shop.stripe.pay(less.reference or "", cents=200)
    shop.stripe.pay(foreign.reference or "", currency="usd")
    await shop.round()
    states = [await service.named(network.engine, it.id) for it in (less, foreign)]
    assert [(it.status, it.paid_cents) for it in states] == [("pending", 200), ("pending", 0)]
    assert await network.holds("awa") == {"RAF": 0, "TEMPS": 0}
    # Both are on the exceptions list, and on their holders' pages.
    async with network.context.reader.connect() as connection:
        assert {it.id for it in await service.doubtful(connection, FAR_US, 0)} == {less.id, foreign.id}
        waiting = await service.waiting(connection, network.cards["awa"].wallet, FAR_US)
    assert [it.id for it in waiting] == [less.id]


async def test_what_nobody_paid_is_cancelled_when_stripe_closes_its_page(network: Network, shop: Shop) -> None:
    it = await shop.begin()
    shop.stripe.expire(it.reference or "")
    await shop.round()
    now = await service.named(network.engine, it.id)
    assert (now.status, now.ask_at_us) == ("cancelled", None)


@both
async def test_a_notice_makes_us_ask_once_however_often_it_comes(network: Network, shop: Shop) -> None:
    it = await shop.begin()
    session = shop.stripe.pay(it.reference or "")
    event = next(one for one in shop.stripe.events if one["data"]["object"]["id"] == session["id"])
    answers = [(await shop.tell(event)).json() for _ in range(3)]
    assert answers == [{"new": True}, {"new": False}, {"new": False}]
    # The answer is given before anything is asked.
    await online.reconcile(network.context, network.ledger, shop.provider)
    assert await network.holds("awa") == {"RAF": 2000, "TEMPS": 0}


async def test_a_notice_says_nothing_by_itself(network: Network, shop: Shop) -> None:
    it = await shop.begin()
    session = {**shop.stripe.sessions[it.reference or ""], "payment_status": "paid", "status": "complete"}
    event = {"id": "evt_x", "object": "event", "type": "checkout.session.completed", "data": {"object": session}}
    assert (await shop.tell(event)).status_code == 200
    await online.reconcile(network.context, network.ledger, shop.provider)
    assert await network.holds("awa") == {"RAF": 0, "TEMPS": 0}
    # What is about nobody here is taken all the same: Stripe would send it for days.
    assert (await shop.tell({**event, "id": "evt_y", "data": {"object": {"id": "cus_1"}}})).status_code == 200


async def test_a_forged_notice_is_refused_and_does_nothing(network: Network, shop: Shop) -> None:
    it = await shop.begin()
    shop.stripe.pay(it.reference or "")
    event, now = shop.stripe.events[-1], int(time.time())
    body, headers = shop.stripe.signed(event)
    for forged in (
        {"Stripe-Signature": sign(body, ["whsec_other"], now)},
        {"Stripe-Signature": sign(body, [SECRET], now - 301)},
        {"Stripe-Signature": sign(body, [SECRET], now + 301)},
        {"Stripe-Signature": sign(body + b" ", [SECRET], now)},
        {"Stripe-Signature": sign(body, [SECRET], now).replace("v1=", "v0=")},
        {},
    ):
        answer = await network.client.post("/payments/stripe", content=body, headers=forged)
        assert problem(answer) == (400, "notice-not-genuine")
    assert problem(await network.client.post("/payments/other", content=body, headers=headers)) == (404, "not-found")
    large = await network.client.post("/payments/stripe", content=b"x" * (BODY_MAX_BYTES + 1), headers=headers)
    assert problem(large) == (413, "body-too-large")
    unasked = {"reference": it.reference}
    assert problem(await network.client.post("/api/v1/payments/stripe/notices", json=unasked)) == (404, "not-found")
    # None of them had any effect: the genuine one is new.
    assert (await shop.tell(event)).json() == {"new": True}


async def test_whoever_forges_often_is_not_listened_to(network: Network, shop: Shop) -> None:
    codes = [(await network.client.post("/payments/stripe", content=b"{}")).status_code for _ in range(62)]
    assert codes == [400] * 60 + [429] * 2


def test_signatures_are_verified_as_stripe_documents_it() -> None:
    body = b'{"id": "evt_1"}'
    header = sign(body, ["whsec_old", "whsec_new"], 1_700_000_000)
    for secrets in (["whsec_old"], ["whsec_new"], ["whsec_x", "whsec_new"]):
        assert genuine(header, body, secrets, 1_700_000_299)
    assert not genuine(header, body, ["whsec_x"], 1_700_000_000)
    assert not genuine(header, body, [], 1_700_000_000)
    for wrong in ("", "t=,v1=", "v1=00", header.replace("t=", "t=x"), f"t=1700000000,{header}", "t=²,v1=é"):
        assert not genuine(wrong, body, ["whsec_old"], 1_700_000_000)


@both
async def test_refunds_and_disputes_come_off_the_card_and_back(network: Network, shop: Shop) -> None:
    it = await shop.begin(5000)
    shop.stripe.pay(it.reference or "")
    await shop.round()
    shop.stripe.refund(it.reference or "", 1000)
    await shop.round()
    assert (await network.holds("awa"))["RAF"] == 4000
    dispute = shop.stripe.dispute(it.reference or "")
    for _ in range(2):
        await shop.round()
    assert (await network.holds("awa"))["RAF"] == 0
    assert (await euros(network))["provider_fees"] == fee_of(5000) + DISPUTE_FEE
    shop.stripe.win(dispute["id"])
    await shop.round()
    now = await euros(network)
    assert ((await network.holds("awa"))["RAF"], now["provider_fees"]) == (4000, fee_of(5000) + DISPUTE_FEE)
    assert now["clearing"] == 4000 - fee_of(5000) - DISPUTE_FEE
    report = await verify(network.engine)
    assert report.ok, report.findings


async def test_one_account_serves_several_servers(network: Network, shop: Shop) -> None:
    other = Stripe(Api("stripe", shop.stripe.client(), pause_s=0), [SECRET], "https://other.example")
    theirs = await other.open_checkout(uuid7(), 3000, "Other", "https://other.example/back")
    mine = await shop.begin()
    for reference in (theirs.reference, mine.reference or ""):
        shop.stripe.pay(reference)
        shop.stripe.refund(reference, 100)
    assert [one.reference async for one in shop.provider.paid_since(0)] == [mine.reference]
    assert [one.payment for one in await shop.provider.disputes()] == [str(mine.id)]


async def test_a_refused_key_is_told_and_no_key_is_in_what_is_told(network: Network, shop: Shop) -> None:
    wrong = Stripe.open("http://127.0.0.1:9", "sk_live_secret", [SECRET], SERVER)
    with pytest.raises(ProviderAway) as away:
        await wrong.look_up("cs_1")
    await wrong.close()
    client = shop.stripe.client()
    client.headers["Authorization"] = "Bearer sk_live_secret"
    with pytest.raises(ProviderRefused) as refused:
        await Stripe(Api("stripe", client), [SECRET], SERVER).look_up("cs_1")
    assert refused.value.status == 401
    for told in (
        away.value,
        refused.value,
        repr(Settings(payments="stripe", stripe_key="sk_x", stripe_webhook_secret="w")),
    ):  # type: ignore[arg-type]
        assert "sk_" not in str(told)
    with pytest.raises(ValueError, match="COMPTOIR_STRIPE_WEBHOOK_SECRET") as missing:
        Settings(payments="stripe", stripe_key="sk_live_secret")  # type: ignore[arg-type]
    assert "sk_live" not in str(missing.value)


@both
async def test_a_payment_that_nobody_here_knows_is_found_and_settled_once_it_is_given_back(
    network: Network, shop: Shop
) -> None:
    mine = await shop.begin()
    gone = uuid7()
    lost = await shop.provider.open_checkout(gone, 3000, "Les Comptoirs liés", f"{SERVER}/back")
    for reference in (mine.reference or "", lost.reference):
        shop.stripe.pay(reference)
    for _ in range(2):
        await online.reconcile(network.context, network.ledger, shop.provider, since_us=0)
    assert (await network.holds("awa"))["RAF"] == 2000
    (case,) = [it for it in await inbox.cases(network.ledger, NADIA) if it.fault.kind == "payment-stray"]
    assert (case.state, case.fault.facts["cents"], case.fault.facts["reference"]) == ("open", 3000, lost.reference)
    shop.stripe.refund(lost.reference, 3000)
    await online.reconcile(network.context, network.ledger, shop.provider, since_us=0)
    assert (await inbox.case(network.ledger, NADIA, case.fault.key)).state == "done"


@both
async def test_a_payment_whose_name_was_not_written_down_in_time_is_its_top_up_s(network: Network, shop: Shop) -> None:
    it = await shop.begin()
    nameless = {"reference": None, "url": None, "status": "cancelled", "ask_at_us": None}
    async with network.engine.begin() as connection:
        await connection.execute(sa.update(topup).values(**nameless))
    shop.stripe.pay(it.reference or "")
    await online.reconcile(network.context, network.ledger, shop.provider, since_us=0)
    assert (await network.holds("awa"))["RAF"] == 2000
    assert not [one for one in await inbox.cases(network.ledger, NADIA) if one.fault.kind == "payment-stray"]


async def test_what_is_paid_twice_is_credited_once_and_told(network: Network, shop: Shop) -> None:
    it = await shop.begin()
    other = Stripe(Api("stripe", shop.stripe.client(), pause_s=0), [SECRET], SERVER)
    shop.stripe._kept.clear()  # as Stripe does with its idempotency keys after a day
    second = await other.open_checkout(it.id, 2000, "Again", f"{SERVER}/back")
    for reference in (it.reference or "", second.reference):
        shop.stripe.pay(reference)
    await online.reconcile(network.context, network.ledger, shop.provider, since_us=0, due_us=FAR_US)
    assert (await network.holds("awa"))["RAF"] == 2000
    (case,) = [one for one in await inbox.cases(network.ledger, NADIA) if one.fault.kind == "payment-stray"]
    assert case.fault.facts["reference"] == second.reference


async def test_another_amount_is_told_with_what_was_paid(network: Network, shop: Shop) -> None:
    it = await shop.begin(2000)
    shop.stripe.pay(it.reference or "", cents=200)
    await shop.round()
    case = await inbox.case(network.ledger, NADIA, f"topup:{it.id}")
    assert (case.fault.kind, case.fault.facts["paid_cents"]) == ("paid-otherwise", 200)
    page = await (await network.person("nadia")).get(
        f"/admin/exceptions/topup:{it.id}", headers={"Accept-Language": "en"}
    )
    assert "€20.00 were to be paid online, and €2.00 were" in page.text


async def test_a_form_that_got_no_answer_keeps_the_amount_that_was_chosen(network: Network, shop: Shop) -> None:
    address = f"/c/{network.cards['awa'].token}/top-up"
    form = form_to(await look(network.client, address), address)
    shop.stripe.faults.extend(["500"] * 3)
    again = await send(network.client, form, amount="3000")
    assert again.status_code == 503
    kept = form_to(again, address).fields
    assert (kept["amount"], kept["other"]) == ("3000", "")
    assert "Le prestataire de paiement ne répond pas" in words(again)


@pytest.mark.parametrize("issuer", ["network", "raffinerie"])
async def test_the_fee_is_an_expense_in_the_issuer_s_books(network: Network, shop: Shop, issuer: str) -> None:
    own = Currency("MIEN", network.venues["raffinerie"].owner, "pegged", Unit.CENT, "Mien", "Mine", "€", 1, 5)
    if issuer != "network":
        await network.define(own)
    it = await shop.begin(5000, currency=RAF if issuer == "network" else own)
    shop.stripe.pay(it.reference or "")
    await shop.round()
    books = await books_of(network, issuer)
    sealed = await close(network, books)
    assert sealed.document.books is not None
    found = {number: sums.debit - sums.credit for number, sums in sealed.document.books.accounts.items()}
    fee = fee_of(5000)
    assert (found["511500"], found["627000"]) == (5000 - fee, fee)
    assert sum(found.values()) == 0
