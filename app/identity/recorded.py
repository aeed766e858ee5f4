"""Which reading is written down in the audit log: what holders, members and staff are to the network, and whatever
leaves it as a file. The guard writes the row before the answer is made: who asked is kept even if nothing was found.
"""

from __future__ import annotations

from typing import Final

from starlette.requests import Request

# By endpoint: what it is called in the log.
RECORDED: Final = {
    "show_balances": "view.card",
    "list_cards": "view.cards",
    "cards_page": "view.cards",
    "card_page": "view.card",
    "members_page": "view.members",
    "list_members": "view.members",
    "member_page": "view.member",
    "member_statement": "view.member",
    "list_memberships": "view.members",
    "memberships_page": "view.members",
    "membership_page": "view.member",
    "memberships_table": "export.members",
    "loans_page": "view.loans",
    "list_loans": "view.loans",
    "account_statement": "view.account",
    "list_people": "view.people",
    "people_page": "view.people",
    "person_page": "view.person",
    "cards_table": "export.cards",
    "anew_table": "export.cards",
    "card_batch_labels": "export.card-labels",
    "batch_labels": "export.card-labels",
    "batch_table": "export.card-labels",
    "positions_table": "export.positions",
    "periods_table": "export.periods",
    "today_file": "export.sales",
    "flows_file": "export.positions",
    "circulation_file": "export.circulation",
    "rush_file": "export.rush",
    "unspent_file": "export.unspent",
    "event_sales_file": "export.event",
    "event_statement": "export.event",
    "event_buyers": "export.buyers",
    "guest_list": "export.guests",
    "list_invitations": "view.guests",
    "closings_table": "export.closings",
    "closings_archive": "export.closings",
    "settlement_table": "export.settlement",
    "settlement_file": "export.bank-file",
    "refund_file": "export.bank-file",
    "books_statement": "export.statement",
    "books_table": "export.books",
    "books_fec": "export.fec",
    "lapse_table": "export.lapses",
    "account_statement_csv": "export.account",
    "list_operations_csv": "export.operations",
    "trial_balance_csv": "export.trial-balance",
    "terminal_logs": "export.terminal-logs",
    "audit_table": "export.audit",
    "list_audit": "export.audit",
}
# These answer as a file to who asks for one.
AS_CSV: Final = {
    "account_statement": "export.account",
    "list_operations": "export.operations",
    "trial_balance": "export.trial-balance",
}
# The counter shows whose card it is once one was looked for.
LOOKED_UP: Final = {"counter_page", "hours_page", "contributions_page"}


def recorded_as(endpoint: str, request: Request) -> str | None:
    """The action of the log; None: nothing is written down."""
    if endpoint in AS_CSV and "text/csv" in request.headers.get("accept", ""):
        return AS_CSV[endpoint]
    if endpoint in LOOKED_UP:
        return "view.card" if request.query_params.get("card") else None
    return RECORDED.get(endpoint)
