"""A closing as the document that is sealed: a text, the same for ever, in which every figure stands.

    digest = SHA-256("comptoir-closing-1" + digest of the closing before + document)

signed with the server's Ed25519 key. Who has the documents and the public key can check all of it, and needs no server.
"""

from __future__ import annotations

from datetime import date
from hashlib import sha256
from typing import Annotated, Final, Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from app.rules.drawer import Closed
from app.rules.takings import ByCurrency, Figures

TillPeriod = Literal["session", "day", "month", "year"]
# Months and years of a venue's books, or of the network's, are chains of their own.
PeriodKind = TillPeriod | Literal["books_month", "books_year"]
# What gathers what.
GATHERED_BY: Final[dict[TillPeriod, TillPeriod]] = {"session": "day", "day": "month", "month": "year"}
# What the first closing of a subject names as the one before it.
GENESIS: Final = bytes(32)


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Drawer(_Part):
    """Cash in euro cents. `difference_cents`: what was counted less what was expected then, None when nobody counted;
    `drawer_cents`: what is left in the drawer."""

    float_cents: int
    expected_cents: int
    drawer_cents: int
    counted: dict[int, int]
    counted_cents: int | None
    counted_blind: bool
    difference_cents: int | None
    reason: str


class Origin(_Part):
    """The row of the terminal's journal that closed the session, and whether its figures are those of the rows before
    it, computed anew here."""

    epoch: int
    sequence: int
    hash: str
    cashier: UUID
    agrees: bool


class Gathered(_Part):
    """A closing that a longer one contains."""

    id: UUID
    number: int
    name: str
    digest: str


class JournalTotals(_Part):
    """The numbers of the entries that a period added to a journal, first to last, and what stands on either side."""

    first: int
    last: int
    cents: int


class AccountTotals(_Part):
    """Euro cents that a period added to an account of the books, with the account's name then."""

    name: str
    debit: int
    credit: int


class BooksFigures(_Part):
    """What was written into the books for a period that ends on `last_day`, of the `exercise` named by the year in
    which it begins. `lines` is the SHA-256 of the entries themselves (app.accounting.books.fec); `perpetual_cents` are
    all debits ever; `vat`: by rate in basis points ("none": without one), sales without tax and the tax in them. Of a
    month: the ledger's operations were read up to number `upto`, and all up to `settled` are in the books."""

    last_day: date
    exercise: int
    entries: int
    cents: int
    perpetual_cents: int
    journals: dict[str, JournalTotals]
    accounts: dict[str, AccountTotals]
    parties: dict[str, tuple[str, str]] = {}
    vat: dict[str, tuple[int, int]] = {}
    lines: str = ""
    upto: int = 0
    settled: int = 0


def _is_none(value: object) -> bool:
    return value is None


class ClosingDocument(_Part):
    """`subject` is the terminal or, of days, months and years, the venue. `day` is the day that it counts to, of a
    longer period its first. `so_far`: what was sold in the calendar year up to this closing, of a venue. `books`: of
    books, whose `subject` and `venue` are the venue, or a UUID of zeros for the network."""

    comptoir: Literal["closing 1"] = "closing 1"
    id: UUID
    network: str
    period: PeriodKind
    subject: UUID
    name: str
    venue: UUID
    venue_name: str
    zone: str
    number: int
    day: date
    opened_at_us: int | None
    made_at_us: int
    before: Closed
    after: Closed
    figures: Figures
    so_far: ByCurrency | None = None
    drawer: Drawer | None = None
    origin: Origin | None = None
    parts: tuple[Gathered, ...] = ()
    books: Annotated[BooksFigures | None, Field(exclude_if=_is_none)] = None

    def text(self) -> str:
        return self.model_dump_json()

    @classmethod
    def read(cls, text: str) -> Self:
        return cls.model_validate_json(text)


def digest_of(previous: bytes, document: str) -> bytes:
    return sha256(b"comptoir-closing-1" + previous + document.encode()).digest()
