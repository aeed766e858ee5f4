"""What each role is shown leads somewhere, and who audits reads everything and changes nothing."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from urllib.parse import urljoin, urlsplit

import pytest
import sqlalchemy as sa

from app.identity.rights import RIGHTS, allows
from app.identity.roles import Grant, Principal, Role
from app.platform.tables import metadata
from tests.app.test_rights_matrix import CALLERS, ENDLESS, address, ask, routes
from tests.support.network import CARDS, PEOPLE, Network
from tests.support.pages import look
from tests.support.settling import Settling, settling_of

pytestmark = pytest.mark.anyio

# One's own way in and out, which every role has.
OWN = {"sign_out", "close_session", "revoke_session", "change_password"}
OWN |= {"give_code", "enrol_from_page", "prove_session"}
OWN |= {"end_session_from_page", "end_others_from_page", "change_password_from_page"}
# Pages and files that are there to act by: a form, money for the bearer, a file that the bank pays out, addresses by
# which one acts for a holder.
TO_ACT_BY = {
    "settlement_file",
    "refund_file",
    "import_page",
    "card_batch_labels",
    "batch_labels",
    "batch_table",
    "counter_page",
    "hours_page",
    "contributions_page",
    "gifts_page",
    "new_money_page",
    "new_rules_page",
    "change_limits_page",
    "new_product_page",
    "product_page",
    "new_price_hours_page",
    "price_hours_page",
    "paid_page",
    "new_membership_plan_page",
    "new_pass_page",
    "new_consultation_page",
    "sell_membership_page",
    "ticket_counter_page",
    "new_artist_page",
    "event_rights_page",
    "new_event_page",
    "event_form",
    "cancel_event_form",
    "repeat_event_form",
    "new_event_price_page",
    "event_price_page",
    "venue_words_form",
    # Who comes is their venue's to know.
    "event_buyers",
    "giving_back_page",
    "guest_list",
    "list_invitations",
    "artist_form",
    "place_page",
    "mail_page",
}
FORM = re.compile(r"<form\b([^>]*)>(.*?)</form>", re.DOTALL)
ATTRIBUTE = re.compile(r'([\w-]+)="([^"]*)"')


@pytest.fixture
def database_kind() -> str:
    """Who may what does not depend on the database."""
    return "sqlite"


@pytest.fixture
async def settling(network: Network, monkeypatch: pytest.MonkeyPatch) -> Settling:
    """With something for every page to show: cash, a sale, a run that waits, a terminal that was paired."""
    settling = await settling_of(network, monkeypatch)
    await network.top_up("awa", 5000)
    bar = await network.terminal("raffinerie")
    assert (await bar.sell("awa", {"Demi": 2})).status_code == 201
    await settling.frozen()
    return settling


async def kept(network: Network) -> dict[str, list[str]]:
    """Every row of every table, but for what asking itself leaves behind: that they came, and what they saw."""
    async with network.context.reader.connect() as connection:
        return {
            name: sorted(map(repr, await connection.execute(sa.select(table))))
            for name, table in metadata.tables.items()
            if name not in {"session", "audit", "audit_mention"}
        }


async def test_auditors_read_everything_and_change_nothing(settling: Settling) -> None:
    network = settling.network
    clients = {login: await network.person(login) for login in ("hugo", "wim")}
    bar = await network.terminal("raffinerie")
    # The figures beside the ledger catch up with it when somebody asks.
    await look(await network.person("nadia"), "/admin/positions")
    before = await kept(network)
    for login, role in (("hugo", Role.AUDITOR), ("wim", Role.VENUE_AUDITOR)):
        for name, method, path in routes(network.app):
            if RIGHTS[name] & {Role.PUBLIC, Role.HOLDER, Role.TERMINAL} or name in OWN | ENDLESS:
                continue
            where = {"terminal": bar.id, "venue": bar.venue.id, "uid": CARDS["awa"]}
            found = await ask(clients[login], method, address(network, path, where))
            if method != "GET":
                assert found == (403, "forbidden"), (login, method, name, found)
            elif role in RIGHTS[name]:
                assert found[0] not in {401, 403, 500}, (login, name, found)
            else:
                assert found == (403, "forbidden"), (login, name, found)
    assert await kept(network) == before


async def test_what_an_auditor_cannot_read_is_written_here(network: Network) -> None:
    reads = {name for name, method, _ in routes(network.app) if method == "GET" and Role.NETWORK_ADMIN in RIGHTS[name]}
    assert {name for name in reads if Role.AUDITOR not in RIGHTS[name]} == TO_ACT_BY
    by_venue = {name for name in reads if Role.VENUE_ADMIN in RIGHTS[name]}
    # What a card holds is the holder's, wherever they go.
    assert {name for name in by_venue if Role.VENUE_AUDITOR not in RIGHTS[name]} - TO_ACT_BY == {"show_balances"}


async def test_no_page_shows_a_way_that_its_reader_may_not_go(settling: Settling) -> None:
    lost = [f"{login}: {it}" for login in CALLERS.values() for it in await _lost(settling.network, login)]
    assert lost == []


async def _lost(network: Network, login: str) -> list[str]:
    """Everything that they are shown and may not have, following every link from their first page on."""
    client = await network.person(login)
    principal = Principal(
        grants=frozenset(Grant(role, network.venues[slug].id if slug else None) for role, slug in PEOPLE[login])
    )
    waiting, seen, wrong = [("", "/admin")], {"/admin"}, []
    while waiting:
        came_from, path = waiting.pop()
        answer = await look(client, path)
        if answer.status_code == 303:
            waiting.append((path, urlsplit(answer.headers["location"]).path))
            continue
        if answer.status_code != 200:
            wrong.append(f"{came_from} -> {path}: {answer.status_code}")
            continue
        wrong += [f"{path}: form to {it}" for it in _sent(network, path, answer.text) if not allows(principal, it)]
        for target in _links(path, answer.text):
            # One page of each kind is enough: ids and months differ, rights do not.
            kind = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}|\d{4}-\d\d|\d+", "*", target)
            if kind not in seen:
                seen.add(kind)
                waiting.append((path, target))
    assert len(seen) > 1, "they see more than one page"
    return wrong


def _links(path: str, page: str) -> Iterator[str]:
    for target in re.findall(r'<a\b[^>]*\bhref="([^"#]+)', page):
        found = urlsplit(urljoin(path, html.unescape(target)))
        if not found.netloc and found.path.startswith(("/admin", "/api/")):
            yield found.path + (f"?{found.query}" if found.query else "")


def _sent(network: Network, path: str, page: str) -> Iterator[str]:
    """The endpoints of everything that a page sends."""
    for attributes, inside in FORM.findall(page):
        said = dict(ATTRIBUTE.findall(attributes))
        for target in re.findall(r'formaction="([^"]+)"', inside) or [said.get("action") or path]:
            yield _endpoint(network, said.get("method", "get").upper(), urlsplit(urljoin(path, target)).path)


def _endpoint(network: Network, method: str, path: str) -> str:
    for name, of, template in routes(network.app):
        pattern = re.sub(r"\\{\w+\\}", "[^/]+", re.escape(template))
        if of == method and re.fullmatch(pattern, path):
            return name
    raise AssertionError(f"{method} {path} leads nowhere")
