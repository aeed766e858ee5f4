"""What goes into the ledger (operations made of postings) and what comes back (outcomes)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Posting:
    """Move `amount` minor units from account `debit` to account `credit` (account ids).

    What `debit` cannot give without passing its floor is taken from `debit_overflow`; what `credit` cannot take
    without passing its ceiling goes to `credit_overflow`. Without them, the operation is refused. So an offline sale
    debits the wallet, overflowing to the wallet's overdraft; a top-up credits the overdraft, overflowing to the wallet.
    `reverses` names the transfer that this one takes back.
    """

    debit: int
    credit: int
    amount: int
    debit_overflow: int | None = None
    credit_overflow: int | None = None
    reverses: int | None = None


@dataclass(frozen=True, slots=True)
class Within:
    """A condition: after the operation, `accounts` hold together at least `least` and at most `most` (None: no bound).

    Else it is refused with `reason`, and remembered as such.
    """

    accounts: tuple[int, ...]
    reason: str
    least: int | None = None
    most: int | None = None


@dataclass(frozen=True, slots=True)
class Flow:
    """What operations of `kinds` with a business day from `first_day` to `last_day` moved into `accounts` (`incoming`)
    or out of them, less what of it was taken back."""

    accounts: tuple[int, ...]
    incoming: bool
    kinds: tuple[str, ...]
    first_day: date
    last_day: date


@dataclass(frozen=True, slots=True)
class Cap:
    """A condition: with the operation, `flow` comes to at most `most`; else it is refused with `reason`.

    What counts is read under the ledger's lock, so two requests at once cannot both use what is left.
    """

    flow: Flow
    most: int
    reason: str


Condition = Within | Cap


@dataclass(frozen=True, slots=True)
class Operation:
    """One business event. `id` is its idempotency key, `fingerprint` the SHA-256 of its content as it was asked for.

    `details` is JSON text kept with it for ever. `overrides_refusal`: it happened whether we like it or not (a sale
    accepted offline), so a refusal remembered under its id does not stop it. `captures` names a hold that the postings
    draw on: it ends, and what it reserved is theirs to take; `beyond_hold`: they may take more than that, of what else
    is free. `revision`: the revision of prices, cards and venues that
    the caller looked at (None: it does not matter); when it is no longer the newest, the outcome is Stale.
    `again`: it was probably posted before, as a sale that the server booked while its card lay on the reader. The
    outcome is the same without it.
    `conditions` must hold beyond what the accounts themselves ask for: the limits of a policy.
    """

    id: UUID
    kind: str
    fingerprint: bytes
    postings: tuple[Posting, ...]
    actor: str
    occurred_at_us: int
    business_day: date
    late: bool = False
    venue: UUID | None = None
    terminal: UUID | None = None
    policy: str = ""
    reverses: UUID | None = None
    details: str = "{}"
    overrides_refusal: bool = False
    captures: UUID | None = None
    beyond_hold: bool = False
    revision: int | None = None
    conditions: tuple[Condition, ...] = ()
    again: bool = False


@dataclass(frozen=True, slots=True)
class Hold:
    """Set `amount` minor units of `account` aside until `expires_at_us`, or until it is captured or released."""

    id: UUID
    fingerprint: bytes
    account: int
    amount: int
    expires_at_us: int
    actor: str
    details: str = "{}"


@dataclass(frozen=True, slots=True)
class Release:
    """End the hold `id` without taking anything. Ending an ended one changes nothing."""

    id: UUID
    reason: Literal["released", "expired"] = "released"


@dataclass(frozen=True, slots=True)
class Tombstone:
    """Refuse the operation `id` if it ever arrives; if it is booked already, say so and change nothing."""

    id: UUID
    actor: str
    details: str = "{}"


Entry = Operation | Tombstone | Hold | Release


@dataclass(frozen=True, slots=True)
class Transfer:
    """A row of the ledger. The `after` balances are those of the two accounts once it was posted."""

    id: int
    debit: int
    credit: int
    amount: int
    debit_after: int
    credit_after: int
    reverses: int | None = None


@dataclass(frozen=True, slots=True)
class Posted:
    """In the ledger as number `seq`. `replayed`: it was there before, and this is the first result again."""

    seq: int
    transfers: tuple[Transfer, ...]
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class Refused:
    """Not booked, on its merits, and remembered: insufficient-funds, over-ceiling, already-reversed, cancelled, and the
    reasons that conditions give."""

    reason: str
    account: int | None = None
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class Conflict:
    """The id is taken by other content. Nothing was changed."""


@dataclass(frozen=True, slots=True)
class Invalid:
    """Not booked and not remembered, for it can never be right: "unknown-account", "other-book", "peg-broken"..."""

    reason: str


@dataclass(frozen=True, slots=True)
class Held:
    """The hold stands, or (`ended`) it no longer does: "captured", "released" or "expired"."""

    ended: str | None = None
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class Stale:
    """What the caller had looked up has changed meanwhile. Look again and post the same operation; nothing was done."""


Outcome = Posted | Refused | Conflict | Invalid | Held | Stale
