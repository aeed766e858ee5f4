"""A bank statement, whatever it was written in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import sha256


class NotAStatement(Exception):
    """The file cannot be read as a statement. `problem` names why; `where`: the line or element that it stands at."""

    def __init__(self, problem: str, where: str = "") -> None:
        super().__init__(f"{problem} {where}".strip())
        self.problem, self.where = problem, where


@dataclass(frozen=True, slots=True)
class Line:
    """Euro cents: above 0 came in, below 0 went out. `bank_reference`: the bank's own, where it gives one."""

    day: date
    amount_cents: int
    party: str = ""
    party_iban: str = ""
    text: str = ""
    reference: str = ""
    bank_reference: str = ""


@dataclass(frozen=True, slots=True)
class Statement:
    """`opening_cents`, `closing_cents`: None where the file does not say (CSV)."""

    iban: str
    lines: Sequence[Line]
    opening_cents: int | None = None
    closing_cents: int | None = None

    @property
    def adds_up(self) -> bool:
        if self.opening_cents is None or self.closing_cents is None:
            return True
        return self.opening_cents + sum(it.amount_cents for it in self.lines) == self.closing_cents


def keys(lines: Sequence[Line]) -> list[str]:
    """What tells each line from every other of the account: the bank's reference, or else all that the line says and
    its place among those of that day that say the same."""
    seen: Counter[str] = Counter()
    found = []
    for it in lines:
        content = "\x1f".join(
            (it.day.isoformat(), str(it.amount_cents), it.party, it.party_iban, it.text, it.reference)
        )
        said = f"bank:{it.bank_reference}" if it.bank_reference else f"line:{sha256(content.encode()).hexdigest()}"
        seen[said] += 1
        found.append(f"{said}:{seen[said]}")
    return found
