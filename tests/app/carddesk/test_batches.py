"""The pages of batches: made, printed, and joined to chips one after the other."""

from __future__ import annotations

import csv
import io
from urllib.parse import unquote_plus

import pypdfium2
import pytest
import zxingcpp

from app.cards.claim_codes import claim_code_of
from tests.support.network import Network, problem
from tests.support.pages import form_to, led_to, look, send, words

pytestmark = pytest.mark.anyio

HERE = "/admin/cards/batches"


@pytest.fixture
def database_kind() -> str:
    return "sqlite"


async def test_a_batch_is_made_printed_and_joined(network: Network) -> None:
    nadia, sana = await network.person("nadia"), await network.person("sana")
    make = form_to(await look(nadia, HERE), HERE)
    typed = {"name": "Festival", "prefix": "Carte", "first": "001", "number": "2"}
    for wrong, said in (
        ({"number": "0"}, "De 1 à 2000 cartes"),
        ({"first": "un"}, "en chiffres"),
        ({"name": " "}, "Donnez un nom"),
    ):
        refused = await send(nadia, make, **{**typed, **wrong})
        assert (refused.status_code, said in words(refused)) == (422, True), wrong
        assert 'value="Carte"' in refused.text, "what was typed stays"
    here = led_to(await send(nadia, make, **typed))
    assert "Il y a déjà un lot de ce nom" in words(await send(nadia, make, **typed))

    assert "Imprimez en taille réelle" in words(await look(nadia, here))
    answer = await look(nadia, f"{here}/labels.pdf?sheet=single&width=54&height=25")
    assert answer.headers["content-type"] == "application/pdf"
    read = [
        zxingcpp.read_barcodes(page.render(scale=4).to_pil())[0].text for page in pypdfium2.PdfDocument(answer.content)
    ]
    table = (await look(nadia, f"{here}/labels.csv")).content.decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(table), delimiter=";"))
    codes = [claim_code_of(network.context.keys.token, it.rpartition("/")[2]) for it in read]
    assert rows[1:] == [["Carte 001", read[0], "", codes[0]], ["Carte 002", read[1], "", codes[1]]]
    assert read[0].startswith("http://server.test/c/")
    assert (await look(sana, f"{here}/labels.pdf")).status_code == 403, "an address acts for the holder"
    api = f"/card-batches/{here.rpartition('/')[2]}/labels.pdf"
    assert (await network.get("nadia", api)).content[:5] == b"%PDF-"
    assert problem(await network.get("nadia", f"{api}?sheet=a5")) == (422, "invalid")
    assert problem(await network.get("nadia", f"{api}?part=2")) == (422, "invalid")

    page = await look(sana, here)
    assert "Prochaine étiquette : Carte 001" in words(page)
    join = form_to(page, f"{here}/cards")
    refused = await send(sana, join, uid="04:d0")
    assert (refused.status_code, "8, 14 ou 20" in words(refused)) == (422, True)
    joined = led_to(await send(sana, join, uid="04:d0:00:00:00:00:01"))
    assert unquote_plus(joined) == f"{here}?joined=Carte 001"
    page = await look(sana, joined)
    assert "La puce porte l’étiquette Carte 001" in words(page)
    assert "Prochaine étiquette : Carte 002" in words(page)
    assert "Cette étiquette est celle d’une autre carte" in words(
        await send(sana, join, uid="04D00000000002", label="Carte 001")
    )
    assert "Ce lot n’a pas cette étiquette" in words(await send(sana, join, uid="04D00000000002", label="Carte 3"))
    led_to(await send(sana, join, uid="04D00000000002"))
    page = await look(sana, here)
    assert f"{here}/cards" not in page.text, "nothing is left to join"
    found = await look(network.client, read[1].removeprefix("http://server.test"))
    assert "Carte 002" in words(found)
