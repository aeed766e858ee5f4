"""A network of many venues with a year of sales behind it, written by a few set-based statements (year.sql).

It is what the ledger would have written: every balance, digest and seal, and the figures beside it, so that `comptoir
verify` finds nothing. Only the tills' side is left out: no terminal was paired, and no journal row is kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import time
from pathlib import Path
from uuid import UUID

import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy.ext.asyncio import AsyncConnection

from app.cards.service import add_cards, wallet_key
from app.currencies.service import NETWORK, Currency, define, rates
from app.ledger.figures.follow import flow_queries
from app.ledger.figures.tables import figures_head
from app.ledger.rules.kinds import AccountKey
from app.ledger.rules.sealing import GENESIS, link_digest
from app.ledger.service import Ledger, currency_book, reserve_book
from app.money import Unit
from app.platform.clock import now_us
from app.platform.context import Context
from app.rules.ids import uuid7
from app.rules.policy import Fee, Policy, Redeem
from app.venues.rules import NetworkSettings
from app.venues.service import Product, add_product, add_venue, set_network

SQL = Path(__file__).with_name("year.sql")
SPAN_US = 365 * 24 * 3_600_000_000
# The last sale is an hour old.
AGO_US = 3_600_000_000
# Sales that one card makes in the year.
EACH = 100
# What a busy server puts into one batch.
SEALED_AT_ONCE = 500
MONEY = Currency("RAF", NETWORK, "pegged", Unit.CENT, "Rafftou", "Rafftou", "€", 1)
_INDEXES = """
    SELECT i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid) FROM pg_index i
    WHERE i.indrelid IN ('operation'::regclass, 'transfer'::regclass)
        AND NOT EXISTS (SELECT 1 FROM pg_constraint c WHERE c.conindid = i.indexrelid)"""
_BATCHES = """
    SELECT min(seq), max(seq), string_agg(digest, ''::bytea ORDER BY seq), max(booked_at_us) FROM operation
    GROUP BY (seq - 1) / CAST(:size AS bigint) ORDER BY 1"""
_SEAL = """
    INSERT INTO seal (id, first_operation, last_operation, digest, signature, sealed_at_us)
    VALUES (:id, :first, :last, :digest, :signature, :at_us)"""
_HEAD = """
    UPDATE ledger_head SET operation_seq = :last, transfer_id = (SELECT max(id) FROM transfer), seal_id = :id,
        seal_digest = :digest, booked_at_us = :at_us"""


@dataclass(frozen=True, slots=True)
class Year:
    venues: tuple[UUID, ...]
    sales: int
    start_us: int


async def fill(context: Context, sales: int, venues: int) -> Year:
    """Into an empty, migrated PostgreSQL."""
    cards = max(venues, sales // EACH)
    start_us = now_us() - SPAN_US - AGO_US
    async with context.engine.begin() as connection:
        await set_network(connection, "Bench", NetworkSettings())
        redeemed = Redeem(who=("venues",), fee=Fee(500, 50, 2_000, payer="venue"))
        await define(connection, MONEY, Policy(redeem=redeemed), "bench", start_us)
        places, products = [], []
        for number in range(1, venues + 1):
            place = await add_venue(connection, f"bar-{number}", f"Bar {number}", "Europe/Paris", time(6), ("RAF",))
            places.append(place)
            products.append(uuid7())
            product = Product(products[-1], "Demi", "Half", "Bar", "#d9a441", {"RAF": 300})
            await add_product(connection, place, product)
        made = await add_cards(connection, [(f"04BE{number:010X}", f"{number:06}") for number in range(cards)])
    ledger = Ledger.open(context.engine, context.settings.sqlalchemy_url, context.keys.signing)
    reserve, book = reserve_book(NETWORK), currency_book(NETWORK, MONEY.code)
    keys = [
        AccountKey(reserve, "liability", MONEY.code),
        AccountKey(reserve, "clearing", "bench"),
        AccountKey(book, "issuance"),
        *(AccountKey(book, "claim", f"venue:{it}") for it in places),
        *(AccountKey(reserve, "due_from", f"venue:{it}") for it in places),
        *(wallet_key(it.owner, MONEY) for it in made),
    ]
    liability, clearing, issuance, *numbers = await ledger.accounts(keys, rates({MONEY.code: MONEY}))
    values = {
        "sales": sales,
        "cards": cards,
        "venues": venues,
        "start_us": start_us,
        "span_us": SPAN_US,
        "liability": liability,
        "clearing": clearing,
        "issuance": issuance,
        "claims": numbers[:venues],
        "dues": numbers[venues : 2 * venues],
        "wallets": numbers[2 * venues :],
        "venue_ids": places,
        "terminal_ids": [uuid7() for _ in places],
        "product_ids": products,
    }
    async with context.engine.begin() as connection:
        for setting in (
            "statement_timeout = 0",
            "work_mem = '128MB'",
            "maintenance_work_mem = '256MB'",
            "idle_in_transaction_session_timeout = 0",
        ):
            await connection.execute(sa.text(f"SET LOCAL {setting}"))
        # An index that is made at once is made in a fraction of the time.
        indexes = (await connection.execute(sa.text(_INDEXES))).all()
        for name, _ in indexes:
            await connection.execute(sa.text(f"DROP INDEX {name}"))
        for statement in SQL.read_text().split(";\n"):
            if asked := statement.strip():
                text = sa.text(asked)
                await connection.execute(text, {it: values[it] for it in text.compile().params})
        for _, definition in indexes:
            await connection.execute(sa.text(definition))
        await _seal(connection, context.keys.signing)
        newest = (await connection.execute(sa.text("SELECT transfer_id FROM ledger_head"))).scalar_one()
        for query in flow_queries(connection, 0, newest):
            await connection.execute(query)
        await connection.execute(sa.update(figures_head).values(transfer=newest))
    async with context.engine.connect() as connection:
        # As it is some minutes later on a server that runs.
        alone = await connection.execution_options(isolation_level="AUTOCOMMIT")
        await alone.execute(sa.text("SET statement_timeout = 0"))
        await alone.execute(sa.text("VACUUM ANALYZE"))
        await alone.execute(sa.text("CHECKPOINT"))
    return Year(tuple(places), sales, start_us)


async def _seal(connection: AsyncConnection, key: Ed25519PrivateKey) -> None:
    """The chain over all operations, and the head at its end."""
    previous, rows = GENESIS, []
    batches = await connection.execute(sa.text(_BATCHES), {"size": SEALED_AT_ONCE})
    for id_, (first, last, digests, at_us) in enumerate(batches, 1):
        previous = link_digest(previous, id_, first, last, [digests])
        link = {"id": id_, "first": first, "last": last, "digest": previous}
        rows.append({**link, "signature": key.sign(previous), "at_us": at_us})
    await connection.execute(sa.text(_SEAL), rows)
    await connection.execute(sa.text(_HEAD), {it: rows[-1][it] for it in ("id", "last", "digest", "at_us")})
