"""The snapshot that lets a terminal sell without us. All of it is read in one database snapshot."""

from __future__ import annotations

import base64
from collections.abc import Container
from hashlib import sha256
from uuid import UUID

import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.cards.service import all_cards
from app.currencies.policies import policies, policy_at
from app.currencies.service import currencies
from app.identity.pins import pins_of_venue
from app.ledger.service import booked_among, recent_operations, wallet_balances
from app.platform.clock import now_us
from app.rules.prices import Window
from app.sales import booking
from app.sales.closings.periods import last_of
from app.sales.rulebook import cents_of, issuer_at
from app.sales.tables import intake
from app.terminals.rows import ASKED_KINDS
from app.terminals.service import Terminal, mark, terminals
from app.venues.rules import NetworkSettings
from app.venues.service import products, the_network, venue_named
from app.wire import (
    SnapshotApplied,
    SnapshotCard,
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

# A sale booked online whose row is still under way is at most as old as a terminal can be offline and still sell.
UNDER_WAY_US = 48 * 3600 * 1_000_000


async def build(reader: AsyncEngine, terminal: Terminal, receipts: SnapshotReceipts | None = None) -> TerminalSnapshot:
    """What this terminal should know now."""
    async with reader.connect() as connection:
        network, venue = await the_network(connection), await venue_named(connection, terminal.venue)
        known = {code: it for code, it in (await currencies(connection)).items() if code in venue.accepted}
        versions, now = await policies(connection), now_us()
        rules = {code: policy_at(versions[code], now) for code in known}
        held = await wallet_balances(connection)
        through, beyond = await _applied(connection, terminal.id, terminal.epoch)
        others = [it for it in await terminals(connection) if it.status == "active" and it.id != terminal.id]
        settings = network.settings
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
                )
                for it in await products(connection, venue.id)
            ),
            cards=tuple(
                SnapshotCard(
                    uid=card.uid,
                    status=card.status,
                    assurance=card.assurance,
                    balances={c: b for c, b in held.get(card.owner, {}).items() if b and c in known},
                )
                for card in await all_cards(connection)
            ),
            staff=tuple(
                SnapshotStaff(id=it.person, pin=it.pin, rights=tuple(it.rights))
                for it in await pins_of_venue(connection, venue.id)
            ),
            limits=SnapshotLimits(
                cards={
                    code: {
                        k: (v.per_sale, v.per_card, v.consecutive) for k, v in settings.limits_of(code, it.unit).items()
                    }
                    for code, it in known.items()
                },
                per_terminal={code: settings.terminal_limit(code, it.unit) for code, it in known.items()},
                backed_weight_percent=settings.backed_weight_percent,
                journal_rows=settings.journal_rows,
                snapshot_warn_s=settings.snapshot_warn_s,
                snapshot_stop_s=settings.snapshot_stop_s,
            ),
            applied_epoch=terminal.epoch,
            applied_through=through,
            applied_beyond=beyond,
            receipts=receipts,
            till=await _till(connection, terminal, settings),
            peers=tuple(
                SnapshotPeer(device=it.id, epoch=it.epoch, key=base64.b64encode(it.public_key).decode())
                for it in others
            ),
            applied_others=tuple([await _applied_of(connection, it.id, it.epoch) for it in others]),
        )


async def _till(connection: AsyncConnection, terminal: Terminal, settings: NetworkSettings) -> SnapshotTill:
    closed, closed_at_us, open_before = await last_of(connection, terminal)
    return SnapshotTill(
        session_required=settings.session_required,
        blind_count=settings.blind_count,
        closed=closed,
        closed_at_us=closed_at_us,
        open_before=open_before,
    )


def _window(hours: Window, known: Container[str]) -> SnapshotWindow:
    return SnapshotWindow(
        weekdays=tuple(sorted(hours.weekdays)),
        begins=hours.start,
        ends=hours.end,
        prices={code: amount for code, amount in hours.prices.items() if code in known},
    )


def content_tag(snapshot: TerminalSnapshot) -> str:
    """Changes when anything but the time does."""
    return sha256(snapshot.model_copy(update={"at_us": 0}).model_dump_json().encode()).hexdigest()[:32]


async def _applied_of(connection: AsyncConnection, device: UUID, epoch: int) -> SnapshotApplied:
    through, beyond = await _applied(connection, device, epoch)
    return SnapshotApplied(device=device, epoch=epoch, through=through, beyond=beyond)


async def _applied(connection: AsyncConnection, device: UUID, epoch: int) -> tuple[int, tuple[UUID, ...]]:
    """(sequence up to which, events beyond which) a terminal's rows are in the balances of this very snapshot.

    The mark moves after the ledger does, so rows that are kept above it may be booked already; and a sale booked
    online may not have come in as a row yet.
    """
    applied, _ = await mark(connection, device, epoch)
    rows = await connection.execute(
        sa.select(intake.c.event).where(
            intake.c.device == device,
            intake.c.epoch == epoch,
            intake.c.sequence > applied,
            intake.c.event.is_not(None),
        )
    )
    waiting = await booked_among(connection, [row.event for row in rows])
    since_us = now_us() - UNDER_WAY_US
    recent = [
        event
        for kind in (booking.KIND, *ASKED_KINDS)
        for event in await recent_operations(connection, device, kind, since_us)
    ]
    settled = await connection.execute(
        sa.select(intake.c.event).where(intake.c.event.in_(recent), intake.c.sequence <= applied)
    )
    beyond = waiting | (set(recent) - {row.event for row in settled})
    return applied, tuple(sorted(beyond))


def sign(key: Ed25519PrivateKey, body: bytes) -> str:
    """Base64 of the signature over the exact bytes that travel."""
    return base64.b64encode(key.sign(body)).decode()
