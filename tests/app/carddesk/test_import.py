"""Suppliers' lists: read in any spelling, looked at line by line, and taken in whole or not at all."""

from __future__ import annotations

import asyncio
import html
import re

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from app.carddesk.rules import decoded, read_list
from app.cards import batches
from app.cards.service import card_by_token
from app.cards.tables import card, wallet
from app.cli.demo.forms import forms
from tests.support.network import CARDS, Network, both, problem
from tests.support.pages import FRENCH, form_to, led_to, look, send, words

pytestmark = pytest.mark.anyio

HERE = "/admin/cards/import"
A, B, C = "04A1B2C3D4E5F6", "04A1B2C3D4E5F7", "04A1B2C3D4E5F8"


@pytest.fixture
def database_kind() -> str:
    return "sqlite"


def read(text: str) -> list[tuple[int, str | None, str, str]]:
    return [(it.line, it.uid, it.label, it.token) for it in read_list(text)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (f"{A}\n{B}\n", [(1, A, "", ""), (2, B, "", "")]),
        (
            "04:a1:b2:c3:d4:e5:f6;Carte 1\r\n\r\n04 A1 B2 C3 D4 E5 F7;Carte 2",
            [(1, A, "Carte 1", ""), (3, B, "Carte 2", "")],
        ),
        (f"No.,UID\n00000001,{A}\n00000002,{B}", [(2, A, "00000001", ""), (3, B, "00000002", "")]),
        (f"00000001,{A}\n00000002,{B}", [(1, A, "00000001", ""), (2, B, "00000002", "")]),
        (f"Numéro de puce\tÉtiquette\n{A}\tCarte 1", [(2, A, "Carte 1", "")]),
        (f"label;uid;url\n7;{A};https://x.fr/c/abc?e=1", [(2, A, "7", "abc")]),
        (f"{A};https://supplier.example/tag/1", [(1, A, "https://supplier.example/tag/1", "")]),
        (f'"{A}","Carte ""1"""', [(1, A, 'Carte "1"', "")]),
        (f'{A};Carte "1', [(1, A, 'Carte "1', "")]),
        ("04A1B2C3\n04A1B2C3D4E5F6A1B2C3", [(1, "04A1B2C3", "", ""), (2, "04A1B2C3D4E5F6A1B2C3", "", "")]),
        (f"{A}\nnot a chip", [(1, A, "", ""), (2, None, "", "")]),
        ("04A1B2", [(1, None, "", "")]),
        ("uid;label", []),
        ("\n ;\n", []),
    ],
)
def test_lists_are_read_whatever_their_columns(text: str, found: list[tuple[int, str | None, str, str]]) -> None:
    assert read(text) == found


@given(st.text())
def test_any_text_is_read(text: str) -> None:
    assert len(read_list(text)) <= len(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"))


@pytest.mark.parametrize("coding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_letters_are_read_as_spreadsheets_write_them(coding: str) -> None:
    assert decoded("Étiquette".encode(coding)) == "Étiquette"


async def count(network: Network) -> tuple[int, int]:
    async with network.context.reader.connect() as connection:
        numbers = [
            (await connection.execute(sa.select(sa.func.count()).select_from(it))).scalar_one() for it in (card, wallet)
        ]
    return numbers[0], numbers[1]


@both
async def test_a_list_is_taken_in_whole_or_not_at_all(network: Network) -> None:
    before = await count(network)
    wrong = [
        {"uid": A, "label": "Carte 1"},
        {"uid": "04:a1:b2", "label": "Carte 2"},
        {"uid": "04:a1:b2:c3:d4:e5:f6", "label": "Carte 3"},
        {"uid": CARDS["awa"], "label": "Carte 4"},
        {"uid": B, "label": "Carte de basile"},
        {"uid": C},
    ]
    answer = await network.post("nadia", "/card-lists", {"cards": wrong})
    assert problem(answer) == (409, "list-wrong")
    assert [(it["line"], it["trouble"], it["about"]) for it in answer.json()["lines"]] == [
        (2, "shape", ""),
        (3, "double", "1"),
        (4, "known", "Carte de awa"),
        (5, "label-taken", ""),
        (6, "no-label", ""),
    ]
    assert await count(network) == before
    right = {"cards": [{"uid": A, "label": "Carte 1"}, {"uid": B}, {"uid": C}], "prefix": "Carte", "first": "08"}
    await network.person("nadia")
    answers = await asyncio.gather(*(network.post("nadia", "/card-lists", right) for _ in range(3)))
    # Those that had looked before the first was done are refused; nothing is added twice.
    assert sum(it.json().get("added", 0) for it in answers) == 3
    assert await count(network) == (before[0] + 3, before[1] + 3)
    again = {"cards": [{"uid": it, "label": label} for it, label in ((A, "Carte 1"), (B, "Carte 08"), (C, "Carte 09"))]}
    assert (await network.post("nadia", "/card-lists", again)).json() == {"added": 0}


async def test_a_list_gives_chips_the_labels_of_a_batch(network: Network) -> None:
    async with network.engine.begin() as connection:
        batch = await batches.make(connection, "test", "Festival", "Bracelet", "1", 3)
        printed = await batches.blanks(connection, batch.id)
    nadia = await network.person("nadia")
    form = form_to(await look(nadia, HERE), HERE)
    text = f"{A};Bracelet 9\n{B};\n{C};"
    refused = await send(nadia, form, text=text, batch=str(batch.id))
    assert (refused.status_code, "Le lot n’a pas cette étiquette" in words(refused)) == (422, True)
    assert f"{A};Bracelet 9" in refused.text, "what was typed stays"
    looked = await send(nadia, form, text=f"{A};bracelet 2\n{B};\n{C};", batch=str(batch.id))
    assert "3 cartes seraient ajoutées" in words(looked)
    before = await count(network)
    (sure,) = [it for it in forms(looked.text) if ("sure", "yes") in it.buttons]
    (shown,) = re.findall(r'<textarea name="text" hidden>(.*?)</textarea>', looked.text, re.DOTALL)
    typed = {"text": html.unescape(shown), "sure": "yes"}
    assert led_to(await send(nadia, sure, **typed)) == f"{HERE}?added=3"
    assert led_to(await send(nadia, sure, **typed)) == f"{HERE}?added=0", "a double click"
    assert (await count(network))[0] == before[0] + 3
    async with network.context.reader.connect() as connection:
        named = [(await card_by_token(connection, it.token)).uid for it in printed]
    assert named == [B, A, C]
    assert "3 cartes ont été ajoutées" in words(await look(nadia, f"{HERE}?added=3"))


async def test_what_is_no_list_is_told_so(network: Network) -> None:
    nadia = await network.person("nadia")
    form = form_to(await look(nadia, HERE), HERE)
    for typed, said in (
        ({"text": " \n"}, "Elle ne contient aucune ligne"),
        ({"text": f"{A}\n{B}", "first": "un"}, "Le premier numéro, en chiffres"),
        ({"text": "\n".join([A] * 5001)}, "5000 lignes"),
        ({"text": f"{A};{'x' * 41}"}, "plus de 40 caractères"),
        ({"text": f"{A};x\n{B};x"}, "deux fois dans la liste"),
        ({"text": f"uid;label;url\n{A};x;https://x.fr/c/abc"}, "n’est sur aucune étiquette"),
    ):
        answer = await send(nadia, form, **typed)
        assert (answer.status_code, said in words(answer)) == (422, True), said
    file = {"file": ("liste.csv", f"UID;Étiquette\n{A};Carte n°1".encode("cp1252"), "text/csv")}
    answer = await nadia.post(HERE, data=form.fields, files=file, headers={**FRENCH, "Origin": str(nadia.base_url)})
    assert "1 carte serait ajoutée" in words(answer)
    assert "Carte n°1" in words(answer)
