"""Accounts and operations of the ledger as people call them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from app.web import N_, Texts

# Kinds of accounts in a currency's book (app.ledger.rules.kinds), all of one kind together.
KINDS: Mapping[str, str] = {
    "wallet": N_("On cards"),
    "claim": N_("Taken by venues"),
    "deposit": N_("Deposits, such as for cups"),
    "fund": N_("Common fund"),
    "overdraft": N_("Owed by cards"),
    "suspense": N_("To be looked at"),
    "issuance": N_("Put into circulation"),
}

# Kinds of accounts in euros: what is held for others, and the issuer's own.
IN_EUROS: Mapping[str, str] = {
    "bank": N_("Bank"),
    "clearing": N_("At the payment provider"),
    "due_from": N_("Held for the issuer"),
    "liability": N_("Owed to holders"),
    "payable": N_("To be paid out"),
    "fee_income": N_("Income from fees"),
    "provider_fees": N_("Fees of the payment provider"),
    "promotion": N_("Promotion"),
    "losses": N_("Losses"),
    "vat": N_("VAT"),
    "capital": N_("Capital"),
    "receivable": N_("Owed to the issuer"),
    "due_from_reserve": N_("Owed by what is held for others"),
    "due_to_reserve": N_("Owed to what is held for others"),
    "breakage_income": N_("Income from what lapsed"),
    "membership_income": N_("Income from memberships"),
}

OPERATIONS: Mapping[str, str] = {
    "sale": N_("Sale"),
    "ticket": N_("Tickets"),
    "pass": N_("Pass"),
    "pass.back": N_("Given back for a pass"),
    "topup": N_("Top-up"),
    "topup.cash": N_("Top-up in cash"),
    "topup.online": N_("Top-up online"),
    "chargeback": N_("Online top-up, taken back by the bank"),
    "chargeback.won": N_("Online top-up, given back by the bank"),
    "donation": N_("Gift by a holder"),
    "refund": N_("Refund"),
    "refund.cash": N_("Refund in cash"),
    "refund.paid": N_("Refund paid by the bank"),
    "refund.card": N_("Refund to a payment card"),
    "shift": N_("Volunteers’ hours"),
    "gift": N_("Gift"),
    "voucher.batch": N_("Vouchers made"),
    "voucher": N_("Voucher used"),
    "voucher.bought": N_("Voucher bought by a holder"),
    "voucher.back": N_("Voucher taken back by its buyer"),
    "voucher.cancelled": N_("Voucher cancelled"),
    "voucher.lapsed": N_("Voucher lapsed"),
    "retirement": N_("Taken out of circulation"),
    "contribution": N_("Contribution"),
    "trade": N_("Trade"),
    "transfer": N_("Passed on"),
    "move": N_("Moved between somebody’s cards"),
    "loan": N_("Loan"),
    "loan.end": N_("End of a loan"),
    "membership": N_("Membership"),
    "roundup": N_("Round-up"),
    "lapse.expiry": N_("Lapsed: not used in time"),
    "lapse.dormancy": N_("Lapsed: no movement"),
    "lapse.demurrage": N_("Melted away"),
}


@dataclass(frozen=True, slots=True)
class Owners:
    """`cards`: labels by the wallet's owner; `venues`: names by the venue's owner."""

    cards: Mapping[str, str]
    venues: Mapping[str, str]

    def account(self, kind: str, owner: str, texts: Texts) -> str:
        """One account: "Card 042", "Café du Canal: taken"."""
        _ = texts.gettext
        if owner in self.cards:
            label = self.cards[owner]
            if kind == "overdraft":
                return _("Owed by card %(label)s", label=label)
            return _("Card %(label)s", label=label)
        name = _(KINDS.get(kind) or IN_EUROS.get(kind, kind))
        whose = self.venues.get(owner, owner)
        return _("%(account)s: %(whose)s", account=name, whose=whose) if whose else name


def operation(kind: str, texts: Texts) -> str:
    """ "Sale", "Sale, taken back"; a kind that has no name here is called as the ledger calls it."""
    if kind.endswith(".reversal"):
        # What was taken back by mistake is taken back in its turn.
        return texts.gettext("%(operation)s, taken back", operation=operation(kind.removesuffix(".reversal"), texts))
    return texts.gettext(OPERATIONS[kind]) if kind in OPERATIONS else kind
