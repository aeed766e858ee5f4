"""A file becomes a network, changes become changes, and what is written out is what is there."""

from __future__ import annotations

from dataclasses import replace
from datetime import time

import pytest
from hypothesis import HealthCheck, given, settings

from app.cli.apply.document import NetworkEntry, ProductEntry
from app.cli.apply.plan import Impossible, plan
from app.cli.apply.reading import read_network_file
from app.cli.apply.service import accept, network_now, propose
from app.cli.apply.writing import write_network_file
from app.currencies.policies import policies
from app.identity.service import sign_in
from app.identity.tables import audit
from app.platform.context import Context
from app.platform.errors import Conflict
from app.rules.policy import Fee, Redeem
from app.venues.service import products, the_network, venues
from tests.app.cli.conftest import EXAMPLE
from tests.app.cli.networks import networks
from tests.support.network import both

pytestmark = pytest.mark.anyio


@pytest.fixture
def database_kind() -> str:
    """What is set up, changed and refused is decided above the database; how it is kept is asked of both kinds."""
    return "sqlite"


def example() -> NetworkEntry:
    return read_network_file(EXAMPLE.read_text(encoding="utf-8"))


async def applied(context: Context, want: NetworkEntry) -> list[str]:
    """Apply it; the lines of its plan."""
    proposal = await propose(context, want)
    if proposal.changes:
        await accept(context, proposal, "test")
    return [str(it) for it in proposal.changes]


async def exported(context: Context, *, people: bool = True) -> NetworkEntry:
    found = await network_now(context, people=people)
    assert found is not None
    return read_network_file(write_network_file(found))


@both
async def test_the_example_is_set_up_and_a_second_run_changes_nothing(context: Context) -> None:
    lines = await applied(context, example())
    assert lines[0] == "+ network Les Comptoirs liés: time zone Europe/Paris"
    assert "+ product raffinerie / Demi: Bières, 3,50 RAF, 30 min TEMPS" in lines
    assert "+ membership barter: 235,00 € of which 100,00 € in shares, 365 days" in " ".join(lines)
    assert await applied(context, example()) == []


async def test_what_is_exported_changes_nothing_when_it_is_applied(context: Context) -> None:
    await applied(context, example())
    assert await applied(context, await exported(context)) == []
    assert await applied(context, await exported(context, people=False)) == []
    assert (await exported(context)) == example()


@both
async def test_an_export_sets_up_the_same_network_elsewhere_in_the_same_order(context: Context) -> None:
    want = example()
    await applied(context, want)
    found = await exported(context)
    assert list(found.currencies) == list(want.currencies)
    assert list(found.venues) == list(want.venues)
    for slug, venue in want.venues.items():
        assert list(found.venues[slug].products) == list(venue.products)


async def test_only_what_changed_in_the_file_is_shown_and_done(context: Context) -> None:
    await applied(context, example())
    text = EXAMPLE.read_text(encoding="utf-8")
    text = text.replace('RAF: "3,50"', 'RAF: "3,80"')
    text = text.replace("fee: {rate: 5 %}", "fee: {rate: 4 %}")
    assert await applied(context, read_network_file(text)) == [
        "~ policy RAF: redeem.fee.rate 5 % -> 4 %",
        "~ product raffinerie / Demi: price in RAF 3,50 -> 3,80",
    ]
    async with context.reader.connect() as connection:
        versions = (await policies(connection))["RAF"]
    assert [it.version for it in versions] == [0, 1, 2]
    assert versions[2].policy.redeem.fee.basis_points == 400
    assert await applied(context, read_network_file(text)) == []


async def test_a_product_that_goes_and_comes_back_is_the_same_one(context: Context) -> None:
    want = example()
    await applied(context, want)
    async with context.reader.connect() as connection:
        ids = {it.slug: it.id for it in (await venues(connection)).values()}
        before = {it.name_fr: it.id for it in await products(connection, ids["canal"])}
    sold = dict(want.venues["canal"].products)
    without = {name: it for name, it in sold.items() if name != "Limonade"}
    less = replace(want, venues={**want.venues, "canal": replace(want.venues["canal"], products=without)})
    assert await applied(context, less) == ["- product canal / Limonade: no longer sold"]
    assert await applied(context, less) == []
    again = {**sold, "Limonade": replace(sold["Limonade"], prices={"TEMPS": 25})}
    more = replace(want, venues={**want.venues, "canal": replace(want.venues["canal"], products=again)})
    assert await applied(context, more) == ["+ product canal / Limonade: Frais, 25 min TEMPS"]
    async with context.reader.connect() as connection:
        after = await products(connection, ids["canal"])
    assert {it.name_fr: it.id for it in after} == before
    assert [it.name_fr for it in after] == list(sold)
    assert next(it.prices for it in after if it.name_fr == "Limonade") == {"TEMPS": 25}


async def test_what_the_file_no_longer_has_is_out_of_use_and_not_deleted(context: Context) -> None:
    want = example()
    await applied(context, want)
    left = {slug: it for slug, it in want.venues.items() if slug != "grange"}
    currencies = {code: it for code, it in want.currencies.items() if code != "POINTS"}
    people = {login: it for login, it in (want.people or {}).items() if login == "admin"}
    less = replace(want, venues=left, currencies=currencies, people=people)
    assert await applied(context, less) == [
        "- venue grange: La Grange aux Notes takes and sells nothing; what it is owed stays"
    ]
    assert await applied(context, less) == []
    async with context.reader.connect() as connection:
        closed = next(it for it in (await venues(connection)).values() if it.slug == "grange")
        assert closed.accepted == ()
        assert await products(connection, closed.id) == []
    # It is still there, and still told; and what is told changes nothing.
    assert "grange" in (await exported(context)).venues
    assert await applied(context, await exported(context)) == []


async def test_a_currency_that_goes_is_taken_nowhere(context: Context) -> None:
    want = example()
    await applied(context, want)
    gone = {
        slug: replace(
            it,
            accepts=it.accepts - {"TEMPS"},
            products={
                name: replace(sold, prices={code: price for code, price in sold.prices.items() if code != "TEMPS"})
                for name, sold in it.products.items()
            },
        )
        for slug, it in want.venues.items()
    }
    less = replace(want, venues=gone, currencies={code: it for code, it in want.currencies.items() if code != "TEMPS"})
    lines = await applied(context, less)
    assert "- currency TEMPS: out of use: no venue takes it; what is on cards stays there" in lines
    assert "~ product grange / Crêpe: price in TEMPS 30 min -> none" in lines
    assert await applied(context, less) == []
    assert await applied(context, await exported(context)) == []


@both
async def test_names_zones_and_orders_change(context: Context) -> None:
    want = example()
    await applied(context, want)
    raf = replace(want.currencies["RAF"], name_en="Raft", symbol="R")
    canal = replace(want.venues["canal"], name="Le Canal", cut_off=time(4, 30))
    canal = replace(canal, products=dict(reversed(list(canal.products.items()))))
    changed = replace(
        want,
        name="Les Comptoirs",
        settings=replace(want.settings, topup_max_cents=10_000),
        currencies={**want.currencies, "RAF": raf},
        venues={"canal": canal, **{slug: it for slug, it in want.venues.items() if slug != "canal"}},
    )
    assert await applied(context, changed) == [
        "~ network Les Comptoirs: name Les Comptoirs liés -> Les Comptoirs; topup_max_cents 25000 -> 10000",
        "~ currency RAF: name_en Rafftou -> Raft; symbol € -> R",
        "~ venue canal: name Café du Canal -> Le Canal; cut_off 06:00:00 -> 04:30:00",
        f"~ order products of canal: {', '.join(canal.products)}",
        "~ order venues: canal, raffinerie, grange",
    ]
    found = await exported(context)
    assert found == changed
    assert list(found.venues) == ["canal", "raffinerie", "grange"]
    assert list(found.venues["canal"].products) == list(canal.products)


async def test_new_things_in_the_middle_stand_where_the_file_has_them(context: Context) -> None:
    want = example()
    await applied(context, want)
    first, *rest = want.venues["grange"].products.items()
    sold = dict([first, ("Sirop", ProductEntry("Syrup", "Bar", "#c2526b", {"RAF": 150})), *rest])
    more = replace(want, venues={**want.venues, "grange": replace(want.venues["grange"], products=sold)})
    assert await applied(context, more) == ["+ product grange / Sirop: Bar, 1,50 RAF"]
    assert list((await exported(context)).venues["grange"].products) == list(sold)


async def test_people_come_with_a_password_that_is_told_once(context: Context) -> None:
    proposal = await propose(context, example())
    assert proposal.keys.keys() == {"admin", "raffinerie", "canal", "grange", "bar"}
    await accept(context, proposal, "test")
    session = await sign_in(context, "bar", proposal.keys["bar"].password)
    assert session.name == "Lucas"
    assert (await propose(context, example())).keys == {}


async def test_a_new_network_needs_somebody_who_manages_it(context: Context) -> None:
    with pytest.raises(Impossible, match="people: a new network needs a network_admin"):
        await propose(context, replace(example(), people=None))


async def test_rights_and_names_of_people_change(context: Context) -> None:
    want = example()
    await applied(context, want)
    people = dict(want.people or {})
    people["bar"] = replace(
        people["bar"], name="Luc", roles=frozenset({("cashier", "canal"), ("venue_admin", "grange")})
    )
    changed = replace(want, people=people)
    assert await applied(context, changed) == [
        "~ person bar: name Lucas -> Luc; roles cashier@raffinerie -> cashier@canal, venue_admin@grange"
    ]
    assert (await exported(context)).people == people


async def test_a_file_that_does_not_speak_of_people_leaves_them_alone(context: Context) -> None:
    await applied(context, example())
    assert await applied(context, replace(example(), people=None)) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"kind": "gift", "cents_per_unit": None}, "RAF.kind: it is pegged and cannot become gift"),
        ({"cents_per_unit": 2}, "RAF.cents_per_unit: it is 1 and cannot become 2"),
        ({"issuer": "canal"}, "RAF.issuer: it is network and cannot become canal"),
    ],
)
async def test_what_a_currency_is_never_changes(context: Context, change: dict[str, object], said: str) -> None:
    want = example()
    await applied(context, want)
    other = replace(want.currencies["RAF"], **change)
    with pytest.raises(Impossible, match=said):
        await propose(context, replace(want, currencies={**want.currencies, "RAF": other}))


async def test_a_venue_may_issue_money_of_its_own(context: Context) -> None:
    want = example()
    own = replace(want.currencies["RAF"], issuer="canal", name_fr="Canalou", name_en="Canalou")
    changed = replace(want, currencies={**want.currencies, "CANAL": own})
    await applied(context, changed)
    assert await exported(context) == changed
    assert await applied(context, changed) == []


async def test_a_network_that_changed_meanwhile_is_looked_at_again(context: Context) -> None:
    await applied(context, example())
    late = await propose(context, replace(example(), name="Trop tard"))
    await applied(context, replace(example(), name="Entre-temps"))
    with pytest.raises(Conflict, match="look at the new plan"):
        await accept(context, late, "test")
    async with context.reader.connect() as connection:
        assert (await the_network(connection)).name == "Entre-temps"


@both
async def test_it_is_all_or_nothing(context: Context) -> None:
    proposal = await propose(context, example())
    # Somebody who is not known makes the last step fail.
    broken = replace(proposal, keys={})
    with pytest.raises(KeyError):
        await accept(context, broken, "test")
    async with context.reader.connect() as connection:
        assert await venues(connection) == {}
    assert await network_now(context, people=True) is None


# Midnight in Paris at the end of 2199, and an instant that no midnight is.
@both
@pytest.mark.parametrize("begins_us", [7_258_028_400_000_000, 7_258_031_234_567_890])
async def test_a_policy_may_hold_from_an_instant_to_come(context: Context, begins_us: int) -> None:
    want = example()
    await applied(context, want)
    fee = replace(want.currencies["RAF"].policy, redeem=Redeem(("venues", "holders"), Fee(100, payer="venue")))
    later = replace(want.currencies["RAF"], policy=fee, policy_from_us=begins_us)
    changed = replace(want, currencies={**want.currencies, "RAF": later})
    assert len(await applied(context, changed)) == 1
    assert await applied(context, changed) == []
    found = await exported(context)
    assert found.currencies["RAF"].policy_from_us == begins_us
    assert await applied(context, found) == []


async def test_who_applied_what_is_in_the_audit_log(context: Context) -> None:
    await applied(context, example())
    await applied(context, replace(example(), name="Autrement"))
    async with context.reader.connect() as connection:
        rows = (await connection.execute(audit.select().where(audit.c.action == "network.apply"))).all()
    assert [it.actor for it in rows] == ["test", "test"]
    assert "name Les Comptoirs liés -> Autrement" in rows[1].details


@given(networks(), networks())
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=30)
def test_a_plan_is_empty_only_between_networks_that_are_alike(have: NetworkEntry, want: NetworkEntry) -> None:
    assert plan(have, have) == []
    if not plan(have, want):
        assert want.name == have.name
        assert want.settings == have.settings
        assert want.venues.items() <= have.venues.items()
        assert want.currencies.items() <= have.currencies.items()


@both
@given(want=networks())
@settings(
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture], deadline=None, max_examples=4
)
async def test_any_network_becomes_any_other(context: Context, want: NetworkEntry) -> None:
    """One after the other on one database: after each, a second run has nothing to do, nor has its own export."""
    await applied(context, example())
    await applied(context, want)
    assert await applied(context, want) == []
    found = await exported(context)
    assert await applied(context, found) == []
    assert found.settings == want.settings
    for slug, venue in want.venues.items():
        assert found.venues[slug] == venue
        assert list(found.venues[slug].products) == list(venue.products)
    assert list(found.currencies)[: len(want.currencies)] == list(want.currencies)
