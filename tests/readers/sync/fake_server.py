"""A server for the terminal's tests: the wire's five calls over a tiny ledger in memory, and a line that can fail."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import time
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import httpx
from argon2 import PasswordHasher
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import TypeAdapter
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from app.money import Unit
from app.rules.agreement import wrapped
from app.rules.chips.keyring import CardKey, packed
from app.rules.ids import uuid7
from app.rules.policy import Policy
from app.wire import (
    GENESIS,
    ActReply,
    AskedRow,
    Batch,
    CancelRow,
    CodeAsked,
    CodeReply,
    CreditRow,
    LogBundle,
    Means,
    PairingReply,
    PairingRequest,
    RefundRow,
    Sale,
    SaleLine,
    SaleReply,
    SaleRow,
    SnapshotApplied,
    SnapshotCard,
    SnapshotCurrency,
    SnapshotLimits,
    SnapshotPeer,
    SnapshotProduct,
    SnapshotReceipts,
    SnapshotStaff,
    SnapshotTill,
    StatusReport,
    SyncReply,
    TerminalSnapshot,
    TerminalStatus,
    TokenReply,
    TokenRequest,
    TopUpRow,
    VoidRow,
    read_payload,
    row_hash,
    token_message,
)
from app.wire.card_keys import about_keys
from app.wire.snapshot import SIGNATURE_HEADER
from readers.sync.keys import signed_by
from readers.terminal.changes import taken_from

PIN = "2468"
CODE = "ABCD-1234"
# Cheap on purpose: the cost of a guess is not what these tests are about.
PIN_HASH = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1).hash(PIN)
AWA, BOB, STRONG = "04A1B2C3D4E580", "04000000000001", "04AAAAAAAAAAAA"


def now_us() -> int:
    return time.time_ns() // 1000


def problem(status: int, name: str, **extra: object) -> Response:
    body = {"type": f"https://comptoir.example/problems/{name}", "title": name, "status": status, **extra}
    return JSONResponse(body, status, media_type="application/problem+json")


ASKED: TypeAdapter[Any] = TypeAdapter(AskedRow)


@dataclass
class FakeServer:
    """`balances` are minor units by card and currency; `sold` and `undone` are what the ledger booked.

    `limited`: a currency of which a card may spend no more; `gift_refused`: gift money pays nothing that is sold here.
    """

    receipts: SnapshotReceipts | None = None
    till: SnapshotTill = field(default_factory=SnapshotTill)
    rights: tuple[str, ...] = ("sell",)
    limits: SnapshotLimits = field(
        default_factory=lambda: SnapshotLimits(
            cards={
                "RAF": {"A": (5000, 8000, 10), "B": (3000, 4000, 5), "C": (3000, 4000, 5)},
                "TIME": {"C": (120, 240, 5)},
                "GIFT": {"C": (1000, 1000, 5)},
            },
            per_terminal={"RAF": 50_000, "TIME": 600, "GIFT": 5000},
            backed_weight_percent=25,
            journal_rows=10_000,
            snapshot_warn_s=3600,
            snapshot_stop_s=12 * 3600,
        )
    )
    balances: dict[str, Counter[str]] = field(
        default_factory=lambda: {
            AWA: Counter(RAF=2000, TIME=180),
            BOB: Counter(RAF=300),
            STRONG: Counter(RAF=10_000),
        }
    )
    blocked: set[str] = field(default_factory=set)
    prices: dict[str, int] = field(default_factory=lambda: {"RAF": 450, "TIME": 30})
    sold: dict[UUID, Sale] = field(default_factory=dict)
    undone: set[UUID] = field(default_factory=set)
    acted: dict[UUID, Any] = field(default_factory=dict)
    taken_back: dict[UUID, Any] = field(default_factory=dict)
    act_refusal: tuple[int, str] | None = None
    staff_card: str | None = None
    pin_only: bool = True
    tombstones: set[UUID] = field(default_factory=set)
    rows: list[tuple[str, str]] = field(default_factory=list)
    faults: dict[str, deque[str]] = field(default_factory=dict)
    calls: Counter[str] = field(default_factory=Counter)
    batches: list[tuple[int, int]] = field(default_factory=list)
    logs_wanted: UUID | None = None
    logs_sent: bytes = b""
    handed: list[str] = field(default_factory=list)
    # How many rows of each epoch had come in when the next one began.
    ended: list[int] = field(default_factory=list)
    statuses: list[TerminalStatus] = field(default_factory=list)
    revoked: bool = False
    quarantined: bool = False
    clock_off_us: int = 0
    token_life_us: int = 3_600_000_000
    slow_s: float = 1.0
    raf_policy: Policy = field(default_factory=Policy)
    gift_policy: Policy = field(default_factory=Policy)
    tells_balances: bool = True
    gift_refused: bool = False
    limited: dict[str, str] = field(default_factory=dict)
    peers: tuple[SnapshotPeer, ...] = ()
    applied_others: tuple[SnapshotApplied, ...] = ()
    more: tuple[SnapshotProduct, ...] = ()
    means: tuple[Means, ...] = ("cash", "bank_card")
    has_code: bool = False
    card_keys: dict[bytes, CardKey] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.key = Ed25519PrivateKey.generate()
        self.device, self.venue, self.cashier, self.beer = uuid7(), uuid7(), uuid7(), uuid7()
        self.epoch = 0
        self.device_key = ""
        self.tokens: set[str] = set()
        self.codes = {CODE}
        self.refused: set[UUID] = set()
        self.down = False

    # Faults: "lost" before it is heard, "unanswered" after it was done, "slow", "500", "429", "portal", "401".

    def fail(self, path: str, *faults: str) -> None:
        self.faults.setdefault(path, deque()).extend(faults)

    @property
    def public(self) -> str:
        return base64.b64encode(self.key.public_key().public_bytes_raw()).decode()

    def now(self) -> int:
        return now_us() + self.clock_off_us

    def app(self) -> Starlette:
        routes = {
            "/api/v1/terminals/pair": (self.pair, "POST"),
            "/api/v1/terminals/token": (self.token, "POST"),
            "/api/v1/terminals/handover": (self.handover, "POST"),
            "/api/v1/terminals/logs": (self.logs, "POST"),
            "/api/v1/terminals/status": (self.status, "POST"),
            "/api/v1/sales": (self.sales, "POST"),
            "/api/v1/terminals/acts": (self.acts, "POST"),
            "/api/v1/terminals/recovery-codes": (self.first_code, "POST"),
            "/api/v1/terminals/voids": (self.voids, "POST"),
            "/api/v1/terminals/sync": (self.sync, "POST"),
            "/api/v1/terminals/snapshot": (self.snapshot, "GET"),
            "/api/v1/terminals/card-keys": (self.keys_of_cards, "GET"),
        }
        return Starlette(routes=[Route(path, end, methods=[method]) for path, (end, method) in routes.items()])

    async def keys_of_cards(self, request: Request) -> Response:
        keys = packed({None: self.card_keys.items()})
        parcel = wrapped(keys, base64.b64decode(self.device_key), about_keys(self.device, self.epoch))
        signature = base64.b64encode(self.key.sign(parcel)).decode()
        return Response(parcel, headers={"ETag": f'"{self.epoch}"', SIGNATURE_HEADER: signature})

    async def pair(self, request: Request) -> Response:
        asked = PairingRequest.model_validate_json(await request.body())
        if asked.code not in self.codes:
            return problem(404, "pairing-code-unknown")
        self.codes.remove(asked.code)
        if self.epoch:
            self.ended.append(len(self.rows))
        self.device_key, self.epoch, self.rows = asked.public_key, self.epoch + 1, []
        reply = PairingReply(
            device=self.device,
            epoch=self.epoch,
            name="bar",
            venue=self.venue,
            venue_name="La Raffinerie",
            server_key=self.public,
        )
        return Response(reply.model_dump_json(), 201)

    async def token(self, request: Request) -> Response:
        asked = TokenRequest.model_validate_json(await request.body())
        fresh = abs(asked.at_us - self.now()) < 300_000_000
        if self.revoked:
            return problem(401, "terminal-revoked")
        if not fresh or not signed_by(self.device_key, token_message(asked.device, asked.at_us), asked.signature):
            return problem(401, "unauthorized")
        token = uuid7().hex
        self.tokens.add(token)
        return Response(TokenReply(token=token, expires_at_us=self.now() + self.token_life_us).model_dump_json())

    async def handover(self, request: Request) -> Response:
        batch = Batch.model_validate_json(await request.body())
        if not self.revoked or not signed_by(self.device_key, batch.message(), batch.signature):
            return problem(401, "wrong-signature")
        self.handed += [row.payload for row in batch.rows]
        reply = SyncReply(acknowledged=batch.rows[-1].sequence, quarantined=True, server_time_us=self.now())
        return Response(reply.model_dump_json())

    async def status(self, request: Request) -> Response:
        report = StatusReport.model_validate_json(await request.body())
        if not signed_by(self.device_key, report.message(), report.signature):
            return problem(401, "wrong-signature")
        self.statuses.append(TerminalStatus.model_validate_json(report.status))
        standing = "revoked" if self.revoked else "quarantined" if self.quarantined else "active"
        wanted = str(self.logs_wanted) if self.logs_wanted else None
        return JSONResponse({"standing": standing, "server_time_us": self.now(), "logs": wanted})

    async def logs(self, request: Request) -> Response:
        bundle = LogBundle.model_validate_json(await request.body())
        assert bundle.request == self.logs_wanted
        if not signed_by(self.device_key, bundle.message(), bundle.signature):
            return problem(401, "wrong-signature")
        self.logs_wanted, self.logs_sent = None, base64.b64decode(bundle.content)
        return Response(status_code=204)

    async def sales(self, request: Request) -> Response:
        if not self._may(request):
            return problem(401, "unauthorized")
        sale = Sale.model_validate_json(await request.body())
        assert request.headers["Idempotency-Key"] == str(sale.id)
        if self.quarantined:
            return problem(403, "quarantined")
        if known := self.sold.get(sale.id):
            if known.fingerprint() != sale.fingerprint():
                return problem(422, "idempotency-key-reused")
            return self._booked(sale, 200)
        if sale.id in self.tombstones:
            return problem(409, "cancelled")
        if any(card not in self.balances for card in sale.cards):
            return problem(404, "card-unknown")
        if self.blocked.intersection(sale.cards):
            return problem(403, "card-blocked")
        if any(line.unit_price != self.prices[line.currency] for line in sale.lines if self._plain(line)):
            return problem(409, "price-changed")
        taken = taken_from(sale)
        if self.gift_refused and any(tender.currency == "GIFT" for tender in sale.tenders):
            return problem(422, "tender-not-allowed", reasons=["category:GIFT"])
        for uid, code in self.limited.items():
            if code in taken.get(uid, {}):
                left = {"balances": self.balances[sale.card], "card": uid, "currency": code}
                return problem(409, "spending-limit", **left)
        if any(self.balances[uid][code] < minor for uid, part in taken.items() for code, minor in part.items()):
            self.refused.add(sale.id)
            first, *others = sale.cards
            left = {"balances": self.balances[first], "other_cards": {uid: self.balances[uid] for uid in others}}
            return problem(402, "insufficient-funds", **(left if self.tells_balances else {}))
        # A refusal for want of money is remembered: its id is good for nothing else.
        assert sale.id not in self.refused
        self.book(sale)
        return self._booked(sale, 201)

    def _plain(self, line: SaleLine) -> bool:
        return line.product == self.beer and line.share is None

    async def acts(self, request: Request) -> Response:
        if not self._may(request):
            return problem(401, "unauthorized")
        row: Any = ASKED.validate_json(await request.body())
        if row.id in self.tombstones:
            return problem(409, "cancelled")
        if self.act_refusal:
            return problem(*self.act_refusal)
        if row.card not in self.balances:
            return problem(404, "card-unknown")
        if row.kind == "refund" and self.balances[row.card][row.currency] < row.amount:
            return problem(402, "insufficient-funds")
        self.act(row)
        reply = ActReply(id=row.id, booked=len(self.acted), balances=dict(self.balances[row.card]))
        return Response(reply.model_dump_json(), 201)

    async def first_code(self, request: Request) -> Response:
        asked = CodeAsked.model_validate_json(await request.body())
        if not self._may(request) or asked.act not in self.acted:
            return problem(404, "not-found")
        if self.has_code:
            return problem(409, "recovery-code-there")
        reply = CodeReply(code="ABCD-EFGH-JKMN-PQRS", lost="https://comptoir.example/lost")
        return Response(reply.model_dump_json(), 201)

    async def voids(self, request: Request) -> Response:
        if not self._may(request):
            return problem(401, "unauthorized")
        row = VoidRow.model_validate_json(await request.body())
        act = self.acted.get(row.sale)
        if row.id in self.tombstones:
            return problem(409, "cancelled")
        if self.act_refusal:
            return problem(*self.act_refusal)
        if act is None:
            return problem(404, "not-found")
        if row.id not in self.taken_back:
            if act.kind != "refund" and self.balances[act.card][act.currency] < act.amount:
                return problem(402, "insufficient-funds")
            if any(it.id == act.id for it in self.taken_back.values()):
                return problem(409, "already-reversed")
            self.take_back(row.id, act)
        reply = ActReply(id=row.id, booked=1, balances=dict(self.balances[act.card]))
        return Response(reply.model_dump_json(), 201)

    def take_back(self, void: UUID, act: Any) -> None:
        self.taken_back[void] = act
        self._move(act, -1)

    def _move(self, row: Any, sign: int) -> None:
        self.balances[row.card][row.currency] += sign * (-row.amount if row.kind == "refund" else row.amount)

    def act(self, row: Any, sign: int = 1) -> None:
        if sign < 0 or row.id not in self.acted:
            self._move(row, sign)
        if sign > 0:
            self.acted[row.id] = row
        else:
            del self.acted[row.id]

    async def sync(self, request: Request) -> Response:
        if not self._may(request):
            return problem(401, "unauthorized")
        batch = Batch.model_validate_json(await request.body())
        if not signed_by(self.device_key, batch.message(), batch.signature):
            return problem(403, "wrong-signature")
        self.batches.append((batch.rows[0].sequence, batch.rows[-1].sequence))
        resend = None
        for row in batch.rows:
            if row.sequence <= len(self.rows):
                if self.rows[row.sequence - 1][0] != row.hash:
                    self.quarantined = True
                continue
            if row.sequence > len(self.rows) + 1:
                resend = len(self.rows) + 1
                break
            previous = self.rows[-1][0] if self.rows else GENESIS
            assert row.hash == row_hash(batch.device, batch.epoch, row.sequence, previous, row.payload)
            self.rows.append((row.hash, row.payload))
            self._apply(row.payload)
        reply = SyncReply(
            acknowledged=len(self.rows), resend_from=resend, quarantined=self.quarantined, server_time_us=self.now()
        )
        return Response(reply.model_dump_json())

    async def snapshot(self, request: Request) -> Response:
        if not self._may(request):
            return problem(401, "unauthorized")
        body = self.snapshot_bytes()
        shape = json.loads(body)
        shape.pop("at_us")
        etag = '"' + hashlib.sha256(json.dumps(shape).encode()).hexdigest()[:16] + '"'
        if request.headers.get("If-None-Match") == etag:
            return Response(status_code=304)
        return Response(body, headers={SIGNATURE_HEADER: self.sign(body), "ETag": etag})

    def sign(self, body: bytes) -> str:
        return base64.b64encode(self.key.sign(body)).decode()

    def snapshot_bytes(self) -> bytes:
        return self.snapshot_now().model_dump_json().encode()

    def snapshot_now(self) -> TerminalSnapshot:
        in_rows = {read_payload(text).event for _, text in self.rows}
        return TerminalSnapshot(
            at_us=self.now(),
            device=self.device,
            network="Rafftou",
            venue=self.venue,
            venue_slug="raffinerie",
            venue_name="La Raffinerie",
            zone="Europe/Paris",
            accepted=("RAF", "TIME", "GIFT"),
            means=self.means,
            currencies=(
                SnapshotCurrency(
                    code="RAF",
                    names={"fr": "Rafftou", "en": "Rafftou"},
                    symbol="€",
                    unit=Unit.CENT,
                    kind="pegged",
                    cents=1,
                    issuer="network",
                    position=0,
                    policy=self.raf_policy,
                    policy_label="RAF@0",
                ),
                SnapshotCurrency(
                    code="TIME",
                    names={"fr": "Heures", "en": "Hours"},
                    symbol="h",
                    unit=Unit.MINUTE,
                    kind="time",
                    cents=None,
                    issuer="network",
                    position=1,
                    policy=Policy(),
                    policy_label="TIME@0",
                ),
                SnapshotCurrency(
                    code="GIFT",
                    names={"fr": "Cadeau", "en": "Gift"},
                    symbol="€",
                    unit=Unit.CENT,
                    kind="gift",
                    cents=1,
                    issuer="network",
                    position=2,
                    policy=self.gift_policy,
                    policy_label="GIFT@0",
                ),
            ),
            products=(
                SnapshotProduct(
                    id=self.beer,
                    names={"fr": "Bière", "en": "Beer"},
                    category="bar",
                    colour="amber",
                    prices=dict(self.prices),
                ),
                *self.more,
            ),
            cards=tuple(
                SnapshotCard(
                    uid=uid,
                    status="blocked" if uid in self.blocked else "active",
                    assurance="A" if uid == STRONG else "C",
                    balances={code: minor for code, minor in left.items() if minor > 0},
                )
                for uid, left in self.balances.items()
            ),
            staff=(SnapshotStaff(id=self.cashier, pin=PIN_HASH, rights=self.rights, card=self.staff_card),),
            limits=self.limits,
            applied_epoch=self.epoch,
            applied_through=len(self.rows),
            applied_beyond=tuple(id_ for id_ in (*self.sold, *self.acted) if id_ not in in_rows),
            receipts=self.receipts,
            till=self.till.model_copy(update={"pin_only": self.pin_only}),
            peers=self.peers,
            applied_others=self.applied_others,
        )

    def book(self, sale: Sale, sign: int = 1) -> None:
        for uid, part in taken_from(sale).items():
            for code, minor in part.items():
                self.balances.setdefault(uid, Counter())[code] -= sign * minor
        if sign > 0:
            self.sold[sale.id] = sale
        else:
            self.undone.add(sale.id)

    def standing(self) -> dict[UUID, int]:
        """What is booked and not undone: what the lines come to, by sale."""
        return {
            id_: sum(line.quantity * line.unit_price for line in sale.lines)
            for id_, sale in self.sold.items()
            if id_ not in self.undone
        }

    def payloads(self) -> list[Any]:
        return [read_payload(text) for _, text in self.rows]

    def kinds(self) -> list[str]:
        return [payload.kind for payload in self.payloads()]

    def _apply(self, text: str) -> None:
        match read_payload(text):
            case SaleRow(sale=sale) if sale.id not in self.sold:
                self.book(sale)
            case TopUpRow() | RefundRow() | CreditRow() as row:
                self.act(row)
            case CancelRow(sale=id_) if id_ in self.acted:
                self.act(self.acted[id_], -1)
            case CancelRow(sale=id_) if id_ in self.taken_back:
                self._move(self.taken_back.pop(id_), 1)
            case VoidRow(id=id_) if id_ in self.taken_back:
                pass
            case CancelRow(sale=id_) | VoidRow(sale=id_):
                if id_ in self.sold and id_ not in self.undone:
                    self.book(self.sold[id_], -1)
                elif id_ not in self.sold:
                    self.tombstones.add(id_)

    def _booked(self, sale: Sale, status: int) -> Response:
        left = {uid: {c: minor for c, minor in self.balances[uid].items() if minor >= 0} for uid in sale.cards}
        first = left.pop(sale.card)
        reply = SaleReply(id=sale.id, status="booked", booked=len(self.sold), balances=first, other_cards=left)
        return Response(reply.model_dump_json(), status)

    def _may(self, request: Request) -> bool:
        return not self.revoked and request.headers.get("Authorization", "").removeprefix("Bearer ") in self.tokens


class Line(httpx.AsyncBaseTransport):
    """The network between a terminal and the fake server."""

    def __init__(self, server: FakeServer) -> None:
        self._server = server
        self._inner = httpx.ASGITransport(server.app())

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        server, path = self._server, request.url.path
        server.calls[path] += 1
        faults = server.faults.get(path)
        fault = faults.popleft() if faults else None
        if server.down or fault == "lost":
            raise httpx.ConnectError("no route", request=request)
        if fault == "late":
            await asyncio.sleep(server.slow_s)
        if fault in ("500", "429", "401"):
            return httpx.Response(int(fault), request=request)
        if fault == "portal":
            return httpx.Response(200, html="<h1>Welcome to the festival wifi</h1>", request=request)
        response = await self._inner.handle_async_request(request)
        if fault == "unanswered":
            await response.aread()
            raise httpx.ReadError("connection reset", request=request)
        if fault == "slow":
            await asyncio.sleep(server.slow_s)
        if fault == "twice":
            await response.aread()
            return await self._inner.handle_async_request(request)
        date = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(server.now() / 1e6))
        response.headers["Date"] = date
        return response

    async def aclose(self) -> None:
        await self._inner.aclose()
