"""Who may do what, asked at the door: every endpoint of the API against every kind of caller."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from app.identity.rights import RIGHTS
from app.identity.roles import Role
from app.rules.ids import uuid7
from tests.support.network import CARDS, Network

pytestmark = pytest.mark.anyio

# Written a second time, by hand, so that a slip in app/identity/rights.py is seen. n: network admin,
# k: network accountant, u: auditor, v: venue admin, b: venue accountant, w: venue auditor, s: shift manager,
# c: cashier, t: terminal, *: everybody.
API = {
    "sell": "t",
    "sync": "t",
    "hand_over": "*",
    "act": "t",
    "set_staff_card": "nvs",
    "undo_act": "t",
    "make_code_at_terminal": "t",
    "terminal_snapshot": "t",
    "card_keys": "t",
    "door_list": "t",
    "ticket_stock": "t",
    "door_passages": "t",
    "list_tabs": "t",
    "open_tab": "t",
    "add_to_tab": "t",
    "close_tab": "t",
    "pair_terminal": "*",
    "terminal_token": "*",
    "report_status": "*",
    "send_logs": "*",
    "make_pairing_code": "nv",
    "list_terminals": "nkuvbws",
    "revoke_terminal": "nv",
    "top_up_in_cash": "nvsc",
    "void_sale": "nvsc",
    "credit_shift": "nvsc",
    "record_contribution": "nvsc",
    "give_gifts": "nvsc",
    "make_vouchers": "nvsc",
    "list_vouchers": "nkuvbwsc",
    "show_vouchers": "nkuvbwsc",
    "cancel_vouchers": "nvsc",
    "redeem_voucher": "nvsc",
    "list_credit_lines": "nkuvbw",
    "ask_credit_line": "nv",
    "grant_credit_line": "n",
    "refuse_credit_line": "n",
    "retire_claim": "n",
    "list_exceptions": "nkuvbws",
    "list_venues": "nkuvbwsc",
    "set_price": "nv",
    "set_place": "nv",
    "list_products": "nkuvbwsc",
    "create_product": "nv",
    "replace_product": "nv",
    "retire_product": "nv",
    "set_product_sold_out": "nv",
    "list_events": "nkuvbwsc",
    "show_event": "nkuvbwsc",
    "show_waiting_list": "nkuvbw",
    "list_invitations": "nv",
    "invite_guest": "nv",
    "withdraw_invitation": "nv",
    "put_event": "nv",
    "publish_event": "nv",
    "list_passes": "nkuvbwsc",
    "put_pass": "nv",
    "end_pass_sale": "nv",
    "cancel_event": "nv",
    "show_event_closing": "nkuvbw",
    "put_event_closing": "n",
    "put_event_terminals": "nv",
    "put_event_price": "nv",
    "lend_tickets": "nv",
    "list_leases": "nkuvbw",
    "list_quotas": "nkuvbw",
    "put_quota": "nv",
    "sell_at_counter": "nvsc",
    "undo_at_counter": "nvsc",
    "remove_event_price": "nv",
    "list_cards": "nku",
    "add_card": "n",
    "list_key_sets": "nku",
    "make_key_set": "n",
    "ask_card_keys": "n",
    "ask_card_address": "n",
    "confirm_card_keys": "n",
    "show_balances": "nuvsc",
    "block_card": "nvsc",
    "unblock_card": "nvsc",
    "replace_card": "nvs",
    "link_card": "nvs",
    "retire_card": "nvs",
    "list_card_batches": "nkuvws",
    "make_card_batch": "n",
    "card_batch_labels": "n",
    "join_card": "nvs",
    "import_cards": "n",
    "list_people": "nuvws",
    "list_audit": "nu",
    "list_bank_statements": "nku",
    "list_bank_lines": "nku",
    "invite_person": "nvs",
    "make_link": "nvs",
    "grant_role": "nvs",
    "withdraw_role": "nvs",
    "list_members": "nku",
    "enter_member": "n",
    "set_member_roles": "n",
    "member_statement": "nku",
    "book_trade": "n",
    "reverse_trade": "n",
    "give_to_holder": "n",
    "list_loans": "nku",
    "lend_thing": "n",
    "end_loan": "n",
    "list_membership_plans": "nkuvbw",
    "set_membership_plan": "n",
    "list_memberships": "nku",
    "pay_membership": "n",
    "list_member_plans": "nkuvbw",
    "put_member_plan": "nv",
    "end_member_plan": "nv",
    "list_member_register": "nkuvbw",
    "list_consultations": "nkuvbw",
    "put_consultation": "nv",
    "show_consultation_result": "nkuvbw",
    "show_member": "nkuvbw",
    "sell_member_term": "nv",
    "cancel_member_term": "nv",
    "give_member_term_back": "nv",
    "round_up_basket": "n",
    "list_funds": "nku",
    "list_currencies": "nkuvbw",
    "define_currency": "n",
    "list_policies": "nkuvbw",
    "add_policy": "n",
    "currency_supply": "nkuvbw",
    "list_positions": "nkuvbw",
    "period_positions": "nkuvbw",
    "show_reserve": "nku",
    "list_bank_accounts": "nkuvbw",
    "ask_venue_bank_account": "nv",
    "ask_network_bank_account": "n",
    "decide_bank_account": "nv",
    "list_settlements": "nkuvbw",
    "begin_settlement": "nk",
    "show_settlement": "nkuvbw",
    "freeze_settlement": "nk",
    "answer_settlement": "nvb",
    "put_off_settlement": "nk",
    "approve_settlement": "n",
    "cancel_settlement": "nk",
    "send_settlement": "n",
    "close_settlement": "nk",
    "settlement_file": "n",
    "read_bank_answer": "nk",
    "report_payment": "nk",
    "settlement_table": "nkuvbw",
    "show_settlement_terms": "nku",
    "set_network_terms": "n",
    "set_venue_terms": "n",
    "show_proof": "nku",
    "list_refunds": "nku",
    "show_refund": "nku",
    "cancel_refund": "n",
    "list_refund_files": "nku",
    "create_refund_file": "nk",
    "release_refunds": "n",
    "list_lapses": "nku",
    "show_lapse": "nku",
    "list_credit_growth": "nku",
    "list_accounts": "nkuvbw",
    "show_account": "nkuvbw",
    "account_statement": "nkuvbw",
    "account_statement_csv": "nkuvbw",
    "trial_balance": "nku",
    "trial_balance_csv": "nku",
    "list_operations": "nkuvbw",
    "list_operations_csv": "nkuvbw",
    "show_operation": "nkuvbw",
    "follow_operations": "nkuvbw",
    "list_webhooks": "nku",
    "add_webhook": "n",
    "pause_webhook": "n",
    "resume_webhook": "n",
    "rotate_webhook_secret": "n",
    "delete_webhook": "n",
    "list_programme": "*",
    "payment_notice": "*",
    "prove_session": "nkuvbwsc",
    "open_session": "*",
    "close_session": "nkuvbwsc",
    "list_sessions": "nkuvbwsc",
    "revoke_session": "nkuvbwsc",
    "show_me": "nkuvbwsc",
    "change_password": "nkuvbwsc",
}
# A stream that ends when the client leaves: whoever is let in would be answered for ever.
ENDLESS = {"follow_operations"}
CALLERS = {
    "n": "nadia",
    "k": "ines",
    "u": "hugo",
    "v": "marie",
    "b": "bea",
    "w": "wim",
    "s": "sana",
    "c": "lucas",
}
NETWORK_WIDE = {"nadia", "ines", "hugo"}


@pytest.fixture
def database_kind() -> str:
    """Who may what does not depend on the database."""
    return "sqlite"


def routes(app: FastAPI) -> Iterator[tuple[str, str, str]]:
    """(endpoint, method, path) of everything that the guard stands before."""
    for route in iter_route_contexts(app.routes):
        for method in sorted((route.methods or set()) - {"HEAD", "OPTIONS"}):
            yield route.name or "", method, re.sub(r":\w+}", "}", route.path or "")


def address(network: Network, path: str, where: Mapping[str, object]) -> str:
    values = {
        "venue": network.venues["raffinerie"].id,
        "product": network.product("raffinerie", "Eau").id,
        "currency": "RAF",
        "uid": CARDS["awa"],
        "card": network.cards["awa"].id,
        "status": "active",
        "sale": uuid4(),
        "terminal": uuid4(),
        "session_id": "00",
        "provider": "sandbox",
        "token": "nobody-s",
        "reference": "none",
        "topup": uuid4(),
        "account": 10**6,
        "operation": uuid4(),
        "webhook": uuid4(),
        "batch": uuid4(),
        "credit": uuid4(),
        "change": uuid4(),
        "run": uuid4(),
        "payee": uuid4(),
        "refund": uuid4(),
        "file": uuid4(),
        "kind": "executed",
        "decision": "refuse",
        "effect": "expiry",
        "period": "2026-01-01",
        "member": uuid4(),
        "trade": uuid4(),
        "loan": uuid4(),
        "tab": uuid4(),
        "id": uuid4(),
        "closing": uuid4(),
        "dispute": uuid4(),
        "bundle": uuid4(),
        "line": uuid4(),
        "fault": f"sale:{uuid4()}",
        "book": "link",
        "payout": "po_none",
        "handover": uuid4(),
        "step": "receive",
        "code": "coop",
        "login": "nobody",
        "role": "cashier",
        "person": uuid4(),
        "act": "leave",
        "slug": "raffinerie",
        "month": "2026-11",
        "journal": "VE",
        "table": "tva",
        "ending": "csv",
        "exercise": 2026,
        "section": "products",
        "which": uuid4(),
        "artist": uuid4(),
        "price": uuid4(),
        "photo": uuid4(),
        "term": uuid4(),
        "consultation": uuid4(),
        "plan": uuid4(),
        "event": uuid4(),
        "invitation": uuid4(),
        "order": uuid4(),
        "partner": uuid4(),
        **where,
    }
    return path.format(**values)


async def ask(client: httpx.AsyncClient, method: str, path: str, **headers: str) -> tuple[int, str]:
    """(status, problem) of a request without a body: whoever is let in is told that one is missing."""
    answer = await client.request(method, path, headers={"Idempotency-Key": str(uuid7()), **headers})
    code = answer.json().get("type", "") if "problem" in answer.headers.get("content-type", "") else ""
    return answer.status_code, code.removeprefix("/problems/")


async def test_the_table_of_rights_says_what_is_written_here(network: Network) -> None:
    letters = {
        Role.NETWORK_ADMIN: "n",
        Role.NETWORK_ACCOUNTANT: "k",
        Role.AUDITOR: "u",
        Role.VENUE_ADMIN: "v",
        Role.VENUE_ACCOUNTANT: "b",
        Role.VENUE_AUDITOR: "w",
        Role.SHIFT_MANAGER: "s",
        Role.CASHIER: "c",
        Role.TERMINAL: "t",
        Role.PUBLIC: "*",
    }
    said = {name: {letters[role] for role in RIGHTS[name]} for name in API}
    assert said == {name: set(meant) for name, meant in API.items()}


async def test_every_endpoint_of_the_api_is_written_here(network: Network) -> None:
    found = {name for name, _, path in routes(network.app) if path.startswith("/api/")} - {"openapi"}
    assert found == set(API)


async def test_nobody_comes_in_where_a_name_is_asked_for(network: Network) -> None:
    open_to_all = {name for name, roles in RIGHTS.items() if roles & {Role.PUBLIC, Role.HOLDER}}
    for name, method, path in routes(network.app):
        if name not in open_to_all:
            found = await ask(network.client, method, address(network, path, {}))
            assert found == (401, "not-signed-in"), (name, found)


async def test_each_role_comes_in_where_it_may_and_nowhere_else(network: Network) -> None:
    bar = await network.terminal("raffinerie")
    for letter, login in CALLERS.items():
        client = await network.person(login)
        for name, method, path in routes(network.app):
            if name not in API or API[name] == "*" or name == "close_session":
                continue
            if name in ENDLESS and letter in API[name]:
                continue
            found = await ask(client, method, address(network, path, {"terminal": bar.id, "venue": bar.venue.id}))
            if letter in API[name]:
                assert found[0] not in {401, 403}, (login, name, found)
            else:
                assert found == (403, "forbidden"), (login, name, found)
        await client.aclose()
        network.forget(login)
        bar = await network.terminal("raffinerie")


async def test_a_terminal_comes_in_at_its_own_doors_only(network: Network) -> None:
    bar = await network.terminal("raffinerie")
    for name, method, path in routes(network.app):
        if name in API and API[name] != "*":
            found = await ask(network.client, method, address(network, path, {}), **bar.headers)
            if "t" in API[name]:
                assert found[0] not in {401, 403}, (name, found)
            else:
                assert found == (403, "forbidden"), (name, found)


async def test_who_signed_in_without_a_role_comes_in_nowhere(network: Network) -> None:
    client = await network.person("zoe")
    for name, method, path in routes(network.app):
        roles = RIGHTS.get(name, frozenset())
        if roles and not roles & {Role.PUBLIC, Role.HOLDER}:
            found = await ask(client, method, address(network, path, {}))
            assert found == (403, "forbidden"), (name, found)


async def test_the_rights_of_one_venue_end_at_its_door(network: Network) -> None:
    here, there = network.venues["raffinerie"], network.venues["canal"]
    bodies = {
        "make_pairing_code": {"name": "Bar"},
        "top_up_in_cash": {"card": CARDS["awa"], "currency": "RAF", "amount": 1000},
        "void_sale": {"reason": "Erreur"},
        "credit_shift": {"card": CARDS["awa"], "currency": "TEMPS", "minutes": 60, "reason": "Plonge"},
        "record_contribution": {
            "card": CARDS["awa"],
            "currency": "PTS",
            "points": 1,
            "role": "user",
            "reason": "Prêt",
        },
        "redeem_voucher": {"card": CARDS["awa"], "code": "ABCD-EFGH-JKMN-PQRS"},
        "retire_claim": {"currency": "TEMPS", "amount": 1, "reason": "Clôture"},
        "set_price": {"amount": 100},
        "set_place": {"address": "4 quai du Canal"},
        "list_products": None,
        "create_product": {"names": {"fr": "Thé", "en": "Tea"}, "category": "Chaud"},
        "replace_product": {"names": {"fr": "Café", "en": "Coffee"}, "category": "Chaud"},
        "retire_product": None,
        "set_product_sold_out": {"sold_out": True},
        "answer_settlement": {"answer": "accepted"},
        "ask_venue_bank_account": {"holder": "Canal", "iban": "FR7630006000011234567890189"},
    }
    scoped = {name for name, _, path in routes(network.app) if name in API and "{venue}" in path}
    assert scoped == set(bodies)
    for name, method, path in routes(network.app):
        if name not in scoped:
            continue
        for login in [login for letter, login in CALLERS.items() if letter in API[name]]:
            client = await network.person(login)
            for venue, product in ((here, "Eau"), (there, "Café")):
                where = {"venue": venue.id, "product": network.product(venue.slug, product).id}
                answer = await client.request(
                    method,
                    address(network, path, where),
                    json=bodies[name],
                    headers={"Idempotency-Key": str(uuid7())},
                )
                # By default, the rules of an hours currency let managers alone credit it.
                unruly = name == "credit_shift" and login in {"lucas", "sana"}
                barred = unruly or (venue is there and login not in NETWORK_WIDE)
                assert (answer.status_code == 403) == barred, (login, name, venue.slug, answer.text)
    assert await network.holds("awa") == {"RAF": 5000, "TEMPS": 180}


async def test_a_cookie_alone_changes_nothing(network: Network) -> None:
    """Another website can make a browser send the cookie, but not the session's token."""
    client = await network.person("nadia")
    del client.headers["X-CSRF-Token"]
    for name, method, path in routes(network.app):
        if name in API and API[name] not in {"*", "t"} and method != "GET":
            found = await ask(client, method, address(network, path, {}))
            assert found == (403, "form-expired"), (name, found)
