"""What people do in the network, and which roles may: one line for each act, as docs/roles.md tells it.

Segregation of duties as bookkeepers expect it: who prepares a payment does not release it, who keeps the books changes
no policy, who runs the bar moves no money between accounts, and who audits changes nothing at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from app.identity.roles import PERSONAL, Role

_ADMIN, _ACCOUNTANT, _AUDITOR = Role.NETWORK_ADMIN, Role.NETWORK_ACCOUNTANT, Role.AUDITOR
_V_ADMIN, _V_ACCOUNTANT, _V_AUDITOR = Role.VENUE_ADMIN, Role.VENUE_ACCOUNTANT, Role.VENUE_AUDITOR
_SHIFT, _CASHIER = Role.SHIFT_MANAGER, Role.CASHIER
_READERS = (_ADMIN, _ACCOUNTANT, _AUDITOR, _V_ADMIN, _V_ACCOUNTANT, _V_AUDITOR)


@dataclass(frozen=True, slots=True)
class Act:
    """`said`: the act in words, a line of docs/roles.md. `guarded`: it moves money or lets others in, so it asks for
    the second factor."""

    said: str
    roles: frozenset[Role]
    guarded: bool = False


def _act(said: str, *roles: Role, guarded: bool = False) -> Act:
    return Act(said, frozenset(roles), guarded)


# How somebody comes
EVERYBODY: Final = _act("Open to everybody", Role.PUBLIC)
AS_TERMINAL: Final = _act("A paired terminal's own", Role.TERMINAL)
AS_HOLDER: Final = _act("Whoever knows the card's or the receipt's address", Role.HOLDER)
AS_ACCOUNT: Final = _act("A holder's own account: its pages ask who is signed in there (app/holders)", Role.PUBLIC)
SIGNED_IN: Final = Act("Sign in and out, one's own password and sessions, the list of venues", PERSONAL)
# Reading
READ_VENUE: Final = _act(
    "Read positions, sales, settlement statements, bank details, accounts, operations, moneys and cash on its way",
    *_READERS,
)
READ_BOOKS: Final = _act("Read the books: journals, statements, VAT, FEC, tables", *_READERS)
READ_EVENING: Final = _act("Read what terminals do, exceptions, closings and what was practised", *_READERS, _SHIFT)
READ_ISSUED: Final = _act("Read which vouchers were made and what became of them", *_READERS, _SHIFT, _CASHIER)
READ_NETWORK: Final = _act(
    "Read reserve, proof, settlement runs, bank statements, cards, members, loans, lapses and limits",
    _ADMIN,
    _ACCOUNTANT,
    _AUDITOR,
)
LOOK_UP_CARD: Final = _act("Read what a card holds", _ADMIN, _AUDITOR, _V_ADMIN, _SHIFT, _CASHIER)
# The evening
COUNTER: Final = _act(
    "Work at the counter: block cards, take sales back, top up and issue as the currency's rules let them",
    _ADMIN,
    _V_ADMIN,
    _SHIFT,
    _CASHIER,
)
READ_CARDS: Final = _act(
    "Read which cards there are, which open one wallet, and what was done to them",
    _ADMIN,
    _ACCOUNTANT,
    _AUDITOR,
    _V_ADMIN,
    _V_AUDITOR,
    _SHIFT,
)
CARD_DESK: Final = _act(
    "At the card desk: give chips their labels, replace cards, link, retire", _ADMIN, _V_ADMIN, _SHIFT
)
CLOSE_DAY: Final = _act("Close the day", _ADMIN, _ACCOUNTANT, _V_ADMIN, _V_ACCOUNTANT, _SHIFT)
MANAGE_VENUE: Final = _act(
    "Set prices, tell of artists and events, sell memberships, pair and revoke terminals, decide about rows kept",
    _ADMIN,
    _V_ADMIN,
)
SEE_TO: Final = _act("Take, give, note and close exceptions", _ADMIN, _ACCOUNTANT, _V_ADMIN, _V_ACCOUNTANT, _SHIFT)
ANSWER_DISPUTE: Final = _act(
    "Answer a holder who disputes a sale: take it back, or say why not", _ADMIN, _V_ADMIN, _SHIFT
)
# Books and bank
BOOK_EXCEPTION: Final = _act(
    "Book what an exception needs: find its card, bear a loss, ask the provider again, repay the reserve",
    _ADMIN,
    _ACCOUNTANT,
    guarded=True,
)
KEEP_BOOKS: Final = _act("Set the accounts, close a month", _ADMIN, _ACCOUNTANT, _V_ADMIN, _V_ACCOUNTANT)
HAND_IN: Final = _act("Announce cash that is handed in", _ADMIN, _V_ADMIN, _V_ACCOUNTANT)
COUNT_CASH: Final = _act(
    "Take an announcement back; of the network: count the cash (never who announced it)",
    _ADMIN,
    _ACCOUNTANT,
    _V_ADMIN,
    _V_ACCOUNTANT,
)
MATCH_BANK: Final = _act("Take in bank statements, match their lines", _ADMIN, _ACCOUNTANT)
# Settlement
PREPARE_RUN: Final = _act(
    "Begin, freeze, cancel and close settlement runs; read the bank's answers in", _ADMIN, _ACCOUNTANT
)
RELEASE_RUN: Final = _act("Approve a run (never who made it), make and fetch the bank's file", _ADMIN, guarded=True)
ANSWER_STATEMENT: Final = _act("Accept or dispute a venue's statement", _ADMIN, _V_ADMIN, _V_ACCOUNTANT)
CHANGE_BANK: Final = _act(
    "Ask for a venue's bank details; approve them (never who asked)", _ADMIN, _V_ADMIN, guarded=True
)
CHANGE_NETWORK_BANK: Final = _act("Ask for the network's bank details", _ADMIN, guarded=True)
# Credit
ASK_CREDIT: Final = _act("Ask for a member's credit line", _ADMIN, _V_ADMIN)
GRANT_CREDIT: Final = _act("Grant or refuse a credit line (never who asked)", _ADMIN, guarded=True)
RETIRE: Final = _act("Take a claim out of circulation", _ADMIN, guarded=True)
# People
READ_PEOPLE: Final = _act("Read who works here and what they may do", _ADMIN, _AUDITOR, _V_ADMIN, _V_AUDITOR, _SHIFT)
MANAGE_PEOPLE: Final = _act(
    "Invite people, grant and withdraw roles, staff cards: never more than one's own, shift managers only cashiers",
    _ADMIN,
    _V_ADMIN,
    _SHIFT,
    guarded=True,
)
READ_AUDIT: Final = _act("Read the audit log: who saw, changed or exported what", _ADMIN, _AUDITOR)
# The network
WRITE_CARDS: Final = _act("Make sets of card keys, write keys on cards", _ADMIN, guarded=True)
MANAGE_NETWORK: Final = _act(
    "Currencies and their rules, terms, limits, cards, members, trades, loans, webhooks", _ADMIN
)
