"""Points for what somebody contributed: recorded with role and reason, and never money."""

from __future__ import annotations

from tests.support.network import CARDS, Network, both, problem

LENT = {"card": CARDS["awa"], "currency": "PTS", "points": 12, "role": "contributor", "reason": "Prêt de deux barnums"}


def path(network: Network) -> str:
    return f"/venues/{network.venues['raffinerie'].id}/contributions"


@both
async def test_points_are_on_the_card_and_touch_no_euros(rich: Network) -> None:
    answer = await rich.post("marie", path(rich), LENT)
    assert (answer.status_code, answer.json()) == (201, {"booked": 1, "balance": 12})
    assert (await rich.holds("awa"))["PTS"] == 12
    reserve = (await rich.get("nadia", "/reserve")).json()
    assert (reserve["liability_cents"], reserve["holds"]) == (0, True)


async def test_what_makes_no_sense_says_why(rich: Network) -> None:
    for change, expected in (
        ({"role": "boss"}, (422, "invalid")),
        ({"points": 0}, (422, "invalid")),
        ({"reason": "  "}, (422, "invalid")),
        ({"currency": "TEMPS"}, (422, "currency-not-accepted")),
        ({"currency": "BAR"}, (403, "forbidden")),
    ):
        assert problem(await rich.post("marie", path(rich), {**LENT, **change})) == expected, change
    assert problem(await rich.post("yann", path(rich), LENT)) == (403, "forbidden"), "not his venue"
    assert (await rich.holds("awa"))["PTS"] == 0
