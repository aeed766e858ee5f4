"""A sale's fingerprint is its content and nothing else."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from app.rules.basket import Line, totals
from app.wire import Sale, SaleRow, read_payload

lines: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {
        "product": st.uuids().map(str),
        "name": st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12),
        "quantity": st.integers(1, 999),
        "unit_price": st.integers(1, 10**6),
        "currency": st.sampled_from(["RAF", "TIME", "GIFT"]),
    }
)


@st.composite
def sales(draw: st.DrawFn) -> dict[str, Any]:
    basket = draw(st.lists(lines, min_size=1, max_size=4))
    owed = totals(Line(it["product"], it["quantity"], it["unit_price"], it["currency"]) for it in basket)
    return {
        "id": str(draw(st.uuids())),
        "card": draw(st.binary(min_size=7, max_size=7)).hex().upper(),
        "assurance": draw(st.sampled_from(["A", "B", "C"])),
        "cashier": draw(st.one_of(st.none(), st.uuids().map(str))),
        "lines": basket,
        "tenders": [{"currency": currency, "amount": amount} for currency, amount in owed.items()],
        "occurred_at_us": draw(st.integers(0, 7_258_118_400_000_000)),
    }


@given(sales(), st.dictionaries(st.sampled_from(["RAF", "TIME"]), st.integers(1, 100)))
def test_how_a_sale_was_decided_is_no_part_of_its_content(body: dict[str, Any], unbacked: dict[str, int]) -> None:
    """Refused online and then poured offline, it is the same sale."""
    online = SaleRow(mode="online", sale=Sale.model_validate(body))
    offline = SaleRow(mode="offline", sale=Sale.model_validate(body), unbacked=unbacked)
    assert online.sale.fingerprint() == offline.sale.fingerprint()


@given(sales())
def test_a_fingerprint_survives_the_journey(body: dict[str, Any]) -> None:
    sale = Sale.model_validate(body)
    row = read_payload(SaleRow(mode="offline", sale=sale).model_dump_json())
    assert isinstance(row, SaleRow)
    assert row.sale == sale
    assert row.sale.fingerprint() == sale.fingerprint()
    assert Sale.model_validate_json(sale.model_dump_json(indent=2)).fingerprint() == sale.fingerprint()


@given(sales(), st.uuids(), st.integers(0, 3))
def test_whatever_else_changes_changes_it(body: dict[str, Any], other: UUID, which: int) -> None:
    changed = [
        {"id": str(other)},
        {"card": other.hex[:8].upper()},
        {"occurred_at_us": (body["occurred_at_us"] + 1) % 7_258_118_400_000_000},
        {"lines": [{**body["lines"][0], "product": str(other)}, *body["lines"][1:]]},
    ][which]
    one, two = Sale.model_validate(body), Sale.model_validate(body | changed)
    assert (one == two) == (one.fingerprint() == two.fingerprint())
    assert one != two


@given(sales(), st.integers(1, 100), st.booleans())
def test_a_sale_is_paid_exactly(body: dict[str, Any], more: int, add: bool) -> None:
    tender = body["tenders"][0]
    wrong = tender["amount"] + more if add else tender["amount"] - more
    with pytest.raises(ValidationError):
        Sale.model_validate(body | {"tenders": [tender | {"amount": wrong}, *body["tenders"][1:]]})
    with pytest.raises(ValidationError):
        Sale.model_validate(body | {"tenders": body["tenders"][1:]})
    with pytest.raises(ValidationError):
        Sale.model_validate(body | {"tenders": [*body["tenders"], tender]})
