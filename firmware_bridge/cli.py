"""`comptoir bridge`: boards with a reader chip, between their cable and the till."""

from __future__ import annotations

import contextlib
import json
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from firmware_bridge import messages

if TYPE_CHECKING:
    from firmware_bridge.host import Session

# Makers of the boards, and of the USB chips on them, by their USB vendor number.
_MAKERS = {
    0x2E8A: "RP2040 or RP2350",
    0x303A: "ESP32 with its own USB",
    0x10C4: "CP210x, as on many ESP32",
    0x1A86: "CH340, as on many ESP32",
    0x0403: "FTDI",
}


@click.group()
def bridge() -> None:
    """Card readers on a microcontroller: find them, set them up, watch and measure them."""


@bridge.command("list")
@click.argument("ports", nargs=-1)
@click.option("--ask", is_flag=True, help="Open each port and ask the board there what it is. Some boards start anew.")
def list_ports(ports: tuple[str, ...], ask: bool) -> None:
    """List serial ports, and what may be behind them."""
    from serial.tools import list_ports as ports_of_machine  # noqa: PLC0415

    found = {it.device: _MAKERS.get(it.vid or 0, it.description or "?") for it in ports_of_machine.comports()}
    shown = {port: found.get(port, "?") for port in ports} or found
    if not shown:
        click.echo("No serial port. Is the board plugged in, with a cable that carries data and not only power?")
    for device, words in sorted(shown.items()):
        click.echo(f"{device}  {words}")
        if ask:
            click.echo(f"    {_what_answers(device)}")
        click.echo(f"    comptoir terminal --reader bridge:{_lasting_name(device)}")


@bridge.command()
@click.option("--board", "kind", type=click.Choice(["rp2", "esp32"]), required=True, help="RP2040/RP2350, or ESP32.")
@click.option("--chip", type=click.Choice(["rc522", "pn532-spi", "pn532-i2c"]), default="rc522", show_default=True)
@click.option("--port", default="/dev/ttyACM0", show_default=True, help="Where the board is.")
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), default=Path("comptoir-board"), show_default=True
)
@click.option("--update", is_flag=True, help="The board has this firmware already: keep it until the new one works.")
def flash(kind: str, chip: str, port: str, out: Path, update: bool) -> None:
    """Write the firmware into a folder and print the commands that bring it onto the board.

    The board itself is not touched; mpremote and esptool are separate programs.
    """
    from firmware_bridge.flashing import lay_out, slot_of, steps  # noqa: PLC0415

    running = None
    if update:
        with _session(port) as session:
            running = slot_of(session.board.about)
            if running is None:
                _fail(f"The firmware there is not ours: {session.board.about}. Set it up without --update.")
    try:
        files = lay_out(out, chip, running)
    except FileExistsError:
        _fail(f"The folder {out} has something in it. Name another one with --out, or empty it.")
    click.echo(f"{len(files)} files are in {out}. The board was not touched. Now:\n")
    for number, (words, command) in enumerate(steps(kind, port, out, running), 1):
        click.echo(f"{number}. {words}" if words else "")
        if command:
            click.echo(f"       {command}")


@bridge.command()
@click.argument("port")
def monitor(port: str) -> None:
    """Show what a board tells, until Ctrl-C."""
    with _session(port) as session, contextlib.suppress(KeyboardInterrupt):
        click.echo(f"{session.board.about}; protocol {session.board.version}. Ctrl-C ends.")
        while True:
            told = session.next(1.0)
            if told is None:
                continue
            click.echo(f"{time.strftime('%H:%M:%S')}  {in_words(*told)}")
            if told[0] == messages.CARD_SEEN:
                session.send(messages.FIELD, bytes([messages.FIELD_LOOK]))


@bridge.command()
@click.argument("port")
@click.option("--pings", type=click.IntRange(1, 100_000), default=500, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def loss(port: str, pings: int, as_json: bool) -> None:
    """Measure what the line to a board loses, and how long an answer takes."""
    from firmware_bridge.measuring import measure_loss  # noqa: PLC0415

    with _session(port) as session:
        found = measure_loss(session, pings)
    if as_json:
        click.echo(json.dumps({k: round(v, 3) if isinstance(v, float) else v for k, v in asdict(found).items()}))
        return
    click.echo(f"{found.lost} of {found.pings} pings lost, {found.damaged} frames damaged")
    click.echo(f"{found.resent} of {found.pings} messages sent again; all arrived")
    click.echo(f"answer within {found.round_trip_p50_ms:.1f} ms (half), {found.round_trip_p95_ms:.1f} ms (95 of 100)")


@bridge.command()
@click.argument("port")
def stop(port: str) -> None:
    """Have a board stop and leave its port to MicroPython, until it starts again: for updates."""
    from firmware_bridge.host import BoardLost  # noqa: PLC0415

    with _session(port) as session:
        session.send(messages.RESET, bytes([messages.STOP]))
        try:
            taken = session.flush(2)
        except OSError:
            # It starts anew so soon that its answer may be lost together with its port.
            taken = True
        except BoardLost as lost:
            taken = not lost.silent
        if not taken:
            _fail("The board did not take it. Unplug it, plug it in again and try once more.")
    click.echo(
        "The board starts anew and leaves its port to MicroPython. Unplug it and plug it in to have it read again."
    )


def in_words(kind: int, payload: bytes) -> str:
    """A message of the board for people."""
    try:
        if kind == messages.CARD_SEEN:
            uid, sak, _ = messages.read_card(payload)
            return f"card {uid.hex().upper()}, SAK {sak:02X}"
        if kind == messages.CARD_GONE:
            uid = messages.read_card(payload)[0]
            return f"card {uid.hex().upper()} is gone" if uid else "nothing there"
        if kind == messages.TWO_CARDS:
            one, other, _ = messages.read_two_cards(payload)
            return f"two cards: {one.hex().upper()} and {other.hex().upper()}"
        if kind == messages.ERROR:
            code, words = messages.read_error(payload)
            return f"error {code}: {words}"
    except messages.BadMessage:
        pass
    return f"message {kind:02X}: {payload.hex()}"


def _what_answers(device: str) -> str:
    from firmware_bridge.host import BoardLost, Session  # noqa: PLC0415

    try:
        session = Session.open(device)
    except (OSError, BoardLost) as error:
        return str(error)
    about = session.board.about
    session.close()
    return about


def _lasting_name(device: str) -> str:
    """The port's name that survives replugging, where the system makes one."""
    for link in sorted(Path("/dev/serial/by-id").glob("*")):
        if link.resolve() == Path(device).resolve():
            return str(link)
    return device


@contextlib.contextmanager
def _session(port: str) -> Iterator[Session]:
    from firmware_bridge.host import BoardLost, Session  # noqa: PLC0415

    try:
        session = Session.open(port)
        try:
            yield session
        finally:
            session.close()
    except OSError as error:
        _fail(f"{port} cannot be used: {error}")
    except BoardLost as error:
        _fail(f"{port}: {error}")


def _fail(words: str) -> NoReturn:
    click.echo(words, err=True)
    sys.exit(1)
