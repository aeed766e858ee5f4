"""Journal entries: each operation of the ledger, and each sale without a card, as the books of one set say it. Pure.

An issuer's books hold what its ledger holds: its pegged money at par, so that issuance and the euros owed for it cancel
out within every entry; hours, points and gifts never appear. A venue's books see the issuer's accounts that bear its
name from the other side, and say against what: sales by rate of VAT, cash, deposits, tips, fees.

Lines of one account and party within an entry are one line. Every entry balances: what nothing here explains stands on
the account for what waits to be explained.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, Literal
from uuid import UUID

from app.accounting.books import drawer
from app.accounting.books.chart import Chart
from app.accounting.books.roles import Role, role_of
from app.accounting.books.sold import Rate, tax, worth
from app.ledger.rules.kinds import AccountKey
from app.ledger.rules.operations import Transfer

JournalCode = Literal["AN", "VE", "CA", "RE", "BQ", "RG", "OD"]
# In the order of the file for the tax office: what was carried over comes first.
JOURNALS: Final[dict[JournalCode, str]] = {
    "AN": "À nouveaux",
    "VE": "Ventes",
    "CA": "Caisse",
    "RE": "Recharges",
    "BQ": "Banque",
    "RG": "Règlements",
    "OD": "Opérations diverses",
}
# Told by their lines: name, quantity, unit_price, currency, vat.
_SALES: Final = frozenset({"sale", "void", "house", "ticket"})
LABELS: Final = {
    "sale": "Vente",
    "ticket": "Billetterie",
    "pass": "Pass ou abonnement",
    "voucher": "Bon cadeau utilisé",
    "voucher.bought": "Bon cadeau acheté",
    "voucher.back": "Bon cadeau repris",
    "pass.back": "Place d'un pass remboursée",
    "house": "Cadeau de la maison",
    "void": "Annulation d'une vente",
    "topup.cash": "Recharge en espèces",
    "topup.online": "Recharge en ligne",
    "topup": "Recharge",
    "chargeback": "Recharge reprise par la banque",
    "chargeback.won": "Recharge rendue par la banque",
    "inbox.link": "Vente imputée à sa carte",
    "inbox.reserve": "Virement du réseau à la réserve",
    "refund": "Remboursement au porteur",
    "donation": "Don d'un porteur",
    "refund.cash": "Remboursement en espèces",
    "refund.paid": "Virement d'un remboursement",
    "refund.card": "Remboursement sur carte bancaire",
    "retirement": "Retrait de monnaie",
    "membership": "Adhésion",
    "trade": "Échange entre membres",
    "transfer": "Don entre porteurs",
    "move": "Déplacement entre cartes d'un porteur",
    "roundup": "Arrondi solidaire",
    "settlement.cover": "Découvert pris en charge",
    "settlement.taken_back": "Vente annulée après règlement",
    "settlement.redemption": "Remboursement de monnaie",
    "settlement.clearing": "Compensation entre émetteurs",
    "settlement.netting": "Compensation et commission",
    "settlement.payment": "Virement",
    "handover": "Espèces remises au réseau",
    "remittance": "Virement au réseau",
    "payout": "Virement du prestataire de paiement",
}
_TAKEN_BACK: Final = ".reversal"


@dataclass(frozen=True, slots=True)
class Piece:
    """What an entry is made of: an operation, or (without transfers) a record of a till or what changed its drawer.
    `seq` is an operation's number. `details` is JSON; `undone` is that of the sale which this one takes back. `venue`:
    where it was."""

    id: UUID
    kind: str
    day: date
    venue: UUID | None
    details: str
    transfers: tuple[Transfer, ...] = ()
    undone: str | None = None
    seq: int | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """Euro cents on one side. `party`: a venue as the ledger names it, or a currency's code; "" for nobody."""

    account: str
    party: str
    debit: int
    credit: int


@dataclass(frozen=True, slots=True)
class Entry:
    """`day` is that of the books, `piece_day` that of the piece: a sale that came in late keeps its own."""

    journal: JournalCode
    day: date
    piece: str
    piece_day: date
    label: str
    lines: tuple[Line, ...]

    @property
    def cents(self) -> int:
        """What stands on either side."""
        return sum(it.debit for it in self.lines)


class Bookkeeper:
    """Makes the entries of one set of books. `owner` is "network" or "venue:<uuid>"; `rates` are euro cents per minor
    unit of pegged money. `vat` adds up what was sold: (cents without tax, the tax) by rate."""

    def __init__(self, owner: str, chart: Chart, rates: Mapping[str, int]) -> None:
        self._owner, self._chart, self._rates = owner, chart, rates
        self._venue = UUID(owner.removeprefix("venue:")) if owner.startswith("venue:") else None
        self._roles: dict[int, Role] = {}
        self.vat: dict[Rate, tuple[int, int]] = {}

    def entry(self, piece: Piece, accounts: Mapping[int, AccountKey], first_day: date | None = None) -> Entry | None:
        """None for what is not in these books. `first_day`: nothing is booked on a day before, whenever it was."""
        sums = _Sums(self._chart)
        mirrored = _Mirror()
        moved = set()
        for it in piece.transfers:
            for number, sign in ((it.debit, 1), (it.credit, -1)):
                role = self._roles.get(number) or self._learn(number, accounts[number])
                moved.add(role.kind)
                if not role.cents:
                    continue
                cents = sign * it.amount * role.cents
                if role.key:
                    sums.add(role.key, role.party, cents)
                if role.mirror:
                    sums.add(role.mirror, role.mirror_party, -cents)
                    mirrored.add(role.mirror, -cents)
                if role.kind == "operating.vat":
                    mirrored.tax -= cents
                elif role.kind == "currency.deposit":
                    mirrored.deposits -= cents
        if self._venue is not None:
            self._explain(piece, sums, mirrored, moved)
        lines = sums.lines()
        if not lines:
            return None
        day = piece.day if first_day is None else max(piece.day, first_day)
        base = piece.kind.removesuffix(_TAKEN_BACK)
        label = LABELS.get(piece.kind) or LABELS.get(base, base)
        if base == drawer.KIND:
            label = drawer.label(json.loads(piece.details))
        elif base != piece.kind:
            label = f"Annulation : {label[0].lower()}{label[1:]}"
        return Entry(self._journal(base, moved), day, str(piece.id), piece.day, label, lines)

    def _learn(self, number: int, key: AccountKey) -> Role:
        role = role_of(self._owner, key, self._rates)
        self._roles[number] = role
        return role

    def _explain(self, piece: Piece, sums: _Sums, mirrored: _Mirror, moved: set[str]) -> None:
        """Against what the venue's side of an operation stands."""
        here = piece.venue == self._venue
        base = piece.kind.removesuffix(_TAKEN_BACK)
        if here and base in _SALES:
            sign = -1 if piece.undone is not None else 1
            # Of what a write-off had taken from the venue, nothing is left to take back.
            apart = "venue.losses" if "currency.issuance" in moved else "waiting"
            told = piece.undone if piece.undone is not None else piece.details
            _sold(sums, mirrored, json.loads(told), self, sign, apart)
            return
        if here and base == drawer.KIND:
            against, cents = drawer.booked(json.loads(piece.details))
            sums.add("till.cash", "", cents)
            sums.add(against, "", -cents)
            return
        left = mirrored.left
        if not left:
            return
        if here and base == "membership":
            self._membership(sums, left, json.loads(piece.undone or piece.details).get("vat", 0))
            return
        if base == "settlement.clearing":
            # What its own money owes to the network is told as its debt there.
            key = "own.liaison"
        elif mirrored.only_due:
            # Cash that was taken for an issuer, or handed on to it: out of the safe, or by transfer.
            means = json.loads(piece.details).get("means", "cash") if here else "cash"
            key = f"till.{means}" if f"till.{means}" in self._chart.accounts else "till.cash"
            if "reserve.bank" in moved:
                key = "till.safe" if base == "handover" else "venue.bank"
        elif "reserve.bank" in moved or "operating.bank" in moved:
            key = "venue.bank"
        elif base == "retirement":
            key = "venue.gifts_paid"
        elif moved & {"currency.overdraft", "currency.suspense"}:
            key = "venue.losses"
        elif "operating.fee_income" in moved:
            sums.add("venue.fee_vat", "", mirrored.tax)
            left += mirrored.tax
            key = "venue.fee"
        else:
            key = "waiting"
        sums.add(key, "", -left)

    def _membership(self, sums: _Sums, gross: int, rate: int) -> None:
        """What a member gives to belong bears a rate where the venue says so, and else is no sale that bears one."""
        vat = tax(gross, rate)
        sums.put(self._chart.per_rate("sales", rate or None), "", vat - gross)
        if vat:
            sums.put(self._chart.per_rate("vat", rate), "", -vat)
        if rate:
            self.sold(rate, gross - vat, vat)

    def _journal(self, base: str, moved: set[str]) -> JournalCode:
        if base in _SALES or (base == "membership" and self._venue is not None):
            return "VE"
        if base == drawer.KIND:
            return "CA"
        if base == "refund.paid":
            return "BQ"
        if base.startswith(("topup", "refund")):
            return "RE" if self._venue is None else "CA"
        if moved & {"reserve.bank", "operating.bank", "reserve.clearing"}:
            return "BQ"
        if moved & {"currency.claim", "reserve.payable", "operating.payable", "reserve.due_from"}:
            return "RG"
        return "OD"

    def sold(self, rate: Rate, net: int, tax: int) -> None:
        so_far = self.vat.get(rate, (0, 0))
        self.vat[rate] = (so_far[0] + net, so_far[1] + tax)

    @property
    def chart(self) -> Chart:
        return self._chart

    @property
    def rates(self) -> Mapping[str, int]:
        return self._rates


class _Sums:
    """Cents by account and party, debit above 0."""

    def __init__(self, chart: Chart) -> None:
        self._chart, self._sums = chart, dict[tuple[str, str], int]()

    def add(self, key: str, party: str, cents: int) -> None:
        self.put(self._chart.number(key), party, cents)

    def put(self, number: str, party: str, cents: int) -> None:
        place = (number, party)
        self._sums[place] = self._sums.get(place, 0) + cents

    def lines(self) -> tuple[Line, ...]:
        """Debits first, each side by its accounts. RuntimeError: they do not balance, by our own fault."""
        if sum(self._sums.values()):
            raise RuntimeError(f"an entry does not balance: {self._sums}")
        found = sorted((place, cents) for place, cents in self._sums.items() if cents)
        return tuple(
            Line(number, party, max(0, cents), max(0, -cents))
            for side in (1, -1)
            for (number, party), cents in found
            if cents * side > 0
        )


@dataclass(slots=True)
class _Mirror:
    """What an operation moved for the venue, in cents, debit above 0. `tax`: what the issuer owes the state of it;
    `deposits`: what it set aside for cups in holders' money."""

    left: int = 0
    tax: int = 0
    deposits: int = 0
    kinds: tuple[str, ...] = ()

    def add(self, kind: str, cents: int) -> None:
        self.left += cents
        self.kinds = (*self.kinds, kind)

    @property
    def only_due(self) -> bool:
        return set(self.kinds) == {"venue.due"}


def _sold(
    sums: _Sums, mirrored: _Mirror, details: Mapping[str, Any], keeper: Bookkeeper, sign: int, apart: str
) -> None:
    """A sale: what came in, by means; the goods by rate; what is left of deposits and tips, which are not earned.
    `apart`: where the rest stands without tips."""
    found = worth(details, keeper.rates)
    chart, left = keeper.chart, mirrored.left
    for means, cents in found.till.items():
        sums.add(f"till.{means}", "", sign * cents)
        left += sign * cents
    for rate, gross in found.goods.items():
        vat = tax(gross, rate) if rate else 0
        sums.put(chart.per_rate("sales", rate), "", -sign * (gross - vat))
        if vat:
            sums.put(chart.per_rate("vat", rate), "", -sign * vat)
        left -= sign * gross
        keeper.sold(rate, sign * (gross - vat), sign * vat)
    # Deposits that cards paid are the issuer's to keep, and tips that a fund holds never were the venue's.
    deposits = sign * found.deposits - mirrored.deposits
    sums.add("venue.deposits", "", -deposits)
    sums.add("venue.tips" if found.tips else apart, "", deposits - left)


def signed(lines: Iterable[Line]) -> dict[str, int]:
    """Cents by account, debit above 0."""
    found: dict[str, int] = {}
    for it in lines:
        found[it.account] = found.get(it.account, 0) + it.debit - it.credit
    return found
