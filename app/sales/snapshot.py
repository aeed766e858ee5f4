"""The snapshot that lets a terminal sell without us. All of it is read in one database snapshot."""

from __future__ import annotations

import base64
from collections.abc import Container, Mapping, Sequence
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy.ext.asyncio import AsyncConnection

from app.currencies.policies import PolicyVersion, policies, policy_at
from app.currencies.service import Currency, currencies
from app.identity.pins import pins_of_venue
from app.platform.clock import now_us
from app.rules.prices import Window
from app.rules.proven import offline_levels, stricter
from app.sales.applied import Applied
from app.sales.closings.periods import last_of
from app.sales.rulebook import cents_of, issuer_at
from app.terminals.service import Terminal
from app.venues.rules import NetworkSettings
from app.venues.service import products, the_network, venue_named
from app.wire import (
    SnapshotApplied,
    SnapshotCurrency,
    SnapshotLimits,
    SnapshotPeer,
    SnapshotProduct,
    SnapshotReceipts,
    SnapshotStaff,
    SnapshotTill,
    SnapshotWindow,
    TerminalSnapshot,
)


async def head(
    connection: AsyncConnection,
    terminal: Terminal,
    receipts: SnapshotReceipts,
    fleet: Sequence[Any],
    applied: Mapping[UUID, Applied],
) -> TerminalSnapshot:
    """What this terminal should know now, but the cards. `fleet`: rows of terminals; `applied`: by terminal.

    A site hub is told whom it may trust, and nothing to sell with: no prices, no staff, no key of receipts.
    """
    sells = terminal.kind == "till"
    network, venue = await the_network(connection), await venue_named(connection, terminal.venue)
    known = {code: it for code, it in (await currencies(connection)).items() if code in venue.accepted}
    versions, now = await policies(connection), now_us()
    rules = {code: policy_at(versions[code], now) for code in known}
    others = [it for it in fleet if it.id != terminal.id]
    settings, own = network.settings, applied[terminal.id]
    demand = stricter(settings.proven_cards, venue.proven_cards)
    return TerminalSnapshot(
        at_us=now,
        device=terminal.id,
        network=network.name,
        venue=venue.id,
        venue_slug=venue.slug,
        venue_name=venue.name,
        zone=venue.zone,
        accepted=tuple(known),
        means=venue.means,
        currencies=tuple(
            SnapshotCurrency(
                code=it.code,
                names=it.names,
                symbol=it.symbol,
                unit=it.unit,
                kind=it.kind,
                cents=cents_of(it),
                issuer=issuer_at(venue, it),
                position=it.position,
                policy=rules[it.code].policy,
                policy_label=rules[it.code].label,
            )
            for it in known.values()
        ),
        products=tuple(
            SnapshotProduct(
                id=it.id,
                names={"fr": it.name_fr, "en": it.name_en},
                category=it.category,
                colour=it.colour,
                prices={code: amount for code, amount in it.prices.items() if code in known},
                kind=it.kind,
                open_price=it.open_price,
                sold_out=it.sold_out,
                windows=tuple(_window(hours, known) for hours in it.windows),
                vat=it.vat,
            )
            for it in (await products(connection, venue.id) if sells else ())
        ),
        cards=(),
        staff=tuple(
            SnapshotStaff(id=it.person, pin=it.pin, rights=tuple(it.rights), card=it.card)
            for it in (await pins_of_venue(connection, venue.id) if sells else ())
        ),
        limits=SnapshotLimits(
            cards={
                code: {
                    level: (its.per_sale, its.per_card, its.consecutive)
                    for level, its in offline_levels(demand, settings.limits_of(code, it.unit)).items()
                }
                for code, it in known.items()
            },
            per_terminal={code: settings.terminal_limit(code, it.unit) for code, it in known.items()},
            backed_weight_percent=settings.backed_weight_percent,
            journal_rows=settings.journal_rows,
            snapshot_warn_s=settings.snapshot_warn_s,
            snapshot_stop_s=settings.snapshot_stop_s,
            lowered_percent=settings.lowered_percent if settings.snapshot_old == "lower" else None,
            unknown_cards=settings.unknown_cards,
            top_ups=_top_ups(known, rules, settings),
        ),
        applied_epoch=terminal.epoch,
        applied_through=own.through,
        applied_beyond=own.beyond,
        receipts=receipts if sells else None,
        till=await _till(connection, terminal, settings),
        peers=tuple(
            SnapshotPeer(device=it.id, epoch=it.epoch, key=base64.b64encode(it.public_key).decode(), kind=it.kind)
            for it in others
            if it.status == "active"
        ),
        # Also of one that was set aside or revoked: a site may have heard of rows that the balances contain by now.
        applied_others=tuple(
            SnapshotApplied(device=it.id, epoch=it.epoch, through=applied[it.id].through, beyond=applied[it.id].beyond)
            for it in others
            if it.status == "active" or applied[it.id].through or applied[it.id].beyond
        ),
    )


async def _till(connection: AsyncConnection, terminal: Terminal, settings: NetworkSettings) -> SnapshotTill:
    closed, closed_at_us, open_before = await last_of(connection, terminal)
    return SnapshotTill(
        pin_only=settings.pin_only,
        session_required=settings.session_required,
        blind_count=settings.blind_count,
        closed=closed,
        closed_at_us=closed_at_us,
        open_before=open_before,
    )


def _top_ups(
    known: Mapping[str, Currency], rules: Mapping[str, PolicyVersion], settings: NetworkSettings
) -> dict[str, tuple[int, int]]:
    """What may be put on a card for cash without asking us, by currency: within the bounds of one top-up, and of a day,
    of which a terminal alone knows too little."""
    found = {}
    for code, it in known.items():
        if settings.offline_topups and it.kind == "pegged":
            least, most = settings.top_up_limits(it.cents_per_unit)
            issue = rules[code].policy.issue
            found[code] = (least, min(it for it in (most, issue.per_operation, issue.per_day) if it is not None))
    return found


def _window(hours: Window, known: Container[str]) -> SnapshotWindow:
    return SnapshotWindow(
        weekdays=tuple(sorted(hours.weekdays)),
        begins=hours.start,
        ends=hours.end,
        prices={code: amount for code, amount in hours.prices.items() if code in known},
    )


def sign(key: Ed25519PrivateKey, body: bytes) -> str:
    """Base64 of the signature over the exact bytes that travel."""
    return base64.b64encode(key.sign(body)).decode()
