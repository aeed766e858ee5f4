"""The network of the founding documents is set up from docs/examples/network.yaml and its flows run."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.cards.service import add_card
from app.cli.apply.reading import read_network_file
from app.cli.apply.service import accept, propose
from app.identity.cookie import COOKIE
from app.identity.service import sign_in
from app.ledger.verify import verify
from app.platform.context import Context
from app.platform.settings import Settings
from app.rules.fees import fee
from app.venues.service import products, the_network, venues
from app.wire import RoundUp, Sale
from tests.support.network import BASE, CARDS, Network, problem, running

pytestmark = pytest.mark.anyio

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "network.yaml"
SOME_DAY_US = 2_000_000_000_000_000


@pytest.fixture
async def applied(quick: None, database_url: str, tmp_path: Path) -> tuple[Settings, str]:
    """An empty database to which the file was applied as `comptoir apply` does, and the administrator's password."""
    settings = Settings(data=tmp_path / "data", database_url=database_url, base_url=BASE)
    context = Context.open(settings)
    want = read_network_file(EXAMPLE.read_text(encoding="utf-8"))
    proposal = await propose(context, want)
    await accept(context, proposal, "test")
    assert (await propose(context, want)).changes == (), "a second apply changes nothing"
    await context.close()
    return settings, proposal.keys["admin"].password


@pytest.fixture
async def founded(applied: tuple[Settings, str]) -> AsyncIterator[Network]:
    """The real application over it, with cards, driven by its administrator. At the end all books are recomputed."""
    settings, password = applied
    async with running(settings) as app, AsyncExitStack() as clients:
        nobody, admin = [
            await clients.enter_async_context(
                httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=settings.base_url)
            )
            for _ in range(2)
        ]
        context: Context = app.state.context
        session = await sign_in(context, "admin", password)
        admin.cookies.set(COOKIE, session.token)
        admin.headers["X-CSRF-Token"] = session.csrf
        async with context.engine.begin() as connection:
            cards = {name: await add_card(connection, uid, f"Carte de {name}") for name, uid in CARDS.items()}
            at = {it.slug: it for it in (await venues(connection)).values()}
            sold = {(slug, it.name_fr): it for slug in at for it in await products(connection, at[slug].id)}
        signed_in = {"admin": admin}
        yield Network(app, settings, context, app.state.ledger, nobody, at, sold, cards, clients, _signed_in=signed_in)
        report = await verify(context.engine)
        assert report.ok, report.findings


async def done(network: Network, path: str, **body: object) -> Any:
    """What the administrator asked for was done; the answer's document."""
    answer = await network.post("admin", path, body)
    assert answer.is_success, answer.text
    return answer.json()


async def booked(network: Network, code: str) -> dict[tuple[str, str], int]:
    """Every balance in this currency that is not 0, by the account's kind and whose it is."""
    names = {it.owner: name for name, it in network.cards.items()}
    names |= {it.owner: slug for slug, it in network.venues.items()}
    rows = await network.ledger.balances()
    return {
        (row.key.kind, names.get(row.key.owner, row.key.owner)): row.balance
        for row in rows
        if row.balance and row.key.book.currency == code
    }


async def members(network: Network, **names: str) -> None:
    for card, name in names.items():
        await done(network, "/members", card=CARDS[card], name=name, roles=["contributor", "user"])


async def top_up(network: Network, slug: str, card: str, amount: int) -> None:
    await done(network, f"/venues/{network.venues[slug].id}/topups", card=CARDS[card], currency="RAF", amount=amount)


async def points_of(network: Network, card: str) -> tuple[int, int]:
    """(points, of which set aside)"""
    (held,) = [
        it["held"]["POINTS"] for it in (await network.get("admin", "/members")).json() if it["card"] == CARDS[card]
    ]
    return held["balance"], held["reserved"]


async def test_twenty_euros_in_cash_are_twenty_rafftou_and_buy_a_beer(founded: Network) -> None:
    await top_up(founded, "raffinerie", "awa", 20_00)
    euros = {("due_from", "raffinerie"): 20_00, ("liability", "RAF"): 20_00}
    assert await booked(founded, "RAF") == {("issuance", ""): 20_00, ("wallet", "awa"): 20_00}
    assert await booked(founded, "EUR") == euros, "1 Rafftou = 1 €, which the venue owes the reserve"
    bar = await founded.terminal("raffinerie")
    answer = await bar.sell("awa", {"Demi": 1, "Jus de goyavier": 1})
    assert (answer.status_code, answer.json()["balances"]) == (201, {"RAF": 14_00})
    assert await founded.claims("raffinerie") == {"RAF": 6_00}
    assert await booked(founded, "EUR") == euros, "what was spent is still in circulation"


async def test_an_hour_of_volunteering_buys_a_pint_and_touches_no_euros(founded: Network) -> None:
    at = founded.venues["raffinerie"].id
    await done(founded, f"/venues/{at}/shifts", card=CARDS["awa"], currency="TEMPS", minutes=60, reason="Plonge")
    bar = await founded.terminal("raffinerie")
    answer = await bar.sell("awa", {"Pinte": 1}, pay="TEMPS")
    assert (answer.status_code, answer.json()["balances"]) == (201, {"TEMPS": 0})
    assert await booked(founded, "TEMPS") == {("issuance", ""): 60, ("claim", "raffinerie"): 60}
    await done(founded, f"/venues/{at}/retirements", currency="TEMPS", amount=60, reason="Fin du mois")
    assert await booked(founded, "TEMPS") == {}
    assert await booked(founded, "EUR") == {}


async def test_points_are_gained_set_aside_and_given_back_and_never_become_euros(founded: Network) -> None:
    await members(founded, awa="Awa et associés")
    at, card = founded.venues["raffinerie"].id, CARDS["awa"]
    points = {"card": card, "currency": "POINTS", "points": 50}
    await done(founded, f"/venues/{at}/contributions", **points, role="contributor", reason="Prêt de deux barnums")
    asked = {"currency": "POINTS", "borrower": card, "points": 30, "thing": "Barnum", "due_at_us": SOME_DAY_US}
    loan = await done(founded, "/loans", **asked)
    assert await points_of(founded, "awa") == (50, 30)
    too_much = await founded.post("admin", "/loans", {**asked, "points": 21})
    assert problem(too_much) == (402, "insufficient-funds")
    assert (await done(founded, f"/loans/{loan['id']}/end"))["status"] == "returned"
    assert await points_of(founded, "awa") == (50, 0)

    paid = {"member": card, "plan": "barter", "means": "card", "currency": "POINTS"}
    assert problem(await founded.post("admin", "/memberships", paid)) == (422, "currency-not-accepted")
    assert await booked(founded, "POINTS") == {("issuance", ""): 50, ("wallet", "awa"): 50}
    assert await booked(founded, "EUR") == {}


async def test_a_barter_of_1000_costs_the_seller_50_euros_and_all_balances_sum_to_0(founded: Network) -> None:
    await members(founded, awa="Awa et associés", basile="Basile et fils")
    traded = {"currency": "BARTER", "buyer": CARDS["awa"], "seller": CARDS["basile"], "amount": 1_000_00}
    answer = await done(founded, "/trades", **traded, reason="Une charpente")
    assert (answer["commission"], answer["commission_in"]) == (50_00, "EUR")
    barter = await booked(founded, "BARTER")
    assert barter == {("wallet", "awa"): -1_000_00, ("wallet", "basile"): 1_000_00}
    assert sum(barter.values()) == 0
    assert await booked(founded, "EUR") == {("receivable", "basile"): 50_00, ("fee_income", ""): 50_00}
    beyond = await founded.post("admin", "/trades", {**traded, "amount": 1, "reason": "Un clou"})
    assert problem(beyond) == (402, "insufficient-funds"), "the credit limit is 1,000"


async def test_a_membership_of_235_euros_is_100_of_capital_and_135_of_income(founded: Network) -> None:
    await members(founded, awa="Awa et associés")
    await done(founded, "/memberships", member=CARDS["awa"], plan="barter", means="transfer")
    assert await booked(founded, "EUR") == {
        ("bank", ""): 235_00,
        ("capital", ""): 100_00,
        ("membership_income", ""): 135_00,
    }
    (row,) = (await founded.get("admin", "/memberships")).json()
    assert (row["price_cents"], row["shares_cents"]) == (235_00, 100_00)


@pytest.mark.parametrize(
    ("tier", "at_10_000", "at_100_000", "at_200_000"),
    [
        ("Non-member", 750_00, 3_500_00, 5_000_00),
        ("Member", 675_00, 3_150_00, 4_500_00),
        ("Member of a partner network", 525_00, 2_500_00, 3_500_00),
    ],
)
async def test_a_venue_pays_its_tier_s_share_between_a_floor_and_a_cap(
    founded: Network, tier: str, at_10_000: int, at_100_000: int, at_200_000: int
) -> None:
    """Of a yearly ticket turnover in euros: the first is below the floor, the last above the cap."""
    async with founded.context.reader.connect() as connection:
        settings = (await the_network(connection)).settings
    yearly = settings.fee_tiers[tier].yearly
    assert fee(10_000_00, yearly) == at_10_000
    assert fee(100_000_00, yearly) == at_100_000
    assert fee(200_000_00, yearly) == at_200_000
    assert settings.venue_tiers == {"raffinerie": "Member"}


async def test_a_coffee_is_rounded_up_for_the_association(founded: Network) -> None:
    await top_up(founded, "canal", "awa", 20_00)
    bar = await founded.terminal("canal")
    coffee = bar.sale("awa", {"Café": 1})
    answer = await bar.sell(Sale(**{**dict(coffee), "round_up": RoundUp(currency="RAF", amount=40)}))
    assert (answer.status_code, answer.json()["balances"]) == (201, {"RAF": 18_00}), "1.60 and 0.40"
    assert await founded.claims("canal") == {"RAF": 1_60}
    assert (await founded.get("admin", "/funds")).json() == [
        {"beneficiary": "Les Amis de la Grange", "currency": "RAF", "balance": 40}
    ]
