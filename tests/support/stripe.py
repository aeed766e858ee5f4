"""A server that speaks Stripe's API as far as top-ups use it, with its faults.

Shapes are those of the examples in Stripe's API reference (docs.stripe.com/api): "The Checkout Session object", "The
PaymentIntent object", "The Charge object", "The Balance Transaction object", "The Refund object", "The Dispute object",
"The Event object", "Idempotent requests", "Pagination", "Expanding responses", "Errors"; signatures are as in "Verify
webhook signatures manually" (docs.stripe.com/webhooks/signature).

stripe = FakeStripe()
provider = Stripe(Api("stripe", stripe.client(), pause_s=0), [SECRET], server)
session = stripe.pay("cs_test_1")                   # what the payer does on Stripe's page
event = stripe.events[-1]; stripe.signed(event)     # (body, headers), as its webhook sends them
stripe.faults.append("after")                       # the next request is done, and its answer lost
"""

from __future__ import annotations

import json
import time
from collections import deque
from html import escape
from typing import Any, Literal
from urllib.parse import parse_qsl

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from app.topups.stripe.adapter import VERSION
from app.topups.stripe.signature import sign

KEY, SECRET = "sk_test_4eC39HqLyjWDarjtT1zdp7dc", "whsec_test_of_the_endpoint"
DISPUTE_FEE = 2000

# before: the request never arrives; after: it is done, and the answer is lost; 500, 429: it is not done.
Fault = Literal["before", "after", "500", "429"]


def fee_of(cents: int) -> int:
    """1.5 % and 25 cents: standard cards of the European Economic Area."""
    return (cents * 15 + 500) // 1000 + 25


class FakeStripe:
    """`faults`: what happens to the next requests, one each. `requests` that came: (method, path, idempotency key)."""

    def __init__(self, base: str = "https://api.stripe.test") -> None:
        self.base = base
        self.sessions: dict[str, dict[str, Any]] = {}
        self.intents: dict[str, dict[str, Any]] = {}
        self.charges: dict[str, dict[str, Any]] = {}
        self.transactions: dict[str, dict[str, Any]] = {}
        self.refunds: dict[str, dict[str, Any]] = {}
        self.disputes: dict[str, dict[str, Any]] = {}
        self.events: list[dict[str, Any]] = []
        self.faults: deque[Fault] = deque()
        # What becomes of the next refund that is asked for.
        self.next_refund = "succeeded"
        self.requests: list[tuple[str, str, str]] = []
        self._kept: dict[str, tuple[bytes, dict[str, Any]]] = {}
        self._number = 0
        self.app = Starlette(
            routes=[
                Route("/v1/checkout/sessions", self._create, methods=["POST"]),
                Route("/v1/checkout/sessions", self._list_sessions),
                Route("/v1/checkout/sessions/{id}", self._retrieve),
                Route("/v1/disputes", self._list_disputes),
                Route("/v1/refunds", self._list_refunds),
                Route("/v1/refunds", self._create_refund, methods=["POST"]),
                Route("/pay/{id}", self._page, methods=["GET", "POST"]),
            ]
        )

    def client(self) -> httpx.AsyncClient:
        headers = {"Authorization": f"Bearer {KEY}", "Stripe-Version": VERSION}
        return httpx.AsyncClient(transport=Faulty(self.app, self.faults), base_url=self.base, headers=headers)

    # What payers, banks and the dashboard do

    def pay(self, id_: str, *, cents: int | None = None, currency: str = "eur", settled: bool = True) -> dict[str, Any]:
        """The payer pays. `settled` False: Stripe does not say its fee yet."""
        session = self.sessions[id_]
        assert session["status"] == "open"
        amount = session["amount_total"] if cents is None else cents
        charge, transaction, intent = self._id("ch"), self._id("txn"), self._id("pi")
        self.transactions[transaction] = {
            "id": transaction,
            "object": "balance_transaction",
            "amount": amount,
            "currency": "eur",
            "fee": fee_of(amount),
            "fee_details": [{"amount": fee_of(amount), "currency": "eur", "type": "stripe_fee"}],
            "net": amount - fee_of(amount),
            "reporting_category": "charge",
            "source": charge,
            "type": "charge",
        }
        self.charges[charge] = {
            "id": charge,
            "object": "charge",
            "amount": amount,
            "amount_refunded": 0,
            "balance_transaction": transaction if settled else None,
            "currency": currency,
            "metadata": session["_intent_metadata"],
            "paid": True,
            "payment_intent": intent,
            "refunded": False,
            "status": "succeeded",
        }
        self.intents[intent] = {
            "id": intent,
            "object": "payment_intent",
            "amount": amount,
            "amount_received": amount,
            "capture_method": "automatic",
            "currency": currency,
            "latest_charge": charge,
            "metadata": session["_intent_metadata"],
            "status": "succeeded",
        }
        session |= {"status": "complete", "payment_status": "paid", "payment_intent": intent, "url": None}
        session |= {"amount_total": amount, "currency": currency}
        self._event("payment_intent.succeeded", self.intents[intent])
        self._event("checkout.session.completed", session)
        return session

    def expire(self, id_: str) -> None:
        session = self.sessions[id_]
        if session["status"] == "open":
            session |= {"status": "expired", "url": None}
            self._event("checkout.session.expired", session)

    def refund(self, id_: str, cents: int, status: str = "succeeded") -> dict[str, Any]:
        """On the dashboard."""
        return self._refund(self._charge(id_), cents, status, {})

    def fail(self, id_: str) -> None:
        """The payer's bank does not take a refund: the money comes back."""
        refund = self.refunds[id_]
        if refund["status"] not in {"failed", "canceled"}:
            refund |= {"status": "failed", "failure_reason": "expired_or_canceled_card"}
            charge = self.charges[refund["charge"]]
            charge["amount_refunded"] -= refund["amount"]
            charge["refunded"] = False
            self._event("refund.failed", refund)

    def _refund(self, charge: dict[str, Any], cents: int, status: str, metadata: dict[str, str]) -> dict[str, Any]:
        refund = {
            "id": self._id("re"),
            "object": "refund",
            "amount": cents,
            "charge": charge["id"],
            "created": int(time.time()),
            "currency": "eur",
            "metadata": metadata,
            "payment_intent": charge["payment_intent"],
            "status": status,
        }
        self.refunds[refund["id"]] = refund
        charge["amount_refunded"] += cents if status != "failed" else 0
        charge["refunded"] = charge["amount_refunded"] == charge["amount"]
        self._event("charge.refunded", charge)
        return refund

    def dispute(self, id_: str) -> dict[str, Any]:
        """The payer's bank takes back what is left of a payment, and Stripe its fee."""
        charge = self._charge(id_)
        cents = charge["amount"] - charge["amount_refunded"]
        dispute = {
            "id": self._id("dp"),
            "object": "dispute",
            "amount": cents,
            "balance_transactions": [self._moved(-cents, DISPUTE_FEE, "dispute")],
            "charge": charge["id"],
            "created": int(time.time()),
            "currency": "eur",
            "metadata": {},
            "payment_intent": charge["payment_intent"],
            "reason": "fraudulent",
            "status": "needs_response",
        }
        self.disputes[dispute["id"]] = dispute
        self._event("charge.dispute.created", dispute)
        return dispute

    def win(self, id_: str) -> None:
        dispute = self.disputes[id_]
        if dispute["status"] != "won":
            dispute["status"] = "won"
            dispute["balance_transactions"].append(self._moved(dispute["amount"], 0, "dispute_reversal"))
            self._event("charge.dispute.closed", dispute)

    def signed(
        self, event: dict[str, Any], *, secrets: tuple[str, ...] = (SECRET,), at_s: int | None = None
    ) -> tuple[bytes, dict[str, str]]:
        """The body and the headers with which it reaches us."""
        body = json.dumps(event, indent=2).encode()
        header = sign(body, secrets, int(time.time()) if at_s is None else at_s)
        return body, {"Stripe-Signature": header, "Content-Type": "application/json; charset=utf-8"}

    def told(self, id_: str) -> tuple[bytes, dict[str, str]]:
        """The notice about a session."""
        session = _shown(self.sessions[id_])
        kind = "completed" if session["status"] == "complete" else "expired"
        event = {"id": f"evt_{id_}", "object": "event", "type": f"checkout.session.{kind}"}
        return self.signed(event | {"data": {"object": session}})

    def told_back(self, id_: str) -> tuple[bytes, dict[str, str]]:
        """The notice that a payment was given back."""
        event = {"id": f"evt_back_{id_}", "object": "event", "type": "charge.refunded"}
        return self.signed(event | {"data": {"object": _shown(self._charge(id_))}})

    def received(self) -> int:
        """Euro cents that were paid, and not given back or taken back since."""
        paid = sum(it["amount"] - it["amount_refunded"] for it in self.charges.values())
        return paid - sum(it["amount"] for it in self.disputes.values() if it["status"] != "won")

    def _charge(self, session: str) -> dict[str, Any]:
        return self.charges[self.intents[self.sessions[session]["payment_intent"]]["latest_charge"]]

    def _moved(self, amount: int, fee: int, category: str) -> dict[str, Any]:
        it = {"id": self._id("txn"), "object": "balance_transaction", "amount": amount, "currency": "eur", "fee": fee}
        return it | {"net": amount - fee, "reporting_category": category, "type": "adjustment"}

    def _event(self, kind: str, about: dict[str, Any]) -> None:
        # As it was when it happened.
        data = {"object": json.loads(json.dumps(_shown(about)))}
        event = {"id": self._id("evt"), "object": "event", "api_version": "2019-02-19", "created": int(time.time())}
        self.events.append(event | {"data": data, "livemode": False, "pending_webhooks": 1, "type": kind})

    def _id(self, kind: str) -> str:
        self._number += 1
        return f"cs_test_{self._number}" if kind == "cs" else f"{kind}_{self._number}"

    # Its API

    async def _create(self, request: Request) -> Response:
        if (refused := self._refused(request)) is not None:
            return refused
        key, body = request.headers.get("idempotency-key", ""), await request.body()
        self.requests.append(("POST", request.url.path, key))
        if key in self._kept:
            kept, answer = self._kept[key]
            if kept != body:
                return _error(400, "idempotency_error", "Keys for idempotent requests can only be used with the same…")
            return JSONResponse(answer)
        form = dict(parse_qsl(body.decode()))
        cents, currency = (
            int(form["line_items[0][price_data][unit_amount]"]),
            form["line_items[0][price_data][currency]"],
        )
        if form["mode"] != "payment" or cents < 50:
            return _error(400, "invalid_request_error", "amount_too_small")
        id_ = self._id("cs")
        session = {
            "id": id_,
            "object": "checkout.session",
            "amount_subtotal": cents,
            "amount_total": cents,
            "cancel_url": form["cancel_url"],
            "client_reference_id": form["client_reference_id"],
            "created": int(time.time()),
            "currency": currency,
            "expires_at": int(time.time()) + 86400,
            "livemode": False,
            "metadata": _metadata(form, "metadata"),
            "mode": "payment",
            "payment_intent": None,
            "payment_status": "unpaid",
            "status": "open",
            "success_url": form["success_url"],
            "url": f"{self.base}/pay/{id_}",
            "_intent_metadata": _metadata(form, "payment_intent_data[metadata]"),
            "_label": form["line_items[0][price_data][product_data][name]"],
        }
        self.sessions[id_] = session
        self._kept[key] = body, dict(_shown(session))
        return JSONResponse(_shown(session))

    async def _retrieve(self, request: Request) -> Response:
        if (refused := self._refused(request)) is not None:
            return refused
        id_ = request.path_params["id"]
        self.requests.append(("GET", request.url.path, ""))
        if id_ not in self.sessions:
            return _error(404, "invalid_request_error", "resource_missing")
        return JSONResponse(self._expanded(_shown(self.sessions[id_]), request.query_params.getlist("expand[]"), ""))

    async def _list_sessions(self, request: Request) -> Response:
        wanted = request.query_params.get("status")
        rows = [it for it in self.sessions.values() if wanted in {None, it["status"]}]
        return self._page_of(request, rows, "/v1/checkout/sessions")

    async def _list_disputes(self, request: Request) -> Response:
        return self._page_of(request, list(self.disputes.values()), "/v1/disputes")

    async def _list_refunds(self, request: Request) -> Response:
        of = request.query_params.get("payment_intent")
        rows = [it for it in self.refunds.values() if of in {None, it["payment_intent"]}]
        return self._page_of(request, rows, "/v1/refunds")

    async def _create_refund(self, request: Request) -> Response:
        if (refused := self._refused(request)) is not None:
            return refused
        key, body = request.headers.get("idempotency-key", ""), await request.body()
        self.requests.append(("POST", request.url.path, key))
        if key in self._kept:
            kept, answer = self._kept[key]
            if kept != body:
                return _error(400, "idempotency_error", "Keys for idempotent requests can only be used with the same…")
            return JSONResponse(answer)
        form = dict(parse_qsl(body.decode()))
        intent, cents = self.intents[form["payment_intent"]], int(form["amount"])
        charge = self.charges[intent["latest_charge"]]
        if any(it["charge"] == charge["id"] and it["status"] != "won" for it in self.disputes.values()):
            return _error(400, "invalid_request_error", "charge_disputed")
        if cents > charge["amount"] - charge["amount_refunded"]:
            return _error(400, "invalid_request_error", "charge_already_refunded")
        refund = self._refund(charge, cents, self.next_refund, _metadata(form, "metadata"))
        self._kept[key] = body, dict(refund)
        return JSONResponse(refund)

    async def _page(self, request: Request) -> Response:
        """Its payment page, for browsers."""
        session = self.sessions[request.path_params["id"]]
        if request.method == "POST":
            self.pay(session["id"])
            return RedirectResponse(session["success_url"], 303)
        cents, back = session["amount_total"], escape(session["cancel_url"])
        return HTMLResponse(
            f"<!doctype html><title>Checkout</title><h1>{escape(session['_label'])}</h1><p>{cents / 100:.2f} €</p>"
            f'<form method="post"><button>Pay</button></form><a href="{back}">Back</a>'
        )

    def _page_of(self, request: Request, rows: list[dict[str, Any]], url: str) -> Response:
        if (refused := self._refused(request)) is not None:
            return refused
        self.requests.append(("GET", request.url.path, ""))
        asked = request.query_params
        rows = [it for it in reversed(rows) if it["created"] >= int(asked.get("created[gte]", "0"))]
        if after := asked.get("starting_after"):
            rows = rows[[it["id"] for it in rows].index(after) + 1 :]
        limit = int(asked.get("limit", "10"))
        expand = asked.getlist("expand[]")
        if any(it.count(".") > 3 for it in expand):
            return _error(400, "invalid_request_error", "property_expansion_max_depth")
        data = [self._expanded(_shown(it), expand, "data.") for it in rows[:limit]]
        return JSONResponse({"object": "list", "url": url, "has_more": len(rows) > limit, "data": data})

    def _expanded(self, it: dict[str, Any], paths: list[str], prefix: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(json.dumps(it))
        places = {"payment_intent": self.intents, "latest_charge": self.charges}
        places["balance_transaction"] = self.transactions
        for path in paths:
            at = found
            for name in path.removeprefix(prefix).split("."):
                if isinstance(at.get(name), str):
                    at[name] = json.loads(json.dumps(places[name][at[name]]))
                if not isinstance(at.get(name), dict):
                    break
                at = at[name]
        return found

    def _refused(self, request: Request) -> Response | None:
        if request.headers.get("authorization") != f"Bearer {KEY}":
            return _error(401, "invalid_request_error", "")
        return None


class Faulty(httpx.ASGITransport):
    """The network between us and a provider; `faults` as the provider's."""

    def __init__(self, app: Starlette, faults: deque[Fault]) -> None:
        super().__init__(app)
        self._faults = faults

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        fault = self._faults.popleft() if self._faults else None
        if fault == "before":
            raise httpx.ConnectTimeout("no answer", request=request)
        if fault in {"500", "429"}:
            kind = "api_error" if fault == "500" else "rate_limit_error"
            return httpx.Response(int(fault), json={"error": {"type": kind, "message": "…"}}, request=request)
        answer = await super().handle_async_request(request)
        if fault == "after":
            raise httpx.ReadTimeout("the answer is lost", request=request)
        return answer


def _metadata(form: dict[str, str], name: str) -> dict[str, str]:
    return {key[len(name) + 1 : -1]: value for key, value in form.items() if key.startswith(f"{name}[")}


def _shown(it: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in it.items() if not key.startswith("_")}


def _error(status: int, kind: str, code: str) -> Response:
    return JSONResponse({"error": {"type": kind, "code": code, "message": "…"}}, status)
