"""One reminder before a membership ends, and a way to refuse it."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from app.mail.tables import mail
from app.members import buying
from app.members.buying import Buyer, Offer
from app.members.plans import Plan, make_plan
from app.members.reminders import remind, stop_token
from app.members.tables import member_term
from app.platform.clock import now_us
from app.rules.business_day import business_day
from app.rules.ids import uuid7
from app.rules.membership import Rolling
from app.venues.service import the_network
from tests.support.network import RAF, Network
from tests.support.pages import form_to, look, send, words


@pytest.fixture
def database_kind() -> str:
    return "sqlite"


async def test_reminded_once_unless_renewed_or_refused(network: Network) -> None:
    plan = Plan(uuid7(), None, "Sociétaires", "Members", "RAF", 1000, Rolling(12), 500)
    async with network.engine.begin() as connection:
        await make_plan(connection, "command line", plan, RAF, None)
        known = await the_network(connection)
    offer = Offer(plan, RAF, None, known)
    for name in ("awa", "basile", "camille"):
        await network.top_up(name, 5000)
        buyer = Buyer(name, f"{name}@example.org")
        await buying.buy(network.ledger, offer, network.cards[name], buyer, uuid7(), actor="holder")
    assert await remind(network.context) == 0
    soon = business_day(now_us(), known.settings.zone) + timedelta(10)
    async with network.engine.begin() as connection:
        await connection.execute(sa.update(member_term).values(last_day=soon))
        terms = {row.name: row.id for row in await connection.execute(sa.select(member_term))}
    await buying.buy(network.ledger, offer, network.cards["basile"], Buyer("basile"), uuid7(), actor="holder")
    page = f"/memberships/stop/{stop_token(network.context.keys.token, terms['camille'])}"
    assert "oubliée" in words(await send(network.client, form_to(await look(network.client, page), page)))
    assert (await look(network.client, page[:-2] + "xx")).status_code == 404
    assert [await remind(network.context), await remind(network.context)] == [1, 0]
    async with network.engine.connect() as connection:
        (letter,) = (await connection.execute(sa.select(mail))).all()
    assert letter.recipient == "awa@example.org"
