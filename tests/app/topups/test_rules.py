"""What the currency's rules say to an online top-up: asked before the payment begins, never after it was made."""

from __future__ import annotations

import pytest

from app.platform.errors import DomainError
from app.rules.policy import Issue, Limits, Policy
from app.topups.service import check_room
from app.venues.service import the_network
from tests.support.network import RAF, Network


@pytest.fixture
def database_kind() -> str:
    """What is read here is read alike on both."""
    return "sqlite"


@pytest.mark.parametrize(
    ("policy", "refused"),
    [
        (Policy(), None),
        (Policy(issue=Issue(per_operation=999)), "too-much-at-once"),
        (Policy(issue=Issue(per_operation=1000, per_day=1499)), "daily-cap"),
        (Policy(issue=Issue(per_day=1500), limits=Limits(ceiling=1499)), "over-ceiling"),
        (Policy(issue=Issue(per_day=1500), limits=Limits(ceiling=1500)), None),
    ],
)
async def test_a_payment_begins_only_where_the_rules_have_room(
    network: Network, policy: Policy, refused: str | None
) -> None:
    await network.top_up("awa", 500, slug="canal")
    await network.rules(RAF, policy)
    async with network.context.reader.connect() as connection:
        at = await the_network(connection)
    asked = check_room(network.ledger, at, network.cards["awa"], RAF, 1000)
    if refused is None:
        await asked
        return
    with pytest.raises(DomainError) as error:
        await asked
    assert error.value.code == refused
