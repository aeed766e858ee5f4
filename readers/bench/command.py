"""`comptoir bench terminal`: the terminal's figures with one command."""

from __future__ import annotations

import asyncio
import json
import platform
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path

import click

CARDS, PRODUCTS = 20_000, 300
SALES = 10_000


@dataclass(frozen=True, slots=True)
class Figures:
    """What was measured; None: not on this machine. Targets and what each means: docs/benchmarks.md."""

    decision_p50_ms: float
    decision_p99_ms: float
    online_p50_ms: float
    online_p99_ms: float
    rss_mb: float
    ready_s: float
    first_sync_s: float
    backlog_sync_s: float
    backlog_sales: int
    backlog_tap_max_ms: float
    pi_offline_p50_ms: float | None
    pi_offline_p99_ms: float | None
    pi_online_p50_ms: float | None
    pi_online_p99_ms: float | None


# (figure, what a person reads, unit, the most that it may be)
LINES = (
    ("decision_p50_ms", "Tap decided offline and in the journal, half of them within", "ms", 15.0),
    ("decision_p99_ms", "the same, 99 of 100 within", "ms", 50.0),
    ("online_p50_ms", "Tap booked by the server and in the journal, half of them within", "ms", None),
    ("online_p99_ms", "the same, 99 of 100 within", "ms", None),
    ("rss_mb", "Memory of the agent at its highest", "MB", 120.0),
    ("ready_s", "From the start of the process to the first possible sale", "s", 3.0),
    ("first_sync_s", "From an empty folder to selling: pairing and the first snapshot", "s", 10.0),
    ("backlog_sync_s", "Backlog delivered while the till sells on", "s", 10.0),
    ("backlog_tap_max_ms", "Slowest tap meanwhile", "ms", None),
    ("pi_offline_p50_ms", "Modelled Pi, offline: half of the taps within", "ms", 100.0),
    ("pi_offline_p99_ms", "the same, 99 of 100 within", "ms", None),
    ("pi_online_p50_ms", "Modelled Pi, online: half of the taps within", "ms", 100.0),
    ("pi_online_p99_ms", "the same, 99 of 100 within", "ms", None),
)


@click.command()
@click.option("--quick", is_flag=True, help="A tenth of everything: to try it, not to quote it.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def terminal(quick: bool, as_json: bool) -> None:
    """Measure a terminal with 20,000 cards and 300 products: taps, memory, start, first sync and a backlog."""

    def tell(line: str) -> None:
        click.echo(line, err=True)

    with tempfile.TemporaryDirectory(prefix="comptoir-bench-") as scratch:
        try:
            found = measure(Path(scratch), 10 if quick else 1, tell)
        except (RuntimeError, OSError) as error:
            raise click.ClickException(str(error)) from error
    if as_json:
        click.echo(json.dumps({k: round(v, 3) if isinstance(v, float) else v for k, v in asdict(found).items()}))
    else:
        _table(found, quick)


def measure(scratch: Path, share: int, tell: Callable[[str], None]) -> Figures:
    """All figures, with a `share`-th of cards, products and sales. RuntimeError, OSError."""
    from readers.bench import cases, pi  # noqa: PLC0415
    from readers.bench.fill import fill  # noqa: PLC0415
    from readers.bench.hand import percentile_ms  # noqa: PLC0415
    from readers.bench.server import prepare, serving  # noqa: PLC0415

    cases.quiet()
    cards, products, sales = CARDS // share, PRODUCTS // share, SALES // share
    tell(f"preparing {cards:,} cards and {products:,} products")
    ground = prepare(scratch / "server", cards, products)
    data, log, pin = scratch / "terminal", scratch / "log", ground.pin
    with serving(ground, log) as url:
        tell("first sync")
        first_sync_s = asyncio.run(cases.first_sync(data, url, ground.codes[0], pin))
        tell("start of the process")
        ready_s, rss_mb = cases.started(data, url, log)
        tell("taps online")
        booked = asyncio.run(cases.online(data, url, pin, cards, 1000 // share))
        tell("taps offline")
        decided = asyncio.run(cases.decisions(data, pin, cards, 2000 // share))
        tell(f"a backlog of {sales:,} sales")
        waiting = asyncio.run(fill(data, pin, cards, sales))
        backlog = asyncio.run(cases.backlog(data, url, pin, cards, waiting, tell))
        slow: dict[bool, list[float]] = {}
        if find_spec("apsw"):
            for online in (True, False):
                tell(f"taps {'online' if online else 'offline'} on the model of a Raspberry Pi")
                slow[online] = pi.taps(data, url, pin, cards, 200 // share, online=online)
        else:
            tell("no model of a Raspberry Pi: it needs the extra 'dev' (apsw)")
    return Figures(
        percentile_ms(decided, 50),
        percentile_ms(decided, 99),
        percentile_ms(booked, 50),
        percentile_ms(booked, 99),
        rss_mb,
        ready_s,
        first_sync_s,
        backlog.seconds,
        backlog.sales,
        1000 * max(backlog.taps_s),
        *(percentile_ms(slow[online], it) if online in slow else None for online in (False, True) for it in (50, 99)),
    )


def _table(found: Figures, quick: bool) -> None:
    click.echo(f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, Python {platform.python_version()}, {platform.machine()}")
    click.echo("a tenth of everything: not to be quoted\n" if quick else "")
    for name, words, unit, most in LINES:
        value = getattr(found, name)
        shown = "not measured" if value is None else f"{value:,.1f} {unit}"
        wanted = "" if most is None else f"   wanted: under {most:g} {unit}"
        click.echo(f"{words:<68}{shown:>14}{wanted}")
    click.echo(f"\nThe backlog was {found.backlog_sales:,} sales, each with its intent. The Pi is a model: see pi.py.")
