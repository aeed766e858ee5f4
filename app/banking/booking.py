"""What a decision about a line of the bank books."""

from __future__ import annotations

import json
from datetime import date
from hashlib import sha256
from uuid import UUID

from app.banking.lines import Kind, Seen
from app.ledger.rules.kinds import AccountKey
from app.ledger.rules.operations import Operation, Posting
from app.ledger.service import Ledger, operating_book, reserve_book
from app.platform.clock import now_us
from app.platform.errors import Invalid
from app.rules.ids import derived

ISSUER, OPERATING = "network", "operating"


async def legs_of(ledger: Ledger, kind: Kind, subject: str, cents: int, gross_cents: int | None) -> tuple[Posting, ...]:
    reserve, own = reserve_book(ISSUER), operating_book(ISSUER)
    (bank,) = await ledger.accounts([AccountKey(reserve, "bank")])
    if kind == "remittance":
        (due,) = await ledger.accounts([AccountKey(reserve, "due_from", subject)])
        return (Posting(bank, due, cents),)
    gross = cents if gross_cents is None else gross_cents
    held = [it for it in await ledger.balances(owners=[subject], kinds=["clearing"]) if it.key.book == reserve]
    if gross < cents:
        raise Invalid("What the provider had taken is not less than what it pays out.", "bank-line-invalid")
    if gross > sum(it.balance for it in held):
        raise Invalid("The provider does not hold so much for the network.", "bank-line-invalid")
    keys = [
        AccountKey(reserve, "clearing", subject),
        AccountKey(reserve, "due_from", OPERATING),
        AccountKey(own, "provider_fees"),
        AccountKey(own, "due_to_reserve"),
    ]
    clearing, due_from, fees, due_to = await ledger.accounts(keys)
    if fee := gross - cents:
        return Posting(bank, clearing, cents), Posting(due_from, clearing, fee), Posting(fees, due_to, fee)
    return (Posting(bank, clearing, cents),)


def operation_of(
    id_: UUID,
    kind: Kind,
    subject: str,
    it: Seen,
    postings: tuple[Posting, ...],
    day: date,
    actor: str,
    handover: UUID | None = None,
    payout: str = "",
) -> Operation:
    details = {"line": str(it.id), "subject": subject, "text": it.line.text, "day": it.line.day.isoformat()}
    # Whoever keeps the decision of a server that stopped knows it from here.
    details |= {"handover": str(handover or ""), "payout": payout}
    said = json.dumps([str(it.id), kind, subject, [each.amount for each in postings], *([payout] if payout else [])])
    owner_kind, _, owner = subject.partition(":")
    return Operation(
        id=id_,
        kind=kind,
        fingerprint=sha256(said.encode()).digest(),
        postings=postings,
        actor=actor,
        occurred_at_us=now_us(),
        business_day=day,
        venue=UUID(owner) if owner_kind == "venue" else None,
        details=json.dumps(details, ensure_ascii=False, separators=(",", ":")),
    )


def booked_as(line_id: UUID, number: int) -> UUID:
    return derived("bank-line", line_id, number)
