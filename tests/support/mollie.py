"""A server that speaks Mollie's Payments API as far as top-ups use it, with its faults.

Shapes are those of the examples at docs.mollie.com/reference: "Create payment", "Get payment", "List payments", "List
all refunds", "List all chargebacks"; notices as in "Webhooks" (a form with the id alone), keys as in "API idempotency".
"""

from __future__ import annotations

import json
from collections import deque
from datetime import UTC, datetime
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.support.stripe import Fault, Faulty

KEY = "test_dHar4XY7LxsDOtmnkVtjNVWXLSlXsM"


def money(cents: int, currency: str = "EUR") -> dict[str, str]:
    return {"currency": currency, "value": f"{cents // 100}.{cents % 100:02}"}


class FakeMollie:
    """`faults`: what happens to the next requests, one each. `requests` that came: (method, path, idempotency key)."""

    def __init__(self, base: str = "https://api.mollie.test") -> None:
        self.base = base
        self.payments: dict[str, dict[str, Any]] = {}
        self.refunds: dict[str, dict[str, Any]] = {}
        self.chargebacks: dict[str, dict[str, Any]] = {}
        self.faults: deque[Fault] = deque()
        # What becomes of the next refund that is asked for.
        self.next_refund = "refunded"
        self.requests: list[tuple[str, str, str]] = []
        self.kept: dict[str, dict[str, Any]] = {}
        self.app = Starlette(
            routes=[
                Route("/v2/payments", self._create, methods=["POST"]),
                Route("/v2/payments/{id}", self._get),
                Route("/v2/payments/{id}/refunds", self._refunds, methods=["GET", "POST"]),
                Route("/v2/{what}", self._list),
            ]
        )

    def client(self) -> httpx.AsyncClient:
        headers = {"Authorization": f"Bearer {KEY}"}
        return httpx.AsyncClient(transport=Faulty(self.app, self.faults), base_url=self.base, headers=headers)

    def pay(self, id_: str, *, cents: int | None = None, currency: str = "eur") -> None:
        it = self.payments[id_]
        assert it["status"] == "open"
        amount = money(_cents(it["amount"]) if cents is None else cents, currency.upper())
        it |= {"status": "paid", "paidAt": _now(), "amount": amount, "method": "creditcard", "amountRemaining": amount}
        del it["_links"]["checkout"]

    def expire(self, id_: str) -> None:
        self.payments[id_] |= {"status": "expired", "expiredAt": _now()}

    def refund(self, id_: str, cents: int, status: str = "refunded", metadata: dict[str, str] | None = None) -> str:
        refund = f"re_{len(self.refunds) + 1}"
        self.refunds[refund] = {
            "resource": "refund",
            "id": refund,
            "amount": money(cents),
            "createdAt": _now(),
            "description": "Order",
            "metadata": metadata,
            "paymentId": id_,
            "status": status,
        }
        it = self.payments[id_]
        it["amountRefunded"] = money(_cents(it.get("amountRefunded", money(0))) + cents)
        return refund

    def dispute(self, id_: str) -> str:
        name = f"chb_{len(self.chargebacks) + 1}"
        it = self.payments[id_]
        cents = _cents(it["amount"]) - _cents(it.get("amountRefunded", money(0)))
        self.chargebacks[name] = {
            "resource": "chargeback",
            "id": name,
            "amount": money(cents),
            "settlementAmount": {"currency": "EUR", "value": f"-{money(cents)['value']}"},
            "createdAt": _now(),
            "reversedAt": None,
            "paymentId": id_,
        }
        return name

    def win(self, name: str) -> None:
        self.chargebacks[name]["reversedAt"] = _now()

    def told(self, id_: str) -> tuple[bytes, dict[str, str]]:
        """The notice about a payment."""
        return f"id={id_}".encode(), {"Content-Type": "application/x-www-form-urlencoded"}

    told_back = told

    # Its API

    async def _create(self, request: Request) -> Response:
        if (refused := _refused(request)) is not None:
            return refused
        key, asked = request.headers.get("idempotency-key", ""), json.loads(await request.body())
        self.requests.append(("POST", request.url.path, key))
        if key in self.kept:
            return JSONResponse(self.kept[key], 201, headers={"Idempotency-Replayed": "true"})
        id_ = f"tr_{len(self.payments) + 1}"
        checkout = {"href": f"{self.base}/checkout/{id_}", "type": "text/html"}
        self.payments[id_] = {
            "resource": "payment",
            "id": id_,
            "mode": "test",
            "createdAt": _now(),
            "amount": asked["amount"],
            "description": asked["description"],
            "metadata": asked["metadata"],
            "profileId": "pfl_QkEhN94Ba",
            "redirectUrl": asked["redirectUrl"],
            "sequenceType": "oneoff",
            "status": "open",
            "webhookUrl": asked["webhookUrl"],
            "_links": {"self": {"href": f"{self.base}/v2/payments/{id_}"}, "checkout": checkout},
        }
        self.kept[key] = json.loads(json.dumps(self.payments[id_]))
        return JSONResponse(self.payments[id_], 201)

    async def _get(self, request: Request) -> Response:
        if (refused := _refused(request)) is not None:
            return refused
        self.requests.append(("GET", request.url.path, ""))
        found = self.payments.get(request.path_params["id"])
        if found is None:
            return JSONResponse({"status": 404, "title": "Not Found", "detail": "No payment exists with…"}, 404)
        return JSONResponse(found)

    async def _refunds(self, request: Request) -> Response:
        if (refused := _refused(request)) is not None:
            return refused
        id_, key = request.path_params["id"], request.headers.get("idempotency-key", "")
        self.requests.append((request.method, request.url.path, key))
        if request.method == "GET":
            rows = [it for it in self.refunds.values() if it["paymentId"] == id_]
            return JSONResponse({"_embedded": {"refunds": rows}, "count": len(rows)})
        if key not in self.kept:
            asked = json.loads(await request.body())
            cents, it = _cents(asked["amount"]), self.payments[id_]
            if cents > _cents(it["amount"]) - _cents(it.get("amountRefunded", money(0))):
                detail = {"title": "Unprocessable Entity", "field": "amount"}
                return JSONResponse({"status": 422, **detail, "detail": "The amount is higher than the maximum"}, 422)
            self.kept[key] = dict(self.refunds[self.refund(id_, cents, self.next_refund, asked["metadata"])])
        return JSONResponse(self.kept[key], 201)

    async def _list(self, request: Request) -> Response:
        if (refused := _refused(request)) is not None:
            return refused
        what = request.path_params["what"]
        self.requests.append(("GET", request.url.path, ""))
        rows = list(
            reversed(
                {"payments": self.payments, "refunds": self.refunds, "chargebacks": self.chargebacks}[what].values()
            )
        )
        if start := request.query_params.get("from"):
            rows = rows[[it["id"] for it in rows].index(start) :]
        limit = int(request.query_params.get("limit", "50"))
        following = None
        if len(rows) > limit:
            following = {
                "href": f"{self.base}/v2/{what}?from={rows[limit]['id']}&limit={limit}",
                "type": "application/hal+json",
            }
        links = {"previous": None, "next": following}
        return JSONResponse({"count": len(rows[:limit]), "_embedded": {what: rows[:limit]}, "_links": links})


def _refused(request: Request) -> Response | None:
    if request.headers.get("authorization") != f"Bearer {KEY}":
        return JSONResponse({"status": 401, "title": "Unauthorized Request", "detail": "Missing…"}, 401)
    return None


def _cents(amount: dict[str, str]) -> int:
    whole, _, part = amount["value"].partition(".")
    return int(whole) * 100 + int(part)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
