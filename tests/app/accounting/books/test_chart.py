"""The chart of accounts: numbers of the French chart, whoever keeps the books, and what may be changed."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.accounting.books.chart import NUMBER, REGIMES, Account, Chart, defaults, percent, wrong
from app.accounting.books.keeping import siren_ok


@pytest.mark.parametrize("regime", REGIMES)
@pytest.mark.parametrize("venue", [True, False])
def test_every_default_is_an_account_of_the_chart(regime: str, venue: bool) -> None:
    known = defaults("cooperative" if regime == "cooperative" else "association", venue=venue)
    assert all(NUMBER.fullmatch(it.number) for it in known.values())
    assert all(wrong(key, it.number, it.name, known) == "" for key, it in known.items())


def test_one_number_has_one_name() -> None:
    for venue in (True, False):
        for regime in REGIMES:
            names: dict[str, str] = {}
            for it in defaults(regime, venue=venue).values():
                assert names.setdefault(it.number, it.name) == it.name


@pytest.mark.parametrize(
    ("rate", "sales", "vat", "name"),
    [
        (2000, "707200", "44571200", "Ventes de marchandises 20 %"),
        (550, "707055", "44571055", "Ventes de marchandises 5,5 %"),
        (850, "707085", "44571085", "Ventes de marchandises 8,5 %"),
        (175, "7070175", "445710175", "Ventes de marchandises 1,75 %"),
        (None, "707000", "44571000", "Ventes de marchandises, sans taux"),
    ],
)
def test_each_rate_has_an_account(rate: int | None, sales: str, vat: str, name: str) -> None:
    chart = Chart("association", {}, venue=True)
    assert (chart.per_rate("sales", rate), chart.per_rate("vat", rate)) == (sales, vat)
    assert chart.name(sales) == name


@settings(deadline=None)
@given(st.integers(1, 10_000), st.integers(1, 10_000))
def test_two_rates_never_share_an_account(one: int, other: int) -> None:
    chart = Chart("association", {}, venue=True)
    assert (chart.per_rate("sales", one) == chart.per_rate("sales", other)) == (one == other)
    assert chart.name(chart.per_rate("sales", one)).endswith(percent(one))


def test_what_was_changed_holds() -> None:
    changed = {"till.cash": Account("530000", "Caisse du bar"), "sales.550": Account("707900", "Ventes à emporter")}
    chart = Chart("cooperative", changed, venue=True)
    assert (chart.number("till.cash"), chart.name("530000")) == ("530000", "Caisse du bar")
    assert (chart.per_rate("sales", 550), chart.name("707900")) == ("707900", "Ventes à emporter")
    assert chart.number("own.capital") == "101300"


@pytest.mark.parametrize(
    ("key", "number", "name", "why"),
    [
        ("till.gold", "531000", "Or", "key"),
        ("sales.20000", "707000", "Ventes", "key"),
        ("till.cash", "53", "Caisse", "number"),
        ("till.cash", "931000", "Caisse", "number"),
        ("till.cash", "531000", "", "name"),
        ("till.cash", "531000", "a\tb", "name"),
        ("sales.none", "708000", "Sans taux", ""),
    ],
)
def test_what_cannot_be_is_told(key: str, number: str, name: str, why: str) -> None:
    assert wrong(key, number, name, defaults("association", venue=True)) == why


@pytest.mark.parametrize(("text", "ok"), [("732829320", True), ("732829321", False), ("73282932", False), ("", False)])
def test_a_siren_checks_itself(text: str, ok: bool) -> None:
    assert siren_ok(text) is ok
