"""Top-ups: euros in, units out, exactly once.

Online: the operation's id is stored before the provider hears of anything; whoever learns first that the payment was
made (the holder's browser coming back, a notice from the provider, or the reconciliation) credits under that id.
At the counter: the venue takes cash for the issuer, and owes it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Literal
from uuid import UUID

import sqlalchemy as sa
import structlog
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.cards.service import Card, balances, overdraft_key, wallet_key
from app.currencies.policies import PolicyVersion, policies, policy_at
from app.currencies.service import Currency
from app.identity.roles import Principal
from app.ledger.rules.kinds import AccountKey
from app.ledger.rules.operations import Cap, Operation, Posted
from app.ledger.service import Ledger, booked_among, reserve_book
from app.platform.among import among
from app.platform.clock import now_us
from app.platform.database import is_sqlite
from app.platform.errors import Conflict, DomainError, Forbidden, Invalid, NotFound
from app.rules.business_day import business_day
from app.topups import receipts
from app.topups.booking import CASH, ONLINE, conditions_of, operation_of
from app.topups.gifts import Donation, Gift
from app.topups.provider import Payment, Provider
from app.topups.rules import ask_again_us
from app.topups.tables import topup
from app.venues.service import Network, Venue

_log = structlog.get_logger("comptoir.topups")

DOUBTFUL_MAX = 500
DUE_MAX = 200
UNASKED_US = 24 * 3600 * 1_000_000

TopupStatus = Literal["pending", "credited", "failed", "cancelled"]


@dataclass(frozen=True, slots=True)
class Topup:
    """`amount`: minor units of `currency`; `euro_cents`: what was or will be paid."""

    id: UUID
    wallet: UUID
    card: UUID
    currency: str
    amount: int
    euro_cents: int
    provider: str
    reference: str | None
    status: TopupStatus
    created_at_us: int
    paid_at_us: int | None = None
    url: str | None = None
    asked: int = 0
    ask_at_us: int | None = None
    paid_cents: int | None = None
    fee_cents: int | None = None
    gift: str | None = None
    gift_amount: int | None = None
    given: int | None = None
    given_to: str | None = None

    @property
    def on_card(self) -> int:
        """What of the amount the card gets."""
        return self.amount - (self.given or 0)


async def begin(
    engine: AsyncEngine,
    provider: Provider,
    network: Network,
    card: Card,
    currency: Currency,
    amount: int,
    return_url: str,
    id_: UUID,
    gift: Gift | None = None,
    given: Donation | None = None,
) -> tuple[Topup, str]:
    """A top-up of `amount` minor units, and the address of its payment page. `return_url` has an {id} slot. `gift`:
    what the page promised with it; what was promised first is given. `given`: of `amount`, what goes to a fund, and not
    onto the card.

    `id_` is made with the form, so that the same form sent twice means the same top-up and the same payment page.
    Raises Forbidden("card-blocked"), Invalid("currency-not-accepted"), Invalid("amount-out-of-range"), and
    Invalid("idempotency-key-reused") where the id is taken by other content.
    """
    if card.status != "active":
        raise Forbidden("This card is blocked.", "card-blocked")
    if currency.cents_per_unit is None:
        raise Invalid(f"{currency.code} is not bought.", "currency-not-accepted")
    euro_cents = amount * currency.cents_per_unit
    settings = network.settings
    if not settings.topup_min_cents <= euro_cents <= settings.topup_max_cents:
        raise Invalid(
            "This amount is not among those that can be topped up.",
            "amount-out-of-range",
            min_cents=settings.topup_min_cents,
            max_cents=settings.topup_max_cents,
        )
    now = now_us()
    new = Topup(id_, card.wallet, card.id, currency.code, amount, euro_cents, provider.name, None, "pending", now)
    if gift is not None:
        new = replace(new, gift=gift.currency, gift_amount=gift.amount)
    if given is not None:
        new = replace(new, given=given.amount, given_to=given.to)
    stored = await _stored(engine, replace(new, ask_at_us=ask_again_us(now, 0, now)))
    if stored.status != "pending":
        return stored, return_url.format(id=id_)
    if stored.url is not None:
        return stored, stored.url
    checkout = await provider.open_checkout(
        id_, euro_cents, f"{network.name} · {card.label}", return_url.format(id=id_)
    )
    async with engine.begin() as connection:
        await connection.execute(
            sa.update(topup)
            .where(topup.c.id == id_, topup.c.reference.is_(None))
            .values(reference=checkout.reference, url=checkout.url, changed_at_us=now_us())
        )
    return stored, checkout.url


async def _stored(engine: AsyncEngine, new: Topup) -> Topup:
    """`new`, or the same as it was stored before. Raises Invalid("idempotency-key-reused")."""
    insert = sqlite.insert if is_sqlite(engine) else postgresql.insert
    values = {**asdict(new), "changed_at_us": new.created_at_us}
    async with engine.begin() as connection:
        # The id becomes an operation's: one that is in the ledger already could never be credited.
        known = (await connection.execute(sa.select(topup).where(topup.c.id == new.id))).one_or_none()
        if known is None and not await booked_among(connection, [new.id]):
            await connection.execute(insert(topup).values(values).on_conflict_do_nothing())
            known = (await connection.execute(sa.select(topup).where(topup.c.id == new.id))).one_or_none()
    if known is None or _asked(_topup(known)) != _asked(new):
        raise Invalid("This id was used for other content.", "idempotency-key-reused")
    return _topup(known)


def _asked(it: Topup) -> tuple[UUID, str, int, str, int | None]:
    return it.card, it.currency, it.amount, it.provider, it.given


async def settle(
    engine: AsyncEngine,
    ledger: Ledger,
    provider: Provider,
    currencies: Mapping[str, Currency],
    zone: str,
    id_: UUID,
    *,
    again: bool = False,
) -> Topup:
    """Ask the provider what became of a top-up, and act on it. As often as anyone likes: it is credited once.

    `again`: ask also about one that had failed or was given up, for some are paid after all.
    """
    found = await named(engine, id_)
    if found.status == "credited" or (found.status != "pending" and not again):
        return found
    if found.reference is None:
        # Nobody was ever shown a payment page; after a while nobody will come back to ask for it either.
        forgotten = found.created_at_us < now_us() - UNASKED_US
        return await _ended(engine, found, "cancelled") if forgotten else found
    told = await provider.look_up(found.reference)
    if told.status == "open":
        return found
    if told.status != "paid":
        return await _ended(engine, found, told.status if found.status == "pending" else found.status)
    heard = await _heard(engine, found, told)
    if heard.paid_cents != heard.euro_cents:
        _log.error("another amount was paid", topup=str(id_), euro_cents=heard.euro_cents, paid_cents=heard.paid_cents)
        return heard
    await ledger.post_one(await _credit(ledger, currencies, zone, heard))
    return await _ended(engine, heard, "credited")


async def _heard(engine: AsyncEngine, it: Topup, told: Payment) -> Topup:
    """It was paid. Whatever keeps it from being credited, somebody will see that it should be.

    What was heard first is what is booked, fee included, however often and by whom it is booked.
    """
    paid = told.euro_cents or 0
    fee = told.fee_cents if told.fee_cents is not None and 0 <= told.fee_cents <= it.euro_cents else None
    async with engine.begin() as connection:
        first = sa.update(topup).where(topup.c.id == it.id, topup.c.paid_cents.is_(None))
        at_us = sa.func.coalesce(topup.c.paid_at_us, now_us())
        await connection.execute(first.values(paid_at_us=at_us, paid_cents=paid, fee_cents=fee))
    return await named(engine, it.id)


async def doubtful(
    connection: AsyncConnection, paid_before_us: int, begun_before_us: int, ids: Collection[UUID] | None = None
) -> list[Topup]:
    """Top-ups that were paid before an instant and are not credited, and those begun before another of which nobody
    knows what became; or those of these ids, however they stand."""
    late = sa.or_(
        sa.and_(topup.c.status != "credited", topup.c.paid_at_us < paid_before_us),
        sa.and_(topup.c.status == "pending", topup.c.reference.is_not(None), topup.c.created_at_us < begun_before_us),
    )
    where = late if ids is None else topup.c.id.in_(list(ids))
    rows = await connection.execute(sa.select(topup).where(where).order_by(topup.c.created_at_us).limit(DOUBTFUL_MAX))
    return [_topup(row) for row in rows]


async def _ended(engine: AsyncEngine, it: Topup, status: TopupStatus) -> Topup:
    async with engine.begin() as connection:
        where = (topup.c.id == it.id, topup.c.status == it.status, topup.c.reference.is_not_distinct_from(it.reference))
        ended = {"status": status, "changed_at_us": now_us(), "ask_at_us": None}
        done = await connection.execute(sa.update(topup).where(*where).values(**ended))
        if status == "credited" and done.rowcount:
            await receipts.send(connection, it.id)
    return await named(engine, it.id)


async def settle_pending(
    engine: AsyncEngine,
    ledger: Ledger,
    provider: Provider,
    currencies: Mapping[str, Currency],
    zone: str,
    due_us: int | None = None,
) -> int:
    """The reconciliation: ask for every top-up whose turn it is (by `due_us`, now by default). How many were settled.

    One that cannot be settled now is logged and asked for again at its next turn; the others do not wait for it. The
    next turn is written down before asking: of several processes one asks, and one that dies skips no other.
    """
    due = now_us() if due_us is None else due_us
    async with engine.connect() as connection:
        query = sa.select(topup).where(topup.c.ask_at_us <= due, topup.c.provider == provider.name)
        rows = await connection.execute(query.order_by(topup.c.ask_at_us).limit(DUE_MAX))
        waiting = [_topup(row) for row in rows]
    settled = 0
    for it in waiting:
        try:
            if not await _taken(engine, it):
                continue
            state = await settle(engine, ledger, provider, currencies, zone, it.id, again=True)
        except Exception:
            _log.exception("top-up not settled", topup=str(it.id))
            continue
        settled += state.status not in {"pending", it.status}
    return settled


async def _taken(engine: AsyncEngine, it: Topup) -> bool:
    """Whether it is ours to ask, and nobody else's."""
    again = ask_again_us(it.created_at_us, it.asked + 1, now_us())
    mine = sa.update(topup).where(topup.c.id == it.id, topup.c.ask_at_us == it.ask_at_us)
    async with engine.begin() as connection:
        done = await connection.execute(mine.values(asked=it.asked + 1, ask_at_us=again))
    return done.rowcount == 1


async def named(engine: AsyncEngine, id_: UUID) -> Topup:
    async with engine.connect() as connection:
        row = (await connection.execute(sa.select(topup).where(topup.c.id == id_))).one_or_none()
    if row is None:
        raise NotFound("There is no such top-up.")
    return _topup(row)


async def by_reference(engine: AsyncEngine, provider: str, reference: str) -> Topup:
    async with engine.connect() as connection:
        where = (topup.c.provider == provider, topup.c.reference == reference)
        row = (await connection.execute(sa.select(topup).where(*where))).one_or_none()
    if row is None:
        raise NotFound("There is no such top-up.")
    return _topup(row)


async def waiting(connection: AsyncConnection, wallet: UUID, since_us: int) -> list[Topup]:
    """What a holder began and is not on the card: all that was paid, and what may be since an instant."""
    mine = (topup.c.wallet == wallet, topup.c.status == "pending")
    recent = sa.and_(topup.c.reference.is_not(None), topup.c.created_at_us > since_us)
    query = sa.select(topup).where(*mine, sa.or_(topup.c.paid_at_us.is_not(None), recent))
    return [_topup(row) for row in await connection.execute(query.order_by(topup.c.created_at_us).limit(5))]


async def credited(connection: AsyncConnection, limit: int = 50) -> list[Topup]:
    """The last that were credited, the newest first."""
    query = sa.select(topup).where(topup.c.status == "credited").order_by(topup.c.created_at_us.desc()).limit(limit)
    return [_topup(row) for row in await connection.execute(query)]


async def by_names(connection: AsyncConnection, provider: str, names: Collection[str]) -> dict[str, Topup]:
    """Top-ups by how their provider names their payment: its own reference, or the top-up's id."""
    ids = {}
    for name in names:
        with suppress(ValueError):
            ids[UUID(name)] = name
    either = sa.or_(among(topup.c.reference, list(names)), topup.c.id.in_(list(ids)))
    query = sa.select(topup).where(topup.c.provider == provider, either)
    found = [_topup(row) for row in await connection.execute(query)]
    return {name: it for it in found for name in (it.reference, ids.get(it.id)) if name is not None and name in names}


async def rules_of(ledger: Ledger, currency: Currency) -> PolicyVersion:
    """The version of the currency's rules that holds now."""
    async with ledger.reader.connect() as connection:
        return policy_at((await policies(connection))[currency.code], now_us())


async def require_seller(ledger: Ledger, caller: Principal, venue: Venue, currency: Currency) -> None:
    """Raises Forbidden unless the currency's rules let the caller sell it at this venue, and
    Invalid("currency-not-accepted") for one that nobody sells."""
    if currency.cents_per_unit is None:
        raise Invalid(f"{currency.code} is not bought.", "currency-not-accepted")
    if not caller.holds_role((await rules_of(ledger, currency)).policy.issue.roles, venue.id):
        raise Forbidden(f"The rules of {currency.code} do not let you sell it here.")


async def check_room(ledger: Ledger, network: Network, card: Card, currency: Currency, amount: int) -> None:
    """Before a payment begins: whether the rules have room for it. Once paid it is credited, whatever they say.

    Raises Invalid("too-much-at-once"), Conflict("daily-cap"), DomainError("over-ceiling").
    """
    version = await rules_of(ledger, currency)
    check_amount(version, amount)
    keys = [overdraft_key(card.owner, currency), wallet_key(card.owner, currency)]
    accounts = tuple(await ledger.accounts(keys))
    for condition in conditions_of(version, accounts, business_day(now_us(), network.settings.zone)):
        if isinstance(condition, Cap):
            credited = await ledger.flow(condition.flow)
            if credited + amount > condition.most:
                raise Conflict("More than one day allows.", condition.reason, cap=condition.most, credited=credited)
        elif condition.most is not None:
            held = (await balances(ledger, card.owner, {currency.code: currency}))[currency.code]
            if held + amount > condition.most:
                raise DomainError(condition.reason, "The card cannot hold that much.")


def check_amount(version: PolicyVersion, amount: int) -> None:
    """Raises Invalid("too-much-at-once")."""
    most = version.policy.issue.per_operation
    if most is not None and amount > most:
        raise Invalid("This is more than may be issued at once.", "too-much-at-once", most=most)


async def at_the_counter(
    ledger: Ledger, venue: Venue, card: Card, currency: Currency, amount: int, id_: UUID, *, actor: str
) -> tuple[Posted, int]:
    """Cash taken at a venue for the issuer: the venue owes it from now on.

    (posted, what the card holds after, less what it still owes). Forbidden("card-blocked"),
    Invalid("currency-not-accepted"), and for what the currency's rules do not allow Invalid("too-much-at-once"),
    DomainError("daily-cap") and DomainError("over-ceiling").
    """
    if currency.cents_per_unit is None:
        raise Invalid(f"{currency.code} is not bought.", "currency-not-accepted")
    version = await rules_of(ledger, currency)
    # The cash of a top-up that was booked is in the till: asked for again, it gets the first answer, whatever has
    # changed since.
    if not await ledger.booked([id_]):
        if card.status != "active":
            raise Forbidden("This card is blocked.", "card-blocked")
        if currency.code not in venue.accepted:
            raise Invalid(f"{currency.code} is not sold at {venue.name}.", "currency-not-accepted")
        check_amount(version, amount)
    operation = await operation_of(
        ledger,
        {currency.code: currency},
        currency,
        AccountKey(reserve_book(currency.issuer), "due_from", venue.owner),
        card.owner,
        amount,
        amount * currency.cents_per_unit,
        id_,
        kind=CASH,
        version=version,
        limited=True,
        actor=actor,
        day=venue.day_of(now_us()),
        venue=venue.id,
        details={"card": card.uid, "amount": amount, "currency": currency.code, "venue": str(venue.id)},
    )
    posted = await ledger.post_one(operation)
    # The last one filled the wallet, or went into what is still owed.
    return posted, posted.transfers[-1].credit_after


async def _credit(ledger: Ledger, currencies: Mapping[str, Currency], zone: str, it: Topup) -> Operation:
    currency = currencies[it.currency]
    return await operation_of(
        ledger,
        currencies,
        currency,
        AccountKey(reserve_book(currency.issuer), "clearing", it.provider),
        f"wallet:{it.wallet}",
        it.amount,
        it.euro_cents,
        it.id,
        kind=ONLINE,
        version=await rules_of(ledger, currency),
        limited=False,
        actor=f"provider:{it.provider}",
        day=business_day(now_us(), zone),
        venue=None,
        details={"provider": it.provider, "reference": it.reference, "euro_cents": it.euro_cents},
        fee_cents=it.fee_cents or 0,
        gift=Gift(it.gift, it.gift_amount) if it.gift and it.gift_amount else None,
        given=Donation(it.given_to, it.given) if it.given_to and it.given else None,
    )


def _topup(row: Any) -> Topup:
    return Topup(**{it.name: getattr(row, it.name) for it in fields(Topup)})
