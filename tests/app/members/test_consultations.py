"""One member, one vote; and of a secret one, nothing that tells whose it was."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from app.cards.claim_codes import claim_code_of
from app.members import buying, consultations
from app.members.buying import Buyer, Offer
from app.members.consultations import Consultation
from app.members.held import votes_about
from app.members.plans import Plan, make_plan
from app.members.tables import consultation, consultation_option, consultation_voter
from app.platform.clock import now_us
from app.rules.ids import uuid7
from app.rules.membership import Rolling
from app.venues.service import the_network
from tests.support.network import RAF, Network, both
from tests.support.pages import form_to, led_to, look, send, words

HOUR_US = 3_600_000_000


@pytest.fixture
def database_kind() -> str:
    return "sqlite"


async def asked(network: Network, *members: str, anonymous: bool = True, quorum: int = 0) -> Consultation:
    plan = Plan(uuid7(), None, "Sociétaires", "Members", "RAF", 1000, Rolling(12), 500)
    async with network.engine.begin() as connection:
        await make_plan(connection, "command line", plan, RAF, None)
        offer = Offer(plan, RAF, None, await the_network(connection))
    for name in members:
        await network.top_up(name, 2000)
        card = network.cards[name]
        await buying.buy(network.ledger, offer, card, Buyer(name.capitalize()), uuid7(), actor="holder")
    now = now_us()
    new = Consultation(uuid7(), plan.id, "Ouvrir le lundi ?", anonymous, quorum, now, now + HOUR_US)
    async with network.engine.begin() as connection:
        await consultations.ask(connection, "command line", new, ["Oui", "Non"])
    return new


def page(network: Network, it: Consultation, card: str) -> str:
    return f"/c/{network.cards[card].token}/consultations/{it.id}"


def code(network: Network, card: str) -> str:
    return claim_code_of(network.context.keys.token, network.cards[card].token)


async def close(network: Network, it: Consultation) -> None:
    past = now_us() - 1
    async with network.engine.begin() as connection:
        await connection.execute(sa.update(consultation).values(opens_at_us=past - HOUR_US, closes_at_us=past))


async def test_asked_answered_once_and_told_after_the_end(network: Network) -> None:
    it = await asked(network, "awa", "basile", anonymous=False, quorum=60)
    home = await look(network.client, f"/c/{network.cards['awa'].token}/memberships")
    assert page(network, it, "awa") in home.text
    form = form_to(await look(network.client, page(network, it, "awa")), page(network, it, "awa"))
    assert (await send(network.client, form, choice="0", code="nothing")).status_code == 422
    assert (await send(network.client, form, choice="7", code=code(network, "awa"))).status_code == 422
    led = led_to(await send(network.client, form, choice="0", code=code(network, "awa")))
    assert "Votre voix est comptée" in words(await look(network.client, led))
    again = await send(network.client, form, choice="1", code=code(network, "awa"))
    assert "Vous avez déjà voté" in words(again)
    assert "Cette carte ne vote pas ici" in words(await look(network.client, page(network, it, "camille")))
    nadia = await network.person("nadia")
    before = words(await look(nadia, f"/admin/consultations/{it.id}"))
    assert "2 membres peuvent voter" in before
    assert "voix" not in before.replace("ne voit les voix", "")
    await close(network, it)
    told = words(await look(network.client, page(network, it, "awa")))
    assert "1 membres sur 2 : 50 % Quorum de 60 % non atteint" in told
    assert "Awa Oui" in words(await look(nadia, f"/admin/consultations/{it.id}"))
    assert (await look(await network.person("marie"), f"/admin/consultations/{it.id}")).status_code == 404
    late = await send(network.client, form, choice="1", code=code(network, "basile"))
    assert late.status_code == 422


@both
async def test_of_two_votes_at_once_one_counts_and_a_secret_one_is_tied_to_nobody(network: Network) -> None:
    it = await asked(network, "awa", "basile")

    async def vote(card: str, choice: int) -> bool:
        try:
            async with network.engine.begin() as connection:
                await consultations.vote(connection, it, network.cards[card].wallet, choice)
        except consultations.Conflict:
            return False
        return True

    async with network.engine.begin() as connection:
        await consultations.draw_up_rolls(connection)
    assert sorted(await asyncio.gather(*(vote("awa", at % 2) for at in range(4)))) == [False] * 3 + [True]
    assert await vote("basile", 1)
    async with network.engine.connect() as connection:
        voters = (await connection.execute(sa.select(consultation_voter))).all()
        counts: list[Any] = list((await connection.execute(sa.select(consultation_option.c.votes))).scalars())
        assert sum(counts) == 2
        assert [(row.voted, row.choice) for row in voters] == [(True, None)] * 2
        assert set(consultation_voter.c.keys()) == {"consultation", "wallet", "voted", "choice"}
        assert set(consultation_option.c.keys()) == {"consultation", "position", "words", "votes"}
        if network.engine.dialect.name == "postgresql":
            marks = await connection.execute(sa.text("SELECT DISTINCT xmin::text FROM consultation_option"))
            assert len(marks.all()) == 1, "all answers bear the number of the last vote, whatever it was"


async def test_the_export_holds_a_named_vote_and_of_a_secret_one_only_that_it_was_given(network: Network) -> None:
    voted = {}
    for anonymous in (False, True):
        it = await asked(network, "awa", "basile", anonymous=anonymous)
        async with network.engine.begin() as connection:
            await consultations.draw_up_rolls(connection)
            await consultations.vote(connection, it, network.cards["awa"].wallet, 1)
        voted[it.opens_at_us] = None if anonymous else "Non"
    async with network.context.reader.connect() as connection:
        told = await votes_about(connection, network.cards["awa"].wallet)
        assert {row["opened_us"]: row["chosen"] for row in told} == voted
        assert await votes_about(connection, network.cards["basile"].wallet) == []


async def test_asked_by_a_form_once(network: Network) -> None:
    it = await asked(network)
    nadia, here = await network.person("nadia"), "/admin/consultations/new"
    form = form_to(await look(nadia, here), here)
    at = datetime.now(ZoneInfo("Europe/Paris"))
    typed = {"plan": str(it.plan), "question": "On repeint ?", "options": "Oui\nNon", "quorum": "50"}
    when = {
        "opens": at.isoformat(timespec="minutes")[:16],
        "closes": (at + timedelta(2)).isoformat(timespec="minutes")[:16],
    }
    assert (await send(nadia, form, **{**typed, "options": "Oui"}, **when)).status_code == 422
    for _ in range(2):
        led_to(await send(nadia, form, **typed, **when))
    assert words(await look(nadia, "/admin/consultations")).count("On repeint ?") == 1
