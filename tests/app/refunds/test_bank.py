"""Back to a bank account: asked for on the card's page, frozen, worked out, sent by two people, paid or returned."""

from __future__ import annotations

import re
from uuid import UUID

import pytest
import sqlalchemy as sa

from app.cards import recovery
from app.cards.service import card_by_id
from app.mail.tables import mail
from app.platform.clock import now_us
from app.refunds import service
from app.refunds.rules import Heard, fee, shared, waits_for
from app.rules.ids import uuid7
from app.rules.policy import Refund
from tests.app.refunds.conftest import TERMS, policy
from tests.app.terminals.test_status import report, status
from tests.support.network import RAF, Network
from tests.support.pages import ENGLISH, form_to, led_to, look, send, words

IBAN = "FR14 2004 1010 0505 0001 3M02 606"
OTHER = "BE68 5390 0754 7034"


@pytest.fixture
def database_kind() -> str:
    """The rules and the pages are the same on both; races are in test_machine.py."""
    return "sqlite"


async def code_of(network: Network, card: str = "awa") -> str:
    key = network.context.keys.token
    async with network.engine.begin() as connection:
        return await recovery.make(connection, key, "test", network.cards[card], uuid7())


async def test_a_code_that_the_address_made_is_no_proof(refunding: Network) -> None:
    network = refunding
    await network.top_up("awa", 2000)
    key = network.context.keys.token
    async with network.engine.begin() as connection:
        code = await recovery.make(connection, key, "holder", network.cards["awa"], uuid7(), first=True, shown=False)
    here = f"/c/{network.cards['awa'].token}/refund"
    form = form_to(await look(network.client, here), here)
    answer = await send(network.client, form, way="bank", holder="X", iban=IBAN, code=code)
    assert "Ce code a été fait sans montrer la carte" in words(answer)


async def asked(network: Network, card: str = "awa", **typed: str) -> str:
    """Ask, as a person does; the address of the state page."""
    here = f"/c/{network.cards[card].token}/refund"
    form = form_to(await look(network.client, here), here)
    typed = {"way": "bank", "holder": "Awa Diop", "iban": IBAN, "code": await code_of(network, card), **typed}
    review = await send(network.client, form, **typed)
    assert review.status_code == 200, words(review)
    return led_to(await send(network.client, form_to(review, here)))


async def books(network: Network) -> dict[str, int]:
    """Euros of the reserve and the fee income, by account; what is 0 is left out."""
    rows = await network.ledger.balances(kinds=["liability", "payable", "bank", "clearing", "fee_income"])
    found: dict[str, int] = {}
    for row in rows:
        name = f"{row.key.kind} {row.key.owner}".split(":")[0].strip()
        found[name] = found.get(name, 0) + row.balance
    return {name: cents for name, cents in found.items() if cents}


async def test_the_whole_way(refunding: Network) -> None:
    network = refunding
    await network.top_up("awa", 2000)
    home = f"/c/{network.cards['awa'].token}"
    assert "Récupérer ce qui reste" in words(await look(network.client, home))
    form = form_to(await look(network.client, f"{home}/refund"), f"{home}/refund")
    typed = {"way": "bank", "holder": "Awa Diop", "iban": IBAN, "email": "awa@example.org"}
    refused = await send(network.client, form, **typed)
    assert refused.status_code == 422
    assert "Approchez la carte du téléphone, ou tapez son code de secours." in words(refused), "the address is no proof"
    wrong = await send(network.client, form, **{**typed, "iban": IBAN[:-1] + "7", "code": await code_of(network)})
    assert "Cet IBAN n’est pas juste" in words(wrong)
    review = await send(network.client, form, **typed, code=await code_of(network))
    assert "Vous recevez 19,50 € sur le compte FR14 2004 1010 0505 0001 3M02 606 de Awa Diop." in words(review)
    assert "Le réseau garde 0,50 € de frais." in words(review)
    assert (await network.holds("awa"))["RAF"] == 2000, "nothing is asked for yet"
    state = led_to(await send(network.client, form_to(review, f"{home}/refund")))
    again = led_to(await send(network.client, form_to(review, f"{home}/refund")))
    assert again == state, "the form sent twice is one refund"
    assert "19,50 € sont mis de côté pour vous" in words(await look(network.client, state))
    assert (await network.holds("awa"))["RAF"] == 0
    assert await books(network) == {"payable wallet": 1950, "payable operating": 50, "fee_income": 50}

    nadia, olga = await network.person("nadia"), await network.person("olga")
    page = await look(nadia, "/admin/refunds")
    assert "Un remboursement est prêt à partir : 19,50 €" in words(page)
    assert led_to(await send(nadia, form_to(page, "/admin/refunds/files"))) == "/admin/refunds"
    (file,) = (await network.get("nadia", "/refund-files")).json()
    release = f"/admin/refunds/files/{file['id']}"
    assert (await nadia.get(f"{release}/bank.xml")).status_code == 409, "the bank gets it from two people"
    assert (await network.post("nadia", f"/refund-files/{file['id']}/release")).status_code == 403
    assert led_to(await send(olga, form_to(await look(olga, "/admin/refunds"), f"{release}/release")))
    document = (await olga.get(f"{release}/bank.xml")).text
    assert "<IBAN>FR1420041010050500013M02606</IBAN>" in document
    assert ">19.50<" in document
    assert "19,50 € sont partis à la banque" in words(await look(network.client, state))
    assert (await books(network))["payable wallet"] == 1950, "the bank has not paid yet"

    (listed,) = (await network.get("nadia", "/refunds")).json()
    here = f"/admin/refunds/{listed['id']}"
    await send(nadia, form_to(await look(nadia, here), f"{here}/executed"))
    assert "19,50 € ont été versés" in words(await look(network.client, state))
    assert await books(network) == {"payable operating": 50, "fee_income": 50, "bank": -1950}
    async with network.engine.connect() as connection:
        told = (await connection.execute(sa.select(mail.c.template).where(mail.c.recipient == "awa@example.org"))).all()
    assert len(told) == 4, "asked for, ready, sent, paid"


async def test_it_waits_for_tills_and_late_sales_make_it_less(refunding: Network) -> None:
    network = refunding
    await network.top_up("awa", 2000)
    bar = await network.terminal("raffinerie", "Terrasse")
    sold = bar.sale_row("awa", {"Demi": 2})
    state = await asked(network)
    page = words(await look(network.client, state))
    assert "Une caisse doit encore dire ce qu’elle a vendu" in page
    assert "Terrasse" in page
    assert (await bar.sell("awa", {"Demi": 1})).status_code == 403, "the card is blocked"
    await report(bar, status(snapshot_age_s=3600, waiting=2))
    await service.advance_all(network.ledger, None)
    assert "doit encore dire" in words(await look(network.client, state)), "it does not know of the block yet"
    await bar.deliver(sold)
    assert await network.suspense() == {"RAF": -700}, "a blocked card paid nothing"
    now = now_us()
    await report(bar, status(snapshot_age_s=0))
    # A look that began in the same second as the request may have missed it.
    async with network.engine.begin() as connection:
        await connection.execute(sa.text("UPDATE terminal_status SET received_at_us = :at"), {"at": now + 5_000_000})
    assert await service.advance_all(network.ledger, None) == 1
    page = words(await look(network.client, state))
    assert "12,50 € sont mis de côté pour vous" in page, "7.00 were sold, and 0.50 is the fee"
    assert "(20,00 € à votre demande)" in page
    assert await network.suspense() == {}
    assert await network.claims("raffinerie") == {"RAF": 700}


async def test_a_card_that_was_lost_meanwhile_stays_blocked(refunding: Network) -> None:
    network = refunding
    await network.top_up("awa", 2000)
    state, code = await asked(network), await code_of(network)
    lost = await send(network.client, form_to(await look(network.client, "/lost"), "/lost"), code=code)
    assert lost.status_code == 200
    await send(network.client, form_to(await look(network.client, state), f"{state}/cancel"), code=code)
    assert "Le remboursement est annulé" in words(await look(network.client, state))
    async with network.engine.connect() as connection:
        assert (await card_by_id(connection, network.cards["awa"].id)).status == "blocked"


async def test_a_holder_thinks_again_and_a_transfer_comes_back(refunding: Network) -> None:
    network = refunding
    await network.top_up("awa", 2000)
    state = await asked(network)
    bare = await network.client.post(f"{state}/cancel", data={}, headers={"Origin": str(network.client.base_url)})
    assert bare.status_code == 422, "whoever found the card cancels nothing"
    cancel = form_to(await look(network.client, state), f"{state}/cancel")
    await send(network.client, cancel, code=await code_of(network))
    assert "Le remboursement est annulé" in words(await look(network.client, state))
    assert (await network.holds("awa"))["RAF"] == 2000
    assert await books(network) == {"liability RAF": 2000}
    bar = await network.terminal("raffinerie")
    await report(bar, status(snapshot_age_s=0))
    assert (await bar.sell("awa", {"Eau": 1})).status_code == 201, "the card pays again"

    async with network.engine.begin() as connection:
        await connection.execute(sa.text("UPDATE terminal SET seen_at_us = 0"))
    state = await asked(network)
    id_ = UUID(state.rsplit("/", 1)[1])
    file = await service.make_file(network.ledger, actor="one")
    await service.release_file(network.ledger, file, actor="another")
    nadia = await network.person("nadia")
    here = f"/admin/refunds/{id_}"
    await send(nadia, form_to(await look(nadia, here), f"{here}/executed"))
    assert (await books(network))["bank"] == -1850
    await send(nadia, form_to(await look(nadia, here), f"{here}/returned"), reason="AC04")
    page = await look(network.client, state)
    assert "L’argent nous est revenu" in words(page)
    assert await books(network) == {"liability RAF": 100, "payable wallet": 1850, "payable operating": 50} | {
        "fee_income": 50
    }
    await send(network.client, form_to(page, f"{state}/mend"), iban=OTHER, code=await code_of(network))
    file = await service.make_file(network.ledger, actor="one")
    await service.release_file(network.ledger, file, actor="another")
    await send(nadia, form_to(await look(nadia, here), f"{here}/executed"))
    page = words(await look(network.client, state))
    assert "18,50 € ont été versés" in page
    assert "BE68 … 7034" in page
    assert (await books(network))["bank"] == -1850
    thaw = form_to(await look(network.client, state), f"{state}/thaw")
    await send(network.client, thaw, code=await code_of(network))
    assert "Carte bloquée" not in words(await look(network.client, state.partition("/refund")[0]))


async def test_the_page_says_why_there_is_none(refunding: Network) -> None:
    network = refunding
    await network.top_up("awa", 2000)
    here = f"/c/{network.cards['awa'].token}/refund"
    await network.rules(RAF, policy(Refund(closes="2020-01-31")))
    page = words(await network.client.get(here, headers=ENGLISH))
    assert re.search(r"Rafftou was refunded until .*31 January 2020\. It can still be spent, or given", page)
    await network.rules(RAF, policy(Refund(opens="2999-01-31")))
    assert "is refunded from" in words(await network.client.get(here, headers=ENGLISH))
    await network.rules(RAF, policy(Refund(minimum=2001)))
    assert "There is nothing to refund" in words(await network.client.get(here, headers=ENGLISH))


def test_whom_it_waits_for_and_what_it_costs() -> None:
    till = Heard("Bar", 90, None, 0)
    assert waits_for([till], 100, 110, 50) == [till], "nobody knows what it knows"
    assert waits_for([till], 100, 150, 50) == [], "the grace is over"
    assert waits_for([Heard("Bar", 50, None, 0)], 100, 110, 50) == [], "silent for longer than anybody waits"
    assert waits_for([Heard("Bar", 105, 99, 0)], 100, 110, 50), "it has not heard of the block"
    assert waits_for([Heard("Bar", 105, 101, 2)], 100, 110, 50), "it has rows to send"
    assert waits_for([Heard("Bar", 105, 101, 0)], 100, 110, 50) == []
    assert fee(1000, Refund(fixed=50, basis_points=250), 1) == 75
    assert fee(30, TERMS, 1) == 30, "never more than there is"
    assert shared(50, [30, 0, 40]) == [30, 0, 20]
