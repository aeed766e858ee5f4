"""`comptoir bench door`: how long somebody waits at an event's door, without network."""

from __future__ import annotations

import asyncio
import json
import tempfile
import time
from pathlib import Path

import click

TICKETS = 500


@click.command()
@click.option("--quick", is_flag=True, help="A tenth of the tickets: to try it, not to quote it.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def door(quick: bool, as_json: bool) -> None:
    """Measure a check at the door: a card or a code, decided among 500 tickets and in the journal."""
    from readers.bench.cases import quiet  # noqa: PLC0415
    from readers.bench.hand import percentile_ms  # noqa: PLC0415

    quiet()
    with tempfile.TemporaryDirectory(prefix="comptoir-bench-") as scratch:
        waits = asyncio.run(checks(Path(scratch), TICKETS // (10 if quick else 1)))
    found = {f"check_p{it}_ms": round(percentile_ms(waits, it), 3) for it in (50, 99)}
    if as_json:
        click.echo(json.dumps(found))
        return
    for name, value in found.items():
        click.echo(f"{name:<46}{value:>10.2f}   {'wanted: under 20' if name == 'check_p50_ms' else ''}".rstrip())


async def checks(data: Path, many: int) -> list[float]:
    """Every ticket goes in once, by turns with a card and with a code: seconds from the tap to the committed row."""
    import base64  # noqa: PLC0415

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415

    from app.rules.ids import uuid7  # noqa: PLC0415
    from app.rules.tickets import encode  # noqa: PLC0415
    from app.wire import PairingReply  # noqa: PLC0415
    from app.wire.door import DoorEvent, DoorList, DoorTicket  # noqa: PLC0415
    from readers.journal import Clock, Journal  # noqa: PLC0415
    from readers.sync import Link  # noqa: PLC0415
    from readers.terminal.door import DoorBook  # noqa: PLC0415
    from readers.till.door import DoorDesk  # noqa: PLC0415

    clock, key, device, staff = Clock(), Ed25519PrivateKey.generate(), uuid7(), uuid7()
    now, hour_us = clock.now_us(), 3_600_000_000
    event = DoorEvent(
        id=uuid7(),
        titles={"fr": "Bal"},
        doors_at_us=now - hour_us,
        starts_at_us=now,
        ends_at_us=now + hour_us,
        capacity=many,
    )
    uids = [f"04{number:012X}" for number in range(many)]
    price = {"fr": "Plein tarif"}
    tickets = [
        DoorTicket(id=uuid7(), event=event.id, serial=serial, state="valid", price=price, cards=(uid,))
        for serial, uid in enumerate(uids, 1)
    ]
    book = DoorBook()
    book.take(DoorList(device=device, events=(event,), tickets=tuple(tickets)))
    public = base64.b64encode(key.public_key().public_bytes_raw()).decode()
    at = PairingReply(device=device, epoch=1, name="Porte", venue=uuid7(), venue_name="Bal", server_key=public)
    journal = await Journal.open(data / "journal.db", clock)
    try:
        await journal.pair(at, "bench")
        desk = DoorDesk(book, journal, Link(clock.now_us), clock, lambda: staff, lambda: None)
        desk.open(event.id)
        waits = []
        for number, (uid, ticket) in enumerate(zip(uids, tickets, strict=True)):
            code = encode(event.id, ticket.id, key)
            began = time.perf_counter()
            await (desk.card(uid) if number % 2 else desk.code(code))
            # What the page is told is part of the wait.
            shown = desk.shown()
            waits.append(time.perf_counter() - began)
            if shown is None or shown.result is None or shown.result.answer != "in":
                raise RuntimeError("a ticket did not go in")
        return waits
    finally:
        await journal.close()
