"""The commands that run and keep a server. Settings come from COMPTOIR_* and the file COMPTOIR_SETTINGS."""

from __future__ import annotations

import asyncio
import gc
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict
from datetime import date, datetime
from typing import TYPE_CHECKING, TextIO

import click

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

    from app.ledger.seals import SealedHead
    from app.ledger.verify import Report


@click.command()
@click.option("--host", help="Address to listen on (default: COMPTOIR_HOST, 127.0.0.1).")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on (default: COMPTOIR_PORT, 8000).")
def serve(host: str | None, port: int | None) -> None:
    """Run the server: API and pages. Brings the database up to date first."""
    # What is imported stays, and looking through it for garbage takes a seventh of the time; app.main starts it again.
    gc.disable()
    import uvicorn  # noqa: PLC0415

    from app.platform.migrate import upgrade  # noqa: PLC0415
    from app.platform.settings import Settings  # noqa: PLC0415

    settings = Settings()
    if settings.workers > 1 and settings.database_url is None:
        raise click.ClickException("COMPTOIR_WORKERS: several processes need PostgreSQL (COMPTOIR_DATABASE_URL).")
    settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    upgrade(settings.sqlalchemy_url)
    uvicorn.run(
        "app.main:serve_app",
        factory=True,
        host=host or settings.host,
        port=settings.port if port is None else port,
        workers=settings.workers,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=list(settings.trusted_proxies),
        timeout_graceful_shutdown=10,
    )


@click.command()
def migrate() -> None:
    """Bring the database up to date, and stop."""
    from app.platform.migrate import upgrade  # noqa: PLC0415
    from app.platform.settings import Settings  # noqa: PLC0415

    settings = Settings()
    settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    upgrade(settings.sqlalchemy_url)


@click.command()
@click.option("--network", "name", required=True, help="The network's name, as people will read it.")
@click.option("--zone", default="Europe/Paris", show_default=True, help="Time zone of what happens at no venue.")
@click.option("--login", required=True, help="Login of the first administrator of the network.")
@click.option("--admin", required=True, help="Name of that person.")
@click.password_option(help="Their password; asked for when left out.")
def init(name: str, zone: str, login: str, admin: str, password: str) -> None:
    """Set up a new network on an empty database, with its first administrator."""
    from app.cli.setup import init_network  # noqa: PLC0415
    from app.platform.errors import DomainError  # noqa: PLC0415

    try:
        asyncio.run(init_network(name, zone, login, admin, password))
    except DomainError as error:
        raise click.ClickException(error.detail) from error
    click.echo(f"{name} is set up. Start the server with `comptoir serve` and sign in as {login}.")


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print the report as one JSON object.")
@click.option("--new", is_flag=True, help="Read only what came since the last time that every check passed.")
def verify(as_json: bool, new: bool) -> None:
    """Recompute the whole ledger: balances, floors, pegs, cover, guards, seals. Exit 1 when anything is wrong.

    The guards of closings, books, settlement runs, sales without a card, agreed rules and of what was accepted in
    writing are looked for too.

    A long history is verified whole now and then, and every night with --new.
    """
    report = asyncio.run(_verify(new))
    if as_json:
        click.echo(json.dumps({**asdict(report), "ok": report.ok}, ensure_ascii=False))
    else:
        _print(report)
    sys.exit(0 if report.ok else 1)


async def _verify(new: bool) -> Report:
    from app.events.proof import wrong  # noqa: PLC0415
    from app.exchanges.proof import wrong as wrong_exchanges  # noqa: PLC0415
    from app.forwarding.proof import wrong as wrong_forwards  # noqa: PLC0415
    from app.guests.proof import wrong as wrong_lines  # noqa: PLC0415
    from app.leases.proof import wrong as wrong_leases  # noqa: PLC0415
    from app.ledger.verify import Mark  # noqa: PLC0415
    from app.ledger.verify import verify as check  # noqa: PLC0415
    from app.passes.proof import wrong as wrong_passes  # noqa: PLC0415
    from app.platform.secrets import load_keys  # noqa: PLC0415
    from app.platform.settings import Settings  # noqa: PLC0415
    from app.returns.proof import wrong as wrong_returns  # noqa: PLC0415
    from app.ticketcounter.proof import wrong as wrong_counters  # noqa: PLC0415

    settings = Settings()
    # Beside the database and not in it: who can write there must not be able to say what needs no check.
    remembered = settings.data / "verified.json"
    since = Mark(**json.loads(remembered.read_text())) if new and remembered.exists() else None
    async with database() as engine:
        report = await check(engine, load_keys(settings.data).signing.public_key(), since)
        report.findings += [f"the guard {name} is not in place" for name in await guards_missing(engine)]
        report.findings += await wrong(engine)
        report.findings += await wrong_passes(engine)
        report.findings += await wrong_returns(engine)
        report.findings += await wrong_exchanges(engine)
        report.findings += await wrong_lines(engine)
        report.findings += await wrong_forwards(engine)
        report.findings += await wrong_counters(engine)
        report.findings += await wrong_leases(engine)
    if report.ok:
        draft = remembered.with_suffix(".draft")
        draft.write_text(json.dumps(asdict(report.until)))
        draft.replace(remembered)
    return report


async def guards_missing(engine: AsyncEngine) -> list[str]:
    """Guards of what is never rewritten beside the ledger: closings of tills, bank statements, bank details and
    settlement runs, what was accepted in writing, what was done about exceptions, payments taken back, the books,
    sales without a card, what cards open, tickets ordered and given back, tickets lent to terminals, passes sold, what
    was seen at doors, what currencies were agreed to be, who was given keys of cards, how far cards have counted, what
    was sent by e-mail, refunds and the bank's files of them, and the audit log."""
    from app.accounting import guards as books  # noqa: PLC0415
    from app.banking import guards as banking  # noqa: PLC0415
    from app.cards import guards as cards  # noqa: PLC0415
    from app.currencies import guards as currencies  # noqa: PLC0415
    from app.door import guards as doors  # noqa: PLC0415
    from app.events import guards as events  # noqa: PLC0415
    from app.identity.audit import GUARDS as AUDIT  # noqa: PLC0415
    from app.identity.audit import MENTIONS  # noqa: PLC0415
    from app.inbox import guards as inbox  # noqa: PLC0415
    from app.keyring import guards as taps  # noqa: PLC0415
    from app.keyring.tables import GUARDS as KEYS  # noqa: PLC0415
    from app.leases import guards as leases  # noqa: PLC0415
    from app.mail import guards as mail  # noqa: PLC0415
    from app.passes import guards as passes  # noqa: PLC0415
    from app.refunds import guards as refunds  # noqa: PLC0415
    from app.returns import guards as returns  # noqa: PLC0415
    from app.sales import keeping  # noqa: PLC0415
    from app.sales.closings import guards as closings  # noqa: PLC0415
    from app.settlement import guards as settlement  # noqa: PLC0415
    from app.terminals.limits.acceptance import GUARDS  # noqa: PLC0415
    from app.topups import guards as topups  # noqa: PLC0415

    finders = (
        closings.missing,
        closings.DRAWERS.missing,
        mail.missing,
        banking.GUARDS.missing,
        banking.PAYOUTS.missing,
        settlement.BANK.missing,
        settlement.RUNS.missing,
        settlement.LATER.missing,
        settlement.OUTGOING.missing,
        refunds.GUARDS.missing,
        GUARDS.missing,
        inbox.GUARDS.missing,
        AUDIT.missing,
        KEYS.missing,
        taps.missing,
        MENTIONS.missing,
        topups.GUARDS.missing,
        books.missing,
        books.DRAWERS.missing,
        keeping.missing,
        cards.missing,
        events.missing,
        passes.missing,
        leases.missing,
        doors.missing,
        returns.missing,
        currencies.missing,
    )
    async with engine.connect() as connection:
        return [name for find in finders for name in await connection.run_sync(find)]


@click.command()
@click.option("--preview", is_flag=True, help="Say what would be booked, and change nothing.")
@click.option(
    "--until",
    type=click.DateTime(["%Y-%m-%d"]),
    help="Only what falls due up to the turn of this day (default: now). With --preview it may lie ahead.",
)
def lapse(preview: bool, until: datetime | None) -> None:
    """Do what time does: tell holders what will lapse, book what is due, let credit limits grow.

    The server does this once a day by itself. Running it again books nothing twice.
    """
    for line in asyncio.run(_lapse(preview, None if until is None else until.date())):
        click.echo(line)


async def _lapse(preview: bool, until: date | None) -> list[str]:
    from app.cli.lapsing import foreseen, run  # noqa: PLC0415
    from app.platform.context import Context  # noqa: PLC0415
    from app.platform.settings import Settings  # noqa: PLC0415

    async with database():
        context = Context.open(Settings())
    try:
        return await (foreseen if preview else run)(context, until)
    finally:
        await context.close()


@asynccontextmanager
async def database() -> AsyncIterator[AsyncEngine]:
    """The database of the settings, if it is there and up to date."""
    from app.platform.database import create_engine  # noqa: PLC0415
    from app.platform.migrate import is_current  # noqa: PLC0415
    from app.platform.settings import Settings  # noqa: PLC0415

    settings = Settings()
    if settings.database_url is None and not settings.sqlite_path.exists():
        raise click.ClickException(f"There is no database at {settings.sqlite_path}.")
    engine = create_engine(settings.sqlalchemy_url)
    try:
        if not await is_current(engine):
            raise click.ClickException("The database is of another version: run `comptoir migrate` first.")
        yield engine
    finally:
        await engine.dispose()


@click.group()
def seals() -> None:
    """Sealed heads: take the end of the ledger's chain along, and check it later with the public key only."""


@seals.command()
def export() -> None:
    """Print the newest sealed head as JSON. Keep it elsewhere: it fixes the whole history up to now."""
    click.echo(asyncio.run(_export()))


async def _export() -> str:
    from app.ledger.seals import newest  # noqa: PLC0415
    from app.platform.secrets import load_keys  # noqa: PLC0415
    from app.platform.settings import Settings  # noqa: PLC0415

    async with database() as engine, engine.connect() as connection:
        found = await newest(connection)
    if found is None:
        raise click.ClickException("Nothing is booked yet, so nothing is sealed.")
    return found.text(load_keys(Settings().data).signing.public_key())


@seals.command()
@click.argument("file", type=click.File())
@click.option("--key", help="The public key you trust, in base64; without it, the one that the file names.")
@click.option("--offline", is_flag=True, help="Check the signature only, without a database.")
def check(file: TextIO, key: str | None, offline: bool) -> None:
    """Check a sealed head: its signature, and that the ledger still contains it. Exit 1 when it does not hold."""
    from app.ledger.seals import SealedHead, key_of  # noqa: PLC0415

    try:
        head, named = SealedHead.read(file.read())
        trusted = key_of(key) if key else named
    except ValueError as error:
        raise click.ClickException(str(error)) from error
    if not head.is_signed_by(trusted):
        raise click.ClickException("The signature is not of this key.")
    click.echo(f"Seal {head.seal}, up to operation {head.operation}: the signature is right.")
    if not offline:
        if asyncio.run(_kept(head.seal)) != head:
            raise click.ClickException("The ledger no longer contains this seal: its history was rewritten or cut.")
        click.echo("The ledger contains it, unchanged.")


async def _kept(number: int) -> SealedHead | None:
    from app.ledger.seals import named  # noqa: PLC0415

    async with database() as engine, engine.connect() as connection:
        return await named(connection, number)


def _print(report: Report) -> None:
    click.echo(f"{report.operations} operations, {report.transfers} transfers, {report.accounts} accounts")
    for book in report.books:
        click.echo(f"  {book.issuer} {book.kind} {book.currency}: {book.debit_side} = {book.credit_side}")
    for peg in report.pegs:
        click.echo(f"  Peg {peg.currency}: {peg.issuance} x {peg.cents_per_unit} cents = {peg.liability} cents")
    click.echo(f"  {report.seals} seals, up to seal {report.until.seal}")
    for finding in report.findings:
        click.echo(f"  WRONG: {finding}", err=True)
    click.echo("Every check passed." if report.ok else f"{len(report.findings)} findings.")
