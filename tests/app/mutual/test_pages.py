"""The pages of members and loans, read and filled in as an admin does."""

from __future__ import annotations

import pytest

from app.cards.service import add_card
from app.rules.ids import uuid7
from tests.app.mutual.conftest import Club
from tests.support.network import CARDS
from tests.support.pages import ENGLISH, form_to, led_to, look, send, words

pytestmark = pytest.mark.anyio

MEMBERS, TRADES, LOANS = "/admin/members", "/admin/members/trades", "/admin/loans"


@pytest.fixture
def database_kind() -> str:
    return "sqlite"


async def test_a_trade_is_booked_once_and_shows_on_both_accounts(club: Club) -> None:
    nadia = await club.network.person("nadia")
    form = form_to(await look(nadia, MEMBERS), TRADES)
    ends = {"buyer": str(club.members["awa"].id), "seller": str(club.members["basile"].id)}
    typed = {**ends, "amount": "1 000", "reason": "Une table"}
    (address,) = {led_to(await send(nadia, form, **typed)) for _ in range(2)}
    said = words(await look(nadia, address))
    assert "L’échange est enregistré" in said
    assert "−1 000,00 BAR peut encore payer 1 000,00 BAR" in said
    assert "950,00 BAR peut encore payer 2 950,00 BAR" in said
    told = words(await look(nadia, f"{MEMBERS}/{club.members['awa'].id}"))
    assert "Échange · Basile et associés Une table −1 000,00 BAR −1 000,00 BAR" in told


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"amount": "rien"}, "Écrivez un montant comme 12,50."),
        ({"amount": "0"}, "Écrivez un montant comme 12,50."),
        ({"amount": "2000,01"}, "Cela dépasse le crédit de l’acheteur. Rien n’a été enregistré."),
        ({"reason": " "}, "Dites pour quoi"),
        ({"seller": "awa"}, "Choisissez deux membres."),
    ],
)
async def test_a_trade_that_cannot_be_stays_to_be_corrected(club: Club, change: dict[str, str], said: str) -> None:
    nadia = await club.network.person("nadia")
    typed = {"buyer": "awa", "seller": "basile", "amount": "12,50", "reason": "Bois", **change}
    for end in ("buyer", "seller"):
        typed[end] = str(club.members[typed[end]].id)
    again = await send(nadia, form_to(await look(nadia, MEMBERS), TRADES), **typed)
    assert again.status_code == 422
    assert said in words(again)
    assert f'value="{typed["amount"]}"' in again.text
    assert await club.book("BAR") == {}


async def test_a_new_member_is_entered_with_the_credit_that_all_have(club: Club) -> None:
    async with club.network.engine.begin() as connection:
        await add_card(connection, "04A0000000A0D1", "Carte de dora")
    nadia = await club.network.person("nadia")
    form = form_to(await look(nadia, MEMBERS), MEMBERS)
    address = led_to(await send(nadia, form, name="Dora & fils", card="carte de dora", roles="user"))
    said = words(await look(nadia, address))
    assert "Dora & fils Carte Carte de dora · Utilisateur" in said
    assert "Peut encore payer 2 000,00 BAR" in said
    for typed, answer in (
        ({"name": "Dora", "card": "carte de dora"}, "Cette carte appartient déjà à un membre."),
        ({"name": "Dora", "card": "nulle part"}, "Aucune carte, ou plusieurs"),
        ({"name": " ", "card": "carte de dora"}, "Écrivez le nom du membre."),
    ):
        again = await send(nadia, form, **typed)
        assert again.status_code == 422
        assert answer in words(again)


async def test_a_thing_is_lent_and_comes_back(club: Club) -> None:
    await club.points("awa", 50)
    nadia = await club.network.person("nadia")
    page = await look(nadia, LOANS)
    assert "Rien n’est prêté" in words(page)
    typed = {"borrower": str(club.members["awa"].id), "thing": "Barnum", "points": "30", "days": "7"}
    form = form_to(page, LOANS)
    assert {led_to(await send(nadia, form, **typed)) for _ in range(2)} == {LOANS}
    page = await look(nadia, LOANS)
    assert "1 chose prêtée" in words(page)
    (out,) = (await club.network.get("nadia", "/loans")).json()
    back = form_to(page, f"{LOANS}/{out['id']}")
    assert back.fields["lost"] == "true"
    assert led_to(await nadia.post(back.action, data={}, headers={"Accept": "text/html"})) == LOANS
    assert "Rien n’est prêté" in words(await look(nadia, LOANS))
    assert await club.has("awa", "PTS") == 50


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"points": "51"}, "Ce membre n’a pas autant de points libres. Rien n’a été prêté."),
        ({"points": "1,5"}, "Écrivez un nombre entier de points."),
        ({"thing": " "}, "Dites ce qui est prêté."),
        ({"days": "0"}, "Écrivez un nombre entier de jours."),
        ({"lender": "awa"}, "Choisissez deux membres."),
        ({"borrower": "camille"}, "Ce membre n’est pas de ceux qui empruntent."),
    ],
)
async def test_a_loan_that_cannot_be_stays_to_be_corrected(club: Club, change: dict[str, str], said: str) -> None:
    await club.points("awa", 50)
    nadia = await club.network.person("nadia")
    typed = {"borrower": "awa", "lender": "", "thing": "Barnum", "points": "30", "days": "7", **change}
    typed["borrower"] = str(club.members[typed["borrower"]].id)
    typed["lender"] = str(club.members[typed["lender"]].id) if typed["lender"] else ""
    again = await send(nadia, form_to(await look(nadia, LOANS), LOANS), **typed)
    assert again.status_code == 422
    assert said in words(again)
    assert (await club.network.get("nadia", "/loans")).json() == []


async def test_a_member_s_page_tells_of_memberships_and_debts_in_both_languages(club: Club) -> None:
    nadia = await club.network.person("nadia")
    plan = {"name_fr": "Adhésion coop", "name_en": "Coop membership", "price_cents": 23500, "shares_cents": 10000}
    await nadia.put("/api/v1/membership-plans/coop", json=plan)
    paid = {"member": CARDS["awa"], "plan": "coop", "means": "transfer"}
    await club.ask("/memberships", paid, uuid7())
    address = f"{MEMBERS}/{club.members['awa'].id}"
    assert "Adhésion coop" in words(await look(nadia, address))
    english = words(await nadia.get(address, headers=ENGLISH))
    assert "Coop membership" in english
    assert "€235.00 €100.00" in english


async def test_only_the_network_s_admins_see_members(club: Club) -> None:
    marie = await club.network.person("marie")
    for page in (MEMBERS, LOANS, f"{MEMBERS}/{club.members['awa'].id}"):
        assert (await look(marie, page)).status_code == 403
