"""The sales that a journal is full of (one card, plain products, prices paid in their own money), read fast.

app.wire says what a sale is, and pydantic checks it, which takes longer than all else that booking a delivery does.
What is read here is a part of that: a payload is taken only if it is byte for byte what app.wire would write of the
same sale, so that it means the same and has the same fingerprint. Everything else takes the long way.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from app.rules.basket import QUANTITY_MAX, UNIT_PRICE_MAX
from app.wire import Sale

# The bounds are those of app.wire.
_Code = Annotated[str, Meta(pattern=r"\A[A-Z][A-Z0-9]{1,7}\Z")]
_Uid = Annotated[str, Meta(pattern=r"\A(?:[0-9A-F]{8}|[0-9A-F]{14}|[0-9A-F]{20})\Z")]
_Minor = Annotated[int, Meta(ge=1, le=10**12)]
_Instant = Annotated[int, Meta(ge=0, le=7_258_118_400_000_000)]
_Text = Annotated[str, Meta(max_length=80)]
_BEGINS = '{"kind":"sale",'


class PlainLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, gc=False):
    product: UUID
    name: Annotated[str, Meta(min_length=1, max_length=80)]
    quantity: Annotated[int, Meta(ge=1, le=QUANTITY_MAX)]
    unit_price: Annotated[int, Meta(ge=0, le=UNIT_PRICE_MAX)]
    currency: _Code
    category: _Text | None = None
    vat: Annotated[int, Meta(ge=0, le=10_000)] | None = None


class PlainTender(msgspec.Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    currency: _Code
    amount: _Minor


class PlainSale(msgspec.Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """As app.wire.Sale, whose fields it has in their order."""

    id: UUID
    card: _Uid
    assurance: Literal["A", "B", "C"]
    cashier: UUID | None
    lines: Annotated[tuple[PlainLine, ...], Meta(min_length=1, max_length=200)]
    tenders: Annotated[tuple[PlainTender, ...], Meta(min_length=1, max_length=16)]
    occurred_at_us: _Instant

    @property
    def cards(self) -> tuple[str, ...]:
        return (self.card,)

    @property
    def paid_exactly(self) -> bool:
        owed: dict[str, int] = {}
        for line in self.lines:
            owed[line.currency] = owed.get(line.currency, 0) + line.quantity * line.unit_price
        paid = {it.currency: it.amount for it in self.tenders}
        return len(paid) == len(self.tenders) and paid == {code: amount for code, amount in owed.items() if amount}

    def whole(self) -> Sale:
        """The same sale, checked by app.wire."""
        return Sale.model_validate_json(_ENCODER.encode(self))


class PlainSaleRow(msgspec.Struct, frozen=True, gc=False):
    """`content`: SHA-256 of the sale, as app.wire.Sale.fingerprint makes it."""

    mode: Literal["online", "offline"]
    sale: PlainSale
    content: bytes

    @property
    def event(self) -> UUID:
        return self.sale.id


class _Stored(msgspec.Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """What a payload holds."""

    kind: Literal["sale"]
    mode: Literal["online", "offline"]
    sale: PlainSale
    unbacked: dict[str, int]


_DECODER = msgspec.json.Decoder(_Stored)
_ENCODER = msgspec.json.Encoder()


def read_plain(payload: str) -> PlainSaleRow | None:
    """None: it is another row, or not written as app.wire writes it."""
    # What is escaped in JSON can be written in several ways; names hardly ever are.
    if not payload.startswith(_BEGINS) or "\\" in payload:
        return None
    try:
        found = _DECODER.decode(payload)
    except (msgspec.MsgspecError, RecursionError):
        return None
    sale = _ENCODER.encode(found.sale)
    written = b'{"kind":"sale","mode":"%b","sale":%b,"unbacked":%b}' % (
        found.mode.encode(),
        sale,
        _ENCODER.encode(found.unbacked),
    )
    if written != payload.encode() or not found.sale.paid_exactly:
        return None
    return PlainSaleRow(found.mode, found.sale, sha256(sale).digest())


def lines_text(sale: PlainSale) -> str:
    """Its lines in JSON, as a sale's details keep them."""
    return _ENCODER.encode(sale.lines).decode()
