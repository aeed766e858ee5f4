"""What is told by e-mail at each step of a refund, to the address that its holder left."""

from __future__ import annotations

from typing import Literal, cast
from uuid import UUID, uuid5

from sqlalchemy.ext.asyncio import AsyncConnection

from app.cards.service import card_by_id
from app.mail.service import Letter, queue
from app.refunds.store import Request
from app.venues.service import Network

TEMPLATE = "refunds/refund_mail"
TOLD = frozenset({"waiting", "ready", "sent", "paid", "failed", "cancelled", "nothing"})


async def send(connection: AsyncConnection, network: Network, it: Request) -> None:
    """In the transaction that takes the step."""
    if not it.address or it.status not in TOLD or (it.status == "waiting" and it.attempt):
        return
    card = await card_by_id(connection, it.card)
    data = {
        "network_name": network.name,
        "card_label": card.label,
        "status": it.status,
        "way": it.way,
        "cents": it.cents,
        "fee_cents": it.fee_cents,
        "iban": f"…{it.iban[-4:]}" if it.iban else "",
        "reason": it.reason,
        "by_itself": it.topup is not None,
        "path": f"/c/{card.token}/refund/{it.id}",
        "number": str(it.id),
    }
    language = cast(Literal["fr", "en"], it.language)
    await queue(connection, Letter(letter_of(it.id, len(it.events)), TEMPLATE, language, it.address, data))


def letter_of(refund: UUID, event: int) -> UUID:
    """The message that told of its event of this number, if there was one."""
    return uuid5(refund, f"event {event}")


def masked(iban: str) -> str:
    """Enough to know one's own account by."""
    return f"{iban[:4]} … {iban[-4:]}" if iban else ""
