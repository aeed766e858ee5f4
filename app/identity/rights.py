"""The one table of rights: which act each endpoint belongs to, and so to whom it is open (app/identity/acts.py says
which roles an act has). An endpoint that is not in it is open to nobody.

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

from app.identity.acts import (
    ANSWER_STATEMENT,
    AS_HOLDER,
    AS_TERMINAL,
    ASK_CREDIT,
    BOOK_EXCEPTION,
    CARD_DESK,
    CHANGE_BANK,
    CHANGE_NETWORK_BANK,
    CLOSE_DAY,
    COUNT_CASH,
    COUNTER,
    EVERYBODY,
    GRANT_CREDIT,
    HAND_IN,
    KEEP_BOOKS,
    LOOK_UP_CARD,
    MANAGE_NETWORK,
    MANAGE_PEOPLE,
    MANAGE_VENUE,
    MATCH_BANK,
    PREPARE_RUN,
    READ_AUDIT,
    READ_BOOKS,
    READ_CARDS,
    READ_EVENING,
    READ_ISSUED,
    READ_NETWORK,
    READ_PEOPLE,
    READ_VENUE,
    RELEASE_RUN,
    RETIRE,
    SEE_TO,
    SIGNED_IN,
    WRITE_CARDS,
    Act,
)
from app.identity.roles import Principal, Role

Rights = Mapping[str, frozenset[Role]]

ACT_OF: Final[Mapping[str, Act]] = {
    # The server itself
    "openapi": EVERYBODY,
    "static": EVERYBODY,
    "source": EVERYBODY,
    "home": EVERYBODY,
    "health_live": EVERYBODY,
    "health_ready": EVERYBODY,
    # Terminals
    "sell": AS_TERMINAL,
    "sync": AS_TERMINAL,
    # Signed by the device itself: one that may no longer sell hands over what it had sold.
    "hand_over": EVERYBODY,
    "act": AS_TERMINAL,
    "undo_act": AS_TERMINAL,
    "terminal_snapshot": AS_TERMINAL,
    "card_keys": AS_TERMINAL,
    "list_tabs": AS_TERMINAL,
    "open_tab": AS_TERMINAL,
    "add_to_tab": AS_TERMINAL,
    "close_tab": AS_TERMINAL,
    "pair_terminal": EVERYBODY,
    "terminal_token": EVERYBODY,
    # Signed by the device itself: one without rights has something to tell too.
    "report_status": EVERYBODY,
    "send_logs": EVERYBODY,
    "make_pairing_code": MANAGE_VENUE,
    "list_terminals": READ_EVENING,
    "revoke_terminal": MANAGE_VENUE,
    # The counter
    "top_up_in_cash": COUNTER,
    "void_sale": COUNTER,
    "credit_shift": COUNTER,
    "record_contribution": COUNTER,
    "give_gifts": COUNTER,
    "make_vouchers": COUNTER,
    "list_vouchers": READ_ISSUED,
    "show_vouchers": READ_ISSUED,
    "cancel_vouchers": COUNTER,
    "redeem_voucher": COUNTER,
    "list_credit_lines": READ_VENUE,
    "ask_credit_line": ASK_CREDIT,
    "grant_credit_line": GRANT_CREDIT,
    "refuse_credit_line": GRANT_CREDIT,
    "retire_claim": RETIRE,
    "list_exceptions": READ_EVENING,
    # Venues and cards
    "list_venues": SIGNED_IN,
    "set_price": MANAGE_VENUE,
    "list_products": SIGNED_IN,
    "create_product": MANAGE_VENUE,
    "replace_product": MANAGE_VENUE,
    "retire_product": MANAGE_VENUE,
    "set_product_sold_out": MANAGE_VENUE,
    "list_cards": READ_NETWORK,
    "add_card": MANAGE_NETWORK,
    "list_key_sets": READ_NETWORK,
    "make_key_set": WRITE_CARDS,
    "ask_card_keys": WRITE_CARDS,
    "ask_card_address": WRITE_CARDS,
    "confirm_card_keys": WRITE_CARDS,
    "show_balances": LOOK_UP_CARD,
    "block_card": COUNTER,
    "unblock_card": COUNTER,
    "replace_card": CARD_DESK,
    "link_card": CARD_DESK,
    "retire_card": CARD_DESK,
    # Members, trades, loans, memberships
    "list_members": READ_NETWORK,
    "enter_member": MANAGE_NETWORK,
    "set_member_roles": MANAGE_NETWORK,
    "member_statement": READ_NETWORK,
    "book_trade": MANAGE_NETWORK,
    "reverse_trade": MANAGE_NETWORK,
    "give_to_holder": MANAGE_NETWORK,
    "list_loans": READ_NETWORK,
    "lend_thing": MANAGE_NETWORK,
    "end_loan": MANAGE_NETWORK,
    "list_membership_plans": READ_VENUE,
    "set_membership_plan": MANAGE_NETWORK,
    "list_memberships": READ_NETWORK,
    "pay_membership": MANAGE_NETWORK,
    "round_up_basket": MANAGE_NETWORK,
    "list_funds": READ_NETWORK,
    # Currencies, their rules and how much of each there is
    "list_currencies": READ_VENUE,
    "define_currency": MANAGE_NETWORK,
    "list_policies": READ_VENUE,
    "add_policy": MANAGE_NETWORK,
    "currency_supply": READ_VENUE,
    # Who owes whom, and is every euro there
    "list_positions": READ_VENUE,
    "period_positions": READ_VENUE,
    "show_reserve": READ_NETWORK,
    "list_bank_statements": READ_NETWORK,
    "list_bank_lines": READ_NETWORK,
    "list_bank_accounts": READ_VENUE,
    "ask_venue_bank_account": CHANGE_BANK,
    "ask_network_bank_account": CHANGE_NETWORK_BANK,
    "decide_bank_account": CHANGE_BANK,
    "list_settlements": READ_VENUE,
    "begin_settlement": PREPARE_RUN,
    "show_settlement": READ_VENUE,
    "freeze_settlement": PREPARE_RUN,
    "answer_settlement": ANSWER_STATEMENT,
    "put_off_settlement": PREPARE_RUN,
    "approve_settlement": RELEASE_RUN,
    "cancel_settlement": PREPARE_RUN,
    "send_settlement": RELEASE_RUN,
    "close_settlement": PREPARE_RUN,
    "settlement_file": RELEASE_RUN,
    "read_bank_answer": PREPARE_RUN,
    "report_payment": PREPARE_RUN,
    "settlement_table": READ_VENUE,
    "show_settlement_terms": READ_NETWORK,
    "set_network_terms": MANAGE_NETWORK,
    "set_venue_terms": MANAGE_NETWORK,
    "show_proof": READ_NETWORK,
    # The books
    "books_page": READ_BOOKS,
    "books_of": READ_BOOKS,
    "books_month": READ_BOOKS,
    "books_journal": READ_BOOKS,
    "books_statement": READ_BOOKS,
    "books_table": READ_BOOKS,
    "books_fec": READ_BOOKS,
    "books_settings": READ_BOOKS,
    "keep_books": KEEP_BOOKS,
    "close_books": KEEP_BOOKS,
    # What lapses, and credit that grows
    "list_lapses": READ_NETWORK,
    "show_lapse": READ_NETWORK,
    "list_credit_growth": READ_NETWORK,
    "lapses_page": READ_NETWORK,
    "lapse_page": READ_NETWORK,
    "lapse_table": READ_NETWORK,
    "notices_page": AS_HOLDER,
    # Reading the ledger, and following it
    "list_accounts": READ_VENUE,
    "show_account": READ_VENUE,
    "account_statement": READ_VENUE,
    "account_statement_csv": READ_VENUE,
    "trial_balance": READ_NETWORK,
    "trial_balance_csv": READ_NETWORK,
    "list_operations": READ_VENUE,
    "list_operations_csv": READ_VENUE,
    "show_operation": READ_VENUE,
    "follow_operations": READ_VENUE,
    "list_webhooks": READ_NETWORK,
    "add_webhook": MANAGE_NETWORK,
    "pause_webhook": MANAGE_NETWORK,
    "resume_webhook": MANAGE_NETWORK,
    "rotate_webhook_secret": MANAGE_NETWORK,
    "delete_webhook": MANAGE_NETWORK,
    # Payment providers
    "payment_notice": EVERYBODY,
    "payment_webhook": EVERYBODY,
    # The holder's pages
    "tapped_card": AS_HOLDER,
    "holder_page": AS_HOLDER,
    "holder_page_now": AS_HOLDER,
    "block_own_card": AS_HOLDER,
    "card_code": AS_HOLDER,
    "voucher_form": AS_HOLDER,
    "redeem_own_voucher": AS_HOLDER,
    "topup_form": AS_HOLDER,
    "begin_topup": AS_HOLDER,
    "topup_state": AS_HOLDER,
    "topup_payment": AS_HOLDER,
    # A receipt: whoever was handed its address
    "receipt_page": AS_HOLDER,
    # The sandbox provider's page, where it is mounted: whoever knows the payment's reference
    "sandbox_page": EVERYBODY,
    "finish_sandbox_payment": EVERYBODY,
    "dispute_sandbox_payment": EVERYBODY,
    # The pages of people who signed in
    "admin_home": SIGNED_IN,
    "positions_table": READ_VENUE,
    "periods_page": READ_VENUE,
    "operation_page": READ_VENUE,
    "today_page": READ_VENUE,
    "today_now": READ_VENUE,
    "today_file": READ_VENUE,
    "flows_file": READ_VENUE,
    "rush_page": READ_EVENING,
    "rush_now": READ_EVENING,
    "rush_file": READ_EVENING,
    "unspent_page": READ_NETWORK,
    "unspent_file": READ_NETWORK,
    "circulation_page": READ_VENUE,
    "circulation_file": READ_VENUE,
    "handovers_page": READ_VENUE,
    "declare_handover": HAND_IN,
    "end_handover": COUNT_CASH,
    "statements_page": READ_NETWORK,
    "import_statement": MATCH_BANK,
    "payments_page": READ_NETWORK,
    "payout_page": READ_NETWORK,
    "import_payouts": MATCH_BANK,
    "take_back_from_page": BOOK_EXCEPTION,
    "won_from_page": BOOK_EXCEPTION,
    "decide_line": MATCH_BANK,
    "undo_line": MATCH_BANK,
    "periods_table": READ_VENUE,
    "period_days_page": READ_VENUE,
    "venue_page": READ_VENUE,
    "reserve_page": READ_NETWORK,
    "settlements_page": READ_VENUE,
    "begin_from_page": PREPARE_RUN,
    "settlement_page": READ_NETWORK,
    "step_from_page": PREPARE_RUN,
    "put_off_from_page": PREPARE_RUN,
    "read_bank_from_page": PREPARE_RUN,
    "report_payment_from_page": PREPARE_RUN,
    "network_terms_from_page": MANAGE_NETWORK,
    "venue_terms_from_page": MANAGE_NETWORK,
    "statement_page": READ_VENUE,
    "answer_from_page": ANSWER_STATEMENT,
    "statement_line_page": READ_VENUE,
    "bank_page": READ_VENUE,
    "ask_bank_from_page": CHANGE_BANK,
    "decide_bank_from_page": CHANGE_BANK,
    "exceptions_page": READ_EVENING,
    "exception_page": READ_EVENING,
    "step_about_exception": SEE_TO,
    "book_about_exception": BOOK_EXCEPTION,
    "closings_page": READ_EVENING,
    "closing_page": READ_EVENING,
    "closings_table": READ_VENUE,
    "closings_archive": READ_VENUE,
    "close_day": CLOSE_DAY,
    "review_page": READ_EVENING,
    "decide_rows": MANAGE_VENUE,
    "training_page": READ_EVENING,
    "counter_page": COUNTER,
    "top_up_at_counter": COUNTER,
    "block_card_at_counter": COUNTER,
    "unblock_card_at_counter": COUNTER,
    "cards_page": READ_CARDS,
    "cards_table": READ_CARDS,
    "card_page": READ_CARDS,
    "block_card_from_page": COUNTER,
    "unblock_card_from_page": COUNTER,
    "replace_card_from_page": CARD_DESK,
    "link_card_from_page": CARD_DESK,
    "retire_card_from_page": CARD_DESK,
    "issue_page": READ_VENUE,
    "hours_page": COUNTER,
    "credit_hours": COUNTER,
    "contributions_page": COUNTER,
    "credit_contribution": COUNTER,
    "gifts_page": COUNTER,
    "give_from_page": COUNTER,
    "vouchers_page": READ_ISSUED,
    "make_vouchers_from_page": COUNTER,
    "voucher_batch_page": READ_ISSUED,
    "cancel_vouchers_from_page": COUNTER,
    "credit_lines_page": READ_VENUE,
    "ask_credit_from_page": ASK_CREDIT,
    "decide_credit_from_page": GRANT_CREDIT,
    "retirements_page": READ_NETWORK,
    "retire_from_page": RETIRE,
    "products_page": READ_VENUE,
    "new_product_page": MANAGE_VENUE,
    "product_page": MANAGE_VENUE,
    "add_product": MANAGE_VENUE,
    "change_product": MANAGE_VENUE,
    "new_price_hours_page": MANAGE_VENUE,
    "price_hours_page": MANAGE_VENUE,
    "add_price_hours": MANAGE_VENUE,
    "change_price_hours": MANAGE_VENUE,
    "paid_page": MANAGE_VENUE,
    "change_paid": MANAGE_VENUE,
    "terminals_page": READ_EVENING,
    "terminals_now": READ_EVENING,
    "terminal_page": READ_EVENING,
    "terminal_now": READ_EVENING,
    "new_pairing_code": MANAGE_VENUE,
    "change_terminal": MANAGE_VENUE,
    "terminal_logs": READ_EVENING,
    "limits_page": READ_NETWORK,
    "accept_exposure": MANAGE_NETWORK,
    "change_limits_page": MANAGE_NETWORK,
    "change_limits": MANAGE_NETWORK,
    "members_page": READ_NETWORK,
    "add_member_by_form": MANAGE_NETWORK,
    "trade_by_form": MANAGE_NETWORK,
    "member_page": READ_NETWORK,
    "loans_page": READ_NETWORK,
    "lend_by_form": MANAGE_NETWORK,
    "end_loan_by_form": MANAGE_NETWORK,
    "moneys_page": READ_VENUE,
    "money_page": READ_VENUE,
    "new_money_page": MANAGE_NETWORK,
    "define_money": MANAGE_NETWORK,
    "new_rules_page": MANAGE_NETWORK,
    "add_rules": MANAGE_NETWORK,
    "rename_money": MANAGE_NETWORK,
    # People
    "people_page": READ_PEOPLE,
    "person_page": READ_PEOPLE,
    "invite_from_page": MANAGE_PEOPLE,
    "grant_from_page": MANAGE_PEOPLE,
    "withdraw_from_page": MANAGE_PEOPLE,
    "change_person_from_page": MANAGE_PEOPLE,
    "audit_page": READ_AUDIT,
    "audit_table": READ_AUDIT,
    "list_audit": READ_AUDIT,
    "list_people": READ_PEOPLE,
    "invite_person": MANAGE_PEOPLE,
    "make_link": MANAGE_PEOPLE,
    "grant_role": MANAGE_PEOPLE,
    "withdraw_role": MANAGE_PEOPLE,
    "set_staff_card": MANAGE_PEOPLE,
    "card_from_page": MANAGE_PEOPLE,
    "welcome_page": EVERYBODY,
    "choose_password": EVERYBODY,
    # Signing in and out
    "sign_in_page": EVERYBODY,
    "sign_in": EVERYBODY,
    "sign_out_page": SIGNED_IN,
    "sign_out": SIGNED_IN,
    "second_factor_page": SIGNED_IN,
    "set_up_page": SIGNED_IN,
    "give_code": SIGNED_IN,
    "enrol_from_page": SIGNED_IN,
    "prove_session": SIGNED_IN,
    "open_session": EVERYBODY,
    "close_session": SIGNED_IN,
    "list_sessions": SIGNED_IN,
    "sessions_page": SIGNED_IN,
    "end_session_from_page": SIGNED_IN,
    "end_others_from_page": SIGNED_IN,
    "password_page": SIGNED_IN,
    "change_password_from_page": SIGNED_IN,
    "revoke_session": SIGNED_IN,
    "show_me": SIGNED_IN,
    "change_password": SIGNED_IN,
}

# Those that ask for the second factor.
GUARDED: Final = frozenset(endpoint for endpoint, act in ACT_OF.items() if act.guarded)

RIGHTS: Final[Rights] = {endpoint: act.roles for endpoint, act in ACT_OF.items()}


def allows(principal: Principal, endpoint: str) -> bool:
    """Whether one of their roles opens this endpoint: for pages, which show no way that leads nowhere."""
    return not RIGHTS[endpoint].isdisjoint(principal.roles)


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
