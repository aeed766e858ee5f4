"""Who may take back which sale."""

from __future__ import annotations

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from app.rules.ids import uuid7
from app.rules.undoing import OWN_MINUTES
from app.wire import RefundRow, Sale, SaleLine, SaleRow, Tender
from readers.terminal.undoing import why_not

AT_US = 1_764_016_800_000_000
MINUTE_US = 60 * 1_000_000
ME, OTHER = uuid7(), uuid7()


def row(cashier: UUID | None) -> SaleRow:
    line = SaleLine(product=uuid7(), name="Demi", quantity=1, unit_price=350, currency="RAF")
    tender = Tender(currency="RAF", amount=350)
    sale = Sale(
        id=uuid7(), card="04A0000000A001", cashier=cashier, lines=(line,), tenders=(tender,), occurred_at_us=AT_US
    )
    return SaleRow(mode="online", sale=sale)


def test_one_s_own_sale_is_taken_back_within_some_minutes() -> None:
    mine = row(ME)
    within, after = AT_US + OWN_MINUTES * MINUTE_US, AT_US + OWN_MINUTES * MINUTE_US + 1
    assert why_not(mine, online=True, voided=False, who=ME, rights=("sell",), now_us=within) is None
    assert why_not(mine, online=True, voided=False, who=ME, rights=("sell",), now_us=after) == "too_late"
    assert why_not(mine, online=True, voided=False, who=ME, rights=("sell", "void"), now_us=after) is None
    assert why_not(mine, online=True, voided=False, who=OTHER, rights=("sell",), now_us=AT_US) == "not_yours"
    assert why_not(mine, online=True, voided=False, who=OTHER, rights=("void",), now_us=after) is None


@given(st.sampled_from([ME, OTHER, None]), st.sampled_from([ME, None]), st.booleans(), st.integers(-(10**9), 10**12))
def test_what_was_taken_back_is_not_taken_back_again_and_nobody_s_sale_needs_the_right(
    who: UUID | None, cashier: UUID | None, right: bool, later_us: int
) -> None:
    rights = ("void",) if right else ()
    it = row(cashier)
    assert why_not(it, online=True, voided=True, who=who, rights=rights, now_us=AT_US + later_us) == "not_voidable"
    if cashier is None or who is None:
        assert (
            why_not(it, online=True, voided=False, who=who, rights=rights, now_us=AT_US + later_us) is None
        ) is right


def test_without_network_a_sale_is_taken_back_and_an_act_with_a_card_is_not() -> None:
    act = RefundRow(
        mode="online", id=uuid7(), card="04A0000000A001", currency="RAF", amount=500, cashier=ME, at_us=AT_US
    )
    assert why_not(row(ME), voided=False, who=ME, rights=(), now_us=AT_US, online=False) is None
    assert why_not(act, voided=False, who=ME, rights=(), now_us=AT_US, online=False) == "only_online"
    assert why_not(act, voided=False, who=ME, rights=(), now_us=AT_US, online=True) is None
    assert why_not(act, voided=False, who=OTHER, rights=(), now_us=AT_US, online=False) == "not_yours"
