"""`comptoir bench site`: how soon one till knows what another sold, while the server is away."""

from __future__ import annotations

import asyncio
import contextlib
import json
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from uuid import UUID

import click
import httpx

from readers.bench.command import CARDS, PRODUCTS

SALES = 50
ANSWER_S_MAX = 30.0


@dataclass(frozen=True, slots=True)
class Heard:
    """From the card on the reader of one till until another till, behind a hub that is a third, counts the sale.
    `sales`: of how many."""

    sales: int
    heard_p50_ms: float
    heard_p99_ms: float
    heard_max_ms: float


@click.command("site")
@click.option("--quick", is_flag=True, help="A tenth of everything: to try it, not to quote it.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def site(quick: bool, as_json: bool) -> None:
    """Measure how soon a site's tills know of each other's sales: three agents, a hub among them, and no server."""
    share = 10 if quick else 1
    with tempfile.TemporaryDirectory(prefix="comptoir-bench-") as scratch:
        try:
            found = measure(Path(scratch), CARDS // share, SALES // share)
        except (RuntimeError, OSError) as error:
            raise click.ClickException(str(error)) from error
    if as_json:
        click.echo(json.dumps({k: round(v, 3) for k, v in asdict(found).items()}))
        return
    click.echo(f"From the card on one till's reader until another till counts the sale, of {found.sales}:")
    click.echo(f"half within {found.heard_p50_ms:.0f} ms, 99 of 100 within {found.heard_p99_ms:.0f} ms, ", nl=False)
    click.echo(f"the slowest {found.heard_max_ms:.0f} ms   wanted: under 1000 ms")


def measure(scratch: Path, cards: int, sales: int) -> Heard:
    """RuntimeError, OSError."""
    from readers.bench import cases  # noqa: PLC0415
    from readers.bench.hand import percentile_ms  # noqa: PLC0415
    from readers.bench.server import prepare  # noqa: PLC0415

    cases.quiet()
    ground = prepare(scratch / "server", cards, PRODUCTS)
    took_s = asyncio.run(_night(scratch, ground.codes, ground.pin, sales))
    return Heard(sales, percentile_ms(took_s, 50), percentile_ms(took_s, 99), 1000 * max(took_s))


async def _night(scratch: Path, codes: tuple[str, ...], pin: str, sales: int) -> list[float]:
    """Seconds of each sale, from the card to the other till."""
    from readers.agent import AgentConfig, agent  # noqa: PLC0415
    from readers.bench.hand import HandDriver, card_uid  # noqa: PLC0415
    from readers.bench.server import Ground, free_port, serving  # noqa: PLC0415
    from readers.emulator import UdpCardField, card_with_uid  # noqa: PLC0415
    from readers.sync import Pace  # noqa: PLC0415
    from readers.terminal.book import Entry  # noqa: PLC0415

    log, hub = scratch / "log", f"127.0.0.1:{free_port()}"
    driver = HandDriver()
    async with contextlib.AsyncExitStack() as held:
        field, server = held.enter_context(UdpCardField()), contextlib.ExitStack()
        url = server.enter_context(serving(Ground(scratch / "server", codes, pin), log))
        held.callback(server.close)
        idle, port = held.enter_context(UdpCardField()), free_port()
        held.enter_context(_till(scratch / "hub", url, idle.path, free_port(), codes[0], ["--hub-listen", hub], log))
        other = ["--hub", f"http://{hub}"]
        held.enter_context(_till(scratch / "seller", url, field.path, port, codes[1], other, log))
        pages = await held.enter_async_context(_pages(port, pin))
        config = AgentConfig(
            scratch / "observer",
            url,
            lambda _: driver,
            kiosk_port=0,
            pair=codes[2],
            hubs=(f"http://{hub}",),
            pace=Pace(snapshot_s=0.5),
        )
        observer = await held.enter_async_context(agent(config))
        await _until(lambda: len(observer.site.around.devices) == 2, "the tills did not find each other")
        await asyncio.to_thread(server.close)
        await _until(lambda: not observer.till.screen().online, "the server is still there")
        heard, count = asyncio.Event(), observer.site.on_entry

        def hear(entry: Entry) -> None:
            count(entry)
            heard.set()

        observer.site.on_entry = hear
        products = observer.till.catalogue()["products"]
        product = UUID(str(products[0]["id"]))  # type: ignore[index]
        took_s = []
        for number in range(sales):
            heard.clear()
            await pages.sell(product)
            began = time.monotonic()
            field.present(card_with_uid(bytes.fromhex(card_uid(number))))
            async with asyncio.timeout(ANSWER_S_MAX):
                await heard.wait()
            took_s.append(time.monotonic() - began)
            field.remove()
            await pages.ready()
        return took_s


@contextlib.contextmanager
def _till(data: Path, url: str, reader: str, port: int, code: str, more: list[str], log: Path) -> Iterator[None]:
    """`comptoir terminal` as a process of its own."""
    from readers.bench.server import comptoir  # noqa: PLC0415

    asked = ["--data", str(data), "--server", url, "--reader", reader, "--kiosk-port", str(port), "--pair", code]
    with log.open("ab") as out:
        line = comptoir("terminal", *asked, "--snapshot-s", "0.5", "--no-hub-find", *more)
        process = subprocess.Popen(line, stdout=out, stderr=out)  # noqa: S603
    try:
        yield
    finally:
        process.terminate()
        process.wait(ANSWER_S_MAX)


class _Pages:
    """A till's pages, as a browser asks them."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http

    async def sell(self, product: UUID) -> None:
        asked = {"items": [{"product": str(product), "quantity": 1}], "currency": "RAF"}
        (await self._http.post("/api/pay", json=asked)).raise_for_status()
        await self.phase("present_card")

    async def ready(self) -> None:
        await self.phase("paid")
        (await self._http.post("/api/dismiss", json={})).raise_for_status()
        await self.phase("ready")

    async def phase(self, wanted: str) -> None:
        async with asyncio.timeout(ANSWER_S_MAX):
            while True:
                if (await self._http.get("/api/screen")).json()["phase"] == wanted:
                    return
                await asyncio.sleep(0.005)


@contextlib.asynccontextmanager
async def _pages(port: int, pin: str) -> AsyncIterator[_Pages]:
    """Signed in, once the till is online and has its reader and its prices."""
    url = f"http://127.0.0.1:{port}"
    async with httpx.AsyncClient(base_url=url, headers={"Origin": url}, trust_env=False, timeout=15) as http:

        async def is_ready() -> bool:
            with contextlib.suppress(httpx.HTTPError):
                screen = (await http.get("/api/screen")).raise_for_status().json()
                return bool(screen["online"] and screen["reader"] == "ok" and screen["catalogue_version"])
            return False

        end = time.monotonic() + ANSWER_S_MAX
        while not await is_ready():
            if time.monotonic() > end:
                raise RuntimeError("the till did not come up")
            await asyncio.sleep(0.02)
        (await http.post("/api/sign-in", json={"pin": pin})).raise_for_status()
        yield _Pages(http)


async def _until(holds: Callable[[], object], why: str) -> None:
    end = time.monotonic() + ANSWER_S_MAX
    while not holds():
        if time.monotonic() > end:
            raise RuntimeError(why)
        await asyncio.sleep(0.02)
