"""Is every euro there?"""

from __future__ import annotations

import pytest

from app.accounting import pages, service
from app.accounting.service import Circulation, ReserveProof
from tests.support.network import RAF, TEMPS, Network
from tests.support.pages import look, words

HERE = "/admin/reserve"


async def test_an_empty_network_has_every_euro(network: Network) -> None:
    said = words(await look(await network.person("nadia"), HERE))
    assert "Oui. Chaque euro en circulation est là." in said


async def test_what_is_held_and_what_is_owed_are_told(network: Network) -> None:
    await network.top_up("awa", 2000)
    await network.shift("awa", 90)
    said = words(await look(await network.person("nadia"), HERE))
    assert "Oui. Chaque euro en circulation est là. 20,00 € sont détenus pour autrui" in said
    assert "Espèces aux mains des lieux 20,00 €" in said
    assert "Pour la monnaie en circulation 20,00 €" in said
    assert "Rafftou 20,00 € 20,00 €" in said
    assert "Heures 1 h 30 jamais" in said


async def test_it_is_told_as_of_the_end_of_a_day(network: Network) -> None:
    await network.top_up("awa", 2000)
    nadia = await network.person("nadia")
    said = words(await look(nadia, f"{HERE}?day=2026-01-31"))
    assert "À la fin de la journée : samedi 31 janvier" in said
    assert "0,00 € sont détenus pour autrui" in said
    # A day that is not over is now.
    assert "20,00 € sont détenus pour autrui" in words(await look(nadia, f"{HERE}?day=9999-12-31"))


@pytest.mark.parametrize(
    ("proof", "said"),
    [
        ((2000, 0, 0, 2500, 0), "Il est détenu 5,00 € de moins que ce qui est dû."),
        ((2000, 0, 500, 2000, 100), "Il est détenu 4,00 € de plus que ce qui est dû."),
        ((2400, 0, 0, 2400, 0), "En circulation : 20,00 €. Dû en face : 24,00 €."),
    ],
)
async def test_what_does_not_agree_is_said(
    network: Network, monkeypatch: pytest.MonkeyPatch, proof: tuple[int, int, int, int, int], said: str
) -> None:
    """The ledger's guards let no such books come about, so the page is given them."""
    circulation = (Circulation(RAF, 2000, 2000), Circulation(TEMPS, 0, None))

    async def wrong(*_: object) -> ReserveProof:
        return service.ReserveProof(circulation, *proof)

    monkeypatch.setattr(pages, "reserve_proof", wrong)
    page = words(await look(await network.person("nadia"), HERE))
    assert "Non. Les comptes ne concordent pas." in page
    assert said in page
