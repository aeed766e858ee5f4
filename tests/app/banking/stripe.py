"""Stripe's payout reconciliation report as its dashboard exports it (payout_reconciliation.itemized.5, all columns that
matter here and some that do not)."""

from __future__ import annotations

HEADS = (
    "automatic_payout_id,automatic_payout_effective_at,balance_transaction_id,created_utc,available_on_utc,currency,"
    "gross,fee,net,reporting_category,source_id,description,customer_facing_amount,customer_facing_currency,"
    "charge_id,payment_intent_id,card_brand,dispute_reason,payment_metadata[topup]"
)


def row(
    key: str,
    category: str,
    gross: str,
    fee: str,
    net: str,
    *,
    payout: str = "po_1Q",
    day: str = "2026-11-20 00:00:00",
    source: str = "",
    intent: str = "",
    topup: str = "",
    currency: str = "eur",
    text: str = "",
) -> str:
    made = "2026-11-18 21:04:33"
    said = f'"{text}"' if "," in text else text
    return (
        f"{payout},{day},txn_{key},{made},{day},{currency},{gross},{fee},{net},{category},{source},{said},"
        f"{gross},{currency},ch_{key},{intent},visa,,{topup}"
    )


def report(*rows: str) -> bytes:
    return "\r\n".join((HEADS, *rows, "")).encode()
