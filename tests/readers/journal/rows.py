"""Journal rows and pairings for tests."""

from __future__ import annotations

from uuid import UUID

from app.rules.ids import uuid7
from app.wire import IntentRow, PairingReply, Sale, SaleLine, SaleRow, Tender

DEVICE = UUID("01900000-0000-7000-8000-000000000001")
VENUE = UUID("01900000-0000-7000-8000-000000000002")
BEER = UUID("01900000-0000-7000-8000-000000000003")
CARD = "04A1B2C3D4E580"


def pairing(epoch: int = 1, device: UUID = DEVICE) -> PairingReply:
    return PairingReply(
        device=device, epoch=epoch, name="bar", venue=VENUE, venue_name="La Raffinerie", server_key="key"
    )


def intent(sale: UUID | None = None) -> IntentRow:
    return IntentRow(sale=sale or uuid7(), at_us=1)


def sale_row(
    total: int = 450,
    *,
    mode: str = "offline",
    id_: UUID | None = None,
    card: str = CARD,
    name: str = "Bière",
    currency: str = "RAF",
) -> SaleRow:
    sale = Sale(
        id=id_ or uuid7(),
        card=card,
        lines=(SaleLine(product=BEER, name=name, quantity=1, unit_price=total, currency=currency),),
        tenders=(Tender(currency=currency, amount=total),),
        occurred_at_us=1,
    )
    return SaleRow(mode=mode, sale=sale)  # type: ignore[arg-type]
