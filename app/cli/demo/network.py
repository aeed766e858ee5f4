"""The demo's network as data, and how it is put into an empty database."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from datetime import time
from pathlib import Path
from typing import Any

import yaml

from app.cards.service import add_card
from app.cli.setup import has_network
from app.currencies.service import Currency, add
from app.identity.roles import Grant, Role
from app.identity.service import create_person
from app.money import Unit, parse_amount
from app.platform.context import Context
from app.platform.secrets import write_private
from app.rules.ids import uuid7
from app.terminals.service import make_pairing_code
from app.venues.rules import NetworkSettings
from app.venues.service import Product, add_product, add_venue, set_network, venues

NETWORK = Path(__file__).parent / "network.yaml"
PASSES = "demo.json"


@dataclass(frozen=True, slots=True)
class Account:
    """Someone who may sign in: on the pages with login and password, at a terminal with the PIN."""

    login: str
    name: str
    role: str
    venue: str | None
    password: str
    pin: str


def read_network() -> dict[str, Any]:
    """network.yaml, as written."""
    document: dict[str, Any] = yaml.safe_load(NETWORK.read_text(encoding="utf-8"))
    return document


def unit_of(currency: dict[str, Any]) -> Unit:
    return Unit.MINUTE if currency["kind"] == "time" else Unit.CENT


def prices(network: dict[str, Any], venue: str, product: str) -> dict[str, int]:
    """Minor units by currency."""
    written = network["venues"][venue]["products"][product]["prices"]
    return {code: parse_amount(text, unit_of(network["currencies"][code])) for code, text in written.items()}


def card_labels(network: dict[str, Any]) -> list[str]:
    names = network["cards"]["nicknames"]
    return [
        f"{number:03d}" + (f" {names[number - 1]}" if number <= len(names) else "")
        for number in range(1, network["cards"]["count"] + 1)
    ]


def card_uid(number: int) -> str:
    """A 7-byte UID as NXP numbers them (the first byte is 04); made up, and the same in every demo."""
    return f"04C0FFEE{number:04X}80"


async def seed(context: Context, data: Path) -> None:
    """Fill an empty database; leave one with a network alone. Passwords go into a file only its owner reads."""
    if await has_network(context):
        return
    network = read_network()
    async with context.engine.begin() as connection:
        for position, (code, it) in enumerate(network["currencies"].items()):
            names = it["names"]
            await add(
                connection,
                Currency(
                    code,
                    "network",
                    it["kind"],
                    unit_of(it),
                    names["fr"],
                    names["en"],
                    it["symbol"],
                    it.get("cents_per_unit"),
                    position,
                ),
            )
        ids = {}
        for slug, it in network["venues"].items():
            ids[slug] = await add_venue(connection, slug, it["name"], it["zone"], time(6), tuple(it["accepts"]))
            for name, sold in it["products"].items():
                new = Product(uuid7(), name, sold["en"], sold["category"], sold["colour"], prices(network, slug, name))
                await add_product(connection, ids[slug], new)
        for number, label in enumerate(card_labels(network), 1):
            await add_card(connection, card_uid(number), label)
    accounts = [
        Account(
            login, it["name"], it["role"], it.get("venue"), secrets.token_urlsafe(9), f"{secrets.randbelow(10**4):04d}"
        )
        for login, it in network["people"].items()
    ]
    for account in accounts:
        grant = Grant(Role(account.role), ids[account.venue] if account.venue else None)
        await create_person(context, account.login, account.name, account.password, account.pin, [grant], actor="demo")
    passes = data / PASSES
    passes.unlink(missing_ok=True)
    write_private(passes, json.dumps([{k: getattr(a, k) for k in Account.__slots__} for a in accounts]).encode())
    # Last: a database without its network is one that is not seeded yet.
    async with context.engine.begin() as connection:
        await set_network(connection, network["name"], NetworkSettings(zone=network["zone"]))


def read_accounts(data: Path) -> list[Account]:
    return [Account(**it) for it in json.loads((data / PASSES).read_text())]


async def pairing_code(context: Context, slug: str, name: str) -> str:
    async with context.engine.begin() as connection:
        venue = next(it for it in (await venues(connection)).values() if it.slug == slug)
        return await make_pairing_code(connection, venue.id, name)
