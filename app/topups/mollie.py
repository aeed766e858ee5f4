"""Mollie's Payments API (docs.mollie.com/reference: "Create payment", "Get payment", "List payments", "List all
refunds", "Create payment refund", "List payment refunds", "List all chargebacks", "API idempotency", "Webhooks").

Amounts are texts of major units. Its notices are not signed: they name a payment, which is then asked for. With an API
key it tells no fee of a single payment: its payouts bring them into the books.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs
from uuid import UUID

import httpx

from app.platform.clock import now_us
from app.topups.calling import Api
from app.topups.provider import Back, BackStatus, Checkout, Dispute, NotGenuine, Notice, Payment, PaymentStatus

STATUS: Mapping[str, PaymentStatus] = {
    "open": "open",
    "pending": "open",
    "authorized": "open",
    "paid": "paid",
    "failed": "failed",
    "canceled": "cancelled",
    "expired": "cancelled",
}
# Metadata that our payments carry: the top-up's id, and the server that opened it.
TOPUP, SERVER, REFUND = "topup", "comptoir", "refund"
PAGE = 250
DISPUTES_US = 120 * 24 * 3600 * 1_000_000

_CENTS = re.compile(r"(-?)(\d{1,9})\.(\d\d)")
_PAYMENT = re.compile(r"tr_\w{1,60}", re.ASCII)


class Mollie:
    """`server`: our own address, where its notices go, and which our payments carry."""

    name = "mollie"

    def __init__(self, api: Api, server: str) -> None:
        self._api, self._server = api, server.rstrip("/")

    @classmethod
    def open(cls, url: str, key: str, server: str) -> Mollie:
        client = httpx.AsyncClient(base_url=url, headers={"Authorization": f"Bearer {key}"})
        return cls(Api(cls.name, client), server)

    async def open_checkout(self, topup: UUID, euro_cents: int, label: str, return_url: str) -> Checkout:
        asked = {
            "amount": {"currency": "EUR", "value": f"{euro_cents // 100}.{euro_cents % 100:02}"},
            "description": label[:255],
            "redirectUrl": return_url,
            "webhookUrl": f"{self._server}/payments/{self.name}",
            "metadata": {TOPUP: str(topup), SERVER: self._server},
        }
        it = await self._api.post("/v2/payments", f"topup-{topup}", json=asked)
        checkout = (it.get("_links") or {}).get("checkout") or {}
        return Checkout(str(it["id"]), str(checkout.get("href") or return_url))

    async def look_up(self, reference: str) -> Payment:
        return payment_of(await self._api.get(f"/v2/payments/{reference}"))

    async def refund(self, payment: str, refund: UUID, euro_cents: int) -> Back:
        path = f"/v2/payments/{payment}/refunds"
        page = await self._api.get(path, {"limit": PAGE})
        for known in (page.get("_embedded") or {}).get("refunds") or []:
            if _asked(known) == refund:
                return _back(known)
        asked = {
            "amount": {"currency": "EUR", "value": f"{euro_cents // 100}.{euro_cents % 100:02}"},
            "metadata": {REFUND: str(refund), SERVER: self._server},
        }
        return _back(await self._api.post(path, f"refund-{refund}", json=asked))

    async def disputes(self) -> list[Dispute]:
        since_us = now_us() - DISPUTES_US
        told = [_refund(it) async for it in self._listed("refunds", since_us)]
        told += [_chargeback(it) async for it in self._listed("chargebacks", since_us)]
        return [it for it in told if it is not None]

    async def paid_since(self, since_us: int) -> AsyncIterator[Payment]:
        async for it in self._listed("payments", since_us):
            found = payment_of(it)
            if found.status == "paid" and found.topup is not None and _metadata(it).get(SERVER) == self._server:
                yield found

    def notice(self, headers: Mapping[str, str], body: bytes) -> Notice:
        """A form with the payment's id. Anybody may send one: nothing in it is believed."""
        id_ = parse_qs(body.decode("ascii", "replace"), max_num_fields=10).get("id", [""])[0]
        if not headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
            raise NotGenuine
        if not _PAYMENT.fullmatch(id_):
            raise NotGenuine
        return Notice("", (id_,))

    async def close(self) -> None:
        await self._api.close()

    async def _listed(self, what: str, since_us: int) -> AsyncIterator[dict[str, Any]]:
        """The newest first, down to what was made before an instant; `from` continues a page."""
        after: dict[str, str] = {}
        while True:
            page = await self._api.get(f"/v2/{what}", {"limit": PAGE, **after})
            rows = (page.get("_embedded") or {}).get(what) or []
            for row in rows:
                if _at_us(row) < since_us:
                    return
                yield row
            following = ((page.get("_links") or {}).get("next") or {}).get("href")
            if not following or not rows:
                return
            after = {"from": httpx.URL(following).params["from"]}


def payment_of(it: Mapping[str, Any]) -> Payment:
    """The Payment object."""
    try:
        topup = UUID(str(_metadata(it).get(TOPUP)))
    except ValueError:
        topup = None
    refunded = _cents(it.get("amountRefunded")) or 0
    status = STATUS.get(str(it.get("status")), "open")
    return Payment(str(it["id"]), status, _cents(it.get("amount")), None, topup, refunded)


def _refund(it: Mapping[str, Any]) -> Dispute | None:
    """The Refund object. One that is queued has taken nothing yet; one that failed or was canceled came back to us."""
    cents = _cents(it.get("amount"))
    if not cents or it.get("status") == "queued":
        return None
    return Dispute(
        str(it["id"]),
        str(it.get("paymentId")),
        "refund",
        cents,
        won=it.get("status") in {"failed", "canceled"},
        asked=_asked(it),
    )


def _asked(it: Mapping[str, Any]) -> UUID | None:
    """Under which id we asked for a refund; None for one that somebody made on Mollie's own pages."""
    try:
        return UUID(str(_metadata(it).get(REFUND)))
    except ValueError:
        return None


_BACK: Mapping[str, BackStatus] = {"refunded": "paid", "failed": "failed", "canceled": "failed"}


def _back(it: Mapping[str, Any]) -> Back:
    """One that is queued waits for our own balance there; one that is processing is at the payer's bank."""
    return Back(str(it["id"]), _BACK.get(str(it.get("status")), "pending"))


def _chargeback(it: Mapping[str, Any]) -> Dispute | None:
    """The Chargeback object."""
    cents = _cents(it.get("amount"))
    if not cents:
        return None
    return Dispute(str(it["id"]), str(it.get("paymentId")), "dispute", cents, won=it.get("reversedAt") is not None)


def _metadata(it: Mapping[str, Any]) -> Mapping[str, Any]:
    found = it.get("metadata")
    return found if isinstance(found, Mapping) else {}


def _cents(amount: Any) -> int | None:
    """Of {"currency": "EUR", "value": "10.00"}; None for anything else."""
    if not isinstance(amount, Mapping) or amount.get("currency") != "EUR":
        return None
    match = _CENTS.fullmatch(str(amount.get("value")))
    if match is None:
        return None
    cents = int(match[2]) * 100 + int(match[3])
    return -cents if match[1] else cents


def _at_us(it: Mapping[str, Any]) -> int:
    return int(datetime.fromisoformat(str(it["createdAt"])).timestamp() * 1_000_000)
