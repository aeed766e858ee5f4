"""The one table of rights: which endpoint is open to whom. What is not in it is open to nobody.

An endpoint is named by its route's operation name (the function's name, unless the route gives another). The guard
in app/identity/guard.py enforces the table; venues are checked by the endpoint itself, with `Principal.require_venue`.

- `public`: everybody; who asks is not even looked up.
- `holder`: whoever knows the address, whose path holds the card's `token`; the endpoint looks the card up by it.
- `terminal`: a paired device with its token; app.terminals checks that it was not revoked meanwhile.
- the others: people who signed in.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from fastapi import FastAPI
from fastapi.routing import RouteContext, iter_route_contexts

from app.identity.roles import PERSONAL, Role

Rights = Mapping[str, frozenset[Role]]

_PUBLIC = frozenset({Role.PUBLIC})
_TERMINAL = frozenset({Role.TERMINAL})
_MANAGERS = frozenset({Role.NETWORK_ADMIN, Role.VENUE_ADMIN})
_NETWORK = frozenset({Role.NETWORK_ADMIN})
_HOLDER = frozenset({Role.HOLDER})

RIGHTS: Final[Rights] = {
    # The server itself
    "openapi": _PUBLIC,
    "static": _PUBLIC,
    "source": _PUBLIC,
    "home": _PUBLIC,
    "health_live": _PUBLIC,
    "health_ready": _PUBLIC,
    # Terminals
    "sell": _TERMINAL,
    "sync": _TERMINAL,
    # Signed by the device itself: one that may no longer sell hands over what it had sold.
    "hand_over": _PUBLIC,
    "act": _TERMINAL,
    "set_staff_card": frozenset({Role.NETWORK_ADMIN}),
    "terminal_snapshot": _TERMINAL,
    "list_tabs": _TERMINAL,
    "open_tab": _TERMINAL,
    "add_to_tab": _TERMINAL,
    "close_tab": _TERMINAL,
    "pair_terminal": _PUBLIC,
    "terminal_token": _PUBLIC,
    # Signed by the device itself: one without rights has something to tell too.
    "report_status": _PUBLIC,
    "send_logs": _PUBLIC,
    "make_pairing_code": _MANAGERS,
    "list_terminals": _MANAGERS,
    "revoke_terminal": _MANAGERS,
    # The counter
    "top_up_in_cash": PERSONAL,
    "void_sale": PERSONAL,
    "credit_shift": PERSONAL,
    "record_contribution": PERSONAL,
    "give_gifts": PERSONAL,
    "make_vouchers": PERSONAL,
    "list_vouchers": PERSONAL,
    "show_vouchers": PERSONAL,
    "cancel_vouchers": PERSONAL,
    "redeem_voucher": PERSONAL,
    "list_credit_lines": _MANAGERS,
    "ask_credit_line": _MANAGERS,
    "grant_credit_line": _NETWORK,
    "refuse_credit_line": _NETWORK,
    "retire_claim": _NETWORK,
    "list_exceptions": _MANAGERS,
    # Venues and cards
    "list_venues": PERSONAL,
    "set_price": _MANAGERS,
    "list_cards": _NETWORK,
    "add_card": _NETWORK,
    "show_balances": PERSONAL,
    "set_card_status": PERSONAL,
    # Members, trades, loans, memberships
    "list_members": _NETWORK,
    "enter_member": _NETWORK,
    "set_member_roles": _NETWORK,
    "member_statement": _NETWORK,
    "book_trade": _NETWORK,
    "reverse_trade": _NETWORK,
    "give_to_holder": _NETWORK,
    "list_loans": _NETWORK,
    "lend_thing": _NETWORK,
    "end_loan": _NETWORK,
    "list_membership_plans": _MANAGERS,
    "set_membership_plan": _NETWORK,
    "list_memberships": _NETWORK,
    "pay_membership": _NETWORK,
    "round_up_basket": _NETWORK,
    "list_funds": _NETWORK,
    # Currencies, their rules and how much of each there is
    "list_currencies": _MANAGERS,
    "define_currency": _NETWORK,
    "list_policies": _MANAGERS,
    "add_policy": _NETWORK,
    "currency_supply": _MANAGERS,
    # Who owes whom, and is every euro there
    "list_positions": _MANAGERS,
    "show_reserve": _NETWORK,
    "list_bank_accounts": _MANAGERS,
    "ask_venue_bank_account": _MANAGERS,
    "ask_network_bank_account": _NETWORK,
    "decide_bank_account": _MANAGERS,
    "list_settlements": _MANAGERS,
    "begin_settlement": _NETWORK,
    "show_settlement": _MANAGERS,
    "freeze_settlement": _NETWORK,
    "answer_settlement": _MANAGERS,
    "approve_settlement": _NETWORK,
    "cancel_settlement": _NETWORK,
    "send_settlement": _NETWORK,
    "close_settlement": _NETWORK,
    "settlement_file": _NETWORK,
    "read_bank_answer": _NETWORK,
    "report_payment": _NETWORK,
    "settlement_table": _MANAGERS,
    "show_settlement_terms": _NETWORK,
    "set_network_terms": _NETWORK,
    "set_venue_terms": _NETWORK,
    "show_proof": _NETWORK,
    # The books
    "books_page": _MANAGERS,
    "books_of": _MANAGERS,
    "books_month": _MANAGERS,
    "books_journal": _MANAGERS,
    "books_statement": _MANAGERS,
    "books_table": _MANAGERS,
    "books_fec": _MANAGERS,
    "books_settings": _MANAGERS,
    "keep_books": _MANAGERS,
    "close_books": _MANAGERS,
    # What lapses, and credit that grows
    "list_lapses": _NETWORK,
    "show_lapse": _NETWORK,
    "list_credit_growth": _NETWORK,
    "lapses_page": _NETWORK,
    "lapse_page": _NETWORK,
    "lapse_table": _NETWORK,
    "notices_page": _HOLDER,
    # Reading the ledger, and following it
    "list_accounts": _MANAGERS,
    "show_account": _MANAGERS,
    "account_statement": _MANAGERS,
    "account_statement_csv": _MANAGERS,
    "trial_balance": _NETWORK,
    "trial_balance_csv": _NETWORK,
    "list_operations": _MANAGERS,
    "list_operations_csv": _MANAGERS,
    "show_operation": _MANAGERS,
    "follow_operations": _MANAGERS,
    "list_webhooks": _NETWORK,
    "add_webhook": _NETWORK,
    "pause_webhook": _NETWORK,
    "resume_webhook": _NETWORK,
    "rotate_webhook_secret": _NETWORK,
    "delete_webhook": _NETWORK,
    # Payment providers
    "payment_notice": _PUBLIC,
    # The holder's pages
    "holder_page": _HOLDER,
    "holder_page_now": _HOLDER,
    "block_own_card": _HOLDER,
    "card_code": _HOLDER,
    "voucher_form": _HOLDER,
    "redeem_own_voucher": _HOLDER,
    "topup_form": _HOLDER,
    "begin_topup": _HOLDER,
    "topup_state": _HOLDER,
    # A receipt: whoever was handed its address
    "receipt_page": _HOLDER,
    # The sandbox provider's page, where it is mounted: whoever knows the payment's reference
    "sandbox_page": _PUBLIC,
    "finish_sandbox_payment": _PUBLIC,
    # The pages of people who signed in
    "admin_home": PERSONAL,
    "positions_table": _MANAGERS,
    "periods_page": _MANAGERS,
    "handovers_page": _MANAGERS,
    "declare_handover": _MANAGERS,
    "end_handover": _MANAGERS,
    "statements_page": _NETWORK,
    "import_statement": _NETWORK,
    "decide_line": _NETWORK,
    "undo_line": _NETWORK,
    "periods_table": _MANAGERS,
    "period_days_page": _MANAGERS,
    "venue_page": _MANAGERS,
    "reserve_page": _NETWORK,
    "settlements_page": _MANAGERS,
    "begin_from_page": _NETWORK,
    "settlement_page": _NETWORK,
    "step_from_page": _NETWORK,
    "read_bank_from_page": _NETWORK,
    "report_payment_from_page": _NETWORK,
    "network_terms_from_page": _NETWORK,
    "venue_terms_from_page": _NETWORK,
    "statement_page": _MANAGERS,
    "answer_from_page": _MANAGERS,
    "statement_line_page": _MANAGERS,
    "bank_page": _MANAGERS,
    "ask_bank_from_page": _MANAGERS,
    "decide_bank_from_page": _MANAGERS,
    "exceptions_page": _MANAGERS,
    "closings_page": _MANAGERS,
    "closing_page": _MANAGERS,
    "closings_table": _MANAGERS,
    "closings_archive": _MANAGERS,
    "close_day": _MANAGERS,
    "review_page": _MANAGERS,
    "decide_rows": _MANAGERS,
    "training_page": _MANAGERS,
    "counter_page": PERSONAL,
    "top_up_at_counter": PERSONAL,
    "set_card_status_at_counter": PERSONAL,
    "issue_page": _MANAGERS,
    "hours_page": PERSONAL,
    "credit_hours": PERSONAL,
    "contributions_page": PERSONAL,
    "credit_contribution": PERSONAL,
    "gifts_page": PERSONAL,
    "give_from_page": PERSONAL,
    "vouchers_page": PERSONAL,
    "make_vouchers_from_page": PERSONAL,
    "voucher_batch_page": PERSONAL,
    "cancel_vouchers_from_page": PERSONAL,
    "credit_lines_page": _MANAGERS,
    "ask_credit_from_page": _MANAGERS,
    "decide_credit_from_page": _NETWORK,
    "retirements_page": _NETWORK,
    "retire_from_page": _NETWORK,
    "terminals_page": _MANAGERS,
    "terminals_now": _MANAGERS,
    "terminal_page": _MANAGERS,
    "terminal_now": _MANAGERS,
    "new_pairing_code": _MANAGERS,
    "change_terminal": _MANAGERS,
    "terminal_logs": _MANAGERS,
    "limits_page": _NETWORK,
    "accept_exposure": _NETWORK,
    "change_limits_page": _NETWORK,
    "change_limits": _NETWORK,
    "members_page": _NETWORK,
    "add_member_by_form": _NETWORK,
    "trade_by_form": _NETWORK,
    "member_page": _NETWORK,
    "loans_page": _NETWORK,
    "lend_by_form": _NETWORK,
    "end_loan_by_form": _NETWORK,
    "moneys_page": _MANAGERS,
    "money_page": _MANAGERS,
    "new_money_page": _NETWORK,
    "define_money": _NETWORK,
    "new_rules_page": _NETWORK,
    "add_rules": _NETWORK,
    "rename_money": _NETWORK,
    # Signing in and out
    "sign_in_page": _PUBLIC,
    "sign_in": _PUBLIC,
    "sign_out_page": PERSONAL,
    "sign_out": PERSONAL,
    "open_session": _PUBLIC,
    "close_session": PERSONAL,
    "list_sessions": PERSONAL,
    "revoke_session": PERSONAL,
    "show_me": PERSONAL,
    "change_password": PERSONAL,
}


def unlisted_routes(app: FastAPI, rights: Rights = RIGHTS) -> list[str]:
    """Routes that the table does not know: nobody could use them."""
    return sorted({name for name, _ in _routes(app)} - set(rights))


def stale_entries(app: FastAPI, rights: Rights = RIGHTS) -> list[str]:
    """Entries of the table that no route bears any more."""
    return sorted(set(rights) - {name for name, _ in _routes(app)})


def ambiguous_routes(app: FastAPI) -> list[str]:
    """Names borne by several paths: one line of the table would silently open them all."""
    paths: dict[str, set[str]] = {}
    for name, route in _routes(app):
        paths.setdefault(name, set()).add(route.path or "")
    return sorted(name for name, found in paths.items() if len(found) > 1)


def holder_routes_without_token(app: FastAPI, rights: Rights = RIGHTS) -> list[str]:
    """Routes open to holders whose path holds no card token: they would be open to everybody."""
    return sorted(
        name
        for name, route in _routes(app)
        if Role.HOLDER in rights.get(name, frozenset()) and "{token}" not in (route.path or "")
    )


def _routes(app: FastAPI) -> Iterator[tuple[str, RouteContext]]:
    for route in iter_route_contexts(app.routes):
        yield route.name or route.path or "", route
