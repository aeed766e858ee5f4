"""The server of the tests that start terminals as processes of their own."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.platform.secrets import secrets_folder
from app.platform.settings import Settings
from readers.emulator.field import UdpCardField
from tests.app.conftest import quickly, secrets
from tests.support.hall import Forge, Hall, Terminal
from tests.support.network import BASE

__all__ = ["secrets"]


@pytest.fixture(scope="session")
def forge() -> Iterator[Forge]:
    forge = Forge()
    yield forge
    forge.close()


@pytest.fixture(scope="module")
def hall(forge: Forge, sqlite_network: Path, secrets: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hall]:
    """At its end the whole ledger is recomputed."""
    with pytest.MonkeyPatch.context() as patch, quickly(patch):
        hall = Hall(founded(tmp_path_factory.mktemp("hall"), sqlite_network, secrets), forge)
        try:
            yield hall
        finally:
            hall.close()


def founded(data: Path, template: Path, secrets: Path) -> Settings:
    """A server's folder with the small network in it."""
    shutil.copy(template, data / "comptoir.sqlite3")
    shutil.copytree(secrets, secrets_folder(data))
    return Settings(data=data, base_url=BASE)


@pytest.fixture
def field() -> Iterator[UdpCardField]:
    with UdpCardField() as field:
        yield field


@pytest.fixture
def terminal(hall: Hall, tmp_path: Path) -> Terminal:
    return hall.terminal(tmp_path / "terminal")
