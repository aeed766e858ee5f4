"""The card tray: its file, its page, its API, and the cards it lays before the real nfcpy."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from queue import Queue
from typing import Any, Self

import httpx
import pytest
from fastapi import FastAPI
from pydantic import ValidationError

from readers.drivers import open_driver
from readers.emulator import UdpCardField
from readers.emulator.config import TrayCard, TrayConfig
from readers.emulator.run import TrayReady, serve_tray
from readers.emulator.texts import TEXTS, language_for
from readers.emulator.tray import create_tray
from readers.taps import CardGone, CardSeen, Reader, ReaderEvent, ReaderFound

AWA = TrayCard(label="Awa <b>", uid_hex="04:A1:B2:C3:D4:E5:80", note="40,00 €", url="http://127.0.0.1:8000/c/x")
BASTIEN = TrayCard(label="Bastien", uid_hex="deadbeef")
BAR, KIOSK = "La Raffinerie - bar", "Le Kiosque"


class Client:
    """Plain calls to the app in an event loop of its own; the loop, and so a tap's time, runs only during calls."""

    def __init__(self, app: FastAPI) -> None:
        self._app = app

    def __enter__(self) -> Self:
        self._runner = asyncio.Runner().__enter__()
        transport = httpx.ASGITransport(self._app)
        self._client = httpx.AsyncClient(transport=transport, base_url="http://tray.test")
        return self

    def __exit__(self, *_: object) -> None:
        self._runner.run(self._client.aclose())
        self._runner.close()

    def get(self, path: str, **more: Any) -> httpx.Response:
        return self._runner.run(self._client.get(path, **more))

    def post(self, path: str, **more: Any) -> httpx.Response:
        return self._runner.run(self._client.post(path, **more))


@pytest.fixture
def fields() -> Iterator[dict[str, UdpCardField]]:
    with UdpCardField() as bar, UdpCardField() as kiosk:
        yield {BAR: bar, KIOSK: kiosk}


@pytest.fixture
def tray(fields: dict[str, UdpCardField]) -> Iterator[Client]:
    with Client(create_tray([AWA, BASTIEN], fields)) as client:
        yield client


def lying(state: dict[str, Any], field: str) -> str | None:
    card = next(each for each in state["fields"] if each["name"] == field)["card"]
    return str(card["uid"]) if card else None


def present(tray: Client, uid: str, field: str = BAR, **more: Any) -> Any:
    return tray.post("/api/present", json={"field": field, "uid": uid, **more}).json()


def test_a_card_is_laid_down_and_leaves_by_itself(tray: Client, fields: dict[str, UdpCardField]) -> None:
    state = present(tray, AWA.uid_hex, for_s=0.1)
    assert lying(state, BAR) == "04a1b2c3d4e580"
    assert 0 < state["fields"][0]["leaves_in_s"] <= 0.1
    assert lying(state, KIOSK) is None
    tries = 0
    while lying(tray.get("/api/state").json(), BAR) is not None:
        tries += 1
        assert tries < 1000
    assert fields[BAR].card is None


def test_a_tap_lasts_a_second_and_a_bit_unless_told_otherwise(tray: Client) -> None:
    assert 1 < present(tray, AWA.uid_hex)["fields"][0]["leaves_in_s"] <= 1.2


def test_a_card_that_is_held_stays_until_removed(tray: Client) -> None:
    state = present(tray, AWA.uid_hex, for_s=None)
    assert state["fields"][0]["leaves_in_s"] is None
    assert lying(state, BAR) is not None
    assert lying(tray.post("/api/remove", json={"field": BAR}).json(), BAR) is None


def test_there_is_only_one_of_each_card(tray: Client) -> None:
    present(tray, AWA.uid_hex, for_s=None)
    state = present(tray, AWA.uid_hex, KIOSK, for_s=None)
    assert (lying(state, BAR), lying(state, KIOSK)) == (None, AWA.uid_hex)


def test_uids_are_recognised_however_they_are_written(tray: Client) -> None:
    assert lying(present(tray, "DE AD-BE:EF"), BAR) == "deadbeef"


def test_a_card_in_place_of_another_is_read_by_nfcpy_as_one_gone_and_one_seen(
    tray: Client, fields: dict[str, UdpCardField]
) -> None:
    events: Queue[ReaderEvent] = Queue()
    with Reader(partial(open_driver, fields[BAR].path), events.put):
        assert isinstance(events.get(timeout=3), ReaderFound)
        present(tray, AWA.uid_hex, for_s=None)
        told = [events.get(timeout=3)]
        for uid in (BASTIEN.uid_hex, BASTIEN.uid_hex):
            present(tray, uid, for_s=None)
            told += [events.get(timeout=3), events.get(timeout=3)]
        tray.post("/api/remove", json={"field": BAR})
        told.append(events.get(timeout=3))
    assert [type(event) for event in told] == [CardSeen, CardGone] * 3
    uids = [event.uid.hex() for event in told if isinstance(event, CardSeen)]
    assert uids == [AWA.uid_hex, BASTIEN.uid_hex, BASTIEN.uid_hex]


@pytest.mark.parametrize(
    ("body", "status", "name", "says"),
    [
        ({"field": BAR, "uid": "00"}, 404, "unknown-card", "'00'"),
        ({"field": "Ailleurs", "uid": "deadbeef"}, 404, "unknown-field", BAR),
        ({"uid": "deadbeef"}, 404, "unknown-field", KIOSK),
        ({"field": BAR}, 422, "malformed", "uid"),
        ({"field": BAR, "uid": "deadbeef", "for_s": 0}, 422, "malformed", "for_s"),
        ({"field": BAR, "uid": "deadbeef", "for": 2}, 422, "malformed", "for"),
        ([], 422, "malformed", "body"),
    ],
)
def test_what_cannot_be_done_is_said_clearly(tray: Client, body: object, status: int, name: str, says: str) -> None:
    answer = tray.post("/api/present", json=body)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"].endswith(name)
    assert says in answer.json()["detail"]


def test_bytes_that_are_no_json_are_refused(tray: Client) -> None:
    answer = tray.post("/api/present", content=b"{", headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()["title"]) == (422, "Malformed request")


def test_where_there_is_one_reader_it_need_not_be_named(fields: dict[str, UdpCardField]) -> None:
    with Client(create_tray([AWA], {BAR: fields[BAR]})) as tray:
        assert lying(tray.post("/api/present", json={"uid": AWA.uid_hex}).json(), BAR) == AWA.uid_hex
        assert lying(tray.post("/api/remove", json={}).json(), BAR) is None


def test_the_page_shows_every_card_and_reader_with_names_escaped(tray: Client) -> None:
    page = tray.get("/")
    assert page.status_code == 200
    for text in ("Awa &lt;b&gt;", "Bastien", BAR, KIOSK, "http://127.0.0.1:8000/c/x"):
        assert text in page.text
    assert "default-src 'self'" in page.headers["content-security-policy"]


@pytest.mark.parametrize("asset", ["/tray/tray.css", "/tray/tray.js", "/static/tokens.css", "/static/base.css"])
def test_the_pages_files_are_served(tray: Client, asset: str) -> None:
    assert asset in tray.get("/").text
    assert tray.get(asset).status_code == 200


@pytest.mark.parametrize(("header", "language"), [("fr-FR,en;q=0.5", "fr"), ("en-GB", "en"), ("de", "fr")])
def test_the_page_speaks_the_browsers_language(tray: Client, header: str, language: str) -> None:
    page = tray.get("/", headers={"accept-language": header})
    assert f'<html lang="{language}">' in page.text
    assert TEXTS[language]["title"] in page.text


@pytest.mark.parametrize(
    ("header", "chosen", "language"),
    [
        ("", None, "fr"),
        ("*", None, "fr"),
        ("fr;q=0.2, en;q=0.9", None, "en"),
        ("en;q=0, fr", None, "fr"),
        ("en;q=much", None, "fr"),
        ("fr", "en", "en"),
        ("en", "xx", "en"),
    ],
)
def test_the_language_is_the_best_liked_of_those_we_have(header: str, chosen: str | None, language: str) -> None:
    assert language_for(header, chosen) == language


def test_both_languages_have_the_same_texts() -> None:
    assert TEXTS["fr"].keys() == TEXTS["en"].keys()


def test_a_tray_is_read_from_its_file(tmp_path: Path) -> None:
    file = tmp_path / "tray.json"
    file.write_text(
        json.dumps({"fields": [{"name": BAR, "udp_port": 0}], "cards": [{"label": "Awa", "uid": "04A1B2C3D4E580"}]})
    )
    config = TrayConfig.from_file(file)
    assert config.host == "127.0.0.1"
    assert config.cards == (TrayCard(label="Awa", uid_hex="04a1b2c3d4e580"),)


@pytest.mark.parametrize(
    "change",
    [
        {"fields": []},
        {"fields": [{"name": BAR}, {"name": BAR}]},
        {"cards": [{"label": "A", "uid": "deadbeef"}, {"label": "B", "uid": "DE:AD:BE:EF"}]},
        {"cards": [{"label": "A", "uid": "dead"}]},
        {"cards": [{"label": "A", "uid": "not hex!"}]},
        {"fields": [{"name": BAR, "udp_port": 70000}]},
        {"colour": "blue"},
    ],
)
def test_a_file_that_makes_no_sense_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        TrayConfig.model_validate({"fields": [{"name": BAR}], **change})


def test_the_whole_tray_runs_taps_a_card_through_nfcpy_and_closes_everything() -> None:
    events: Queue[ReaderEvent] = Queue()
    config = TrayConfig.model_validate({"fields": [{"name": BAR}], "cards": [{"label": "Awa", "uid": AWA.uid_hex}]})

    async def evening() -> TrayReady:
        ready: asyncio.Future[TrayReady] = asyncio.get_running_loop().create_future()
        serving = asyncio.ensure_future(serve_tray(config, ready.set_result))
        place = await asyncio.wait_for(ready, 5)
        async with httpx.AsyncClient(base_url=place.address) as client:
            with Reader(partial(open_driver, place.readers[BAR]), events.put):
                answer = await client.post("/api/present", json={"uid": AWA.uid_hex, "for_s": 0.3})
                assert answer.status_code == 200
                told = [await asyncio.to_thread(events.get, timeout=3) for _ in range(3)]
        assert [type(event) for event in told] == [ReaderFound, CardSeen, CardGone]
        serving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await serving
        return place

    place = asyncio.run(evening())
    http_port = int(place.address.rsplit(":", 1)[1])
    with socket.create_server(("127.0.0.1", http_port)):
        UdpCardField(int(place.readers[BAR].rsplit(":", 1)[1])).close()


def test_a_tray_whose_port_is_taken_says_so_and_holds_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        config = TrayConfig.model_validate({"fields": [{"name": BAR}], "port": taken.getsockname()[1]})
        with pytest.raises(OSError, match="in use"):
            asyncio.run(serve_tray(config))
