"""Contributions, gifts, vouchers, credit lines and retirements by hand, and the holder's own page."""

from __future__ import annotations

import re

import pytest

from tests.support.network import CARDS, GIFT, Network
from tests.support.pages import ENGLISH, form_to, led_to, look, send, words

CONTRIBUTIONS, GIFTS, VOUCHERS = "/admin/contributions", "/admin/gifts", "/admin/vouchers"
CREDIT, RETIREMENTS, HUB = "/admin/credit-lines", "/admin/retirements", "/admin/issue"


async def test_a_contribution_is_credited_once_with_its_role(rich: Network) -> None:
    manager = await rich.person("marie")
    form = form_to(await look(manager, f"{CONTRIBUTIONS}?card={CARDS['awa']}"), CONTRIBUTIONS)
    typed = {"amount": "12", "reason": "Prêt de deux barnums", "role": "host"}
    addresses = {led_to(await send(manager, form, **typed)) for _ in range(2)}
    (address,) = addresses
    assert "12 pt crédités sur la carte Carte de awa" in words(await look(manager, address))
    assert (await rich.holds("awa"))["PTS"] == 12
    seen = words(await look(rich.client, f"/c/{rich.cards['awa'].token}"))
    assert "Contribution : Raffinerie Prêt de deux barnums" in seen
    again = await send(manager, form, amount="douze", reason="", role="host")
    assert again.status_code == 422
    assert "Écrivez un nombre entier comme 10." in words(again)


async def test_gifts_are_given_to_a_pasted_list(rich: Network) -> None:
    admin = await rich.person("nadia")
    form = form_to(await look(admin, GIFTS), GIFTS)
    typed = {"amount": "5", "reason": "Merci", "cards": f"{CARDS['awa']}\nCarte de basile;7,50"}
    for _ in range(2):
        page = words(await send(admin, form, **typed))
        assert "12,50 € offerts sur 2 cartes" in page
    assert [(await rich.holds(it))["GIFT"] for it in ("awa", "basile")] == [500, 750]


async def test_a_list_that_is_wrong_stays_to_be_corrected(rich: Network) -> None:
    admin = await rich.person("nadia")
    form = form_to(await look(admin, GIFTS), GIFTS)
    wrong = await send(admin, form, amount="5", reason="Merci", cards="\npersonne\nCarte de awa;beaucoup")
    assert wrong.status_code == 422
    assert "Ligne 2, « personne » : aucune carte ne porte ce nom" in words(wrong)
    assert "Ligne 3, « Carte de awa » : le montant n’est pas compris" in words(wrong)
    empty = await send(admin, form, amount="cinq", reason=" ", cards="")
    assert "Écrivez un montant comme 25 ou 12,50." in words(empty)
    assert "Dites pour quoi" in words(empty)
    assert (await rich.holds("awa"))["GIFT"] == 0


async def test_vouchers_are_printed_once_used_by_the_holder_and_cancelled(rich: Network) -> None:
    admin, holder = await rich.person("nadia"), rich.client
    form = form_to(await look(admin, VOUCHERS), VOUCHERS)
    printed = await send(admin, form, amount="10", count="2", reason="Noël")
    codes = re.findall(r"<code>([A-Z-]{19})</code>", printed.text)
    assert len(codes) == 2
    assert printed.headers["cache-control"] == "no-store"
    mine = f"/c/{rich.cards['awa'].token}"
    assert f'href="{mine}/voucher"' in (await look(holder, mine)).text
    own = form_to(await look(holder, f"{mine}/voucher"), f"{mine}/voucher")
    wrong = await send(holder, own, code="abcd")
    assert (wrong.status_code, "quatre groupes" in words(wrong)) == (422, True)
    receipt = await look(holder, led_to(await send(holder, own, code=codes[0].lower())))
    assert "10,00 € sont sur votre carte Noël" in words(receipt)
    theirs = f"/c/{rich.cards['basile'].token}/voucher"
    used = await send(holder, form_to(await look(holder, theirs), theirs), code=codes[0])
    assert "a déjà servi" in words(used)
    listed = await look(admin, VOUCHERS)
    assert not any(code in listed.text for code in codes)
    (address,) = set(re.findall(rf'href="({VOUCHERS}/[0-9a-f-]+)"', listed.text))
    assert led_to(await send(admin, form_to(await look(admin, address), address))) == address
    after = words(await look(admin, address))
    assert "1 Utilisé 2 Annulé" in after
    assert (await rich.holds("awa"))["GIFT"] == 1000


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"amount": "beaucoup"}, "Écrivez un montant"),
        ({"count": "0"}, "De 1 à 500 bons cadeaux."),
        ({"count": "²"}, "De 1 à 500 bons cadeaux."),
        ({"reason": " "}, "Dites pour quoi"),
        ({"valid_until": "demain"}, "Choisissez un jour."),
        ({"valid_until": "2020-01-01"}, "Choisissez un jour à venir."),
    ],
)
async def test_vouchers_that_cannot_be_stay_to_be_corrected(rich: Network, typed: dict[str, str], said: str) -> None:
    admin = await rich.person("nadia")
    form = form_to(await look(admin, VOUCHERS), VOUCHERS)
    again = await send(admin, form, **{"amount": "10", "count": "2", "reason": "Noël", **typed})
    assert again.status_code == 422
    assert said in words(again)


async def test_credit_is_asked_for_by_one_and_granted_by_another(rich: Network) -> None:
    manager, admin = await rich.person("marie"), await rich.person("nadia")
    form = form_to(await look(manager, CREDIT), CREDIT)
    wrong = await send(manager, form, card="personne", credit="beaucoup", reason="")
    assert wrong.status_code == 422
    assert led_to(await send(manager, form, card=CARDS["awa"], credit="100", reason="Membre")) == CREDIT
    waiting = await look(manager, CREDIT)
    assert "Un crédit de 100,00 BAR pour la carte Carte de awa" in words(waiting)
    assert "Vous l’avez demandé" in words(waiting)
    page = await look(admin, CREDIT)
    (action,) = re.findall(rf'action="({CREDIT}/[^"]+/grant)"', page.text)
    assert led_to(await send(admin, form_to(page, action))) == CREDIT
    assert "100,00 BAR accordée Marie Montreuil Nadia Montreuil" in words(await look(admin, CREDIT))


async def test_what_was_spent_is_retired(rich: Network) -> None:
    admin = await rich.person("nadia")
    assert "Rien à retirer" in words(await look(admin, RETIREMENTS))
    await rich.price("raffinerie", "Demi", "GIFT", 350)
    await rich.issue("awa", GIFT, 700)
    await (await rich.terminal("raffinerie")).sell("awa", {"Demi": 1}, pay="GIFT")
    form = form_to(await look(admin, RETIREMENTS), RETIREMENTS)
    assert (await send(admin, form, reason="Clôture", amount="3,51")).status_code == 422
    assert (await send(admin, form, reason=" ")).status_code == 422
    form = form_to(await look(admin, RETIREMENTS), RETIREMENTS)
    done = await look(admin, led_to(await send(admin, form, reason="Clôture")))
    assert "3,50 € de Raffinerie sont retirés" in words(done)


async def test_each_finds_what_they_may_do_in_both_languages(rich: Network) -> None:
    for login, shown in (("nadia", True), ("marie", False)):
        page = await (await rich.person(login)).get(HUB, headers=ENGLISH)
        assert "Credit a volunteer for time given." in words(page)
        assert ("Take what venues have taken" in words(page)) is shown
    cashier = await rich.person("lucas")
    assert (await look(cashier, HUB)).status_code == 403
    assert "Rien à offrir" in words(await look(cashier, GIFTS))
