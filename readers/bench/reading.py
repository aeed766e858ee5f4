"""`comptoir bench readers`: how long a card takes to be read, and to prove itself, at a modelled PN532.

The chip and its line are emulated (`readers.emulator.pn532`), nfcpy and all of ours are real. A card is laid down at
any moment of the reader's round; the clock stops when the till is told what card it is and how sure we are. Beside it
stands the firmware bridge (`bridging`).
"""

from __future__ import annotations

import json
import platform
import random
import time
from collections.abc import Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from functools import partial
from queue import Queue
from typing import TYPE_CHECKING, TypeVar

import click

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.rules.chips.keyring import CardKey
    from readers.emulator import Card
    from readers.taps import Errands, ReaderEvent

Event = TypeVar("Event", bound="ReaderEvent")

BAUD, RF_MS, TAPS = 115200, 5.0, 200
_WAIT_S = 10
_KEY, _OTHER = bytes(range(16)), bytes(16)
_UID, _APPLICATION = bytes.fromhex("04a1b2c3d4e580"), bytes.fromhex("c0ffee")


@dataclass(frozen=True, slots=True)
class Read:
    """From the card in the field to the till's knowing it. `auth`: an NTAG 424 DNA by AuthenticateEV2First. `carry`:
    from the till's wish, once it knows the card, to the card's word that it carries a sale without network."""

    uid_p50_ms: float
    uid_p95_ms: float
    auth_p50_ms: float
    auth_p95_ms: float
    carry_p50_ms: float
    carry_p95_ms: float
    ultralight_aes_p50_ms: float
    desfire_p50_ms: float
    bridge_event_p50_ms: float
    bridge_auth_p50_ms: float
    bridge_lost: int
    bridge_doubled: int
    baud: int | None
    rf_ms: float
    taps: int


# (figure, what a person reads, the most that it may be)
LINES = (
    ("uid_p50_ms", "UID read, half of the taps within", 30.0),
    ("uid_p95_ms", "the same, 95 of 100 within", None),
    ("auth_p50_ms", "NTAG 424 DNA proven, half of the taps within", 120.0),
    ("auth_p95_ms", "the same, 95 of 100 within", 250.0),
    ("carry_p50_ms", "a sale without network carried by it, half within", None),
    ("carry_p95_ms", "the same, 95 of 100 within", None),
    ("ultralight_aes_p50_ms", "MIFARE Ultralight AES proven, half of the taps within", None),
    ("desfire_p50_ms", "DESFire EV2 proven, half of the taps within", None),
    ("bridge_event_p50_ms", "firmware bridge: from the board's look to the till, half within", 10.0),
    ("bridge_auth_p50_ms", "firmware bridge: NTAG 424 DNA proven, half of the taps within", None),
)
COUNTS = (
    ("bridge_lost", "firmware bridge, 5 bytes of 100 damaged: events lost"),
    ("bridge_doubled", "firmware bridge, 5 bytes of 100 damaged: events doubled"),
)


@click.command("readers")
@click.option("--quick", is_flag=True, help="A tenth of the taps: to try it, not to quote it.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def readers(quick: bool, as_json: bool) -> None:
    """Measure how soon a card is read and proven, on the model of a PN532 at 115200 baud and 5 ms a talk in the air."""
    found = measure(TAPS // (10 if quick else 1))
    if as_json:
        click.echo(json.dumps({k: round(v, 3) if isinstance(v, float) else v for k, v in asdict(found).items()}))
        return
    click.echo(f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, Python {platform.python_version()}, {platform.machine()}")
    click.echo(f"{found.taps} taps each, PN532 modelled at {found.baud} baud and {found.rf_ms:g} ms in the air\n")
    for name, words, most in LINES:
        wanted = "" if most is None else f"   wanted: under {most:g} ms"
        click.echo(f"{words:<66}{getattr(found, name):>8.1f} ms{wanted}")
    for name, words in COUNTS:
        click.echo(f"{words:<66}{getattr(found, name):>8}      wanted: 0")


def measure(taps: int, *, baud: int | None = BAUD, rf_ms: float = RF_MS) -> Read:
    """Each figure from so many taps."""
    from app.rules.chips.keyring import CardKey  # noqa: PLC0415
    from readers.bench.bridging import auth_s, events_s, lost_and_doubled  # noqa: PLC0415
    from readers.bench.hand import percentile_ms  # noqa: PLC0415
    from readers.emulator import Desfire, Ntag213, Ntag424, UltralightAes  # noqa: PLC0415

    cards: tuple[tuple[Card, CardKey | None], ...] = (
        (Ntag213(_UID), None),
        (Ntag424(_UID, (_OTHER, _KEY, _OTHER, _OTHER, _OTHER)), CardKey("ntag424", _KEY, 1)),
        (UltralightAes(_UID, (_KEY, _OTHER)), CardKey("ultralight_aes", _KEY)),
        (Desfire(_UID, _APPLICATION, (_KEY,)), CardKey("desfire", _KEY, 0, _APPLICATION)),
    )
    uid, auth, ultralight, desfire = (_taps_s(card, key, taps, baud, rf_ms) for card, key in cards)
    carry = _carries_s(taps, baud, rf_ms)
    lost, doubled = lost_and_doubled(taps)
    return Read(
        percentile_ms(uid, 50),
        percentile_ms(uid, 95),
        percentile_ms(auth, 50),
        percentile_ms(auth, 95),
        percentile_ms(carry, 50),
        percentile_ms(carry, 95),
        percentile_ms(ultralight, 50),
        percentile_ms(desfire, 50),
        percentile_ms(events_s(taps), 50),
        percentile_ms(auth_s(taps, rf_ms), 50),
        lost,
        doubled,
        baud,
        rf_ms,
        taps,
    )


def _taps_s(card: Card, key: CardKey | None, taps: int, baud: int | None, rf_ms: float) -> list[float]:
    """Seconds from the hand to the till, each tap."""
    from readers.emulator import EmulatedPn532  # noqa: PLC0415
    from readers.taps import CardGone, CardSeen, ReaderFound  # noqa: PLC0415

    wanted = "C" if key is None else "A"
    dice = random.Random(1)  # noqa: S311
    found = []
    with EmulatedPn532(baud=baud, rf_ms=rf_ms) as chip, reading(chip.path, {} if key is None else {_UID: key}) as told:
        next_told(told, ReaderFound)
        for _ in range(taps):
            time.sleep(dice.uniform(0, 0.05))
            laid = time.monotonic()
            chip.present(card)
            seen = next_told(told, CardSeen)
            found.append(time.monotonic() - laid)
            if seen.assurance != wanted:
                raise RuntimeError(f"the card was read at level {seen.assurance} instead of {wanted}")
            chip.remove()
            next_told(told, CardGone)
    return found


def _carries_s(taps: int, baud: int | None, rf_ms: float) -> list[float]:
    """Seconds from what the till wants of a card that it has seen to the card's having done it, each tap."""
    from app.rules.chips.allowance import Owed  # noqa: PLC0415
    from app.rules.chips.keyring import CardKey  # noqa: PLC0415
    from readers.cardauth import allowance, ntag424  # noqa: PLC0415
    from readers.cardauth.isodep import IsoDep  # noqa: PLC0415
    from readers.emulator import EmulatedPn532, Ntag424  # noqa: PLC0415
    from readers.taps import CardGone, CardSeen, Errands, ReaderFound  # noqa: PLC0415

    card, key, errands = Ntag424(_UID, (_KEY,) * 5), CardKey("ntag424", _KEY, 1), Errands()
    transceive = IsoDep(lambda frame: card.process(frame) or b"").transceive
    allowance.set_up(ntag424.authenticate(transceive, 0, _KEY), 1)
    allowance.begin(ntag424.authenticate(transceive, 1, _KEY), _KEY)
    dice = random.Random(1)  # noqa: S311
    found = []
    with (
        EmulatedPn532(baud=baud, rf_ms=rf_ms) as chip,
        reading(chip.path, {_UID: key}, errands) as told,
    ):
        next_told(told, ReaderFound)
        for number in range(taps):
            chip.present(card)
            next_told(told, CardSeen)
            time.sleep(dice.uniform(0, 0.05))
            onwards = partial(replace, owed=(Owed(b"bar", 1, number, b"RA", 450),))
            wanted = time.monotonic()
            errands.ask(_UID, partial(allowance.carry, key, onwards=onwards)).result(_WAIT_S)
            found.append(time.monotonic() - wanted)
            chip.remove()
            next_told(told, CardGone)
    return found


def next_told(told: Queue[ReaderEvent], kind: type[Event]) -> Event:
    event = told.get(timeout=_WAIT_S)
    if isinstance(event, kind):
        return event
    raise RuntimeError(f"the modelled reader told something else than {kind.__name__}: {event!r}")


@contextmanager
def reading(path: str, keys: Mapping[bytes, CardKey], errands: Errands | None = None) -> Iterator[Queue[ReaderEvent]]:
    """The till's own reader thread, and what it tells."""
    from readers.drivers import open_driver  # noqa: PLC0415
    from readers.taps import Reader  # noqa: PLC0415

    told: Queue[ReaderEvent] = Queue()
    with Reader(lambda presence: open_driver(path, presence, keys), told.put, errands=errands):
        yield told
