"""Gift vouchers: a code on paper that can be given away, and put on any card once.

Making a batch sets its money aside: issuance / fund, one fund account per batch, so that a batch never gives more than
was set aside for it. A voucher ends by one operation whose id is the voucher's own: used (fund / wallet), cancelled or
lapsed (fund / issuance). Whichever comes first is in the ledger, and the others find it there.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Literal
from uuid import UUID

import sqlalchemy as sa

from app.cards.service import Card, balances, overdraft_key, wallet_key
from app.currencies.service import Currency
from app.issuing.batches import Batch, batch_of, content_of, keep, known_batch
from app.issuing.rules import LINES_MAX, code_hash, part_id, voucher_code
from app.issuing.service import Terms, check_amount
from app.issuing.tables import issue_batch, voucher
from app.ledger.rules.kinds import AccountKey
from app.ledger.rules.operations import Conflict as OtherContent
from app.ledger.rules.operations import Operation, Outcome, Posted, Posting
from app.ledger.service import REFUSALS, BookedOperation, Ledger, currency_book, posted
from app.platform.clock import now_us
from app.platform.errors import Conflict, DomainError, Forbidden, Invalid, NotFound

MADE, USED, CANCELLED, LAPSED = "voucher.batch", "voucher", "voucher.cancelled", "voucher.lapsed"
# Of those that holders buy (app/issuing/bought.py): bought, and back to the buyer.
BOUGHT, BACK = "voucher.bought", "voucher.back"
State = Literal["open", "used", "cancelled", "lapsed"]
STATES: dict[str, State] = {USED: "used", CANCELLED: "cancelled", LAPSED: "lapsed", BACK: "cancelled"}

DAY_US = 24 * 3600 * 1_000_000
# Whoever makes a batch may see its codes again this long, in case the first answer was lost on its way.
SHOWN_AGAIN_US = 3600 * 1_000_000


@dataclass(frozen=True, slots=True)
class Voucher:
    """`number`: within its batch, from 1. `amount`: minor units of the batch's currency."""

    id: UUID
    batch: Batch
    number: int
    state: State = "open"

    @property
    def amount(self) -> int:
        return self.batch.amount // self.batch.parts


@dataclass(frozen=True, slots=True)
class Made:
    """A batch that was just made, and the codes of its vouchers in their order: nobody is told them again later."""

    batch: Batch
    codes: tuple[str, ...]


async def make(
    ledger: Ledger,
    terms: Terms,
    key: bytes,
    amount: int,
    count: int,
    id_: UUID,
    *,
    actor: str,
    reason: str,
    valid_until_us: int | None = None,
) -> Made:
    """`count` vouchers of `amount` minor units each; `key` is the server's, which the codes are made from.

    Without `valid_until_us`, the policy's expiry holds, if it has one. Sent again under the same id within the hour, it
    answers the same codes. Raises Invalid("currency-not-accepted"), Invalid("too-much-at-once"), Invalid("invalid"),
    Invalid("idempotency-key-reused"), Conflict("codes-shown").
    """
    if terms.currency.kind != "gift":
        raise Invalid(f"{terms.currency.code} is not given away.", "currency-not-accepted")
    if not 1 <= count <= LINES_MAX:
        raise Invalid(f"A batch has 1 to {LINES_MAX} vouchers.")
    check_amount(terms, amount)
    venue = None if terms.venue is None else terms.venue.id
    content = content_of(terms.currency.code, venue, actor, reason, amount, count, valid_until_us)
    async with ledger.reader.connect() as connection:
        batch = await known_batch(connection, id_, content)
    if batch is None:
        batch = await _keep(ledger, terms, key, amount, count, id_, actor, reason, valid_until_us, content)
    elif now_us() - batch.made_at_us > SHOWN_AGAIN_US:
        raise Conflict("The codes of these vouchers were shown already.", "codes-shown")
    await ledger.post_one(await _set_aside(ledger, terms, batch))
    return Made(batch, tuple(voucher_code(key, part_id(id_, str(n))) for n in range(1, count + 1)))


async def _keep(
    ledger: Ledger,
    terms: Terms,
    key: bytes,
    amount: int,
    count: int,
    id_: UUID,
    actor: str,
    reason: str,
    valid_until_us: int | None,
    content: bytes,
) -> Batch:
    days = terms.policy.lapse.expires_after_days
    if valid_until_us is None and days is not None:
        valid_until_us = terms.now_us + days * DAY_US
    if valid_until_us is not None and valid_until_us <= terms.now_us:
        raise Invalid("Vouchers end after today.")
    venue = None if terms.venue is None else terms.venue.id
    code, total = terms.currency.code, amount * count
    new = Batch(id_, "vouchers", code, venue, total, count, reason, valid_until_us, actor, content, terms.now_us)
    rows: list[dict[str, Any]] = []
    for number in range(1, count + 1):
        one = part_id(id_, str(number))
        rows.append({"id": one, "batch": id_, "number": number, "code_sha256": code_hash(voucher_code(key, one))})
    try:
        async with ledger.engine.begin() as connection:
            await keep(connection, new, [(voucher, rows)])
    except sa.exc.IntegrityError:
        # Somebody sent the same batch at the same time: both go on with what was kept.
        async with ledger.reader.connect() as connection:
            kept = await known_batch(connection, id_, content)
        if kept is None:
            raise
        return kept
    return new


async def _set_aside(ledger: Ledger, terms: Terms, batch: Batch) -> Operation:
    issuance, fund = await ledger.accounts([_issuance(terms.currency), fund_of(terms.currency, batch.id)])
    details = {
        "amount": batch.amount,
        "vouchers": batch.parts,
        "reason": batch.reason,
        "valid_until_us": batch.valid_until_us,
    }
    return Operation(
        id=batch.id,
        kind=MADE,
        fingerprint=batch.content,
        postings=(Posting(issuance, fund, batch.amount),),
        actor=batch.actor,
        occurred_at_us=batch.made_at_us,
        business_day=terms.day,
        venue=batch.venue,
        policy=terms.version.label,
        details=_text(details),
    )


async def voucher_behind(ledger: Ledger, code: str) -> Voucher:
    """The voucher of a code, however it was typed. Raises NotFound("voucher-unknown")."""
    mark = code_hash(code)
    async with ledger.reader.connect() as connection:
        query = sa.select(voucher).where(voucher.c.code_sha256 == (mark or b""))
        row = (await connection.execute(query)).one_or_none()
        if row is None:
            raise NotFound("No voucher has this code.", "voucher-unknown")
        batch = await batch_of(connection, row.batch)
    booked = await ledger.booked([row.id])
    return Voucher(row.id, batch, row.number, _state(booked.get(row.id)))


async def vouchers_of(ledger: Ledger, batch: Batch) -> list[Voucher]:
    """All of a batch, by number, with what became of each."""
    async with ledger.reader.connect() as connection:
        query = sa.select(voucher).where(voucher.c.batch == batch.id).order_by(voucher.c.number)
        rows = (await connection.execute(query)).all()
    booked = await ledger.booked([row.id for row in rows])
    return [Voucher(row.id, batch, row.number, _state(booked.get(row.id))) for row in rows]


async def redeem(ledger: Ledger, terms: Terms, it: Voucher, card: Card, *, actor: str) -> int:
    """Put the voucher on a card, once: what the card holds after it, in minor units. Asked for again for the same card,
    it gets the same answer.

    Raises Forbidden("card-blocked"), Conflict("voucher-used"), ("voucher-cancelled") or ("voucher-lapsed"); and of one
    that a holder bought, Conflict("voucher-own") for the buyer's own card, DomainError("over-ceiling").
    """
    currency = terms.currency
    if it.state == "open":
        if card.status != "active":
            raise Forbidden("This card is blocked.", "card-blocked")
        if it.batch.valid_until_us is not None and it.batch.valid_until_us < terms.now_us:
            raise _ended("lapsed")
        if it.batch.wallet is not None:
            await _check_bought(ledger, terms, it, card)
    keys = [fund_of(currency, it.batch.id), overdraft_key(card.owner, currency), wallet_key(card.owner, currency)]
    fund, overdraft, wallet = await ledger.accounts(keys)
    # No conditions: what is refused on its merits would be refused for ever under the voucher's id.
    operation = _ending(
        it, USED, Posting(fund, overdraft, it.amount, credit_overflow=wallet), terms, actor, {"card": card.uid}
    )
    (outcome,) = await ledger.post([operation])
    if isinstance(outcome, OtherContent):
        raise _ended(_state((await ledger.booked([it.id])).get(it.id)))
    return posted(outcome).transfers[-1].credit_after


async def withdraw(
    ledger: Ledger, terms: Terms, vouchers: Sequence[Voucher], *, actor: str, lapsed: bool = False
) -> int:
    """Cancel those of the vouchers that are open (or let them lapse): how many were. Their money is no more; that of
    one that a holder bought is the buyer's again."""
    # Of a batch that never got its money, nothing can be withdrawn, and a refusal would stay under the vouchers' ids.
    funded = await ledger.booked({it.batch.id for it in vouchers})
    still_open = [it for it in vouchers if it.state == "open" and it.batch.id in funded]
    if not still_open:
        return 0
    currency, kind = terms.currency, LAPSED if lapsed else CANCELLED
    keys: list[AccountKey] = []
    for it in still_open:
        buyer = "" if it.batch.wallet is None else f"wallet:{it.batch.wallet}"
        to = [overdraft_key(buyer, currency), wallet_key(buyer, currency)] if buyer else [_issuance(currency)] * 2
        keys += [fund_of(currency, it.batch.id), *to]
    numbers = await ledger.accounts(keys)
    endings: list[Operation] = []
    for n, it in enumerate(still_open):
        fund, first, then = numbers[3 * n : 3 * n + 3]
        if it.batch.wallet is None:
            endings.append(_ending(it, kind, Posting(fund, first, it.amount), terms, actor, {}))
        else:
            back = Posting(fund, first, it.amount, credit_overflow=then)
            endings.append(_ending(it, BACK, back, terms, actor, {}))
    outcomes: list[Outcome] = await ledger.post(endings)
    return sum(isinstance(it, Posted) and not it.replayed for it in outcomes)


async def set_aside(ledger: Ledger, batches: Sequence[Batch]) -> dict[UUID, int]:
    """By batch, what its open vouchers are worth together, in minor units; batches without any are left out."""
    owners = {_owner(it.id): it.id for it in batches}
    rows = await ledger.balances(owners=list(owners), kinds=["fund"])
    return {owners[row.key.owner]: row.balance for row in rows if row.balance}


async def lapsing(ledger: Ledger, now: int) -> list[Voucher]:
    """Open vouchers whose time is over and that are not in the ledger as ended."""
    async with ledger.reader.connect() as connection:
        rows = await connection.execute(
            sa.select(issue_batch.c.id).where(issue_batch.c.kind == "vouchers", issue_batch.c.valid_until_us < now)
        )
        over = [await batch_of(connection, row.id) for row in rows.all()]
    left = await set_aside(ledger, over)
    found: list[Voucher] = []
    for batch in over:
        if batch.id in left:
            found += [it for it in await vouchers_of(ledger, batch) if it.state == "open"]
    return found


async def _check_bought(ledger: Ledger, terms: Terms, it: Voucher, card: Card) -> None:
    """Before it is posted: a refusal would stay under the voucher's id."""
    if it.batch.wallet == card.wallet:
        raise Conflict("This card bought it: its money is taken back there.", "voucher-own")
    ceiling = terms.policy.limits.ceiling
    held = await balances(ledger, card.owner, {terms.currency.code: terms.currency})
    if ceiling is not None and held[terms.currency.code] + it.amount > ceiling:
        raise DomainError("over-ceiling", REFUSALS["over-ceiling"])


def _ending(
    it: Voucher, kind: str, posting: Posting, terms: Terms, actor: str, details: dict[str, object]
) -> Operation:
    said = {**details, "batch": str(it.batch.id), "voucher": it.number, "amount": it.amount, "reason": it.batch.reason}
    mark = json.dumps([kind, str(it.id), details.get("card")]).encode()
    return Operation(
        id=it.id,
        kind=kind,
        fingerprint=sha256(mark).digest(),
        postings=(posting,),
        actor=actor,
        occurred_at_us=terms.now_us,
        business_day=terms.day,
        venue=None if terms.venue is None else terms.venue.id,
        policy=terms.version.label,
        details=_text(said),
    )


def _state(booked: BookedOperation | None) -> State:
    return "open" if booked is None else STATES[booked.kind]


def _ended(state: State) -> DomainError:
    words = {"used": "was used already", "cancelled": "was cancelled", "lapsed": "is no longer valid"}
    return Conflict(f"This voucher {words[state]}.", f"voucher-{state}")


def _owner(batch: UUID) -> str:
    return f"vouchers:{batch}"


def fund_of(currency: Currency, batch: UUID) -> AccountKey:
    """Where a batch's money waits."""
    return AccountKey(currency_book(currency.issuer, currency.code), "fund", _owner(batch))


def _issuance(currency: Currency) -> AccountKey:
    return AccountKey(currency_book(currency.issuer, currency.code), "issuance")


def _text(details: dict[str, Any]) -> str:
    return json.dumps(details, ensure_ascii=False, separators=(",", ":"))
