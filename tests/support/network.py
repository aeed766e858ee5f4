"""A small network behind the real application: two venues, two currencies, cards, people, and paired terminals.

network: Network                                            # the fixture of tests/app/conftest.py
await network.top_up("awa", 2000)
bar = await network.terminal("raffinerie")
answer = await bar.sell("awa", {"Demi": 2})                 # httpx.Response of POST /api/v1/sales
await bar.sync(bar.journal.batch(bar.journal.add(bar.sale_row("awa", {"Demi": 1}))))
await network.holds("awa")                                  # {"RAF": 950, "TEMPS": 0}
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import time
from functools import cache
from typing import Any, Literal
from uuid import UUID

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.cards.lifecycle import set_blocked
from app.cards.service import Card, add_card, balances, card_by_uid, wallet_key
from app.currencies.policies import add_policy
from app.currencies.service import Currency, add, currencies
from app.identity.cookie import COOKIE
from app.identity.roles import Grant, Role
from app.identity.service import create_person, sign_in
from app.identity.tokens import issue_terminal_token
from app.issuing.service import credit_shift
from app.ledger.rules.kinds import AccountKey
from app.ledger.rules.operations import Operation, Posting
from app.ledger.service import Ledger, currency_book
from app.main import create_app
from app.money import Unit
from app.platform.clock import now_us
from app.platform.context import Context
from app.platform.database import create_engine
from app.platform.settings import Settings
from app.rules.ids import uuid7
from app.rules.policy import Policy
from app.terminals.service import TOKEN_LIFETIME_US, make_pairing_code, pair
from app.topups.service import at_the_counter
from app.venues.rules import NetworkSettings
from app.venues.service import (
    Product,
    Venue,
    add_product,
    add_venue,
    set_accepted,
    set_network,
    set_price,
    the_network,
    venues,
)
from app.wire import (
    GENESIS,
    AnyRow,
    Batch,
    DeviceKind,
    JournalRow,
    PairingRequest,
    Sale,
    SaleLine,
    SaleRow,
    Tender,
    batch_message,
    row_hash,
)

# For tests of modules that run on SQLite alone by default.
both = pytest.mark.parametrize("database_kind", ["sqlite", "postgresql"])

BASE = "http://server.test"
PASSWORD = "un vélo sous la pluie"
PIN = "4711"

RAF = Currency("RAF", "network", "pegged", Unit.CENT, "Rafftou", "Rafftou", "€", 1, 0)
TEMPS = Currency("TEMPS", "network", "time", Unit.MINUTE, "Heures", "Hours", "h", None, 1)
# Not in the network unless a test defines them.
GIFT = Currency("GIFT", "network", "gift", Unit.CENT, "Cadeau", "Gift", "€", None, 2)
POINTS = Currency("PTS", "network", "points", Unit.POINT, "Points", "Points", "pt", None, 3)
# One minor unit is worth two euro cents.
ECU = Currency("ECU", "network", "pegged", Unit.CENT, "Écu", "Écu", "é", 2, 4)

ZONES = {"raffinerie": "Indian/Reunion", "canal": "Europe/Paris"}
ACCEPTED = {"raffinerie": ("RAF", "TEMPS"), "canal": ("RAF",)}
SOLD: dict[str, dict[str, dict[str, int]]] = {
    "raffinerie": {
        "Demi": {"RAF": 350, "TEMPS": 30},
        "Eau": {"RAF": 100},
    },
    "canal": {"Café": {"RAF": 160}, "Tarte": {"RAF": 340}},
}
# The first byte 04 is NXP's; the rest is made up.
CARDS = {"awa": "04A0000000A001", "basile": "04A0000000A002", "camille": "04A0000000A003"}
UNKNOWN_UID = "04FFFFFFFFFFFF"

# login: grants as (role, venue's slug)
PEOPLE: dict[str, tuple[tuple[Role, str | None], ...]] = {
    "nadia": ((Role.NETWORK_ADMIN, None),),
    "ines": ((Role.NETWORK_ACCOUNTANT, None),),
    "hugo": ((Role.AUDITOR, None),),
    "marie": ((Role.VENUE_ADMIN, "raffinerie"),),
    "bea": ((Role.VENUE_ACCOUNTANT, "raffinerie"),),
    "wim": ((Role.VENUE_AUDITOR, "raffinerie"),),
    "sana": ((Role.SHIFT_MANAGER, "raffinerie"),),
    "lucas": ((Role.CASHIER, "raffinerie"),),
    "yann": ((Role.VENUE_ADMIN, "canal"),),
    "zoe": (),
}
NAMES = {login: f"{login.capitalize()} Montreuil" for login in PEOPLE}

Row = AnyRow


@dataclass
class Journal:
    """A terminal's journal: rows chained by their hashes, and batches of them signed with the device's key."""

    device: UUID
    epoch: int
    key: Ed25519PrivateKey
    rows: list[JournalRow] = field(default_factory=list)

    def add(self, *payloads: Row | str) -> list[JournalRow]:
        """Append rows; a text is taken as the stored bytes themselves."""
        added = []
        for payload in payloads:
            text = payload if isinstance(payload, str) else payload.model_dump_json()
            sequence = len(self.rows) + 1
            previous = self.rows[-1].hash if self.rows else GENESIS
            mark = row_hash(self.device, self.epoch, sequence, previous, text)
            self.rows.append(JournalRow(sequence=sequence, previous=previous, hash=mark, payload=text))
            added.append(self.rows[-1])
        return added

    def copy(self) -> Journal:
        """The journal of a copied SD card: the same device and key, free to go on otherwise."""
        return Journal(self.device, self.epoch, self.key, list(self.rows))

    def batch(self, rows: Sequence[JournalRow] | None = None, waiting: int = 0) -> Batch:
        """`rows` (all of them by default), signed."""
        chosen = tuple(self.rows if rows is None else rows)
        message = batch_message(self.device, self.epoch, chosen[0].sequence, chosen[-1].sequence, chosen[-1].hash)
        return Batch(
            device=self.device,
            epoch=self.epoch,
            rows=chosen,
            sent_at_us=now_us(),
            waiting=waiting,
            signature=base64.b64encode(self.key.sign(message)).decode(),
        )


@dataclass
class Terminal:
    """A paired terminal, seen from its own side of the wire."""

    network: Network
    id: UUID
    venue: Venue
    epoch: int
    key: Ed25519PrivateKey
    token: str
    journal: Journal

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    def sale(
        self,
        card: str,
        items: Mapping[str, int],
        pay: str = "RAF",
        *,
        id_: UUID | None = None,
        at_us: int | None = None,
        prices: Mapping[str, int] | None = None,
    ) -> Sale:
        """A basket of this venue's products at today's prices, or at `prices`. `card`: a name of CARDS, or a UID."""
        lines = []
        for name, quantity in items.items():
            product = self.network.product(self.venue.slug, name)
            price = (prices or {}).get(name, product.prices.get(pay, 1))
            lines.append(SaleLine(product=product.id, name=name, quantity=quantity, unit_price=price, currency=pay))
        return Sale(
            id=id_ or uuid7(),
            card=CARDS.get(card, card),
            lines=tuple(lines),
            tenders=(Tender(currency=pay, amount=sum(x.quantity * x.unit_price for x in lines)),),
            occurred_at_us=now_us() if at_us is None else at_us,
        )

    async def sell(
        self, card: str | Sale, items: Mapping[str, int] | None = None, pay: str = "RAF", **more: Any
    ) -> httpx.Response:
        sale = card if isinstance(card, Sale) else self.sale(card, items or {}, pay, **more)
        body = sale.model_dump_json()
        headers = {**self.headers, "Content-Type": "application/json"}
        return await self.network.client.post("/api/v1/sales", content=body, headers=headers)

    def sale_row(
        self,
        card: str | Sale,
        items: Mapping[str, int] | None = None,
        pay: str = "RAF",
        mode: Literal["online", "offline"] = "offline",
        **more: Any,
    ) -> SaleRow:
        return SaleRow(mode=mode, sale=card if isinstance(card, Sale) else self.sale(card, items or {}, pay, **more))

    async def deliver(self, *payloads: Row | str) -> dict[str, Any]:
        """Append rows to the journal and deliver them; the server's answer."""
        answer = await self.sync(self.journal.batch(self.journal.add(*payloads)))
        assert answer.status_code == 200, answer.text
        reply: dict[str, Any] = answer.json()
        return reply

    async def sync(self, batch: Batch | Mapping[str, Any]) -> httpx.Response:
        body = batch.model_dump(mode="json") if isinstance(batch, Batch) else dict(batch)
        return await self.network.client.post("/api/v1/terminals/sync", json=body, headers=self.headers)

    async def snapshot(self, **headers: str) -> httpx.Response:
        return await self.network.client.get("/api/v1/terminals/snapshot", headers={**self.headers, **headers})


@dataclass
class Network:
    """The application and what is in it. `client` is nobody; `person(login)` signs somebody in."""

    app: FastAPI
    settings: Settings
    context: Context
    ledger: Ledger
    client: httpx.AsyncClient
    venues: dict[str, Venue]
    products: dict[tuple[str, str], Product]
    cards: dict[str, Card]
    _clients: AsyncExitStack
    _persons: dict[str, UUID] = field(default_factory=dict)
    _signed_in: dict[str, httpx.AsyncClient] = field(default_factory=dict)

    @property
    def engine(self) -> AsyncEngine:
        return self.context.engine

    def product(self, slug: str, name: str) -> Product:
        return self.products[slug, name]

    async def person(self, login: str) -> httpx.AsyncClient:
        """A client that is signed in as this person and sends the session's token with every request."""
        if login not in self._signed_in:
            await self.hired(login)
            session = await sign_in(self.context, login, PASSWORD)
            client = await self._clients.enter_async_context(_client(self.app))
            client.cookies.set(COOKIE, session.token, domain=httpx.URL(BASE).host)
            client.headers["X-CSRF-Token"] = session.csrf
            self._signed_in[login] = client
        return self._signed_in[login]

    def forget(self, login: str) -> None:
        """Their session is over; the next request signs in again."""
        self._signed_in.pop(login)

    async def hired(self, login: str) -> UUID:
        """The person's id; they come into the network when they are first needed."""
        if login not in self._persons:
            grants = [Grant(role, self.venues[slug].id if slug else None) for role, slug in PEOPLE[login]]
            name = NAMES[login]
            self._persons[login] = await create_person(self.context, login, name, PASSWORD, PIN, grants, actor="test")
        return self._persons[login]

    async def post(
        self, login: str, path: str, body: Mapping[str, object] | None = None, key: UUID | None = None
    ) -> httpx.Response:
        """POST as a person; `key` is the Idempotency-Key (a fresh one by default)."""
        headers = {"Idempotency-Key": str(key or uuid7())}
        return await (await self.person(login)).post(f"/api/v1{path}", json=body, headers=headers)

    async def get(self, login: str, path: str) -> httpx.Response:
        return await (await self.person(login)).get(f"/api/v1{path}")

    async def terminal(self, slug: str, name: str = "Bar", kind: DeviceKind = "till") -> Terminal:
        """A new terminal of this venue, paired past the API, with a fresh token."""
        async with self.engine.begin() as connection:
            code = await make_pairing_code(connection, self.venues[slug].id, name)
        return await self.pair(code, kind=kind)

    async def pair(self, code: str, key: Ed25519PrivateKey | None = None, kind: DeviceKind = "till") -> Terminal:
        """Redeem a code, as a device with this key (a new one by default) would."""
        key = key or Ed25519PrivateKey.generate()
        public = base64.b64encode(key.public_key().public_bytes_raw()).decode()
        it = await pair(self.engine, PairingRequest(code=code, public_key=public, version="test", kind=kind))
        token = issue_terminal_token(self.context.keys.token, it.id, it.epoch, now_us() + TOKEN_LIFETIME_US)
        venue = next(at for at in self.venues.values() if at.id == it.venue)
        return Terminal(self, it.id, venue, it.epoch, key, token, Journal(it.id, it.epoch, key))

    async def top_up(self, card: str, amount: int, slug: str = "raffinerie", currency: Currency = RAF) -> None:
        """Cash at the counter, past the API."""
        await at_the_counter(self.ledger, self.venues[slug], self.cards[card], currency, amount, uuid7(), actor="test")

    async def define(self, currency: Currency, policy: Policy | None = None, at: Sequence[str] = ()) -> None:
        """A further currency, with its rules from ever on, taken by the venues `at` (their slugs)."""
        async with self.engine.begin() as connection:
            await add(connection, currency)
            for slug in at:
                accepted = (*self.venues[slug].accepted, currency.code)
                await set_accepted(connection, self.venues[slug].id, accepted)
                self.venues[slug] = replace(self.venues[slug], accepted=accepted)
        if policy is not None:
            await self.rules(currency, policy)

    async def rules(self, currency: Currency, policy: Policy, valid_from_us: int = 0) -> None:
        """A new version of a currency's rules."""
        async with self.engine.begin() as connection:
            await add_policy(connection, currency.code, policy, valid_from_us, "test")

    async def price(self, slug: str, name: str, code: str, amount: int) -> None:
        """Sell a product for a further currency, or at another price."""
        product = self.products[slug, name]
        async with self.engine.begin() as connection:
            await set_price(connection, product.id, code, amount)
        self.products[slug, name] = replace(product, prices={**product.prices, code: amount})

    async def issue(self, card: str, currency: Currency, amount: int) -> None:
        """Put money that is not pegged on a card, past everybody whose task it is."""
        issuance = AccountKey(currency_book(currency.issuer, currency.code), "issuance")
        keys = [issuance, wallet_key(self.cards[card].owner, currency)]
        debit, credit = await self.ledger.accounts(keys)
        await self.ledger.post_one(
            Operation(
                id=uuid7(),
                kind="issue",
                fingerprint=bytes(32),
                postings=(Posting(debit, credit, amount),),
                actor="test",
                occurred_at_us=now_us(),
                business_day=self.venues["raffinerie"].day_of(now_us()),
            )
        )

    async def shift(self, card: str, minutes: int, slug: str = "raffinerie") -> None:
        async with self.context.reader.connect() as connection:
            network = await the_network(connection)
        venue, of = self.venues[slug], self.cards[card]
        await credit_shift(self.ledger, network, venue, of, TEMPS, minutes, uuid7(), actor="test", reason="Plonge")

    async def block(self, card: str, status: Literal["active", "blocked"] = "blocked") -> None:
        async with self.engine.begin() as connection:
            await set_blocked(connection, "command line", self.cards[card].id, status == "blocked")
        self.cards[card] = replace(self.cards[card], status=status)

    async def holds(self, card: str) -> dict[str, int]:
        """Minor units by currency, less what is owed."""
        async with self.context.reader.connect() as connection:
            of, known = await card_by_uid(connection, CARDS[card]), await currencies(connection)
        return await balances(self.ledger, of.owner, known)

    async def claims(self, slug: str) -> dict[str, int]:
        """What the venue has taken: minor units by currency, currencies without any left out."""
        rows = await self.ledger.balances(owners=[self.venues[slug].owner], kinds=["claim"])
        return {row.key.book.currency: row.balance for row in rows if row.balance}

    async def suspense(self) -> dict[str, int]:
        rows = await self.ledger.balances(kinds=["suspense"])
        return {row.key.book.currency: row.balance for row in rows if row.balance}

    async def exceptions(self, login: str = "nadia") -> list[tuple[str, dict[str, Any]]]:
        """(kind, details) of those that are open, the oldest first."""
        answer = await self.get(login, "/exceptions")
        assert answer.status_code == 200, answer.text
        return [(it["kind"], it["details"]) for it in reversed(answer.json())]


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[FastAPI]:
    """The application, started as uvicorn would and stopped at the end."""
    app = _app(settings.base_url, settings.payments, settings.mail, settings.body_limit_bytes)
    app.state.settings = settings
    async with app.router.lifespan_context(app):
        yield app


@dataclass(frozen=True, slots=True)
class Founded:
    """What is in the network at the start of each test."""

    venues: dict[str, Venue]
    products: dict[tuple[str, str], Product]
    cards: dict[str, Card]


# By the kind of database that was founded as a template: copies of it need not be asked what is in them.
_templates: dict[str, Founded] = {}


def found_template(url: str) -> None:
    """Found the network in an empty, migrated database that others are copied from. Runs an event loop of its own."""

    async def run() -> None:
        engine = create_engine(url)
        async with engine.begin() as connection:
            _templates[engine.dialect.name] = await found(connection)
        await engine.dispose()

    asyncio.run(run())


async def found(connection: AsyncConnection) -> Founded:
    """Two currencies, two venues with what they sell, and three cards, in an empty database."""
    products: dict[tuple[str, str], Product] = {}
    for currency in (RAF, TEMPS):
        await add(connection, currency)
    ids = {
        slug: await add_venue(connection, slug, slug.capitalize(), zone, time(6), ACCEPTED[slug])
        for slug, zone in ZONES.items()
    }
    for slug, sold in SOLD.items():
        for name, prices in sold.items():
            products[slug, name] = Product(uuid7(), name, f"{name} (en)", "Bar", "#d9a441", prices)
            await add_product(connection, ids[slug], products[slug, name])
    cards = {name: await add_card(connection, uid, f"Carte de {name}") for name, uid in CARDS.items()}
    await set_network(connection, "Les Comptoirs liés", NetworkSettings())
    return Founded({it.slug: it for it in (await venues(connection)).values()}, products, cards)


@asynccontextmanager
async def network_of(app: FastAPI, settings: Settings) -> AsyncIterator[Network]:
    """Open the doors to a running application, over a copy of the template or a database that is still empty."""
    context: Context = app.state.context
    async with context.engine.begin() as connection:
        copied = await venues(connection)
        it = _templates[connection.dialect.name] if copied else await found(connection)
    async with AsyncExitStack() as clients:
        client = await clients.enter_async_context(_client(app))
        ledger = app.state.ledger
        # A test may change what it holds in its hands, and no other test.
        here = (dict(it.venues), dict(it.products), dict(it.cards))
        yield Network(app, settings, context, ledger, client, *here, clients)


@cache
def _app(
    base_url: str, payments: Literal["none", "sandbox"], mail: Literal["none", "sandbox"], body_limit_bytes: int
) -> FastAPI:
    """One application for all tests whose settings wire it alike: it costs more to build than most tests to run."""
    return create_app(Settings(base_url=base_url, payments=payments, mail=mail, body_limit_bytes=body_limit_bytes))


def _client(app: FastAPI) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=BASE)


def problem(answer: httpx.Response) -> tuple[int, str]:
    """(status, the problem's code) of an answer that refuses; its body is well formed and says something."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    body = answer.json()
    assert body["status"] == answer.status_code
    assert body["title"]
    assert body["detail"]
    return answer.status_code, body["type"].removeprefix("/problems/")
