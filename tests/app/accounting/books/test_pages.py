"""The books on the screen and as files: what an accountant sees, and what of it others may."""

from __future__ import annotations

import io
import re
import zipfile
from datetime import date

import pytest

from app.accounting.books import sheets
from app.accounting.books.chart import defaults
from app.platform.clock import now_us
from tests.support.books import SIREN, books_of, close, line, online, sale
from tests.support.fec_rule import faults
from tests.support.network import Network
from tests.support.pages import look, words

HERE = "/admin/books"


def this_month(network: Network) -> date:
    return network.venues["raffinerie"].day_of(now_us()).replace(day=1)


@pytest.fixture
async def month(network: Network) -> str:
    """A month with a sale of two rates, closed in the Raffinerie's books: as addresses write it."""
    await online(network, "awa", 5000)
    bar = await network.terminal("raffinerie")
    await bar.deliver(bar.sale_row(sale(line("Demi", 350, 2000, 2), line("Tarte", 400, 550), card="awa")))
    await close(network, await books_of(network, "raffinerie"))
    return f"{this_month(network):%Y-%m}"


async def test_the_accountant_of_a_venue_reads_its_books_and_no_others(network: Network, month: str) -> None:
    marie = await network.person("marie")
    said = words(await look(marie, f"{HERE}/raffinerie"))
    assert f"Raffinerie, SIREN {SIREN}" in said
    said = words(await look(marie, f"{HERE}/raffinerie/{month}"))
    assert "20 % 5,83 € 1,17 € 7,00 €" in said
    assert "5,5 % 3,79 € 0,21 € 4,00 €" in said
    assert "467810 Monnaies locales à rembourser 0,00 € 11,00 € 0,00 € 11,00 €" in said
    said = words(await look(marie, f"{HERE}/raffinerie/{month}/VE"))
    assert "44571200 TVA collectée 20 % 1,17 €" in said
    for path in ("network", f"canal/{month}", f"network/fec/{month[:4]}", "canal/settings"):
        assert (await marie.get(f"{HERE}/{path}")).status_code == 403
    assert (await marie.get(f"{HERE}/nowhere")).status_code == 404
    assert (await marie.get(HERE)).headers["location"] == f"{HERE}/raffinerie"
    assert (await (await network.person("nadia")).get(HERE)).headers["location"] == f"{HERE}/network"


async def test_every_file_is_there(network: Network, month: str) -> None:
    marie = await network.person("marie")
    answer = await marie.get(f"{HERE}/raffinerie/fec/{month[:4]}")
    (name,) = re.findall(r'filename="(.*)"', answer.headers["content-disposition"])
    assert [*faults(name, answer.content)] == []
    for table in sheets.TABLES:
        where = f"{HERE}/raffinerie/table/{table}"
        text = (await marie.get(f"{where}.csv?first={month}&last={month}")).content.decode("utf-8-sig")
        assert text.splitlines()[0] == ";".join(name for name, _ in sheets.LAYOUTS[table])
        found = await marie.get(f"{where}.xlsx?first={month}&last={month}")
        with zipfile.ZipFile(io.BytesIO(found.content)) as file:
            rows = file.read("xl/worksheets/sheet1.xml").count(b"<row ")
        assert rows == len(text.splitlines())
    text = (await marie.get(f"{HERE}/raffinerie/table/tva.csv?first={month}&last={month}")).text
    assert text.splitlines()[1:] == ["5,5 %;3,79;0,21;4,00", "20 %;5,83;1,17;7,00"]
    text = (await marie.get(f"{HERE}/raffinerie/table/grand-livre.csv?first={month}&last={month}")).text
    assert [line.split(";")[0] for line in text.splitlines()[1:]] == [
        "44571055",
        "44571200",
        "467810",
        "707055",
        "707200",
    ]
    assert text.splitlines()[3].endswith(";11,00;0,00;11,00")
    for first, last in (("2001-01", "2001-02"), (month, "2999-01")):
        assert (await marie.get(f"{HERE}/raffinerie/table/tva.csv?first={first}&last={last}")).status_code == 404
    pdf = (await marie.get(f"{HERE}/raffinerie/{month}.pdf")).content
    assert pdf.startswith(b"%PDF-")
    assert b"/FontFile2" in pdf
    assert b"/ToUnicode" in pdf
    assert b"/Lang (fr)" in pdf


def test_layouts_stay_as_other_programs_know_them() -> None:
    """Programs import these columns by their names and places: a change here is a change for all of them."""
    assert {table: ";".join(name for name, _ in columns) for table, columns in sheets.LAYOUTS.items()} == {
        "balance": "Compte;Intitulé;Solde initial;Débit;Crédit;Solde débiteur;Solde créditeur",
        "journaux": "Journal;Numéro;Date;Compte;Intitulé;Tiers;Nom du tiers;Pièce;Date de la pièce;Libellé;"
        "Débit;Crédit",
        "grand-livre": "Compte;Intitulé;Date;Journal;Numéro;Tiers;Pièce;Date de la pièce;Libellé;Débit;Crédit;Solde",
        "tva": "Taux;Hors taxe;Taxe;Toutes taxes comprises",
    }


async def test_a_month_that_is_not_over_is_not_closed(network: Network) -> None:
    await network.top_up("awa", 2000)
    nadia = await network.person("nadia")
    assert "Il se clôture une fois terminé." in words(await look(nadia, f"{HERE}/network"))
    assert (await nadia.post(f"{HERE}/network/close")).status_code == 409


async def test_accounts_are_changed_for_what_is_closed_next(network: Network) -> None:
    nadia = await network.person("nadia")
    form = {"legal_name": "Les Comptoirs liés", "siren": "732 829 320", "regime": "cooperative", "year_starts": "9"}
    accounts = {"number:own.bank": "512900", "name:own.bank": "Crédit coopératif"}
    answer = await nadia.post(f"{HERE}/network/settings", data={**form, **accounts})
    assert answer.status_code == 303, answer.text
    # A venue that issues no money keeps no accounts of an issuer.
    assert "Dépôts des porteurs" not in (await look(nadia, f"{HERE}/raffinerie/settings")).text
    said = (await look(nadia, f"{HERE}/network/settings")).text
    assert "Dépôts des porteurs" in said
    assert 'value="512900"' in said
    # What was at the default of an association, is at that of a cooperative.
    assert f'value="{defaults("cooperative", venue=False)["own.capital"].number}"' in said
    for wrong, why in (
        ({"siren": "732829321"}, "Ce SIREN est inexact"),
        ({"legal_name": " "}, "saisissez la raison sociale"),
        ({"number:own.bank": "9"}, "Un compte est inexact"),
    ):
        answer = await nadia.post(f"{HERE}/network/settings", data={**form, **accounts, **wrong})
        assert (answer.status_code, why in words(answer)) == (422, True)
