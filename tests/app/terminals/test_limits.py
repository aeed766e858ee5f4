"""The page of the limits: what can be lost is computed, changed, and accepted in writing."""

from __future__ import annotations

import json

import httpx
import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from app.identity.tables import audit
from app.platform.database import is_sqlite
from app.terminals.limits.acceptance import GUARDS, acceptances
from app.terminals.service import seen
from app.terminals.tables import terminal
from app.venues.service import the_network
from tests.support.network import Network, both
from tests.support.pages import form_to, led_to, look, send, words

HERE = "/admin/limits"


@pytest.fixture
def database_kind() -> str:
    """What is kept, and how, is asked of both kinds; what pages say of it is above the database."""
    return "sqlite"


CHANGE = f"{HERE}/change"


async def accept(nadia: httpx.AsyncClient, **typed: str) -> httpx.Response:
    form = form_to(await look(nadia, HERE), HERE)
    return await send(nadia, form, **{"agreed": "yes", "signed": "Nadia M., trésorière", **typed})


async def change(nadia: httpx.AsyncClient, **typed: str) -> httpx.Response:
    return await send(nadia, form_to(await look(nadia, CHANGE), CHANGE), **typed)


async def fleet(network: Network) -> httpx.AsyncClient:
    """Three terminals at two venues, and 30.00 on two cards."""
    await network.top_up("awa", 2000)
    await network.top_up("basile", 1000)
    for venue, name in (("raffinerie", "Bar"), ("raffinerie", "Terrasse"), ("canal", "Comptoir")):
        await network.terminal(venue, name)
    return await network.person("nadia")


async def test_the_computation_can_be_followed_on_paper(network: Network) -> None:
    nadia = await fleet(network)
    page = words(await look(nadia, HERE))
    assert "3 terminaux × 500,00 €, la limite d’un terminal 1 500,00 €" in page
    assert "(3 terminaux − 1) × 30,00 € sur les cartes 60,00 € Au plus 1 560,00 €" in page
    assert "(2 sites − 1) × 30,00 € sur les cartes 30,00 € Au plus 1 530,00 €" in page
    # Hours are taken at one venue only, at its two terminals.
    assert "2 terminaux × 50 h, la limite d’un terminal 100 h" in page
    assert "3 × 40,00 € = 120,00 €" in page


@both
async def test_it_is_accepted_in_writing_and_a_larger_fleet_or_higher_limits_outdate_that(network: Network) -> None:
    nadia = await fleet(network)
    assert "n’est pas accepté" in words(await look(nadia, "/admin/terminals"))
    assert (await change(nadia, **{"RAF.on_cards": "100"})).status_code == 303
    assert led_to(await accept(nadia)) == HERE
    async with network.engine.connect() as connection:
        (kept,) = await acceptances(connection, 5)
    assert kept.signed == "Nadia M., trésorière"
    assert "1 700,00 €" in kept.sentence.replace("\u202f", " ").replace("\u00a0", " ")
    assert kept.figures["RAF"].most == 3 * 50_000 + 2 * 10_000
    page = words(await look(nadia, HERE))
    assert "Accepté par Nadia M., trésorière" in page
    assert "L’accepter par écrit" not in page
    assert "n’est pas accepté" not in words(await look(nadia, "/admin/terminals"))
    # More money on cards is within what was accepted, up to what was expected.
    await network.top_up("camille", 6000)
    assert "Accepté par" in words(await look(nadia, HERE))
    await network.terminal("canal", "Terrasse")
    page = words(await look(nadia, HERE))
    assert "il y a 4 terminaux ; il y en avait 3" in page
    assert "n’est pas accepté" in words(await look(nadia, "/admin/terminals"))
    # Lower limits bring it back below what was accepted; then nobody need accept anything.
    assert (await change(nadia, **{"RAF.terminal": "300"})).status_code == 303
    assert "Accepté par" in words(await look(nadia, HERE))
    assert (await change(nadia, **{"RAF.terminal": "900,50"})).status_code == 303
    page = words(await look(nadia, HERE))
    assert "la limite d’un terminal est de 900,50 € ; elle était de 500,00 €" in page
    assert led_to(await accept(nadia)) == HERE
    async with network.engine.connect() as connection:
        assert len(await acceptances(connection, 5)) == 2


async def test_what_is_accepted_is_what_was_read(network: Network) -> None:
    nadia = await fleet(network)
    form = form_to(await look(nadia, HERE), HERE)
    await network.terminal("canal", "Terrasse")
    late = await send(nadia, form, agreed="yes", signed="Nadia")
    assert late.status_code == 422
    assert "ont changé pendant" in words(late)
    for typed in ({"agreed": ""}, {"signed": "  "}):
        answer = await accept(nadia, **typed)
        assert answer.status_code == 422
        assert "cochez" in words(answer)
    async with network.engine.connect() as connection:
        assert await acceptances(connection, 5) == []


@both
async def test_an_acceptance_is_never_rewritten(network: Network) -> None:
    await accept(await fleet(network))
    rewrites = ["UPDATE exposure_acceptance SET signed = 'x'", "DELETE FROM exposure_acceptance"]
    rewrites += (
        ["INSERT OR REPLACE INTO exposure_acceptance SELECT * FROM exposure_acceptance"]
        if is_sqlite(network.engine)
        else ["TRUNCATE exposure_acceptance"]
    )
    for statement in rewrites:
        async with network.engine.connect() as connection:
            with pytest.raises(DBAPIError, match="accepted in writing stays"):
                await connection.execute(sa.text(statement))
    async with network.engine.begin() as connection:
        assert await connection.run_sync(GUARDS.missing) == []


async def test_the_limits_are_changed_and_who_did_it_is_told(network: Network) -> None:
    nadia = await fleet(network)
    answer = await change(
        nadia,
        **{
            "RAF.C.per_sale": "20",
            "RAF.C.consecutive": "3",
            "TEMPS.A.per_card": "4 h 30",
            "snapshot_stop_s": "8 h",
            "snapshot_old": "lower",
            "lowered_percent": "40 %",
            "unknown_cards": "yes",
            "session_required": "yes",
            "pin_only": "",
            "refund_heard_s": "90 s",
        },
    )
    assert led_to(answer) == HERE
    async with network.engine.connect() as connection:
        settings = (await the_network(connection)).settings
        noted = (await connection.execute(sa.select(audit).where(audit.c.action == "network.limits"))).one()
    assert settings.card_limits["RAF"]["C"] == (2000, 4000, 3)
    assert settings.card_limits["TEMPS"]["A"] == (300, 270, 10)
    assert (settings.snapshot_stop_s, settings.snapshot_old, settings.lowered_percent) == (8 * 3600, "lower", 40)
    assert (settings.unknown_cards, settings.offline_topups, settings.session_required) == (True, False, True)
    assert (settings.pin_only, settings.blind_count, settings.refund_heard_s) == (False, True, 90)
    assert settings.terminal_limits == {}
    assert json.loads(noted.details)["snapshot_old"] == {"was": "stop", "now": "lower"}
    page = words(await look(nadia, HERE))
    assert "Nadia Montreuil" in page
    assert "20,00 € par vente, 40,00 € par carte, 3 d’affilée au lieu de 30,00 € par vente" in page
    # Saved again as it is, nothing is changed and nothing is noted.
    assert (await change(nadia)).status_code == 303
    async with network.engine.connect() as connection:
        assert (await the_network(connection)).settings == settings
        count = sa.select(sa.func.count()).select_from(audit).where(audit.c.action == "network.limits")
        assert (await connection.execute(count)).scalar_one() == 1


@pytest.mark.parametrize(
    ("name", "typed", "told"),
    [
        ("RAF.C.per_sale", "beaucoup", "Écrivez un montant"),
        ("RAF.C.consecutive", "-1", "Écrivez un nombre entier"),
        ("TEMPS.terminal", "3 jours", "Écrivez une durée"),
        ("snapshot_warn_s", "13 h", "s’arrêterait avant d’avertir"),
        ("lowered_percent", "100", "de 1 à 99 pour cent"),
        ("snapshot_old", "autre chose", "Choisissez"),
        ("refund_wait_s", "1 s", "aucun terminal"),
    ],
)
async def test_what_does_not_fit_is_told_beside_it(network: Network, name: str, typed: str, told: str) -> None:
    nadia = await network.person("nadia")
    answer = await change(nadia, **{name: typed, "RAF.terminal": "123"})
    assert answer.status_code == 422
    assert told in words(answer)
    # What was typed is kept, and nothing was changed.
    assert form_to(answer, CHANGE).fields["RAF.terminal"] == "123"
    async with network.engine.connect() as connection:
        assert (await the_network(connection)).settings.terminal_limits == {}


async def test_two_who_change_the_limits_at_once_do_not_undo_each_other(network: Network) -> None:
    nadia = await network.person("nadia")
    early = form_to(await look(nadia, CHANGE), CHANGE)
    assert (await change(nadia, **{"RAF.terminal": "300"})).status_code == 303
    late = await send(nadia, early, backed_weight_percent="50")
    assert late.status_code == 422
    assert "entre-temps" in words(late)
    assert (await send(nadia, form_to(late, CHANGE), **{"RAF.terminal": "300"})).status_code == 303
    async with network.engine.connect() as connection:
        settings = (await the_network(connection)).settings
    assert (settings.terminal_limits, settings.backed_weight_percent) == ({"RAF": 30_000}, 50)


async def test_a_revoked_terminal_counts_until_it_knows_or_its_snapshot_is_too_old(network: Network) -> None:
    nadia = await fleet(network)
    bar = await network.terminal("canal", "Volé")
    assert "(4 terminaux − 1)" in words(await look(nadia, HERE))
    await nadia.post(f"/admin/terminals/{bar.id}", data={"act": "revoke"}, headers={"Accept": "text/html"})
    assert "(4 terminaux − 1)" in words(await look(nadia, HERE))
    async with network.engine.begin() as connection:
        await seen(connection, bar.id, 0, 0)
    assert "(3 terminaux − 1)" in words(await look(nadia, HERE))
    async with network.engine.begin() as connection:
        long_ago = terminal.c.revoked_at_us - 13 * 3600 * 1_000_000
        await connection.execute(sa.update(terminal).where(terminal.c.id == bar.id).values(seen_at_us=long_ago))
    assert "(3 terminaux − 1)" in words(await look(nadia, HERE))
    await change(nadia, snapshot_old="lower")
    assert "(4 terminaux − 1)" in words(await look(nadia, HERE))
    # A box that is a hub sells nothing.
    async with network.engine.begin() as connection:
        await connection.execute(sa.update(terminal).where(terminal.c.id == bar.id).values(kind="hub"))
    assert "(3 terminaux − 1)" in words(await look(nadia, HERE))


async def test_what_the_page_says_is_what_terminals_go_by(network: Network) -> None:
    nadia, bar = await network.person("nadia"), await network.terminal("raffinerie")
    limits = (await bar.snapshot()).json()["limits"]
    assert (limits["lowered_percent"], limits["unknown_cards"], limits["top_ups"]) == (None, False, {})
    await change(
        nadia,
        **{"snapshot_old": "lower", "unknown_cards": "yes", "offline_topups": "yes", "RAF.terminal": "1"},
    )
    limits = (await bar.snapshot()).json()["limits"]
    assert (limits["lowered_percent"], limits["unknown_cards"]) == (25, True)
    assert limits["top_ups"] == {"RAF": [500, 25_000]}
    assert limits["per_terminal"]["RAF"] == 100
