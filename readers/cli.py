"""The commands of the terminal: `comptoir terminal` and `comptoir tray`."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click

from readers.install.commands import check, install, kiosk, pair, uninstall
from readers.install.hub import hub_install, hub_pair, hub_uninstall
from readers.telling import configure_logs, fail, listening_at


@click.group(invoke_without_command=True)
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("terminal-data"),
    show_default=True,
    envvar="COMPTOIR_TERMINAL_DATA",
    help="Folder of the journal, the device key and the last snapshot.",
)
@click.option("--server", envvar="COMPTOIR_TERMINAL_SERVER", help="The server's address, https://...")
@click.option(
    "--reader",
    envvar="COMPTOIR_TERMINAL_READER",
    help="The card reader: tty:S0:pn532, usb, bridge:/dev/ttyACM0, pcsc:ACR122, udp:127.0.0.1:PORT.",
)
@click.option("--kiosk-host", default="127.0.0.1", show_default=True, envvar="COMPTOIR_TERMINAL_KIOSK_HOST")
@click.option("--kiosk-port", default=8001, show_default=True, envvar="COMPTOIR_TERMINAL_KIOSK_PORT")
@click.option("--pair", envvar="COMPTOIR_TERMINAL_PAIR", help="The one-time code that an admin made for this terminal.")
@click.option(
    "--printer",
    envvar="COMPTOIR_TERMINAL_PRINTER",
    help="The receipt printer: usb:04b8:0e15, tcp:192.168.1.50, serial:/dev/ttyUSB0:9600, file:/dev/usb/lp0.",
)
@click.option(
    "--deadline-ms",
    type=click.IntRange(50, 5000),
    default=400,
    show_default=True,
    envvar="COMPTOIR_TERMINAL_DEADLINE_MS",
    help="How long a tap waits for the server before the terminal decides alone.",
)
@click.option(
    "--snapshot-s",
    type=click.FloatRange(0.2, 3600),
    default=5.0,
    show_default=True,
    envvar="COMPTOIR_TERMINAL_SNAPSHOT_S",
    help="Seconds between two looks at balances, prices and blocked cards while online.",
)
@click.option(
    "--hub",
    "hubs",
    multiple=True,
    envvar="COMPTOIR_TERMINAL_HUB",
    help="A site hub to share sales with, http://192.168.1.10:8765; may be given several times.",
)
@click.option(
    "--hub-listen",
    envvar="COMPTOIR_TERMINAL_HUB_LISTEN",
    help="Be a site hub for the other terminals, at this address of ours: 192.168.1.10:8765.",
)
@click.option(
    "--hub-find/--no-hub-find",
    default=True,
    show_default=True,
    envvar="COMPTOIR_TERMINAL_HUB_FIND",
    help="Look for hubs of this network on the local network (mDNS), and announce ours.",
)
@click.pass_context
def terminal(
    context: click.Context,
    data: Path,
    server: str | None,
    reader: str | None,
    kiosk_host: str,
    kiosk_port: int,
    pair: str | None,
    printer: str | None,
    deadline_ms: int,
    snapshot_s: float,
    hubs: tuple[str, ...],
    hub_listen: str | None,
    hub_find: bool,
) -> None:
    """Run a till: reads cards, sells, and keeps selling without network."""
    if context.invoked_subcommand is not None:
        return
    # Asked for here, since the commands below need neither.
    if not server or not reader:
        raise click.UsageError(f"Missing option '{'--reader' if server else '--server'}'.", context)
    # Imported here, so that `comptoir --help` does not load the whole agent.
    from readers.agent import AgentConfig, run_agent  # noqa: PLC0415
    from readers.journal import JournalError  # noqa: PLC0415
    from readers.printer import PrinterPathWrong, check_path  # noqa: PLC0415
    from readers.running import NotPaired, PairingFailed  # noqa: PLC0415
    from readers.sync import Pace  # noqa: PLC0415
    from readers.till import TapSettings  # noqa: PLC0415

    configure_logs(data)
    try:
        if printer is not None:
            check_path(printer)
    except PrinterPathWrong as error:
        fail(2, str(error))
    listen = listening_at("--hub-listen", hub_listen) if hub_listen else None
    config = AgentConfig(
        data=data,
        server=server,
        reader=reader,
        kiosk_host=kiosk_host,
        kiosk_port=kiosk_port,
        pair=pair,
        printer=printer,
        tap=TapSettings(deadline_s=deadline_ms / 1000),
        pace=Pace(snapshot_s=snapshot_s),
        hubs=hubs,
        hub_listen=listen,
        hub_find=hub_find,
    )
    try:
        asyncio.run(run_agent(config))
    except NotPaired:
        fail(
            2,
            f"This terminal is not paired yet (folder {data}).\n"
            "Ask an admin for a pairing code: admin pages, the venue, Terminals, Add a terminal.\n"
            f"Then start once with the code:  comptoir terminal --data {data} --server {server} --reader {reader}"
            " --pair CODE",
        )
    except PairingFailed as error:
        fail(2, f"Pairing did not succeed: {error}.\nNothing was changed. A code is good once and for a short time.")
    except JournalError as error:
        fail(1, f"The journal in {data} can't be used: {error}.\nThe terminal does not start; keep the folder.")
    except OSError as error:
        fail(1, f"The terminal can't start: {error}")


for command in (install, uninstall, pair, check, kiosk):
    terminal.add_command(command)


@click.group(invoke_without_command=True)
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("hub-data"),
    show_default=True,
    envvar="COMPTOIR_HUB_DATA",
    help="Folder of the box's key, its pairing and the last snapshot.",
)
@click.option("--server", envvar="COMPTOIR_HUB_SERVER", help="The server's address, https://...")
@click.option("--pair", envvar="COMPTOIR_HUB_PAIR", help="The one-time code that an admin made for this box.")
@click.option(
    "--listen",
    default="0.0.0.0:8765",
    show_default=True,
    envvar="COMPTOIR_HUB_LISTEN",
    help="Where the terminals of this site find it.",
)
@click.option(
    "--find/--no-find",
    default=True,
    show_default=True,
    envvar="COMPTOIR_HUB_FIND",
    help="Announce this hub on the local network (mDNS), and share with others that are announced.",
)
@click.pass_context
def hub(context: click.Context, data: Path, server: str | None, pair: str | None, listen: str, find: bool) -> None:
    """Run a box that only is a site hub: the tills of one local network share through it what they sold."""
    if context.invoked_subcommand is not None:
        return
    if not server:
        raise click.UsageError("Missing option '--server'.", context)
    from readers.box import BoxConfig, NotABox, run_box  # noqa: PLC0415
    from readers.journal import JournalError  # noqa: PLC0415
    from readers.running import NotPaired, PairingFailed  # noqa: PLC0415

    configure_logs(data)
    try:
        asyncio.run(run_box(BoxConfig(data, server, listening_at("--listen", listen), pair, find)))
    except NotPaired:
        fail(
            2,
            f"This box is not paired yet (folder {data}).\n"
            "Ask an admin for a pairing code: admin pages, Terminals, A new terminal.\n"
            f"Then start once with the code:  comptoir hub --data {data} --server {server} --pair CODE",
        )
    except PairingFailed as error:
        fail(2, f"Pairing did not succeed: {error}.\nNothing was changed. A code is good once and for a short time.")
    except NotABox:
        fail(2, f"{data} is the folder of a till, with its sales. Give the box a folder of its own.")
    except JournalError as error:
        fail(1, f"What is kept in {data} can't be used: {error}.\nTake the folder away and pair the box again.")
    except OSError as error:
        fail(1, f"The hub can't start: {error}")


for command in (hub_install, hub_uninstall, hub_pair):
    hub.add_command(command)


@click.command()
@click.option("--config", type=click.Path(exists=True, dir_okay=False, path_type=Path), required=True)
@click.option("--port", type=click.IntRange(0, 65535), help="Instead of the port in the file.")
def tray(config: Path, port: int | None) -> None:
    """Run the card tray of the demo: emulated cards to tap in a browser."""
    from readers.emulator.config import TrayConfig  # noqa: PLC0415
    from readers.emulator.run import serve_tray  # noqa: PLC0415

    configure_logs()
    try:
        wanted = TrayConfig.from_file(config)
    except (OSError, ValueError) as error:
        fail(2, f"{config} does not describe a card tray: {error}")
    asyncio.run(serve_tray(wanted if port is None else wanted.model_copy(update={"port": port})))
