"""`comptoir bench pages`: the holder's page, on a durable PostgreSQL of its own.

Cards with a page of history each are looked at at random, as a browser asks; beside it stands a FastAPI route that has
the same page ready. Its weight is what a first visit loads, packed: the critical path is the page and its style sheets.
With `--paint` a real Chromium visits it on a slow line.
"""

from __future__ import annotations

import asyncio
import json
import platform
import random
import re
import tempfile
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

import click
import httpx

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.cli.bench.ground import Ground
    from app.platform.settings import Settings

# So few that each has more than one page of history, and so many that none is looked at too often for its rate limit.
CARDS, SALES = 400, 30_000
VIEWS, CLIENTS, WORKERS = 4_000, 32, 2
_SHEET = re.compile(r'<link rel="stylesheet" href="([^"]+)"')
_LATER = re.compile(r'(?:<script[^>]* src|<link rel="(?:icon|preload)" href|<use href)="([^"#]+)')
_NAMED = re.compile(r"""url\(["']?([^)"']+)["']?\)|\bfrom ["']([^"']+)["']|^import ["']([^"']+)["']""", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Pages:
    """Rates are per second; the ratio is to the ready page. Weights are of a first visit, packed, in 1,000 bytes."""

    card_page_rate: float
    card_page_floor: float
    card_page_ratio: float
    card_page_p50_ms: float
    card_page_p99_ms: float
    card_page_kb: float
    card_page_all_kb: float
    card_page_paint_ms: float | None
    refused: int
    views: int
    workers: int
    clients: int


LINES = (
    ("card_page_rate", "holder's pages a second", "wanted: 300"),
    ("card_page_floor", "the same page, ready, from a FastAPI route", ""),
    ("card_page_ratio", "of it", ""),
    ("card_page_p50_ms", "half of the views within, ms", ""),
    ("card_page_p99_ms", "99 of 100 within, ms", ""),
    ("card_page_kb", "critical path, kB", "wanted: under 30"),
    ("card_page_all_kb", "all that a first visit loads, kB", "wanted: under 100"),
    ("card_page_paint_ms", "largest paint of a first visit on slow 4G, ms", "wanted: under 2,500"),
    ("refused", "views that were refused", "wanted: 0"),
)


@click.command("pages")
@click.option("--quick", is_flag=True, help="A tenth of the views and of the history: to try it, not to quote it.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option("--paint", is_flag=True, help="Also see it on slow 4G, which takes playwright and a Chromium.")
def pages(quick: bool, as_json: bool, paint: bool) -> None:
    """Measure how many holders a server shows their card, and what the page weighs."""
    from app.platform.throwaway_postgres import throwaway_postgres  # noqa: PLC0415

    with (
        tempfile.TemporaryDirectory(prefix="comptoir-bench-") as folder,
        throwaway_postgres(durable=True) as server,
    ):
        found = measure(Path(folder), server.format(db="postgres"), 10 if quick else 1, paint=paint)
    if as_json:
        click.echo(json.dumps({k: round(v, 3) if isinstance(v, float) else v for k, v in asdict(found).items()}))
        return
    click.echo(f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, Python {platform.python_version()}, {platform.machine()}")
    click.echo(f"{found.views} views by {found.clients} clients, {found.workers} workers\n")
    for name, words, wanted in LINES:
        if (value := getattr(found, name)) is not None:
            click.echo(f"{words:<46}{value:>10.2f}   {wanted}".rstrip())


def measure(folder: Path, address: str, part: int, *, paint: bool = False) -> Pages:
    """On an empty database; `part`: 1 for all, 10 for a tenth of it."""
    from app.cli.bench import cases  # noqa: PLC0415
    from app.cli.bench.ground import BATCH_ROWS, history, prepare  # noqa: PLC0415
    from app.cli.bench.painting import largest_paint_ms  # noqa: PLC0415
    from app.cli.bench.servers import PAGE  # noqa: PLC0415
    from app.platform.migrate import upgrade  # noqa: PLC0415
    from app.platform.settings import Settings  # noqa: PLC0415

    settings = Settings(data=folder, database_url=address)
    upgrade(settings.sqlalchemy_url)
    ground = asyncio.run(prepare(settings, 1))
    few = replace(ground, uids=ground.uids[: CARDS // part])
    env = {"COMPTOIR_DATA": str(folder), "COMPTOIR_LOG_LEVEL": "warning", "COMPTOIR_DATABASE_URL": address}
    env |= {"COMPTOIR_PAYMENTS": "sandbox", PAGE: str(folder / "page.html")}
    count = VIEWS // part
    with cases.server("ours", env, WORKERS, folder) as (port, _):
        batches = history(few, few.devices[0], SALES // part // BATCH_ROWS, folder / "batches")
        cases.load(port, "/api/v1/terminals/sync", few.devices[0].token, batches, 1)
        paths = asyncio.run(_addresses(settings, few))
        critical, whole, page = _weight(f"http://127.0.0.1:{port}{paths[0]}")
        (folder / "page.html").write_bytes(page)
        chance = random.Random(count)  # noqa: S311 (a load, not a secret)
        views = folder / "views"
        views.write_text("\n".join(chance.choice(paths) for _ in range(count // 4)))
        cases.views(port, views, CLIENTS)
        views.write_text("\n".join(chance.choice(paths) for _ in range(count)))
        seen = cases.views(port, views, CLIENTS)
        painted_ms = largest_paint_ms(f"http://127.0.0.1:{port}{paths[0]}") if paint else None
    views.write_text("\n".join(["/page"] * count))
    with cases.server("fastapi_page", env, WORKERS, folder) as (port, _):
        floor = cases.views(port, views, CLIENTS)
    good = int(seen["statuses"].get("200", 0))
    return Pages(
        seen["rate"],
        floor["rate"],
        seen["rate"] / floor["rate"],
        seen["p50_ms"],
        seen["p99_ms"],
        critical / 1000,
        whole / 1000,
        painted_ms,
        count - good,
        count,
        WORKERS,
        CLIENTS,
    )


async def _addresses(settings: Settings, ground: Ground) -> list[str]:
    """Of the cards' pages."""
    from app.cards.service import cards_by_uid  # noqa: PLC0415
    from app.platform.context import Context  # noqa: PLC0415

    context = Context.open(settings)
    async with context.reader.connect() as connection:
        found = await cards_by_uid(connection, set(ground.uids))
    await context.close()
    return [f"/c/{card.token}" for card in found.values()]


def _weight(address: str) -> tuple[int, int, bytes]:
    """(bytes of the critical path, of everything, the page itself)."""
    with httpx.Client(headers={"Accept-Encoding": "gzip", "Accept": "text/html"}) as client:
        loaded: dict[str, int] = {}

        def load(one: str) -> str:
            with client.stream("GET", one) as answer:
                answer.raise_for_status()
                text = answer.read()
                loaded[one] = answer.num_bytes_downloaded
            return text.decode(errors="replace")

        page = load(address)
        sheets = [urljoin(address, it) for it in _SHEET.findall(page)]
        texts = {it: load(it) for it in sheets}
        critical = sum(loaded.values())
        waiting = [urljoin(address, it) for it in _LATER.findall(page)]
        waiting += [urljoin(sheet, it) for sheet, text in texts.items() for it in _names(text)]
        while waiting:
            one = waiting.pop()
            if one not in loaded and urlsplit(one).scheme in {"http", "https"}:
                text = load(one)
                waiting += [urljoin(one, it) for it in _names(text)] if one.endswith(".js") else []
        return critical, sum(loaded.values()), page.encode()


def _names(text: str) -> Iterator[str]:
    for found in _NAMED.findall(text):
        yield next(filter(None, found))
