"""The network with the sandbox provider, whose Rafftou are refunded to holders, and a reserve with a bank account."""

from __future__ import annotations

import pytest

from app.identity.roles import Role
from app.platform.settings import Settings
from app.rules.policy import Fee, Issue, Policy, Redeem, Refund
from app.settlement.bank_details import ask, decide
from app.settlement.rules.accounts import Details
from app.settlement.terms import NetworkTerms, set_terms
from tests.support.network import NAMES, PEOPLE, RAF, Network

RESERVE = "FR7630006000011234567890189"
TERMS = Refund(fixed=50, minimum=100)


@pytest.fixture
def network_settings(network_settings: Settings) -> Settings:
    return network_settings.model_copy(update={"payments": "sandbox", "mail": "sandbox"})


def policy(terms: Refund = TERMS) -> Policy:
    return Policy(
        issue=Issue(roles=("cashier", "venue_admin", "network_admin")),
        redeem=Redeem(who=("venues", "holders"), fee=Fee(payer="venue")),
        refund=terms,
    )


@pytest.fixture
async def refunding(network: Network, monkeypatch: pytest.MonkeyPatch) -> Network:
    monkeypatch.setitem(PEOPLE, "olga", ((Role.NETWORK_ADMIN, None),))
    monkeypatch.setitem(NAMES, "olga", "Olga Saint-Denis")
    await network.rules(RAF, policy())
    async with network.engine.begin() as connection:
        await set_terms(connection, "network", NetworkTerms(bank_delay_h=0), actor="test")
    change = await ask(network.engine, "network", Details("Les Comptoirs liés", RESERVE), actor="one")
    await decide(network.engine, change.id, "approved", actor="another")
    return network
