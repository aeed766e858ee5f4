"""What issuing decides without a database: voucher codes, the ids of a batch's operations, how a pasted list reads."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from hashlib import sha256
from typing import Literal
from uuid import UUID, uuid5

# Letters that nobody takes for another one or for a figure on paper: no I, L, O. 16 of 23 are 72 bits: nobody guesses
# one.
LETTERS = "ABCDEFGHJKMNPQRSTUVWXYZ"
CODE_LETTERS = 16
GROUP = 4

LINES_MAX = 500

Role = Literal["contributor", "user", "host", "mutualiser"]
# What somebody was to the pool of equipment when they earned points (Cagibig's contributeur, utilisateur, hébergeur,
# mutualisateur).
ROLES: tuple[Role, ...] = ("contributor", "user", "host", "mutualiser")


@dataclass(frozen=True, slots=True)
class ListedCard:
    """A line of a pasted list: what names the card, and the amount written beside it, "" where there is none."""

    line: int
    card: str
    amount: str


def read_list(text: str) -> list[ListedCard]:
    """Cards one to a line, with `;` or a tab before an amount of their own: what a spreadsheet copies or saves.

    Empty lines, quotation marks around a field and further columns are passed over.
    """
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        card, _, rest = line.replace("\t", ";").partition(";")
        if name := card.strip().strip('"').strip():
            found.append(ListedCard(number, name, rest.partition(";")[0].strip().strip('"').strip()))
    return found


def part_id(batch: UUID, name: str) -> UUID:
    """The id of one operation of a batch: the same whenever the batch is sent again."""
    return uuid5(batch, name)


def voucher_code(key: bytes, voucher: UUID) -> str:
    """The code of a voucher, "ABCD-EFGH-JKMN-PQRS": whoever has the server's key can make it again, nobody else."""
    number = int.from_bytes(hmac.digest(key, b"comptoir-voucher-1" + voucher.bytes, sha256))
    letters = ""
    for _ in range(CODE_LETTERS):
        number, place = divmod(number, len(LETTERS))
        letters += LETTERS[place]
    return "-".join(letters[i : i + GROUP] for i in range(0, CODE_LETTERS, GROUP))


def code_hash(typed: str) -> bytes | None:
    """SHA-256 of a code however it was typed (spaces, dashes, small letters); None for what can be no code."""
    letters = "".join(it for it in typed.upper() if it.isalnum())
    if len(letters) != CODE_LETTERS or not set(letters) <= set(LETTERS):
        return None
    return sha256(b"comptoir-voucher-1" + letters.encode()).digest()
