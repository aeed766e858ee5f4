"""The commands that run and keep a server. Settings come from COMPTOIR_* and the file COMPTOIR_SETTINGS."""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from app.ledger.verify import Report


@click.command()
@click.option("--host", help="Address to listen on (default: COMPTOIR_HOST, 127.0.0.1).")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on (default: COMPTOIR_PORT, 8000).")
def serve(host: str | None, port: int | None) -> None:
    """Run the server: API and pages. Brings the database up to date first."""
    import uvicorn  # noqa: PLC0415

    from app.platform.migrate import upgrade  # noqa: PLC0415
    from app.platform.settings import Settings  # noqa: PLC0415
    from app.platform.telemetry import configure_logging  # noqa: PLC0415

    settings = Settings()
    if settings.workers > 1 and settings.database_url is None:
        raise click.ClickException("COMPTOIR_WORKERS: several processes need PostgreSQL (COMPTOIR_DATABASE_URL).")
    settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    upgrade(settings.sqlalchemy_url)
    configure_logging(settings.log_level)
    uvicorn.run(
        "app.main:create_app",
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
def verify(as_json: bool) -> None:
    """Recompute the whole ledger: balances, floors, pegs, cover, guards. Exit 1 when anything is wrong."""
    report = asyncio.run(_verify())
    if as_json:
        click.echo(json.dumps({**asdict(report), "ok": report.ok}, ensure_ascii=False))
    else:
        _print(report)
    sys.exit(0 if report.ok else 1)


async def _verify() -> Report:
    from app.ledger.verify import verify as check  # noqa: PLC0415
    from app.platform.database import create_engine  # noqa: PLC0415
    from app.platform.settings import Settings  # noqa: PLC0415

    settings = Settings()
    if settings.database_url is None and not settings.sqlite_path.exists():
        raise click.ClickException(f"There is no database at {settings.sqlite_path}.")
    engine = create_engine(settings.sqlalchemy_url)
    try:
        return await check(engine)
    finally:
        await engine.dispose()


def _print(report: Report) -> None:
    click.echo(f"{report.operations} operations, {report.transfers} transfers, {report.accounts} accounts")
    for book in report.books:
        click.echo(f"  {book.issuer} {book.kind} {book.currency}: {book.debit_side} = {book.credit_side}")
    for peg in report.pegs:
        click.echo(f"  Peg {peg.currency}: {peg.issuance} x {peg.cents_per_unit} cents = {peg.liability} cents")
    for finding in report.findings:
        click.echo(f"  WRONG: {finding}", err=True)
    click.echo("Every check passed." if report.ok else f"{len(report.findings)} findings.")
