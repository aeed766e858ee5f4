"""What is measured on: a database with a network of 10,000 funded cards, and terminals that may sell."""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import time
from hashlib import sha256
from pathlib import Path
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from app.cards.service import add_cards, overdraft_key, wallet_key
from app.currencies.service import Currency, add, rates
from app.identity.tokens import issue_terminal_token
from app.ledger.rules.kinds import AccountKey
from app.ledger.rules.operations import Operation, Posting
from app.ledger.service import Ledger, currency_book, reserve_book
from app.money import Unit
from app.platform.clock import now_us
from app.platform.context import Context
from app.platform.settings import Settings
from app.rules.business_day import business_day
from app.rules.ids import uuid7
from app.terminals.service import make_pairing_code, pair
from app.venues.rules import NetworkSettings
from app.venues.service import Product, add_product, add_venue, set_network
from app.wire import (
    GENESIS,
    Batch,
    JournalRow,
    PairingRequest,
    Sale,
    SaleLine,
    SaleRow,
    Tender,
    batch_message,
    row_hash,
)

CARDS = 10_000
# Enough that no wallet runs dry in any case.
FUNDS = 10**9
BATCH_ROWS = 500
TOKEN_LIFETIME_US = 24 * 3600 * 1_000_000


@dataclass(frozen=True, slots=True)
class Device:
    id: UUID
    key: Ed25519PrivateKey
    token: str


@dataclass(frozen=True, slots=True)
class Ground:
    """One venue that every sale credits (the hot account), cards by UID, one product, and paired terminals."""

    product: UUID
    uids: tuple[str, ...]
    devices: tuple[Device, ...]

    def sale(self, chance: random.Random) -> Sale:
        line = SaleLine(product=self.product, name="Demi", quantity=1, unit_price=1, currency="RAF")
        return Sale(
            id=uuid7(),
            card=chance.choice(self.uids),
            lines=(line,),
            tenders=(Tender(currency="RAF", amount=1),),
            occurred_at_us=now_us(),
        )

    def sales(self, count: int, path: Path) -> Path:
        """`count` bodies for POST /api/v1/sales, a line each."""
        chance = random.Random(count)  # noqa: S311 (a load, not a secret)
        path.write_bytes(b"\n".join(self.sale(chance).model_dump_json().encode() for _ in range(count)))
        return path


async def prepare(settings: Settings, devices: int) -> Ground:
    """Fill an empty, migrated database."""
    context = Context.open(settings)
    async with context.engine.begin() as connection:
        await set_network(connection, "Bench", NetworkSettings())
        money = Currency("RAF", "network", "pegged", Unit.CENT, "Rafftou", "Rafftou", "€", 1)
        await add(connection, money)
        venue = await add_venue(connection, "bar", "Bar", "Europe/Paris", time(6), ("RAF",))
        product = uuid7()
        await add_product(connection, venue, Product(product, "Demi", "Half", "Bar", "#d9a441", {"RAF": 1}))
        uids = tuple(f"04BE{number:010X}" for number in range(CARDS))
        cards = await add_cards(connection, [(uid, uid[-6:]) for uid in uids])
    ledger = Ledger.open(context.engine, settings.sqlalchemy_url, context.keys.signing, queue_limit=CARDS)
    await ledger.start()
    await fund(ledger, money, [card.owner for card in cards])
    await ledger.stop()
    paired = [await _device(context, venue, number) for number in range(devices)]
    await context.close()
    return Ground(product, uids, tuple(paired))


async def fund(ledger: Ledger, money: Currency, owners: list[str], each: int = FUNDS) -> None:
    """Top up every card with `each` minor units."""
    keys = [
        AccountKey(reserve_book("network"), "clearing", "bench"),
        AccountKey(reserve_book("network"), "liability", "RAF"),
        AccountKey(currency_book("network", "RAF"), "issuance"),
        *(key(owner, money) for key in (wallet_key, overdraft_key) for owner in owners),
    ]
    clearing, liability, issuance, *numbers = await ledger.accounts(keys, rates({"RAF": money}))
    wallets, overdrafts = numbers[: len(owners)], numbers[len(owners) :]
    now = now_us()
    day = business_day(now, "Europe/Paris")
    operations = [
        Operation(
            uuid7(),
            "topup.online",
            sha256(str(wallet).encode()).digest(),
            (Posting(clearing, liability, each), Posting(issuance, overdraft, each, credit_overflow=wallet)),
            "bench",
            now,
            day,
        )
        for wallet, overdraft in zip(wallets, overdrafts, strict=True)
    ]
    for first in range(0, len(operations), BATCH_ROWS):
        await ledger.post(operations[first : first + BATCH_ROWS])


async def _device(context: Context, venue: UUID, number: int) -> Device:
    key = Ed25519PrivateKey.generate()
    public = base64.b64encode(key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)).decode()
    async with context.engine.begin() as connection:
        code = await make_pairing_code(connection, venue, f"Bench {number}")
    found = await pair(context.engine, PairingRequest(code=code, public_key=public, version="bench"))
    token = issue_terminal_token(context.keys.token, found.id, found.epoch, now_us() + TOKEN_LIFETIME_US)
    return Device(found.id, key, token)


def batches(ground: Ground, device: Device, count: int) -> Iterator[bytes]:
    """`count` signed batches of 500 offline sales each, in the order in which the journal runs."""
    chance = random.Random(device.id.int)  # noqa: S311 (a load, not a secret)
    previous, sequence = GENESIS, 0
    for _ in range(count):
        rows = []
        for _ in range(BATCH_ROWS):
            sequence += 1
            payload = SaleRow(mode="offline", sale=ground.sale(chance)).model_dump_json()
            digest = row_hash(device.id, 1, sequence, previous, payload)
            rows.append(JournalRow(sequence=sequence, previous=previous, hash=digest, payload=payload))
            previous = digest
        message = batch_message(device.id, 1, rows[0].sequence, sequence, previous)
        signature = base64.b64encode(device.key.sign(message)).decode()
        batch = Batch(device=device.id, epoch=1, rows=tuple(rows), sent_at_us=now_us(), signature=signature)
        yield batch.model_dump_json().encode()


def history(ground: Ground, device: Device, batches_wanted: int, path: Path) -> Path:
    path.write_bytes(b"\n".join(batches(ground, device, batches_wanted)))
    return path


def job(port: int, path: str, token: str, bodies: Path, clients: int) -> str:
    return json.dumps({"port": port, "path": path, "token": token, "bodies": str(bodies), "clients": clients})
