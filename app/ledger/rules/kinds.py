"""The chart of accounts: every kind of account, its book, its normal side, its floor and its ceiling.

An issuer keeps one currency book per local currency, a reserve book (euros held for others) and an operating book
(its own euros). Amounts are minor units on the account's normal side.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

DEBIT, CREDIT = -1, 1


class BookKind(StrEnum):
    CURRENCY = "currency"
    RESERVE = "reserve"
    OPERATING = "operating"

    # Enum's own is written in Python, and a delivery of 500 sales asks for it some thousand times.
    __hash__ = str.__hash__


@dataclass(frozen=True, slots=True)
class Kind:
    """`normal`: the side on which the account grows. `floor`, `ceiling`: None where any balance is right."""

    book: BookKind
    name: str
    normal: int
    floor: int | None = None
    ceiling: int | None = None


def _kinds(book: BookKind, *rows: tuple[str, int, int | None, int | None]) -> dict[tuple[BookKind, str], Kind]:
    return {(book, name): Kind(book, name, normal, floor, ceiling) for name, normal, floor, ceiling in rows}


KINDS: dict[tuple[BookKind, str], Kind] = {
    **_kinds(
        BookKind.CURRENCY,
        ("issuance", DEBIT, 0, None),  # all units in circulation
        ("wallet", CREDIT, 0, None),  # or minus the holder's credit limit
        ("claim", CREDIT, None, None),  # negative when a void follows a settlement: it carries over
        ("deposit", CREDIT, 0, None),  # cups
        ("fund", CREDIT, 0, None),
        ("overdraft", CREDIT, None, 0),  # what a wallet owes after an offline sale beyond its balance
        ("suspense", CREDIT, None, None),  # sales delivered with an unknown or blocked card
    ),
    **_kinds(
        BookKind.RESERVE,
        ("bank", DEBIT, None, None),
        ("clearing", DEBIT, None, None),  # paid to the provider, not yet at the bank
        ("due_from", DEBIT, None, None),  # a venue's cash for the issuer; operating; a guarantor
        ("liability", CREDIT, 0, None),  # one per pegged currency
        ("payable", CREDIT, 0, None),
    ),
    **_kinds(
        BookKind.OPERATING,
        ("bank", DEBIT, None, None),
        ("fee_income", CREDIT, None, None),
        ("breakage_income", CREDIT, None, None),
        ("membership_income", CREDIT, None, None),
        ("provider_fees", DEBIT, None, None),
        ("promotion", DEBIT, None, None),
        ("losses", DEBIT, None, None),
        ("vat", CREDIT, None, None),
        ("capital", CREDIT, None, None),
        ("receivable", DEBIT, None, None),
        ("payable", CREDIT, None, None),
        ("due_to_reserve", CREDIT, None, None),
        ("due_from_reserve", DEBIT, None, None),
    ),
}


class Book(NamedTuple):
    """One book of one issuer. `currency` is the local currency's code; EUR in the reserve and operating books."""

    issuer: str
    kind: BookKind
    currency: str


@dataclass(frozen=True, slots=True)
class AccountKey:
    """An account by what it is: book, kind, and whose ("wallet:<uuid>", "venue:<uuid>", or "" for the issuer's own)."""

    book: Book
    kind: str
    owner: str = ""

    def __post_init__(self) -> None:
        if (self.book.kind, self.kind) not in KINDS:
            raise ValueError(f"a {self.book.kind} book holds no {self.kind} account")

    @property
    def rules(self) -> Kind:
        return KINDS[self.book.kind, self.kind]
