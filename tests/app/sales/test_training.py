"""What was practised at a terminal: kept and shown apart, and in no book."""

from __future__ import annotations

import base64

import pytest

from app.platform.clock import now_us
from app.rules.ids import uuid7
from app.rules.receipts import receipt_token
from app.wire import TerminalSnapshot, TrainingRow
from tests.support.network import Network, both
from tests.support.pages import look, words

pytestmark = pytest.mark.anyio


@both
async def test_training_moves_nothing_and_is_shown_apart(network: Network) -> None:
    await network.top_up("awa", 2000)
    bar = await network.terminal("raffinerie")
    sale = bar.sale("awa", {"Demi": 2})
    rows = [
        TrainingRow(id=uuid7(), number=1, what="begin", at_us=now_us()),
        TrainingRow(id=sale.id, number=2, what="sale", sale=sale, at_us=now_us()),
        TrainingRow(id=uuid7(), number=3, what="void", of=sale.id, at_us=now_us()),
        TrainingRow(id=uuid7(), number=4, what="end", at_us=now_us()),
    ]
    await bar.deliver(*rows)
    # Taken in twice, it is there once.
    assert (await bar.sync(bar.journal.batch())).json()["acknowledged"] == 4
    assert await network.holds("awa") == {"RAF": 2000, "TEMPS": 0}
    assert await network.claims("raffinerie") == {}
    assert await network.exceptions() == []
    said = words(await look(await network.person("marie"), "/admin/training"))
    assert said.count("X-2") == 1
    assert "2 × Demi 7,00 €" in said
    assert "Début de formation" in said
    assert "Personne ne s’est encore exercé" in words(await look(await network.person("yann"), "/admin/training"))


async def test_its_receipt_says_that_it_is_none(network: Network) -> None:
    bar = await network.terminal("raffinerie")
    sale = bar.sale("awa", {"Demi": 2})
    await bar.deliver(TrainingRow(id=sale.id, number=1, what="sale", sale=sale, at_us=now_us()))
    told = TerminalSnapshot.model_validate_json((await bar.snapshot()).content).receipts
    assert told is not None
    said = words(await look(network.client, "/r/" + receipt_token(base64.b64decode(told.key), sale.id)))
    assert "Formation, pas une vente" in said
    assert "Vente nᵒ X-1, caisse Bar" in said
