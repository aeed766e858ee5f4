"""The rules of each currency, version by version, each with the instant from which it holds."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.currencies.policy_text import read_policy, write_policy
from app.currencies.tables import currency as currency_table
from app.currencies.tables import policy as policy_table
from app.platform.clock import now_us
from app.platform.errors import Conflict, Invalid, NotFound
from app.rules.policy import CurrencyKind, Fee, Issue, Policy, Redeem
from app.rules.policy_check import problems

_COUNTERS = ("network_admin", "venue_admin", "cashier")
_MANAGERS = ("network_admin", "venue_admin")

# What holds while a network has said nothing: who stands where money comes in may issue it, and no more.
_DEFAULTS: dict[CurrencyKind, Policy] = {
    "pegged": Policy(issue=Issue(roles=_COUNTERS), redeem=Redeem(who=("venues",), fee=Fee(payer="venue"))),
    "time": Policy(issue=Issue(roles=_MANAGERS)),
    "gift": Policy(issue=Issue(roles=_MANAGERS)),
    "points": Policy(issue=Issue(roles=_MANAGERS)),
    "mutual": Policy(),
}


@dataclass(frozen=True, slots=True)
class PolicyVersion:
    """`version` counts from 1 within its currency; 0 is what holds while nothing was said."""

    currency: str
    version: int
    valid_from_us: int
    policy: Policy
    author: str = ""
    made_at_us: int = 0

    @property
    def label(self) -> str:
        """How an operation names the rules it was made under."""
        return f"{self.currency}@{self.version}"


def defaults(kind: CurrencyKind) -> Policy:
    return _DEFAULTS[kind]


def unwritten(code: str, kind: CurrencyKind) -> PolicyVersion:
    """Version 0, which holds since ever."""
    return PolicyVersion(code, 0, 0, _DEFAULTS[kind])


async def policies(connection: AsyncConnection) -> dict[str, list[PolicyVersion]]:
    """By currency: version 0, then those that were written, in their order."""
    found: dict[str, list[PolicyVersion]] = {}
    kinds = sa.select(currency_table.c.code, currency_table.c.kind)
    for code, kind in await connection.execute(kinds.order_by(currency_table.c.position, currency_table.c.code)):
        found[code] = [unwritten(code, kind)]
    query = sa.select(policy_table).order_by(policy_table.c.currency, policy_table.c.version)
    for row in await connection.execute(query):
        it = PolicyVersion(row.currency, row.version, row.valid_from_us, _read(row.body), row.author, row.made_at_us)
        found[row.currency].append(it)
    return found


def policy_at(versions: Sequence[PolicyVersion], at_us: int) -> PolicyVersion:
    """The version that holds at an instant: the last of those that had begun. `versions` as `policies` gives them."""
    return next(it for it in reversed(versions) if it.valid_from_us <= at_us)


async def add_policy(
    connection: AsyncConnection, code: str, policy: Policy, valid_from_us: int, author: str
) -> PolicyVersion:
    """The next version of a currency's rules; `author` as the audit log names people.

    Raises NotFound, Invalid("policy-invalid") with the `problems`, Conflict("policy-too-early").
    """
    # The lock lets two admins write one after the other; SQLite has taken its own at the transaction's start.
    query = sa.select(currency_table.c.kind).where(currency_table.c.code == code).with_for_update()
    kind: CurrencyKind | None = (await connection.execute(query)).scalar_one_or_none()
    if kind is None:
        raise NotFound(f"There is no currency {code}.")
    check_policy(kind, policy)
    newest = sa.select(policy_table.c.version, policy_table.c.valid_from_us).where(policy_table.c.currency == code)
    last = (await connection.execute(newest.order_by(policy_table.c.version.desc()).limit(1))).one_or_none()
    if last is not None and valid_from_us < last.valid_from_us:
        raise Conflict(
            f"{code}@{last.version} holds from a later date than this version.",
            "policy-too-early",
            valid_from_us=last.valid_from_us,
        )
    new = PolicyVersion(code, 1 if last is None else last.version + 1, valid_from_us, policy, author, now_us())
    body = json.dumps(write_policy(policy), ensure_ascii=False, separators=(",", ":"))
    await connection.execute(
        sa.insert(policy_table).values(
            currency=code,
            version=new.version,
            valid_from_us=valid_from_us,
            body=body,
            author=author,
            made_at_us=new.made_at_us,
        )
    )
    return new


def check_policy(kind: CurrencyKind, policy: Policy) -> None:
    """Raises Invalid("policy-invalid") that says in words, and as `problems`, all that contradicts itself."""
    found = problems(kind, policy)
    if found:
        raise Invalid(
            " ".join(it.text for it in found),
            "policy-invalid",
            problems=[{"code": it.code, "field": it.field, "text": it.text} for it in found],
        )


@cache
def _read(body: str) -> Policy:
    return read_policy(json.loads(body))
