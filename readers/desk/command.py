"""`comptoir cards`: the card desk."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from readers.desk.server import Declined, DeskServer, Unreachable
from readers.telling import fail

if TYPE_CHECKING:
    from readers.desk.writing import Written
    from readers.taps import CardEvent, Driver, ReaderLost

    # With a card's number, and with how many it was done before: what was done, in words. NotWritten.
    Act = Callable[[bytes, int], str]

POLL_S = 0.2
_CONFLICT = 409


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def cards() -> None:
    """Write keys and addresses on cards at a reader, so that each proves itself at every till."""


_server = click.option("--server", required=True, envvar="COMPTOIR_SERVER", help="The server's address, https://...")
_login = click.option("--login", required=True, envvar="COMPTOIR_LOGIN", help="Your login: a network admin's.")
_password = click.option(
    "--password", prompt=True, hide_input=True, envvar="COMPTOIR_PASSWORD", help="Asked for if it is not given."
)


@cards.command("keys")
@_server
@_login
@_password
@click.option("--make", help="Make a set with this name.")
def key_sets(server: str, login: str, password: str, make: str | None) -> None:
    """List the sets of keys, or make one. The keys themselves never leave the server."""
    with _signed_in(server, login, password) as desk:
        if make is not None:
            desk.make_key_set(make)
        for it in desk.key_sets():
            click.echo(it["name"])


@cards.command("write")
@_server
@_login
@_password
@click.option("--keys", "key_set", help="The set of keys to write; chips without keys need none.")
@click.option(
    "--reader", default="usb", show_default=True, envvar="COMPTOIR_TERMINAL_READER", help="As for comptoir terminal."
)
@click.option("--add", metavar="NAME", help='Add cards that are not known yet, as "NAME 1", "NAME 2" and so on.')
@click.option("--first", type=click.IntRange(1), default=1, show_default=True, help="The first number for --add.")
@click.option("--batch", help="Give cards that are not known yet the next labels of this batch.")
@click.option("--count", type=click.IntRange(1), help="Stop after so many cards; without it, with Ctrl-C.")
@click.option("--lock", is_flag=True, help="Final: nobody changes the address on these cards again, the desk neither.")
def write(
    server: str,
    login: str,
    password: str,
    key_set: str | None,
    reader: str,
    add: str | None,
    first: int,
    batch: str | None,
    count: int | None,
    lock: bool,
) -> None:
    """Write one card after the other: lay each down until its line appears.

    The chip is recognised: NTAG 424 DNA, DESFire EV2 and EV3 and Ultralight AES are given keys, NTAG213, 215 and 216
    the address of their page. A card that is taken away too soon is laid down again and finished. What is on its
    wallet is not touched.
    """
    from readers.desk.writing import Desk, Wishes  # noqa: PLC0415

    if add is not None and batch is not None:
        raise click.UsageError("--add makes labels and --batch takes those of a batch: choose one.")
    with _signed_in(server, login, password) as signed_in:
        if batch is not None:
            signed_in.work_on(batch)
        if lock:
            click.echo("Addresses are locked: what is on these cards then stays there for ever.", err=True)

        def begin(driver: Driver) -> Act:
            desk = Desk(driver, signed_in, Wishes(key_set, lock=lock))

            def act(uid: bytes, done: int) -> str:
                found = desk.write(uid, None if add is None else f"{add} {first + done}")
                return f"{found.label}: {_told(found)}"

            return act

        done = _one_after_the_other(reader, count, begin)
    click.echo(f"{done} written.", err=True)


@cards.command("join")
@_server
@_login
@_password
@click.option("--batch", required=True, help="The name of the batch.")
@click.option(
    "--reader", default="usb", show_default=True, envvar="COMPTOIR_TERMINAL_READER", help="As for comptoir terminal."
)
@click.option("--count", type=click.IntRange(1), help="Stop after so many cards; without it, with Ctrl-C.")
def join(server: str, login: str, password: str, batch: str, reader: str, count: int | None) -> None:
    """Give chips the labels of a batch, in their order: lay each down until its line appears.

    Nothing is written on them. A card that is laid down again keeps its label.
    """
    from readers.desk.writing import NotWritten  # noqa: PLC0415

    with _signed_in(server, login, password) as signed_in:
        signed_in.work_on(batch)

        def act(uid: bytes, _: int) -> str:
            try:
                return signed_in.join(uid.hex().upper())
            except Declined as error:
                if error.status != _CONFLICT:
                    raise
                raise NotWritten(str(error)) from error

        done = _one_after_the_other(reader, count, lambda _: act)
    click.echo(f"{done} laid down.", err=True)


@cards.command("batches")
@_server
@_login
@_password
@click.option("--make", metavar="NAME", help="Make a batch with this name; its labels are printed from its page.")
@click.option("--prefix", default="", help='What is printed before the number: "Carte".')
@click.option("--first", default="1", show_default=True, help='The first number, with as many digits as all: "001".')
@click.option("--cards", "number", type=click.IntRange(1), help="How many labels.")
def batches(
    server: str, login: str, password: str, make: str | None, prefix: str, first: str, number: int | None
) -> None:
    """List the batches of cards that were made ahead, or make one."""
    if make is not None and number is None:
        raise click.UsageError("Say with --cards how many labels.")
    with _signed_in(server, login, password) as signed_in:
        if make is not None and number is not None:
            signed_in.make_batch(make, prefix, first, number)
        for it in signed_in.batches():
            click.echo(f"{it['name']}  {it['joined']} of {it['cards']} have a chip")


def _one_after_the_other(reader: str, count: int | None, begin: Callable[[Driver], Act]) -> int:
    """Do with each card that is laid down what `begin` gives for the reader; with how many it was done."""
    from readers.drivers import open_driver  # noqa: PLC0415
    from readers.taps import ReaderFault  # noqa: PLC0415

    done = 0
    try:
        driver = open_driver(reader)
    except ReaderFault as error:
        fail(2, f"The reader can't be used: {error}.")
    try:
        act = begin(driver)
        click.echo("Lay a card on the reader.", err=True)
        while count is None or done < count:
            done += _laid_down(act, driver.poll(POLL_S), done)
    except KeyboardInterrupt:
        pass
    except ReaderFault as error:
        fail(2, f"The reader is gone: {error}.")
    finally:
        driver.close()
    return done


def _laid_down(act: Act, seen: CardEvent | ReaderLost | None, done: int) -> bool:
    """Whether it was done with a card; what became of it is said. ReaderFault."""
    from readers.desk.writing import NotWritten  # noqa: PLC0415
    from readers.taps import CardSeen, ReaderFault, ReaderLost, TwoCards, UnusableCard  # noqa: PLC0415

    match seen:
        case CardSeen(uid):
            try:
                said = act(uid, done)
            except NotWritten as error:
                click.echo(f"{uid.hex().upper()}  {error}", err=True)
                return False
            click.echo(f"{uid.hex().upper()}  {said}")
            return True
        case UnusableCard(_, uid):
            click.echo(f"{uid.hex().upper()}  this card has no number of its own", err=True)
        case TwoCards():
            click.echo("Two cards lie on the reader: lay down one.", err=True)
        case ReaderLost(reason, detail):
            raise ReaderFault(reason, detail)
    return False


def _told(it: Written) -> str:
    """What was written, and what the chip is: "written (version 1), locked, not signed by its maker"."""
    words = ["written" if it.version is None else f"written (version {it.version})"]
    if it.locked:
        words.append("locked")
    if not it.chip.genuine:
        words.append("not signed by its maker")
    return ", ".join(words)


@contextmanager
def _signed_in(url: str, login: str, password: str) -> Iterator[DeskServer]:
    """Signed in, with a code where one is asked for; the session ends with the command."""
    with DeskServer(url, lambda: click.prompt("Code of your authenticator", err=True)) as desk:
        try:
            desk.sign_in(login, password)
            try:
                yield desk
            finally:
                desk.sign_out()
        except Declined as error:
            fail(1, f"The server declines: {error}")
        except Unreachable as error:
            fail(2, f"The server can't be reached: {error}")
