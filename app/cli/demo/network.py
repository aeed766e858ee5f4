"""The demo's network as data, and how it is put into an empty database."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from app.cards.service import add_cards, all_cards
from app.cli.apply.document import unit_of_kind
from app.cli.apply.reading import read_network_file
from app.cli.apply.service import accept, propose
from app.cli.demo.artists import add_artists
from app.cli.demo.events import add_events
from app.cli.demo.life import live
from app.cli.setup import has_network
from app.money import Unit, parse_amount
from app.platform.context import Context
from app.platform.secrets import write_private
from app.terminals.service import make_pairing_code
from app.venues.service import venues

# The same file as docs/examples/network.yaml, where people look for it; a test holds them alike.
NETWORK = Path(__file__).parent / "network.yaml"
PASSES = "demo.json"

# Anonymous cards, numbered from 001; the first ones carry a name on the tray so that a demonstration can speak of them.
CARDS = {"count": 36, "nicknames": ["Awa", "Basile", "Camille", "Djamila", "Émile", "Fatou", "Gwenn", "Hugo"]}


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
    """network.yaml, as written, and the demo's `cards`."""
    document: dict[str, Any] = yaml.safe_load(NETWORK.read_text(encoding="utf-8"))
    return document | {"cards": CARDS}


def unit_of(currency: dict[str, Any]) -> Unit:
    return unit_of_kind(currency["kind"])


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
    """Fill an empty database; what is there already is left alone. Passwords go into a file only its owner reads."""
    if not await has_network(context):
        want = read_network_file(NETWORK.read_text(encoding="utf-8"))
        proposal = await propose(context, want)
        accounts = []
        for login, person in (want.people or {}).items():
            role, venue = min(person.roles)
            key = proposal.keys[login]
            accounts.append(Account(login, person.name, role, venue, key.password, key.pin))
        # Before the people are there: nobody's password is lost, whenever this process ends.
        passes = data / PASSES
        passes.unlink(missing_ok=True)
        write_private(passes, json.dumps([{k: getattr(a, k) for k in Account.__slots__} for a in accounts]).encode())
        await accept(context, proposal, "demo")
    async with context.engine.begin() as connection:
        if not await all_cards(connection):
            labels = enumerate(card_labels(read_network()), 1)
            await add_cards(connection, [(card_uid(number), label) for number, label in labels])
        await add_artists(connection)
        await add_events(connection)
    await live(context)


def read_accounts(data: Path) -> list[Account]:
    return [Account(**it) for it in json.loads((data / PASSES).read_text())]


async def pairing_code(context: Context, slug: str, name: str) -> str:
    async with context.engine.begin() as connection:
        venue = next(it for it in (await venues(connection)).values() if it.slug == slug)
        return await make_pairing_code(connection, venue.id, name)
