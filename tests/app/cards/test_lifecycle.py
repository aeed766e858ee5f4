"""Cards that are lost, broken or found: blocked, replaced, linked, retired; once, whoever clicks twice or at once."""

from __future__ import annotations

import asyncio

import pytest
import sqlalchemy as sa

from app.cards import guards, lifecycle
from app.cards.service import add_card, card_by_uid, wallet_key
from app.cards.tables import card as card_table
from app.cards.tables import card_end
from app.identity import store
from app.identity.tables import audit
from app.platform.errors import Conflict
from tests.support.network import CARDS, RAF, Network, both, problem

pytestmark = pytest.mark.anyio

NEW = {"uid": "04D0D0D0D0D0D0", "label": "Carte 12"}
FRESH = "04E0E0E0E0E0E0"


@pytest.fixture
def database_kind() -> str:
    return "sqlite"


async def acts(network: Network) -> list[str]:
    async with network.context.reader.connect() as connection:
        rows = await connection.execute(sa.select(audit.c.action).order_by(audit.c.at_us, audit.c.id))
        return [it for (it,) in rows if it.startswith("card.")]


async def balance(network: Network, uid: str) -> int:
    found: int = (await network.get("lucas", f"/cards/{uid}/balances")).json()["balances"]["RAF"]
    return found


async def add(network: Network, uid: str = FRESH) -> None:
    async with network.engine.begin() as connection:
        await add_card(connection, uid, "Carte du tiroir")


@both
async def test_the_money_stays_with_the_wallet_and_the_old_card_is_out_for_good(network: Network) -> None:
    await network.top_up("awa", 2000)
    path = f"/cards/{CARDS['awa']}"
    for _ in range(2):
        answer = await network.post("sana", f"{path}/replaced", {**NEW, "reason": "perdue"})
        assert (answer.status_code, answer.json()["uid"]) == (200, NEW["uid"]), "the same again changes nothing"
    assert await acts(network) == ["card.add", "card.link", "card.replace"]
    assert await balance(network, NEW["uid"]) == 2000
    bar = await network.terminal("raffinerie")
    assert (await bar.sell("awa", {"Eau": 1})).status_code == 403
    known = {it["uid"]: it for it in (await bar.snapshot()).json()["cards"]}
    assert (known[CARDS["awa"]]["status"], known[NEW["uid"]]["status"]) == ("blocked", "active")
    assert known[NEW["uid"]]["balances"] == {"RAF": 2000}
    assert problem(await network.post("sana", f"{path}/active")) == (409, "card-ended")
    assert problem(await network.post("sana", f"{path}/retired")) == (409, "card-ended")
    other = {"uid": FRESH, "label": "Carte 13"}
    assert problem(await network.post("sana", f"{path}/replaced", other)) == (409, "card-ended")
    listed = {it["uid"]: (it["status"], it["ended"]) for it in (await network.get("nadia", "/cards")).json()}
    assert (listed[CARDS["awa"]], listed[NEW["uid"]]) == (("blocked", "replaced"), ("active", None))
    # A wallet is reached again through any card that ever opened it.
    assert (await network.post("sana", f"{path}/linked", other)).status_code == 200
    assert await balance(network, FRESH) == 2000


@both
async def test_a_card_that_nobody_has_used_takes_the_place_of_another(network: Network) -> None:
    await network.top_up("awa", 2000)
    await add(network)
    assert (await network.post("sana", f"/cards/{CARDS['awa']}/replaced", {"uid": FRESH})).status_code == 200
    assert await balance(network, FRESH) == 2000
    await network.top_up("basile", 100)
    for path in ("linked", "replaced"):
        answer = await network.post("sana", f"/cards/{CARDS['camille']}/{path}", {"uid": CARDS["basile"]})
        assert problem(answer) == (409, "card-in-use"), path
    assert await balance(network, CARDS["basile"]) == 100
    answer = await network.get("sana", f"/cards/{CARDS['camille']}/balances")
    assert answer.json()["status"] == "active", "what is refused changes nothing"
    # Who opens a wallet with others does not leave it alone.
    answer = await network.post("sana", f"/cards/{CARDS['camille']}/linked", {"uid": FRESH})
    assert problem(answer) == (409, "card-in-use")


async def test_what_stands_in_must_be_there_and_usable(network: Network) -> None:
    path = f"/cards/{CARDS['awa']}/replaced"
    assert problem(await network.post("sana", path, {"uid": FRESH})) == (422, "invalid"), "no label"
    assert problem(await network.post("sana", path, {"uid": CARDS["awa"]})) == (422, "invalid")
    await add(network)
    assert (await network.post("sana", f"/cards/{FRESH}/blocked", {"reason": "trouvée"})).status_code == 204
    assert problem(await network.post("sana", path, {"uid": FRESH})) == (403, "card-blocked")
    assert (await network.post("sana", f"/cards/{FRESH}/retired")).status_code == 204
    assert (await network.post("sana", f"/cards/{FRESH}/retired")).status_code == 204
    assert problem(await network.post("sana", path, {"uid": FRESH})) == (409, "card-ended")
    assert problem(await network.post("sana", f"/cards/{FRESH}/replaced", NEW)) == (409, "card-ended")
    assert await acts(network) == ["card.blocked", "card.retire"]


@both
async def test_of_two_that_replace_one_card_at_once_one_does(network: Network) -> None:
    await network.top_up("awa", 2000)
    await add(network)
    await network.person("sana")
    path = f"/cards/{CARDS['awa']}/replaced"
    tries = [network.post("sana", path, body) for body in (NEW, {"uid": FRESH}, NEW, {"uid": FRESH})]
    answers = await asyncio.gather(*tries)
    done = {it.json()["uid"] for it in answers if it.status_code == 200}
    assert len(done) == 1
    assert {problem(it) for it in answers if it.status_code != 200} == {(409, "card-ended")}
    assert [it for it in await acts(network) if it == "card.replace"] == ["card.replace"]
    assert await balance(network, done.pop()) == 2000


@both
async def test_two_cards_do_not_replace_each_other(network: Network) -> None:
    await network.person("sana")
    awa, basile = CARDS["awa"], CARDS["basile"]
    answers = await asyncio.gather(
        network.post("sana", f"/cards/{awa}/replaced", {"uid": basile}),
        network.post("sana", f"/cards/{basile}/replaced", {"uid": awa}),
    )
    assert sorted(it.status_code for it in answers) == [200, 409]


@both
async def test_who_is_being_credited_keeps_the_wallet(network: Network) -> None:
    """A top-up opens its account while the card is linked elsewhere: one of the two happens, and no money is lost."""
    await add(network)
    async with network.engine.begin() as connection:
        fresh, awa = await card_by_uid(connection, FRESH), network.cards["awa"]

    async def link() -> None:
        async with network.engine.begin() as connection:
            await lifecycle.link(connection, "test", awa.id, FRESH)

    async with network.engine.begin() as crediting:
        from app.ledger.store import accounts  # noqa: PLC0415

        await accounts.open_missing(crediting, [wallet_key(fresh.owner, RAF)], {"RAF": 1}, 1)
        linking = asyncio.create_task(link())
        await asyncio.wait([linking], timeout=0.2)
    with pytest.raises(Conflict) as refused:
        await linking
    assert refused.value.code == "card-in-use"
    async with network.context.reader.connect() as connection:
        assert (await card_by_uid(connection, FRESH)).wallet == fresh.wallet


@both
async def test_the_database_itself_keeps_what_ended(network: Network) -> None:
    await network.top_up("basile", 100)
    await add(network)
    awa, basile = network.cards["awa"], network.cards["basile"]
    async with network.engine.begin() as connection:
        fresh = await card_by_uid(connection, FRESH)
        await lifecycle.replace(connection, "test", awa.id, FRESH)
        assert await connection.run_sync(guards.missing) == []
        # Whoever had looked the fresh card up before has a wallet in hand that is gone.
    with pytest.raises(sa.exc.DBAPIError, match="no such wallet"):
        await network.ledger.accounts([wallet_key(fresh.owner, RAF)], {"RAF": 1})
    end = {"card": basile.id, "outcome": "replaced", "replaced_by": fresh.id, "at_us": 1}
    for wrong in (
        sa.update(card_table).where(card_table.c.id == awa.id).values(status="active"),
        sa.update(card_table).where(card_table.c.id == basile.id).values(wallet=awa.wallet),
        sa.delete(card_end),
        sa.update(card_end).values(at_us=0),
        sa.insert(card_end).values(end),
        sa.insert(card_end).values({**end, "outcome": "retired", "replaced_by": None}),
    ):
        async with network.engine.connect() as connection:
            with pytest.raises(sa.exc.IntegrityError):
                await connection.execute(wrong)


async def test_the_staff_card_is_handed_on(network: Network) -> None:
    lucas, marie = await network.hired("lucas"), await network.hired("marie")
    async with network.engine.begin() as connection:
        await store.set_card(connection, lucas, CARDS["awa"])
        await store.set_card(connection, marie, CARDS["basile"])
        await lifecycle.replace(connection, "test", network.cards["awa"].id, **NEW)
        await lifecycle.retire(connection, "test", network.cards["basile"].id)
        cards = {row.id: row.card_uid for row in await store.everybody(connection)}
    assert (cards[lucas], cards[marie]) == (NEW["uid"], None)
