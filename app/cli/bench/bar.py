"""The network that a terminal is measured with: cards, products, a cashier, pairing codes."""

from __future__ import annotations

import asyncio
import json
from datetime import time
from pathlib import Path

import click

PIN = "4711"
FUNDS = 10**6
# Sales and their intents are rows: more of them than the longest backlog that is measured.
JOURNAL_ROWS = 50_000
# Real cards' numbers follow no order, and a snapshot of numbers in order would be far smaller. An odd factor gives each
# card a number of its own; readers.bench.hand lays down the same ones.
SPREAD = 0x9E3779B97F4B
CATEGORIES = ("Bar", "Cuisine", "Boissons chaudes", "Épicerie", "Billetterie")


@click.command(hidden=True)
@click.option("--data", type=click.Path(file_okay=False, path_type=Path), required=True)
@click.option("--cards", type=click.IntRange(1, 1_000_000), required=True)
@click.option("--products", type=click.IntRange(1, 10_000), required=True)
@click.option("--terminals", type=click.IntRange(1, 50), default=4, show_default=True)
def ground(data: Path, cards: int, products: int, terminals: int) -> None:
    """Fill the empty folder --data with a network to measure terminals on; prints its pairing codes and PIN as JSON."""
    from app.platform.migrate import upgrade  # noqa: PLC0415
    from app.platform.settings import Settings  # noqa: PLC0415

    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    settings = Settings(data=data, database_url=None)
    upgrade(settings.sqlalchemy_url)
    codes = asyncio.run(_fill(data, cards, products, terminals))
    click.echo(json.dumps({"codes": codes, "pin": PIN}))


async def _fill(data: Path, cards: int, products: int, terminals: int) -> list[str]:
    from app.cards.service import add_cards  # noqa: PLC0415
    from app.cli.bench.ground import fund  # noqa: PLC0415
    from app.currencies.service import Currency, add  # noqa: PLC0415
    from app.identity.roles import Grant, Role  # noqa: PLC0415
    from app.identity.service import create_person  # noqa: PLC0415
    from app.ledger.service import Ledger  # noqa: PLC0415
    from app.money import Unit  # noqa: PLC0415
    from app.platform.context import Context  # noqa: PLC0415
    from app.platform.settings import Settings  # noqa: PLC0415
    from app.rules.ids import uuid7  # noqa: PLC0415
    from app.terminals.service import make_pairing_code  # noqa: PLC0415
    from app.venues.rules import NetworkSettings  # noqa: PLC0415
    from app.venues.service import Product, add_product, add_venue, set_network  # noqa: PLC0415

    settings = Settings(data=data, database_url=None)
    context = Context.open(settings)
    async with context.engine.begin() as connection:
        await set_network(connection, "Bench", NetworkSettings(journal_rows=JOURNAL_ROWS))
        money = Currency("RAF", "network", "pegged", Unit.CENT, "Rafftou", "Rafftou", "€", 1)
        await add(connection, money)
        venue = await add_venue(connection, "bar", "Bar", "Europe/Paris", time(6), ("RAF",))
        for number in range(products):
            category = CATEGORIES[number % len(CATEGORIES)]
            name = f"Produit {number + 1}"
            product = Product(uuid7(), name, f"Product {number + 1}", category, "#d9a441", {"RAF": 1 + number % 9})
            await add_product(connection, venue, product)
        added = await add_cards(connection, [(f"04{n * SPREAD % 2**48:012X}", f"{n:06d}") for n in range(cards)])
        codes = [await make_pairing_code(connection, venue, f"Bench {n + 1}") for n in range(terminals)]
    grants = [Grant(Role.CASHIER, venue)]
    await create_person(context, "bench", "Bench", "a long password for nobody", PIN, grants, actor="bench")
    ledger = Ledger.open(context.engine, settings.sqlalchemy_url, context.keys.signing, queue_limit=cards)
    await ledger.start()
    await fund(ledger, money, [card.owner for card in added], FUNDS)
    await ledger.stop()
    await context.close()
    return codes
