"""Where money is sent: changed by two people, after a delay, with everything kept."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.exc import DBAPIError

from app.platform.clock import now_us
from app.settlement.bank_details import HOUR_US, effective
from app.settlement.rules.accounts import Details, NotAnAccount, checked, spelled
from app.settlement.terms import NetworkTerms, set_terms
from tests.support.network import Network, problem
from tests.support.pages import form_to, led_to, look, send, words

pytestmark = pytest.mark.anyio

IBAN = "FR76 3000 6000 0112 3456 7890 189"
BARE = IBAN.replace(" ", "")
CANAL = {"holder": "Canal, association", "iban": IBAN, "bic": "agrifrpp", "town": "Paris", "country": "fr"}


async def asked(network: Network, login: str = "yann", **more: str) -> UUID:
    canal = network.venues["canal"].id
    answer = await network.post(login, f"/venues/{canal}/bank-account", {**CANAL, **more})
    assert answer.status_code == 201, answer.text
    return UUID(answer.json()["id"])


async def holds(network: Network, at_us: int) -> dict[str, str]:
    async with network.context.reader.connect() as connection:
        return {it: account.details.iban for it, account in (await effective(connection, at_us)).items()}


async def test_one_asks_another_approves_and_it_holds_two_days_later(network: Network) -> None:
    change, owner = await asked(network), network.venues["canal"].owner
    assert await holds(network, now_us()) == {}
    assert problem(await network.post("yann", f"/bank-accounts/{change}/approve")) == (403, "same-person")
    answer = await network.post("nadia", f"/bank-accounts/{change}/approve")
    assert answer.status_code == 200, answer.text
    assert await holds(network, now_us()) == {}, "a change that nobody wanted can still be seen in time"
    assert await holds(network, now_us() + 48 * HOUR_US) == {owner: BARE}
    again = await network.post("nadia", f"/bank-accounts/{change}/approve")
    assert again.json() == answer.json()
    assert problem(await network.post("nadia", f"/bank-accounts/{change}/refuse")) == (409, "decided")


async def test_one_change_waits_at_a_time_and_a_refused_one_never_holds(network: Network) -> None:
    change, canal = await asked(network), network.venues["canal"].id
    answer = await network.post("nadia", f"/venues/{canal}/bank-account", CANAL)
    assert problem(answer) == (409, "bank-change-waits")
    assert (await network.post("nadia", f"/bank-accounts/{change}/refuse")).status_code == 200
    assert await holds(network, now_us() + 10_000 * HOUR_US) == {}
    await asked(network)


async def test_what_is_not_right_is_named(network: Network) -> None:
    for field, more in (
        ("iban", {"iban": "FR76 3000 6000 0112 3456 7890 188"}),
        ("bic", {"bic": "AGRI"}),
        ("holder", {"holder": " "}),
        ("town", {"town": ""}),
        ("town", {"country": "France"}),
    ):
        canal = network.venues["canal"].id
        answer = await network.post("yann", f"/venues/{canal}/bank-account", {**CANAL, **more})
        assert problem(answer) == (422, "bank-details-invalid")
        assert answer.json()["field"] == field


async def test_nobody_sees_or_decides_another_venue_s(network: Network) -> None:
    change = await asked(network)
    assert problem(await network.post("marie", f"/bank-accounts/{change}/approve")) == (403, "forbidden")
    assert (await network.get("marie", "/bank-accounts")).json() == []
    assert [it["subject"] for it in (await network.get("nadia", "/bank-accounts")).json()] == [
        network.venues["canal"].owner
    ]


async def test_the_database_keeps_what_was_asked_and_who_decided(network: Network) -> None:
    change = await asked(network)
    row = f"'{change.hex if network.engine.dialect.name == 'sqlite' else change}'"
    person = f"'person:{await network.hired('yann')}'"
    for statement in (
        "UPDATE bank_account SET iban = 'DE89370400440532013000'",
        "DELETE FROM bank_account",
        f"INSERT INTO bank_account_decision VALUES ({row}, 'approved', {person}, 1, 1)",
    ):
        with pytest.raises(DBAPIError):
            async with network.engine.begin() as connection:
                await connection.execute(sa.text(statement))


async def test_two_people_change_it_on_the_page_and_the_venue_is_told(network: Network) -> None:
    async with network.engine.begin() as connection:
        await set_terms(connection, "network", NetworkTerms(bank_delay_h=24), actor="test")
    yann, nadia = await network.person("yann"), await network.person("nadia")
    page = await look(yann, "/admin/bank")
    wrong = await send(yann, form_to(page, "/admin/bank"), holder="Canal", iban="FR76 0000")
    assert wrong.status_code == 422
    assert "vérifiez chaque groupe de quatre" in words(wrong)
    assert led_to(await send(yann, form_to(wrong, "/admin/bank"), iban=IBAN)) == "/admin/bank"
    assert "somebody else decides" not in words(await look(yann, "/admin/bank"))
    assert "1 changement de coordonnées bancaires" in words(await look(nadia, "/admin"))
    here = await look(nadia, "/admin/bank")
    approve = next(it for it in here.text.split('"') if it.endswith("/approve"))
    assert led_to(await send(nadia, form_to(here, approve))) == "/admin/bank"
    told = words(await look(yann, "/admin/bank"))
    assert "De nouvelles coordonnées valent à partir de" in told
    assert IBAN in told
    assert "1 changement de coordonnées bancaires" in words(await look(yann, "/admin"))


@given(st.text(max_size=40))
def test_no_text_makes_bank_details_that_the_file_could_not_carry(text: str) -> None:
    whole = Details("Canal", BARE, "AGRIFRPP", "Quai de Seine", "1", "75019", "Paris", "FR")
    for field in Details.__dataclass_fields__:
        try:
            found = checked(replace(whole, **{field: text}))
        except NotAnAccount:
            continue
        assert checked(found) == found
        assert found.iban.isalnum()
        assert spelled(found.iban).replace(" ", "") == found.iban
