"""The card desk's pages: looking cards up, and what staff do to one."""

from __future__ import annotations

import csv
import io

import pytest

from app.cards.rules import read_uid
from app.cards.service import add_card
from tests.support.network import CARDS, Network
from tests.support.pages import form_to, led_to, look, send, words

pytestmark = pytest.mark.anyio

NEW = "04D0D0D0D0D0D0"


@pytest.fixture
def database_kind() -> str:
    return "sqlite"


def page_of(network: Network, card: str) -> str:
    return f"/admin/cards/{network.cards[card].id}"


async def test_a_lost_card_is_replaced_on_its_page(network: Network) -> None:
    await network.top_up("awa", 2000)
    sana, here = await network.person("sana"), page_of(network, "awa")
    replace = form_to(await look(sana, here), f"{here}/replace")
    refused = await send(sana, replace, other="04:d0:d0:d0:d0:d0:d0", reason="perdue")
    assert refused.status_code == 422
    assert "écrivez ce qui est imprimé dessus" in words(refused)
    assert 'value="04:d0:d0:d0:d0:d0:d0"' in refused.text, "what was typed stays"
    assert led_to(await send(sana, replace, other=NEW, label="Carte 12", reason="perdue")) == here
    assert led_to(await send(sana, replace, other=NEW, label="Carte 12", reason="perdue")) == here, "a double click"
    said = words(await look(sana, here))
    for part in ("Remplacée par la carte Carte 12", "Rafftou 20,00 €", "Motif : perdue", "Sana Montreuil"):
        assert part in said
    assert "/replace" not in (await look(sana, here)).text

    found = words(await look(network.client, f"/c/{network.cards['awa'].token}"))
    assert "Cette carte a été remplacée" in found
    assert "20,00" not in found
    piece = await look(network.client, f"/c/{network.cards['awa'].token}/now")
    assert "Cette carte a été remplacée" in piece.text
    for path in ("top-up", "voucher", "notices", "qr.svg"):
        assert (await look(network.client, f"/c/{network.cards['awa'].token}/{path}")).status_code == 409, path


async def test_what_is_typed_wrong_is_said_at_its_field(network: Network) -> None:
    await network.top_up("basile", 100)
    sana, here = await network.person("sana"), page_of(network, "awa")
    page = await look(sana, here)
    link, block = form_to(page, f"{here}/link"), form_to(page, f"{here}/block")
    for typed, said in (
        ("Carte de basile", "a déjà servi"),
        ("Carte", "Plusieurs cartes"),
        ("nulle part", "Aucune carte ne correspond"),
        (CARDS["awa"], "C’est la même carte"),
    ):
        answer = await send(sana, link, other=typed)
        assert (answer.status_code, said in words(answer)) == (422, True), typed
    assert "Dites pourquoi" in words(await send(sana, block))
    assert led_to(await send(sana, block, reason="trouvée au bar")) == here
    page = await look(sana, here)
    assert "Motif : trouvée au bar" in words(page)
    assert led_to(await send(sana, form_to(page, f"{here}/unblock"), reason="rendue")) == here
    retire = form_to(await look(sana, here), f"{here}/retire")
    assert led_to(await send(sana, retire, reason="cassée")) == here
    assert "Cette carte ne sert plus" in words(await look(network.client, f"/c/{network.cards['awa'].token}"))


async def test_cards_are_found_by_what_is_on_them_and_by_state(network: Network) -> None:
    await network.block("basile")
    async with network.engine.begin() as connection:
        await add_card(connection, NEW, "=1+1")
    nadia = await network.person("nadia")
    for query, found in (
        ("", {"awa", "basile", "camille"}),
        ("?q=DE+AWA", {"awa"}),
        ("?q=04:a0:00:00:00:a0:02", {"basile"}),
        (f"?q=http://server.test/c/{network.cards['camille'].token}", {"camille"}),
        ("?state=blocked", {"basile"}),
        ("?state=retired", set()),
        ("?q=%25", set()),
    ):
        page = await look(nadia, f"/admin/cards{query}")
        assert {it for it in CARDS if f"Carte de {it}" in words(page)} == found, query
    assert "Toutes : 4 Utilisables : 3 Bloquées : 1" in words(await look(nadia, "/admin/cards"))
    answer = await look(nadia, "/admin/cards/cards.csv?state=active")
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig")), delimiter=";"))
    assert [row[:3] for row in rows] == [
        ["Étiquette", "Numéro de la puce", "État"],
        ["'=1+1", NEW, "Utilisable"],
        ["Carte de awa", CARDS["awa"], "Utilisable"],
        ["Carte de camille", CARDS["camille"], "Utilisable"],
    ]


async def test_who_only_reads_is_offered_no_act(network: Network) -> None:
    here = page_of(network, "awa")
    for login, shown in (("hugo", "Rafftou 0,00 €"), ("ines", "")):
        page = await look(await network.person(login), here)
        assert (page.status_code, shown in words(page)) == (200, True)
        assert f'action="{here}' not in page.text
    assert "Rafftou" not in words(await look(await network.person("ines"), here)), "the accountant looks up no holder"
    assert (await look(await network.person("lucas"), here)).status_code == 403


@pytest.mark.parametrize(
    ("text", "uid"),
    [
        ("04:a1:b2:c3", "04A1B2C3"),
        ("04 A1 b2 c3 d4 e5 f6", "04A1B2C3D4E5F6"),
        ("0x04A1B2C3D4E5F6010203", "04A1B2C3D4E5F6010203"),
        (" 04-a1-b2-c3 ", "04A1B2C3"),
        ("04A1B2C", None),
        ("04A1B2C3D4", None),
        ("04A1B2CG", None),
        ("", None),
    ],
)
def test_numbers_are_read_however_they_are_spelled(text: str, uid: str | None) -> None:
    assert read_uid(text) == uid
