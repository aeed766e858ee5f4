"""Stripe's API, spoken directly (docs.stripe.com/api, version below): six requests, forms in and JSON out.

Stripe's own library would bring 2.6 MB (packed) and a second HTTP client for them.

    POST /v1/checkout/sessions          under an idempotency key that follows from the top-up
    GET  /v1/checkout/sessions/{id}     what became of it; also as a list
    POST /v1/refunds                    give back, under an idempotency key that follows from the refund
    GET  /v1/disputes, /v1/refunds      what was taken back
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any
from uuid import UUID

import httpx

from app.platform.clock import now_us
from app.topups.calling import Api
from app.topups.provider import Back, Checkout, Dispute, NotGenuine, Notice, Payment, ProviderRefused
from app.topups.stripe import reading, signature

API = "https://api.stripe.com"
# Answers have the shapes of this version, whatever the account's own is: from it on, a session's currency is the one we
# asked for, whatever the payer was shown (changelog "Adds presentment details for Adaptive Pricing").
VERSION = "2025-03-31.basil"

Params = Mapping[str, str | int]

SESSIONS, REFUNDS = "/v1/checkout/sessions", "/v1/refunds"
CHARGE = "payment_intent.latest_charge.balance_transaction"
PAGE = 100
DISPUTES_S = 120 * 24 * 3600
# Sessions are open for a day, and idempotency keys are known as long.
SESSION_S = 25 * 3600


class Stripe:
    """`server`: our own address, which our payments carry, so that one account can serve several servers."""

    name = "stripe"

    def __init__(self, api: Api, webhook_secrets: Sequence[str], server: str) -> None:
        self._api, self._secrets, self._server = api, tuple(webhook_secrets), server.rstrip("/")

    @classmethod
    def open(cls, url: str, key: str, webhook_secrets: Sequence[str], server: str) -> Stripe:
        headers = {"Authorization": f"Bearer {key}", "Stripe-Version": VERSION}
        return cls(Api(cls.name, httpx.AsyncClient(base_url=url, headers=headers)), webhook_secrets, server)

    async def open_checkout(self, topup: UUID, euro_cents: int, label: str, return_url: str) -> Checkout:
        form = {
            "mode": "payment",
            "line_items[0][quantity]": "1",
            "line_items[0][price_data][currency]": "eur",
            "line_items[0][price_data][unit_amount]": str(euro_cents),
            "line_items[0][price_data][product_data][name]": label[:250],
            "client_reference_id": str(topup),
            f"metadata[{reading.TOPUP}]": str(topup),
            f"metadata[{reading.SERVER}]": self._server,
            # The payment and its charge carry them too: disputes, refunds and payout reports name those.
            f"payment_intent_data[metadata][{reading.TOPUP}]": str(topup),
            f"payment_intent_data[metadata][{reading.SERVER}]": self._server,
            # Captured with the payment, so that its fee is known with it.
            "payment_intent_data[capture_method]": "automatic",
            "adaptive_pricing[enabled]": "false",
            "success_url": return_url,
            "cancel_url": return_url,
        }
        try:
            session = await self._api.post(SESSIONS, f"topup-{topup}", data=form)
        except ProviderRefused as refused:
            if not refused.reason.startswith("idempotency_error"):
                raise
            # Asked for in other words before (the card's label has changed since): it is the one that is open.
            session = await self._opened(topup, refused)
        return Checkout(str(session["id"]), str(session.get("url") or return_url))

    async def _opened(self, topup: UUID, refused: ProviderRefused) -> dict[str, Any]:
        since_s = now_us() // 1_000_000 - SESSION_S
        async for session in self._listed(SESSIONS, {"created[gte]": since_s}):
            if reading.topup_of(session) == topup:
                return session
        raise refused

    async def look_up(self, reference: str) -> Payment:
        return reading.payment_of(await self._api.get(f"{SESSIONS}/{reference}", {"expand[]": CHARGE}))

    async def refund(self, payment: str, refund: UUID, euro_cents: int) -> Back:
        intent = str((await self._api.get(f"{SESSIONS}/{payment}"))["payment_intent"])
        # Idempotency keys are forgotten after a day or more: one that was made longer ago is found by its metadata.
        async for known in self._listed(REFUNDS, {"payment_intent": intent}):
            if reading.asked_of(known) == refund:
                return reading.back_of(known)
        form = {
            "payment_intent": intent,
            "amount": str(euro_cents),
            f"metadata[{reading.REFUND}]": str(refund),
            f"metadata[{reading.SERVER}]": self._server,
        }
        return reading.back_of(await self._api.post(REFUNDS, f"refund-{refund}", data=form))

    async def disputes(self) -> list[Dispute]:
        since_s = now_us() // 1_000_000 - DISPUTES_S
        params: Params = {"created[gte]": since_s, "expand[]": "data.payment_intent"}
        told = [reading.dispute_of(it) async for it in self._listed("/v1/disputes", params) if self._ours(it)]
        told += [reading.refund_of(it) async for it in self._listed(REFUNDS, params) if self._ours(it)]
        return [it for it in told if it is not None]

    async def paid_since(self, since_us: int) -> AsyncIterator[Payment]:
        # Lists expand four levels deep: the fee is read when the payment itself is looked up.
        expand = "data.payment_intent.latest_charge"
        params: Params = {"created[gte]": since_us // 1_000_000, "status": "complete", "expand[]": expand}
        async for session in self._listed(SESSIONS, params):
            if (session.get("metadata") or {}).get(reading.SERVER) != self._server:
                continue
            it = reading.payment_of(session)
            if it.status == "paid" and it.topup is not None:
                yield it

    def notice(self, headers: Mapping[str, str], body: bytes) -> Notice:
        if not signature.genuine(headers.get(signature.HEADER, ""), body, self._secrets, time.time()):
            raise NotGenuine
        found = reading.notice_of(body)
        if found is None:
            raise NotGenuine
        return found

    async def close(self) -> None:
        await self._api.close()

    def _ours(self, it: Mapping[str, Any]) -> bool:
        intent = it.get("payment_intent")
        metadata = intent.get("metadata") if isinstance(intent, Mapping) else None
        return (metadata or {}).get(reading.SERVER) == self._server

    async def _listed(self, path: str, params: Params) -> AsyncIterator[dict[str, Any]]:
        """All pages, the newest first (docs.stripe.com/api/pagination)."""
        after: dict[str, str] = {}
        while True:
            page = await self._api.get(path, {**params, "limit": PAGE, **after})
            rows = page.get("data") or []
            for row in rows:
                yield row
            if not page.get("has_more") or not rows:
                return
            after = {"starting_after": rows[-1]["id"]}
