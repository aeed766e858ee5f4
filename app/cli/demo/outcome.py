"""How an evening ended: what the ledger says, what the paper says, and where they differ."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx

from app.cli.demo.events import BLIND, CANCELLED, CONCERT
from app.cli.demo.life import PLANS, TICKETS
from app.cli.demo.network import unit_of
from app.cli.demo.paper import Paper
from app.cli.demo.player import Player
from app.money import format_amount


async def balances(client: httpx.AsyncClient, player: Player) -> dict[str, Any]:
    """Everything that is owed, as the server tells it: minor units by currency, euro cents where it says cents."""
    cards = {}
    for number, card in enumerate(player.stage.cards, 1):
        found = (await client.get(f"/api/v1/cards/{card.uid}/balances")).raise_for_status().json()["balances"]
        cards[f"{number:03d}"] = {code: amount for code, amount in found.items() if amount}
    positions = (await client.get("/api/v1/positions")).raise_for_status().json()
    reserve = (await client.get("/api/v1/reserve")).raise_for_status().json()
    return {
        "cards": {number: held for number, held in cards.items() if held},
        "venues": {
            it["slug"]: {
                "claims": {code: amount for code, amount in it["claims"].items() if amount},
                "due_cents": it["due_cents"],
                "net_cents": it["net_cents"],
            }
            for it in positions
        },
        "circulation": {it["currency"]: it["issued"] for it in reserve["circulation"]},
        "reserve": {key: reserve[key] for key in ("bank_cents", "clearing_cents", "due_from_cents", "liability_cents")},
    }


def expected(paper: Paper, before: dict[str, Any]) -> dict[str, Any]:
    """What `balances` must say after the evening, given what it said before."""
    network = paper.network
    rates = {code: it.get("cents_per_unit") for code, it in network["currencies"].items()}
    cards = {
        number: _sum(before["cards"].get(number, {}), paper.cards[int(number)])
        for number in sorted({*before["cards"], *(f"{card:03d}" for card in paper.cards)})
    }
    venues = {}
    for slug in network["venues"]:
        was = before["venues"][slug]
        claims, due = _sum(was["claims"], paper.claims[slug]), was["due_cents"] + paper.due[slug]
        worth = sum(amount * rates[code] for code, amount in claims.items() if rates[code])
        venues[slug] = {"claims": claims, "due_cents": due, "net_cents": worth - due}
    circulation = {code: before["circulation"][code] + paper.issued[code] for code in network["currencies"]}
    reserve = {
        "bank_cents": before["reserve"]["bank_cents"],
        "clearing_cents": before["reserve"]["clearing_cents"] + paper.clearing,
        "due_from_cents": before["reserve"]["due_from_cents"] + sum(paper.due.values()),
        "liability_cents": sum(amount * rates[code] for code, amount in circulation.items() if rates[code]),
    }
    return {
        "cards": {number: held for number, held in cards.items() if held},
        "venues": venues,
        "circulation": circulation,
        "reserve": reserve,
    }


def differences(said: Any, meant: Any, at: str = "") -> list[str]:
    """Where two documents differ, a line each."""
    if isinstance(said, dict) and isinstance(meant, dict):
        found = []
        for key in sorted({*said, *meant}):
            found += differences(said.get(key, 0), meant.get(key, 0), f"{at}.{key}" if at else str(key))
        return found
    return [] if said == meant else [f"{at}: the ledger says {said}, the paper {meant}"]


async def missing(client: httpx.AsyncClient) -> list[str]:
    """What a newcomer should find in the network and does not, a line each."""

    async def asked(path: str) -> Any:
        return (await client.get(f"/api/v1/{path}")).raise_for_status().json()

    dates = {it["titles"]["fr"]: it for it in await asked("events")}
    members = {it["name"] for it in await asked("memberships/register")}
    meant = {name for plan in PLANS for name in plan.members.values()}
    found = [f"{name} is no member" for name in sorted(meant - members)]
    found += [] if await asked("memberships/consultations") else ["members are asked nothing"]
    for title, standing in ((CONCERT, "open"), (BLIND, "full"), (CANCELLED, "cancelled")):
        if (it := dates.get(title)) is None or it["standing"] != standing:
            found.append(f"{title} is not {standing}")
    if sum(it["sold"] for it in dates.values()) != TICKETS:
        found.append(f"not {TICKETS} tickets are sold")
    return found


def tell(document: dict[str, Any], network: dict[str, Any], echo: Callable[[str], None]) -> None:
    """Who owes whom and the ledger's proof, for people."""

    def money(amount: int, code: str) -> str:
        currency = network["currencies"][code]
        return format_amount(amount, unit_of(currency), currency["symbol"])

    echo("\nQui doit quoi à qui")
    for slug, it in document["venues"].items():
        claims = ", ".join(money(amount, code) for code, amount in it["claims"].items()) or "rien"
        due = money(it["due_cents"], "RAF")
        echo(
            f"  {network['venues'][slug]['name']:<22} a encaissé {claims} ; doit {due} d'espèces ; "
            f"net {money(it['net_cents'], 'RAF')}"
        )
    echo("\nCartes")
    for number, held in document["cards"].items():
        echo(f"  {number}  " + ", ".join(money(amount, code) for code, amount in held.items()))
    proof = document["proof"]
    echo("\nPreuve du grand livre")
    echo(f"  {proof['operations']} opérations, {proof['transfers']} transferts, {proof['accounts']} comptes")
    for peg in proof["pegs"]:
        echo(
            f"  {peg['currency']} en circulation {money(peg['issuance'], peg['currency'])}"
            f" = réserve due {money(peg['liability'], 'RAF')}"
        )
    for line in (*document["surprises"], *document["differences"], *proof["findings"]):
        echo(f"  FAUX : {line}")
    echo("\nTout concorde." if document["ok"] else "\nLes comptes ne concordent pas.")


def _sum(before: dict[str, int], change: dict[str, int]) -> dict[str, int]:
    codes = {*before, *change}
    both = {code: before.get(code, 0) + change.get(code, 0) for code in sorted(codes)}
    return {code: amount for code, amount in both.items() if amount}
