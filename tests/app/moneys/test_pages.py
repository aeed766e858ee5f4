"""The pages of the moneys, as people read and fill them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

import httpx
import pytest

from app.platform.clock import now_us
from app.web import dates
from app.web.i18n import texts_in
from tests.support.network import Network
from tests.support.pages import FRENCH, form_to, led_to, look, words

pytestmark = pytest.mark.anyio

HERE = "/admin/moneys"
GIFT = {
    "kind": "gift",
    "code": "kdo",
    "name_fr": "Cadeau",
    "name_en": "Gift",
    "symbol": "KDO",
    "issuer": "network",
    "issue.roles": "venue_admin",
    "funding": "nobody",
    "lapse.expires_after_days": "90",
    "lapse.beneficiary": "fund",
}
RULES = {"issue.roles": "venue_admin", "redeem.who": "venues", "redeem.cadence": "weekly", "lapse.beneficiary": "fund"}


@pytest.fixture
def database_kind() -> str:
    """What the pages ask of the database is tested on both by test_api.py and tests/app/ledger/test_supply.py."""
    return "sqlite"


async def fill(client: httpx.AsyncClient, path: str, typed: Mapping[str, str]) -> httpx.Response:
    """The form at `path` sent with exactly this, as a browser would send it."""
    page = await look(client, path if path.endswith("rules") else f"{path}?kind=gift")
    hidden = {"csrf_token": form_to(page, path).fields["csrf_token"]}
    headers = {**FRENCH, "Origin": str(client.base_url)}
    return await client.post(path, data={**hidden, **typed}, headers=headers)


async def save(client: httpx.AsyncClient, path: str, typed: Mapping[str, str]) -> httpx.Response:
    """Looked at first, then saved as it was shown."""
    shown = await fill(client, path, {**typed, "step": "preview"})
    assert shown.status_code == 200, words(shown)
    seen = form_to(shown, path).fields["seen"]
    return await fill(client, path, {**typed, "step": "save", "seen": seen})


async def test_each_money_is_shown_with_what_circulates(network: Network) -> None:
    await network.top_up("awa", 2_000)
    await network.shift("awa", 90)
    said = words(await look(await network.person("marie"), HERE))
    assert "Quelles monnaies y a-t-il ? " in said
    assert "Rafftou À parité avec l’euro RAF En circulation 20,00 €" in said
    assert "Heures Heures de bénévolat TEMPS En circulation 1 h 30" in said
    assert "Créer une monnaie" not in said, "only the network's team defines money"


async def test_one_money_tells_its_supply_its_rules_and_its_journal(network: Network) -> None:
    await network.top_up("awa", 2_000)
    bar = await network.terminal("raffinerie")
    await bar.sell("awa", {"Demi": 2})
    said = words(await look(await network.person("nadia"), f"{HERE}/RAF"))
    assert "En circulation 20,00 €" in said
    assert "Sur les cartes 1 13,00 €" in said
    assert "Recettes des lieux 1 7,00 €" in said
    assert "Les règles habituelles valent : rien n’a encore été écrit." in said
    assert "Un Rafftou vaut 1,00 €." in said
    assert "Carte Carte de awa Recettes des lieux : Raffinerie 7,00 €" in said
    assert "Mis en circulation Carte Carte de awa 20,00 €" in said


async def test_a_venue_s_admin_reads_of_the_journal_what_happened_at_the_venue(network: Network) -> None:
    await network.top_up("awa", 2_000, "raffinerie")
    there = words(await look(await network.person("yann"), f"{HERE}/RAF"))
    assert "En circulation 20,00 €" in there
    assert "Carte de awa" not in there
    assert "Aucune écriture sur cette page." in there


async def test_the_journal_goes_back_page_by_page(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.moneys.pages.reading.ENTRIES_SHOWN", 1)
    await network.top_up("awa", 1_000)
    await network.top_up("basile", 2_000)
    client = await network.person("nadia")
    newest = await look(client, f"{HERE}/RAF")
    assert "Carte de basile" in words(newest)
    assert "Carte de awa" not in words(newest)
    older = newest.text.partition("?before=")[2].partition("#")[0]
    assert "Carte de awa" in words(await look(client, f"{HERE}/RAF?before={older}"))


async def test_a_new_money_is_shown_as_others_will_see_it_before_it_is_saved(network: Network) -> None:
    client = await network.person("nadia")
    shown = await fill(client, f"{HERE}/new", {**GIFT, "step": "preview"})
    said = words(shown)
    assert "Ce que les autres verront" in said
    assert "Qui a une carte Cadeau 12,50 KDO" in said
    assert "Le solde se perd 90 jours après le dernier crédit reçu." in said
    assert "C’est une remise : personne ne paie au lieu ce qui y est dépensé." in said
    assert "KDO" not in {it["code"] for it in (await network.get("nadia", "/currencies")).json()}


async def test_what_was_shown_is_saved_and_venues_take_it(network: Network) -> None:
    client = await network.person("nadia")
    canal = network.venues["canal"]
    answer = await save(client, f"{HERE}/new", {**GIFT, "accepted_by": str(canal.id)})
    said = words(await look(client, led_to(answer)))
    assert "Enregistré" in said
    version = (await network.get("nadia", "/currencies/KDO/policies")).json()[-1]
    since = dates.when(version["valid_from_us"], "Europe/Paris", now_us(), texts_in("fr"))
    assert f"Version KDO@1, depuis : {' '.join(since.split())}" in said
    assert "Nadia Montreuil" in said
    accepted = {it["slug"]: it["accepted"] for it in (await network.get("nadia", "/venues")).json()}
    assert accepted == {"raffinerie": ["RAF", "TEMPS"], "canal": ["KDO", "RAF"]}


async def test_what_was_not_shown_is_not_saved(network: Network) -> None:
    client = await network.person("nadia")
    shown = await fill(client, f"{HERE}/new", {**GIFT, "step": "preview"})
    seen = form_to(shown, f"{HERE}/new").fields["seen"]
    for sent in ({"step": "save"}, {"step": "save", "seen": seen, "lapse.expires_after_days": "60"}):
        answer = await fill(client, f"{HERE}/new", {**GIFT, **sent})
        assert answer.status_code == 200
        assert "Rien n’est encore enregistré." in words(answer)
    assert "KDO" not in {it["code"] for it in (await network.get("nadia", "/currencies")).json()}


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ({"code": "RAF"}, "Une monnaie porte déjà ce code."),
        ({"code": "EUR"}, "De deux à huit lettres majuscules, sauf EUR."),
        ({"name_fr": ""}, "De un à soixante caractères."),
        ({"issuer": "venue:00000000-0000-7000-8000-000000000000"}, "Ce lieu n’est pas dans le réseau."),
        ({"lapse.notice_days": "120"}, "Il faudrait prévenir avant même que la monnaie soit reçue."),
        ({"limits.ceiling": "beaucoup"}, "Écrivez un montant comme 12,50."),
        ({"begins": "2020-01-01"}, "Ce jour est passé"),
        ({"begins": "demain"}, "Choisissez un jour."),
        ({"funding": "everybody"}, "Rien n’est enregistré"),
    ],
)
async def test_what_does_not_fit_is_said_and_nothing_is_saved(
    network: Network, typed: dict[str, str], told: str
) -> None:
    client = await network.person("nadia")
    answer = await fill(client, f"{HERE}/new", {**GIFT, **typed, "step": "preview"})
    assert answer.status_code == 422
    assert told in words(answer)
    assert "Ce que les autres verront" not in words(answer)
    assert "KDO" not in {it["code"] for it in (await network.get("nadia", "/currencies")).json()}


async def test_pegged_money_lapses_only_with_its_legal_ground(network: Network) -> None:
    client = await network.person("nadia")
    typed = {**RULES, "lapse.expires_after_days": "400", "step": "preview"}
    answer = await fill(client, f"{HERE}/RAF/rules", typed)
    assert "Une monnaie à parité avec l’euro ne se perd que si son fondement légal est écrit ici." in words(answer)
    answer = await fill(client, f"{HERE}/RAF/rules", {**typed, "lapse.legal_ground": "Conditions, article 4"})
    assert "Fondement légal : Conditions, article 4" in words(answer)


async def test_new_rules_can_hold_from_a_later_day_and_are_announced(network: Network) -> None:
    client = await network.person("nadia")
    later = dates.local(now_us(), "Europe/Paris").date() + timedelta(days=1)
    answer = await save(client, f"{HERE}/RAF/rules", {**RULES, "limits.ceiling": "250", "begins": str(later)})
    said = words(await look(client, led_to(answer)))
    assert "La version RAF@1 vaudra à partir de : demain, 0 h 00." in said
    assert "Les règles habituelles valent" in said
    overtaken = await fill(client, f"{HERE}/RAF/rules", {**RULES, "step": "preview"})
    seen = form_to(overtaken, f"{HERE}/RAF/rules").fields["seen"]
    refused = await fill(client, f"{HERE}/RAF/rules", {**RULES, "step": "save", "seen": seen})
    assert refused.status_code == 422
    assert "Choisissez un jour plus tardif." in words(refused)


async def test_saving_twice_makes_one_version(network: Network) -> None:
    client = await network.person("nadia")
    for _ in range(2):
        led_to(await save(client, f"{HERE}/RAF/rules", {**RULES, "limits.ceiling": "250"}))
    found = (await network.get("nadia", "/currencies/RAF/policies")).json()
    assert [it["label"] for it in found] == ["RAF@0", "RAF@1"]
    assert found[1]["policy"]["limits"] == {"ceiling": 25_000}


async def test_a_money_can_be_called_otherwise(network: Network) -> None:
    client = await network.person("nadia")
    form = form_to(await look(client, f"{HERE}/RAF"), f"{HERE}/RAF/name")
    data = {**form.fields, "name_fr": "Raffetou", "symbol": "RAF"}
    headers = {**FRENCH, "Origin": str(client.base_url)}
    answer = await client.post(form.action, data=data, headers=headers)
    assert "Raffetou" in words(await look(client, led_to(answer)))


async def test_money_that_is_not_there_is_not_found(network: Network) -> None:
    client = await network.person("nadia")
    for path in (f"{HERE}/GHOST", f"{HERE}/GHOST/rules"):
        assert (await look(client, path)).status_code == 404


async def test_every_kind_has_its_form(network: Network) -> None:
    client = await network.person("nadia")
    chosen = await look(client, f"{HERE}/new")
    for kind in ("pegged", "time", "gift", "points", "mutual"):
        assert f"?kind={kind}" in chosen.text
        assert (await look(client, f"{HERE}/new?kind={kind}")).status_code == 200
