"""A month in three venues with two moneys, and the people and bank accounts that settle it.

settling = await settling_of(network, monkeypatch)      # the fixture of tests/app/settlement/conftest.py
bar, late = await month(settling)                       # the figures: tests/app/settlement/test_month.py
run = await settling.frozen()
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import time
from typing import Any
from uuid import UUID

import pytest

from app.currencies.service import Currency
from app.identity.roles import Role
from app.ledger.rules.kinds import AccountKey
from app.ledger.rules.operations import Operation, Posting
from app.ledger.service import currency_book, reserve_book
from app.money import Unit
from app.platform.clock import now_us
from app.rules.ids import uuid7
from app.rules.policy import Fee, Issue, Policy, Redeem
from app.settlement.bank_details import ask, decide
from app.settlement.rules.accounts import Details
from app.settlement.terms import NetworkTerms, set_terms
from app.venues.rules import NetworkSettings
from app.venues.service import Product, add_product, add_venue, set_network, venues
from app.wire import RefundRow, SaleRow, VoidRow
from tests.support.network import NAMES, PEOPLE, RAF, Network, Terminal

IBANS = {
    "network": "FR7630006000011234567890189",
    "raffinerie": "FR1420041010050500013M02606",
    "canal": "BE68539007547034",
    "guinguette": "DE89370400440532013000",
}
REDEEMED = Redeem(who=("venues", "holders"), fee=Fee(500, 50, 2_000, payer="venue"))


CASHIER = UUID(int=7)
PAIN_002 = """<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.10"><CstmrPmtStsRpt><OrgnlPmtInfAndSts>{}
</OrgnlPmtInfAndSts></CstmrPmtStsRpt></Document>"""
ONE = """<TxInfAndSts><OrgnlEndToEndId>{name}</OrgnlEndToEndId><TxSts>{status}</TxSts>{reason}
<OrgnlTxRef><Amt><InstdAmt Ccy="EUR">{euros}</InstdAmt></Amt></OrgnlTxRef></TxInfAndSts>"""
CLOSED = "<StsRsnInf><Rsn><Cd>AC04</Cd></Rsn><AddtlInf>Compte clos</AddtlInf></StsRsnInf>"


@dataclass
class Settling:
    """The network with a third venue, Canal's own money, two network admins (nadia, olga), and everybody's accounts."""

    network: Network
    own: Currency

    async def post(self, login: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        answer = await self.network.post(login, path, body or {})
        assert answer.status_code in {200, 201}, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def get(self, run: dict[str, Any], login: str = "nadia") -> dict[str, Any]:
        answer = await self.network.get(login, f"/settlements/{run['id']}")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def frozen(self, cut_off_us: int | None = None, percent: int = 100) -> dict[str, Any]:
        asked = {"cut_off_us": now_us() if cut_off_us is None else cut_off_us, "percent": percent}
        run = await self.post("nadia", "/settlements", asked)
        return await self.post("nadia", f"/settlements/{run['id']}/freeze")

    async def accepted(self, run: dict[str, Any], *slugs: str) -> None:
        """By the network, which looks after every venue here."""
        for slug in slugs:
            venue = self.network.venues[slug].id
            await self.post("nadia", f"/settlements/{run['id']}/statements/{venue}/answer", {"answer": "accepted"})

    async def settled(self, *slugs: str, cut_off_us: int | None = None) -> dict[str, Any]:
        """A run up to the file for the bank."""
        run = await self.frozen(cut_off_us)
        await self.accepted(run, *slugs)
        await self.post("olga", f"/settlements/{run['id']}/approve")
        return await self.post("nadia", f"/settlements/{run['id']}/send")

    def statement(self, run: dict[str, Any], slug: str) -> dict[str, Any]:
        venue = str(self.network.venues[slug].id)
        return next(it for it in run["statements"] if it["venue"] == venue)

    def lines(self, run: dict[str, Any], slug: str) -> list[tuple[str, str, int]]:
        """(kind, currency, cents) of a venue's statement."""
        return [(it["kind"], it["currency"], it["cents"]) for it in self.statement(run, slug)["lines"]]

    def payments(self, run: dict[str, Any]) -> dict[str, int]:
        names = {str(it.id): slug for slug, it in self.network.venues.items()}
        return {names[it["venue"]]: it["cents"] for it in run["payments"]}

    async def books(self, *kinds: str) -> dict[str, int]:
        """Balances that are not 0, by kind and owner (a venue by its slug), as an accountant names them."""
        owners = {it.owner: slug for slug, it in self.network.venues.items()}
        rows = [it for it in await self.network.ledger.balances(kinds=kinds) if it.balance]
        names = [
            (owners.get(it.key.book.issuer, ""), it.key.kind, owners.get(it.key.owner, it.key.owner)) for it in rows
        ]
        return {" ".join(filter(None, name)): it.balance for name, it in zip(names, rows, strict=True)}

    async def load_online(self, card: str, cents: int) -> None:
        keys = [
            AccountKey(reserve_book("network"), "clearing", "sandbox"),
            AccountKey(reserve_book("network"), "liability", "RAF"),
            AccountKey(currency_book("network", "RAF"), "issuance"),
            AccountKey(currency_book("network", "RAF"), "wallet", self.network.cards[card].owner),
        ]
        clearing, liability, issuance, wallet = await self.network.ledger.accounts(keys, {"RAF": 1})
        await self.network.ledger.post_one(
            Operation(
                id=uuid7(),
                kind="topup.online",
                fingerprint=bytes(32),
                postings=(Posting(clearing, liability, cents), Posting(issuance, wallet, cents)),
                actor="test",
                occurred_at_us=now_us(),
                business_day=self.network.venues["canal"].day_of(now_us()),
            )
        )


async def third_venue(network: Network) -> UUID:
    async with network.engine.begin() as connection:
        id_ = await add_venue(connection, "guinguette", "Guinguette", "Europe/Paris", time(6), ("RAF",))
        for name, prices in (("Bal", {"RAF": 550}), ("Assiette", {"RAF": 600})):
            product = Product(uuid7(), name, name, "Bar", "#d9a441", prices)
            await add_product(connection, id_, product)
            network.products["guinguette", name] = product
        network.venues["guinguette"] = (await venues(connection))[id_]
    return id_


async def settling_of(network: Network, monkeypatch: pytest.MonkeyPatch) -> Settling:
    monkeypatch.setitem(PEOPLE, "olga", ((Role.NETWORK_ADMIN, None),))
    monkeypatch.setitem(NAMES, "olga", "Olga Saint-Denis")
    await third_venue(network)
    canal = network.venues["canal"].owner
    own = Currency("CAN", canal, "pegged", Unit.CENT, "Canal", "Canal", "c", 1, 5)
    issue = Issue(roles=("cashier", "venue_admin", "network_admin"))
    await network.define(own, Policy(issue=issue, redeem=Redeem(who=("venues",))), at=["canal", "guinguette"])
    await network.price("guinguette", "Assiette", "CAN", 600)
    await network.rules(RAF, Policy(issue=issue, redeem=REDEEMED))
    terms = NetworkTerms(cover="shared", venue_share=5_000, bank_delay_h=0)
    async with network.engine.begin() as connection:
        await set_network(connection, "Les Comptoirs liés", NetworkSettings(fee_vat_basis_points=2000))
        await set_terms(connection, "network", terms, actor="test")
    for whose, iban in IBANS.items():
        subject = "network" if whose == "network" else network.venues[whose].owner
        change = await ask(network.engine, subject, Details(whose.capitalize(), iban), actor="one")
        await decide(network.engine, change.id, "approved", actor="another")
    return Settling(network, own)


def pain_002(run: dict[str, Any], rejected: set[str]) -> bytes:
    said = [
        ONE.format(
            name=it["end_to_end"],
            status="RJCT" if it["venue"] in rejected else "ACSC",
            reason=CLOSED if it["venue"] in rejected else "",
            euros=f"{it['cents'] // 100}.{it['cents'] % 100:02d}",
        )
        for it in run["payments"]
    ]
    return PAIN_002.format("".join(said)).encode()


async def month(settling: Settling) -> tuple[Terminal, SaleRow]:
    """Everything up to the cut-off; what is still on Raffinerie's terminal."""
    network = settling.network
    await settling.load_online("awa", 5000)
    await network.top_up("basile", 2500, "raffinerie")
    await network.top_up("camille", 3000, "canal", settling.own)
    bar = await network.terminal("raffinerie")
    back = {"card": network.cards["basile"].uid, "currency": "RAF", "amount": 500, "cashier": CASHIER}
    await bar.deliver(RefundRow(mode="online", id=uuid7(), at_us=now_us(), **back))
    till, terrace = await network.terminal("canal"), await network.terminal("guinguette")
    undone = bar.sale("awa", {"Demi": 1})
    for answer in (
        await bar.sell("awa", {"Demi": 8}),
        await bar.sell(undone),
        await till.sell("awa", {"Tarte": 5}),
        await terrace.sell("camille", {"Assiette": 2}, "CAN"),
    ):
        assert answer.status_code == 201, answer.text
    await bar.deliver(VoidRow(id=uuid7(), sale=undone.id, at_us=now_us(), reason="Erreur", cashier=None))
    await terrace.deliver(terrace.sale_row("basile", {"Bal": 4}))
    late = bar.sale_row("awa", {"Demi": 1})
    return bar, late
