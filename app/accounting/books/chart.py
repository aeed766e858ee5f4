"""The chart of accounts: what the ledger and the tills book, and under which number it stands in the books.

Numbers are those of the French general chart (plan comptable général, règlement ANC 2014-03, art. 932-1 and what
amended it), for associations with règlement ANC 2018-06 (756 cotisations, 102 and 103 fonds propres). Every number and
name may be changed for each set of books. A currency's issuer keeps the holders' money (165), venues' claims (467) and
the reserve (512, 511); a venue books a sale when a card pays it: 467 against 707 and 4457. What a count finds to differ
is a charge or income of current business (658, 758); cash in the safe is a sub-account of 531.

Names are French in either language, for they are those of the chart, and the file for the tax office bears them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

Regime = Literal["association", "cooperative"]
REGIMES: Final[tuple[Regime, ...]] = ("association", "cooperative")

NUMBER: Final = re.compile(r"[1-7][0-9]{2}[0-9A-Z]{0,9}")
NAME_MAX: Final = 80


@dataclass(frozen=True, slots=True)
class Account:
    """`number` begins with three digits of the chart (A47 A-1, field 5)."""

    number: str
    name: str


# What an issuer's books hold: "issuer.<kind>" of its reserve and currency books, "own.<kind>" of its own euros.
_ISSUER: Final = {
    "issuer.bank": Account("512100", "Banque, réserve des porteurs"),
    "issuer.clearing": Account("511500", "Cartes bancaires à encaisser"),
    "issuer.due_from": Account("467100", "Lieux, espèces encaissées pour la réserve"),
    "issuer.payable": Account("467300", "Lieux et porteurs, sommes à verser"),
    "issuer.wallet": Account("165100", "Dépôts des porteurs de monnaie"),
    "issuer.claim": Account("467200", "Lieux, monnaie à rembourser"),
    "issuer.deposit": Account("419600", "Clients, emballages consignés"),
    "issuer.fund": Account("467500", "Fonds collectés pour des bénéficiaires"),
    "issuer.overdraft": Account("467600", "Porteurs, découverts hors ligne"),
    "issuer.suspense": Account("471100", "Ventes sur cartes inconnues ou bloquées"),
    "issuer.control": Account("471900", "Contrôle des monnaies en circulation"),
    "own.bank": Account("512200", "Banque"),
    "own.fee_income": Account("706000", "Commissions et prestations de services"),
    "own.breakage_income": Account("758000", "Monnaie périmée"),
    "own.membership_income": Account("756000", "Cotisations"),
    "own.provider_fees": Account("627000", "Services bancaires"),
    "own.promotion": Account("623800", "Cadeaux pris en charge"),
    "own.losses": Account("654000", "Pertes sur créances irrécouvrables"),
    "own.vat": Account("445710", "TVA collectée sur commissions"),
    "own.capital": Account("102000", "Fonds propres"),
    "own.receivable": Account("411000", "Clients"),
    "own.payable": Account("467400", "Lieux, cadeaux à rembourser"),
    "own.liaison": Account("181000", "Liaison entre réserve et fonds propres"),
}

# What a venue's books hold.
_VENUE: Final = {
    "till.cash": Account("531000", "Caisse"),
    "till.safe": Account("531800", "Caisse, coffre"),
    "till.bank_card": Account("511500", "Cartes bancaires à encaisser"),
    "till.cheque": Account("511200", "Chèques à encaisser"),
    "till.meal_voucher": Account("511800", "Titres-restaurant à encaisser"),
    "venue.bank": Account("512000", "Banque"),
    "venue.claim": Account("467810", "Monnaies locales à rembourser"),
    "venue.due": Account("467820", "Espèces dues au réseau"),
    "venue.payable": Account("467830", "Réseau, virements à recevoir"),
    "venue.supplier": Account("401000", "Fournisseurs, réseau"),
    "venue.deposits": Account("419600", "Clients, emballages consignés"),
    "venue.tips": Account("467840", "Pourboires à reverser"),
    "venue.fee": Account("622200", "Commissions sur ventes"),
    "venue.fee_vat": Account("445660", "TVA déductible sur autres biens et services"),
    "venue.losses": Account("654000", "Pertes sur créances irrécouvrables"),
    "venue.gifts_paid": Account("758200", "Cadeaux remboursés par le réseau"),
    "drawer.supplier": Account("401100", "Fournisseurs payés en espèces"),
    "drawer.other": Account("471800", "Mouvements de caisse à expliquer"),
    "drawer.short": Account("658000", "Écarts de caisse, manquants"),
    "drawer.over": Account("758300", "Écarts de caisse, excédents"),
    # A rate's own number is put behind these: 707200 and 44571200 are those of 20 %.
    "sales": Account("707", "Ventes de marchandises"),
    "vat": Account("44571", "TVA collectée"),
}

_BOTH: Final = {
    "waiting": Account("471000", "Compte d'attente"),
    "profit": Account("120000", "Résultat de l'exercice (bénéfice)"),
    "loss": Account("129000", "Résultat de l'exercice (perte)"),
}

_COOPERATIVE: Final = {
    "own.capital": Account("101300", "Capital souscrit, appelé, versé"),
    "own.membership_income": Account("758100", "Adhésions"),
}
_ASSOCIATION: Final = {
    "profit": Account("120000", "Excédent de l'exercice"),
    "loss": Account("129000", "Déficit de l'exercice"),
}

# Accounts that are followed party by party: by venue in an issuer's books, by money in a venue's.
BY_PARTY: Final = frozenset(
    {"issuer.due_from", "issuer.payable", "issuer.claim", "own.payable", "venue.claim", "venue.due", "venue.payable"}
)
_PER_RATE: Final = frozenset({"sales", "vat"})


def defaults(regime: Regime, *, venue: bool) -> dict[str, Account]:
    """Every account of a set of books by its key. A venue may issue money of its own, so its books hold both parts."""
    own = _COOPERATIVE if regime == "cooperative" else _ASSOCIATION
    return {**(_VENUE if venue else {}), **_ISSUER, **_BOTH, **own}


def wrong(key: str, number: str, name: str, known: Mapping[str, Account]) -> str:
    """Why an account cannot be so, "" when it can: "key", "number", "name"."""
    base, _, rate = key.partition(".")
    of_rate = base in _PER_RATE and base in known and (rate == "none" or (rate.isdecimal() and int(rate) <= 10_000))
    if key not in known and not of_rate:
        return "key"
    if NUMBER.fullmatch(number) is None:
        return "number"
    return "" if name.strip() == name and 0 < len(name) <= NAME_MAX and name.isprintable() else "name"


class Chart:
    """The accounts of one set of books: the defaults of its regime, with what was changed."""

    def __init__(self, regime: Regime, changed: Mapping[str, Account], *, venue: bool) -> None:
        self._known = {**defaults(regime, venue=venue), **changed}
        self._names: dict[str, str] = {}
        for account in self._known.values():
            self._names.setdefault(account.number, account.name)

    def number(self, key: str) -> str:
        return self._known[key].number

    def per_rate(self, base: Literal["sales", "vat"], rate: int | None) -> str:
        """The account of a rate in basis points; None: of sales that bear no rate."""
        own = self._known.get(f"{base}.{'none' if rate is None else rate}")
        return own.number if own else self._known[base].number + _suffix(rate or 0)

    def name(self, number: str) -> str:
        """What an account of these books is called; one that only an older chart knew bears its number."""
        if number in self._names:
            return self._names[number]
        for base in sorted(_PER_RATE):
            known = self._known.get(base)
            rest = number.removeprefix(known.number) if known else number
            if known and rest != number and rest.isdecimal() and len(rest) in {3, 4, 5}:
                rate = int(rest) * (10 if len(rest) == 3 else 1)
                return f"{known.name} {percent(rate)}" if rate else f"{known.name}, sans taux"
        return number

    @property
    def accounts(self) -> Mapping[str, Account]:
        return self._known


def _suffix(rate: int) -> str:
    """Tenths of a percent in three digits (550 basis points are 055), else basis points in four or five."""
    return f"{rate:04d}" if rate % 10 or rate > 9_990 else f"{rate // 10:03d}"


def percent(rate: int) -> str:
    """A rate in basis points as French books write it: 550 is "5,5 %"."""
    whole, rest = divmod(rate, 100)
    return f"{whole}{f',{rest:02d}'.rstrip('0') if rest else ''} %"
