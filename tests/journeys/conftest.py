"""A served network and a real Chromium, in one event loop."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, async_playwright

from app.platform.settings import Settings
from tests.app.conftest import quick
from tests.support.network import Network, network_of, running
from tests.support.serving import free_port, served

__all__ = ["quick"]

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
ARGUMENTS = ["--no-sandbox", "--disable-background-networking"]


@pytest.fixture(params=["sqlite"])
def database_kind(request: pytest.FixtureRequest) -> str:
    """What a browser sees does not depend on the database."""
    return str(request.param)


@pytest.fixture(scope="module")
async def chromium() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        await browser.close()


@pytest.fixture
async def served_network(quick: None, database_url: str, tmp_path: Path) -> AsyncIterator[Network]:
    """With the sandbox provider, at the address of `settings.base_url`."""
    port = free_port()
    base_url = f"http://127.0.0.1:{port}"
    settings = Settings(data=tmp_path / "data", database_url=database_url, base_url=base_url, payments="sandbox")
    async with running(settings) as app, network_of(app, settings) as network, served(app, port):
        yield network
