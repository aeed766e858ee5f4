"""What a line of a bank statement is about: the line and what is expected in, proposals out, the likeliest first."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Literal
from uuid import UUID

from app.banking.rules.lines import Line

Kind = Literal["payout", "remittance", "handover", "payment"]

# Between the day that the provider names and the day on which the bank books it.
ARRIVES_WITHIN_DAYS = 7

# Words by which banks call a deposit of cash.
_CASH = ("versement", "especes", "depot", "cash deposit")


@dataclass(frozen=True, slots=True)
class Owing:
    """A venue: `due_cents` it owes in cash; `iban`: of its bank details, '' where there are none."""

    owner: str
    name: str
    due_cents: int
    iban: str = ""


@dataclass(frozen=True, slots=True)
class Announced:
    """Cash that a venue sends by transfer, under a reference that it was given."""

    handover: UUID
    owner: str
    amount_cents: int
    reference: str


@dataclass(frozen=True, slots=True)
class Sent:
    """A payment of a settlement run that left with our file."""

    end_to_end: str
    amount_cents: int


@dataclass(frozen=True, slots=True)
class Coming:
    """A payout that a provider reported and that no line of the bank is yet; `fees_cents` it kept for its work.
    `explained`: every row of it is about something that is in the books."""

    provider: str
    reference: str
    net_cents: int
    fees_cents: int
    day: date
    explained: bool


@dataclass(frozen=True, slots=True)
class Expected:
    """Everything that a bank could be telling of. `clearing`: euro cents that each payment provider has for us;
    `counted_cents`: cash that was counted and did not come to the bank yet."""

    venues: Sequence[Owing] = ()
    announced: Sequence[Announced] = ()
    clearing: Mapping[str, int] = field(default_factory=dict)
    counted_cents: int = 0
    sent: Sequence[Sent] = ()
    coming: Sequence[Coming] = ()


@dataclass(frozen=True, slots=True)
class Proposal:
    """`certain`: reference and amount agree, so it needs nobody. `gross_cents`: of a payout, before the provider's fee.
    `handover`: which announced one it is; `payout`: which reported one."""

    kind: Kind
    subject: str
    certain: bool = False
    gross_cents: int = 0
    handover: UUID | None = None
    payout: str = ""


def proposals(line: Line, expected: Expected) -> list[Proposal]:
    """Empty where nothing that is expected fits."""
    if line.amount_cents < 0:
        return _going_out(line, expected)
    return [
        *_announced(line, expected),
        *(_reported(line, expected) or _from_provider(line, expected)),
        *_from_venue(line, expected),
        *_cash(line, expected),
    ]


def _going_out(line: Line, expected: Expected) -> list[Proposal]:
    return [
        Proposal("payment", it.end_to_end, certain=line.reference == it.end_to_end)
        for it in expected.sent
        if -line.amount_cents == it.amount_cents and it.end_to_end in {line.reference, *line.text.split()}
    ]


def _announced(line: Line, expected: Expected) -> list[Proposal]:
    said = _bare(f"{line.reference} {line.text}")
    return [
        Proposal("remittance", it.owner, certain=line.amount_cents == it.amount_cents, handover=it.handover)
        for it in expected.announced
        if _bare(it.reference) in said
    ]


def _reported(line: Line, expected: Expected) -> list[Proposal]:
    """A payout that the provider has reported: certain where it is the only one of its amount and days, and all of it
    is in the books."""
    said = _words(f"{line.party} {line.text} {line.reference}")
    fits = [
        it
        for it in expected.coming
        if it.net_cents == line.amount_cents
        and set(_words(it.provider)) <= set(said)
        and abs((line.day - it.day).days) <= ARRIVES_WITHIN_DAYS
        and it.net_cents + it.fees_cents <= expected.clearing.get(it.provider, 0)
    ]
    return [
        Proposal(
            "payout",
            it.provider,
            certain=it.explained and len(fits) == 1,
            gross_cents=it.net_cents + it.fees_cents,
            payout=it.reference,
        )
        for it in fits
    ]


def _from_provider(line: Line, expected: Expected) -> list[Proposal]:
    said = _words(f"{line.party} {line.text}")
    return [
        Proposal("payout", name, gross_cents=line.amount_cents)
        for name, cents in expected.clearing.items()
        if 0 < line.amount_cents <= cents and set(_words(name)) <= set(said)
    ]


def _from_venue(line: Line, expected: Expected) -> list[Proposal]:
    said = _words(f"{line.party} {line.text}")
    found = []
    for it in expected.venues:
        by_account = bool(it.iban) and it.iban == line.party_iban
        by_name = bool(name := _words(it.name)) and set(name) <= set(said)
        if (by_account or by_name) and 0 < line.amount_cents <= it.due_cents:
            found.append((not by_account, Proposal("remittance", it.owner)))
    return [it for _, it in sorted(found, key=lambda pair: pair[0])]


def _cash(line: Line, expected: Expected) -> list[Proposal]:
    said = " ".join(_words(f"{line.party} {line.text}"))
    if any(word in said for word in _CASH) and line.amount_cents <= expected.counted_cents:
        return [Proposal("handover", "")]
    return []


def _words(text: str) -> list[str]:
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return [it for it in re.split(r"[^a-z0-9]+", plain) if it]


def _bare(text: str) -> str:
    """Banks break references up with spaces and signs."""
    return "".join(_words(text))
