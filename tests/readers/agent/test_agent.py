"""The agent as it is started: a process with a real reader's driver, a real server port and a real journal."""

from __future__ import annotations

import asyncio
import gzip
import signal
import time
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner

from app.rules.ids import uuid7
from app.wire import IntentRow
from readers.agent import AgentConfig, Running, agent, run_agent
from readers.cli import terminal, tray
from readers.drivers import open_driver
from readers.emulator.field import UdpCardField
from readers.sync import Pace
from tests.readers.agent.processes import TerminalProcess, on_loopback, until
from tests.readers.sync.fake_server import AWA, CODE, FakeServer


def test_a_terminal_pairs_sells_and_stops_within_two_seconds(tmp_path: Path) -> None:
    server = FakeServer()
    with on_loopback(server) as url, UdpCardField() as field:
        with TerminalProcess(tmp_path / "data", url, field, CODE) as running:
            running.ready()
            # A page that listens must not hold the agent up.
            with httpx.stream("GET", f"http://127.0.0.1:{running.port}/api/events", trust_env=False) as events:
                next(events.iter_lines())
                first = running.tap(AWA, server.beer)
                assert (first["reason"], first["offline"]) == (None, False)
                began = time.monotonic()
                running.process.send_signal(signal.SIGTERM)
                assert running.process.wait(5) == 0
                assert "error" not in (tmp_path / "terminal.log").read_text().lower()
                assert time.monotonic() - began < 2
        # The same command again, with a code that is used up: the terminal is what it was.
        with TerminalProcess(tmp_path / "data", url, field, CODE) as running:
            running.ready()
            assert [past["sale"] for past in running.screen()["last_sales"]] == [first["sale"]]
            assert running.tap(AWA, server.beer)["reason"] is None
            running.process.send_signal(signal.SIGINT)
            assert running.process.wait(5) == 0
    assert len(server.sold) == 2


def options(tmp_path: Path, url: str = "http://127.0.0.1:9", *more: str) -> list[str]:
    return [
        "--data",
        str(tmp_path / "data"),
        "--server",
        url,
        "--reader",
        "udp:127.0.0.1:9",
        "--kiosk-port",
        "0",
        *more,
    ]


def test_an_unpaired_terminal_says_what_to_do(tmp_path: Path) -> None:
    result = CliRunner().invoke(terminal, options(tmp_path))
    assert result.exit_code == 2
    assert "not paired" in result.output
    assert "--pair CODE" in result.output


def test_pairing_with_nobody_there_changes_nothing_and_says_so(tmp_path: Path) -> None:
    result = CliRunner().invoke(terminal, options(tmp_path, "http://127.0.0.1:9", "--pair", CODE))
    assert result.exit_code == 2
    assert "Pairing did not succeed" in result.output


def test_a_wrong_code_is_refused_in_words(tmp_path: Path) -> None:
    with on_loopback(FakeServer()) as url:
        result = CliRunner().invoke(terminal, options(tmp_path, url, "--pair", "WRONG-CODE"))
    assert result.exit_code == 2
    assert "pairing-code-unknown" in result.output


def test_a_broken_journal_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "journal.db").write_bytes(b"nothing of ours" * 100)
    result = CliRunner().invoke(terminal, options(tmp_path))
    assert result.exit_code == 1
    assert "journal" in result.output


def test_a_tray_that_is_not_described_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "tray.json").write_text('{"fields": []}')
    result = CliRunner().invoke(tray, ["--config", str(tmp_path / "tray.json")])
    assert result.exit_code == 2
    assert "does not describe a card tray" in result.output


async def test_a_new_code_begins_a_new_epoch_once_everything_is_sent(tmp_path: Path) -> None:
    server = FakeServer()
    server.codes.add("NEXT-CODE")
    with on_loopback(server) as url, UdpCardField() as field:
        for code, epoch in ((CODE, 1), ("NEXT-CODE", 2), (None, 2), ("NEXT-CODE", 2)):
            config = AgentConfig(
                data=tmp_path / "data",
                server=url,
                reader=lambda presence: open_driver(field.path, presence),
                kiosk_port=0,
                pair=code,
                pace=Pace(snapshot_s=0.1),
            )
            async with agent(config) as running, httpx.AsyncClient(trust_env=False) as browser:
                assert running.journal.pairing.epoch == epoch
                assert (await browser.get(f"{running.kiosk_url}/healthz")).json()["status"] == "ok"


async def test_a_new_code_waits_until_the_server_has_what_was_sold(tmp_path: Path) -> None:
    """A terminal that is moved with unsent sales: they are delivered under the old epoch, then the new one begins."""
    server = FakeServer()
    server.codes.add("NEXT-CODE")
    epochs: list[tuple[int, bool]] = []
    with on_loopback(server) as url, UdpCardField() as field:

        def config(code: str) -> AgentConfig:
            return AgentConfig(
                data=tmp_path / "data",
                server=url,
                reader=lambda presence: open_driver(field.path, presence),
                kiosk_port=0,
                pair=code,
                pace=Pace(snapshot_s=0.1, retry_s_min=0.02, retry_s_max=0.05),
            )

        async with agent(config(CODE)) as running:
            server.fail("/api/v1/terminals/sync", *["500"] * 50)
            await running.journal.append(IntentRow(sale=uuid7(), at_us=0))
        server.faults.clear()
        ready = asyncio.Queue[int]()

        def note(running: Running) -> None:
            epochs.append((running.journal.pairing.epoch, running.pairs_later))
            ready.put_nowait(len(epochs))

        program = asyncio.create_task(run_agent(config("NEXT-CODE"), note))
        async with asyncio.timeout(10):
            while await ready.get() < 2:
                pass
        program.cancel()
        await asyncio.wait([program])
    assert epochs == [(1, True), (2, False)]
    # The intent, and the cancel that the next start wrote for it, came in before the epoch ended.
    assert server.ended == [2]


def test_logs_that_somebody_asked_for_come_with_the_next_report(tmp_path: Path) -> None:
    server = FakeServer(logs_wanted=uuid7())
    with on_loopback(server) as url, UdpCardField() as field, TerminalProcess(tmp_path / "data", url, field, CODE):
        until(lambda: server.logs_sent)
    text = gzip.decompress(server.logs_sent).decode()
    assert str(server.device) in text
    assert '"event": "terminal_paired"' in text
    assert CODE not in text


async def test_a_port_that_is_taken_is_said_and_nothing_is_left_open(tmp_path: Path) -> None:
    server = FakeServer()
    with on_loopback(server) as url, UdpCardField() as field:
        config = AgentConfig(
            data=tmp_path / "data", server=url, reader=field.path, kiosk_port=int(url.rsplit(":", 1)[1]), pair=CODE
        )
        with pytest.raises(OSError, match="in use"):
            async with agent(config):
                pass
