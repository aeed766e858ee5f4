"""A month on paper. Euros; CAN is Canal's own money, at par.

    loads       awa 50.00 online; basile 25.00 in cash at Raffinerie; camille 30.00 of CAN in cash at Canal
    refund      5.00 in cash to basile at Raffinerie, which so holds 20.00
    Raffinerie  sells 28.00 to awa, and 3.50 that is taken back
    Canal       sells 17.00 to awa
    Guinguette  sells 12.00 in CAN to camille, and, without network, 22.00 to basile, who holds 20.00
    late        a sale of 3.50 to awa at Raffinerie, made before the cut-off and delivered after it

Redeeming RAF costs venues 5 %, at least 0.50. What cards owe is borne half by the network, half by the venue.

                   Raffinerie   Canal   Guinguette
    RAF taken           28.00   17.00        22.00
    its half of 2.00                         -1.00      (the network pays the other euro)
    fee                 -1.40   -0.85        -1.05
    CAN taken                                12.00
    CAN spent elsewhere         -12.00
    cash it holds      -20.00
    payment              6.60    4.15        31.95      42.70 in three payments

Guinguette's account is closed, so its 31.95 come back and are paid with the next run, where Raffinerie gets what was
late: 3.50 less 0.50.
"""

from __future__ import annotations

from typing import Any

import pytest

from app.platform.clock import now_us
from tests.support.settling import Settling, month, pain_002

pytestmark = pytest.mark.anyio


async def read(settling: Settling, run: dict[str, Any], document: bytes) -> dict[str, Any]:
    client = await settling.network.person("nadia")
    answer = await client.post(f"/api/v1/settlements/{run['id']}/bank-answers", content=document)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_a_month_is_settled_as_it_stands_on_paper(settling: Settling) -> None:
    bar, late = await month(settling)
    cut_off_us = now_us()
    await bar.deliver(late)
    run = await settling.frozen(cut_off_us)
    assert settling.lines(run, "raffinerie") == [
        ("claim", "RAF", 28_00),
        ("redemption_fee", "RAF", -1_40),
        ("cash", "EUR", -20_00),
    ]
    assert settling.lines(run, "canal") == [
        ("claim", "RAF", 17_00),
        ("redemption_fee", "RAF", -85),
        ("issued", "EUR", -12_00),
    ]
    assert settling.lines(run, "guinguette") == [
        ("claim", "RAF", 22_00),
        ("cover", "RAF", -1_00),
        ("redemption_fee", "RAF", -1_05),
        ("claim", "CAN", 12_00),
    ]
    figures = {slug: settling.statement(run, slug)["payment"] for slug in settling.network.venues}
    assert figures == {"raffinerie": 6_60, "canal": 4_15, "guinguette": 31_95}
    assert await settling.books("due_from") == {"due_from raffinerie": 20_00, "canal due_from canal": 30_00}
    assert await settling.books("overdraft", "losses") == {f"overdraft {basile(settling)}": -2_00}
    await settling.accepted(run, "raffinerie", "canal", "guinguette")

    # Olga approves, and the books follow. Raffinerie's cash is what the network owed it; Canal's reserve is free of the
    # 12.00 that Guinguette was given for Canal's money.
    run = await settling.post("olga", f"/settlements/{run['id']}/approve")
    assert run["state"] == "booked"
    assert await settling.books("payable", "due_from", "losses", "fee_income", "vat", "overdraft") == {
        "payable raffinerie": 6_60,
        "payable canal": 4_15,
        "payable guinguette": 31_95,
        "payable operating": 3_30,
        "canal payable operating": 12_00,
        "canal due_from canal": 30_00,
        "due_from operating": 1_00,
        "losses": 1_00,
        "fee_income": 2_75,
        "vat": 55,
    }
    assert await settling.books("issuance", "claim") == {
        "issuance": 1_50 + 3_50,  # awa's card, and what she spent too late for this run
        "claim raffinerie": 3_50,
        "canal issuance": 18_00,
    }
    assert [(it["name"], it["redemption"], it["vat"]) for it in run["invoices"]] == [
        (f"{run['invoices'][0]['name'][:5]}0001", 1_40, 23),
        (f"{run['invoices'][0]['name'][:5]}0002", 85, 14),
        (f"{run['invoices'][0]['name'][:5]}0003", 1_05, 18),
    ]

    # The file goes to the bank, which refuses Guinguette's payment.
    run = await settling.post("nadia", f"/settlements/{run['id']}/send")
    assert settling.payments(run) == {"raffinerie": 6_60, "canal": 4_15, "guinguette": 31_95}
    assert await settling.books("bank") == {"bank": -42_70}
    guinguette = str(settling.network.venues["guinguette"].id)
    document = pain_002(run, {guinguette})
    run = await read(settling, run, document)
    assert run["state"] == "partly_failed"
    assert await settling.books("bank", "payable") == {
        "bank": -10_75,
        "payable guinguette": 31_95,
        "payable operating": 3_30,
        "canal payable operating": 12_00,
    }
    again = await read(settling, run, document)
    assert again == run, "the same file changes nothing"
    await settling.post("nadia", f"/settlements/{run['id']}/close")

    # The next run pays it, and what was late.
    second = await settling.settled("raffinerie", "guinguette")
    assert settling.lines(second, "guinguette") == [("carried", "EUR", 31_95)]
    assert settling.lines(second, "raffinerie") == [("claim", "RAF", 3_50), ("redemption_fee", "RAF", -50)]
    assert settling.payments(second) == {"raffinerie": 3_00, "guinguette": 31_95}
    second = await read(settling, second, pain_002(second, set()))
    assert second["state"] == "executed"
    assert await settling.books("payable", "claim") == {
        "payable operating": 3_80,
        "canal payable operating": 12_00,
    }
    # Awa's 1.50 and nothing else is left of the network's money; every euro of it is there.
    assert await settling.books("liability", "issuance") == {
        "issuance": 1_50,
        "liability RAF": 1_50,
        "canal issuance": 18_00,
        "canal liability CAN": 18_00,
    }
    assert (await settling.get(run))["statements"] == run["statements"], "a closed run stays as it is"


def basile(settling: Settling) -> str:
    return settling.network.cards["basile"].owner
