"""What each of the ledger's accounts is in a set of books. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from app.accounting.books.chart import BY_PARTY
from app.currencies.service import NETWORK
from app.ledger.rules.kinds import AccountKey, BookKind

_INNER: Final = frozenset({"due_to_reserve", "due_from_reserve"})
_OPERATING: Final = "operating"
_CURRENCY_KINDS: Final = frozenset({"wallet", "claim", "deposit", "fund", "overdraft", "suspense"})
_VENUE_KINDS: Final = {
    "claim": "venue.claim",
    "due_from": "venue.due",
    "payable": "venue.payable",
    "receivable": "venue.supplier",
}


@dataclass(frozen=True, slots=True)
class Role:
    """What one of the ledger's accounts is in these books. `kind`: "<book>.<kind>"; `cents`: per minor unit, 0 where it
    is worth none. `key`: the issuer's own account; `mirror`: the venue's, which stands on the other side."""

    kind: str
    cents: int
    key: str = ""
    party: str = ""
    mirror: str = ""
    mirror_party: str = ""


def role_of(owner: str, key: AccountKey, rates: Mapping[str, int]) -> Role:
    kind = f"{key.book.kind.value}.{key.kind}"
    cents = rates.get(key.book.currency, 0) if key.book.kind is BookKind.CURRENCY else 1
    if key.book.issuer != owner:
        # What another issuer owes the network, the network's own book says too (settlement.clearing).
        if owner == NETWORK or key.owner != owner or key.kind not in _VENUE_KINDS:
            return Role(kind, cents)
        code = key.book.currency if key.book.kind is BookKind.CURRENCY else ""
        return Role(kind, cents, mirror=_VENUE_KINDS[key.kind], mirror_party=code)
    own = _own_key(key)
    party = key.owner if own in BY_PARTY and key.owner.startswith("venue:") else ""
    if key.owner == owner and key.kind in _VENUE_KINDS:
        # A venue owes itself nothing: what its own money brought is told by what it stands against.
        return Role(kind, cents, own, party, own, party)
    return Role(kind, cents, own, party)


def _own_key(key: AccountKey) -> str:
    if key.book.kind is BookKind.CURRENCY:
        return f"issuer.{key.kind}" if key.kind in _CURRENCY_KINDS else "issuer.control"
    if key.book.kind is BookKind.RESERVE:
        if key.kind == "liability":
            return "issuer.control"
        # A venue's debt to the network for its own money is told once, on the network's side of it.
        return "own.liaison" if key.owner in {_OPERATING, NETWORK} else f"issuer.{key.kind}"
    return "own.liaison" if key.kind in _INNER else f"own.{key.kind}"
