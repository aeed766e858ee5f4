"""Cards made ahead: their labels, and the chips that get them; each label once, whoever is at which desk."""

from __future__ import annotations

import asyncio

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from app.cards import batches
from app.cards.batches import Batch, labels
from app.cards.tables import card_batch, card_blank
from app.platform.errors import Invalid
from tests.support.network import CARDS, Network, both, problem
from tests.support.pages import look, words

pytestmark = pytest.mark.anyio

CHIPS = [f"04D00000000{number:03X}" for number in range(8)]


@pytest.fixture
def database_kind() -> str:
    return "sqlite"


async def make(network: Network, name: str = "Festival", first: str = "001", number: int = 3) -> Batch:
    async with network.engine.begin() as connection:
        return await batches.make(connection, "test", name, "Bracelet", first, number)


@both
async def test_labels_are_there_before_the_chips_and_are_given_in_order(network: Network) -> None:
    batch = await make(network)
    path = f"/card-batches/{batch.id}/cards"
    async with network.context.reader.connect() as connection:
        printed = await batches.blanks(connection, batch.id)
    page = await look(network.client, f"/c/{printed[0].token}")
    assert (page.status_code, "pas encore en service" in words(page)) == (404, True)
    for chip in (CHIPS[0], CHIPS[0], CHIPS[1]):
        assert (await network.post("sana", path, {"uid": chip})).status_code == 200
    assert (await network.post("sana", path, {"uid": CHIPS[2], "label": "bracelet 003"})).status_code == 200
    scanned = {"uid": CHIPS[2], "label": f"http://server.test/c/{printed[2].token}"}
    assert (await network.post("sana", path, scanned)).json()["label"] == "Bracelet 003", "the same again"
    assert (await look(network.client, f"/c/{printed[0].token}")).status_code == 200
    assert problem(await network.post("sana", path, {"uid": CHIPS[3]})) == (409, "batch-used-up")
    taken = {"uid": CHIPS[3], "label": "Bracelet 001"}
    assert problem(await network.post("sana", path, taken)) == (409, "label-taken")
    other = {"uid": CHIPS[0], "label": "Bracelet 002"}
    assert problem(await network.post("sana", path, other)) == (409, "card-exists")
    assert problem(await network.post("sana", path, {"uid": CARDS["awa"]})) == (409, "card-exists")
    assert problem(await network.post("sana", path, {"uid": CHIPS[3], "label": "004"})) == (404, "card-unknown")
    (listed,) = (await network.get("sana", "/card-batches")).json()
    assert (listed["name"], listed["cards"], listed["joined"]) == ("Festival", 3, 3)


@both
async def test_two_desks_at_once_take_each_label_once(network: Network) -> None:
    batch = await make(network, number=6)
    await network.person("sana")
    path = f"/card-batches/{batch.id}/cards"
    answers = await asyncio.gather(*(network.post("sana", path, {"uid": it}) for it in [*CHIPS, *CHIPS[:3]]))
    joined = {it.json()["uid"]: it.json()["label"] for it in answers if it.status_code == 200}
    assert sorted(joined.values()) == [f"Bracelet {it:03}" for it in range(1, 7)]
    assert {problem(it) for it in answers if it.status_code != 200} == {(409, "batch-used-up")}


@both
async def test_what_is_printed_stays(network: Network) -> None:
    await make(network)
    for wrong in (sa.delete(card_blank), sa.update(card_blank).values(label="x"), sa.delete(card_batch)):
        async with network.engine.connect() as connection:
            with pytest.raises(sa.exc.DBAPIError, match="what is printed stays"):
                await connection.execute(wrong)


async def test_no_label_is_printed_twice(network: Network) -> None:
    asked = {"name": "Festival", "prefix": "Bracelet", "first": "003", "cards": 2}
    await make(network)
    assert problem(await network.post("nadia", "/card-batches", asked)) == (409, "batch-known")
    asked["name"] = "Un autre"
    answer = await network.post("nadia", "/card-batches", asked)
    assert (problem(answer), answer.json()["label"]) == ((409, "labels-taken"), "Bracelet 003")
    known = {**asked, "prefix": "Carte de awa", "first": "1"}
    assert (await network.post("nadia", "/card-batches", known)).status_code == 201
    assert (await network.post("nadia", "/cards", {"uid": CHIPS[0], "label": "Bracelet 10"})).status_code == 201
    asked |= {"name": "Un troisième", "first": "9"}
    assert problem(await network.post("nadia", "/card-batches", asked)) == (409, "labels-taken")


@given(first=st.integers(0, 9999), width=st.integers(1, 8), number=st.integers(1, 50))
def test_labels_count_on_with_as_many_digits(first: int, width: int, number: int) -> None:
    text = f"{first:0{width}}"
    found = labels("Carte", text, number)
    assert [int(it.removeprefix("Carte ")) for it in found] == list(range(first, first + number))
    assert all(len(it) >= len("Carte ") + len(text) for it in found)
    assert labels("", text, 1) == [text]


@pytest.mark.parametrize(
    ("prefix", "first", "number", "field"),
    [
        ("C", "", 1, "first"),
        ("C", "-1", 1, "first"),
        ("C", "٣", 1, "first"),
        ("C", "1", 0, "number"),
        ("C", "1", 2001, "number"),
        ("C" * 40, "1", 1, "prefix"),
    ],
)
def test_what_makes_no_label_says_which_field(prefix: str, first: str, number: int, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        labels(prefix, first, number)
    assert refused.value.extra["field"] == field
