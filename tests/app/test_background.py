"""What a server does by itself, without being asked, starts with it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from app.main import create_app
from app.platform.settings import Settings

pytestmark = pytest.mark.anyio


@pytest.fixture
def database_kind() -> str:
    return "sqlite"


async def test_the_server_starts_its_rounds_and_ends_them(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[str] = []

    def told(name: str) -> object:
        async def work(*_: object) -> None:
            begun.append(name)
            await asyncio.Event().wait()

        return work

    for name in (
        "run_for_ever",
        "lapse_for_ever",
        "close_for_ever",
        "reconcile_for_ever",
        "tend_for_ever",
        "complete_for_ever",
        "give_back_for_ever",
    ):
        monkeypatch.setattr(f"app.main.{name}", told(name))
    monkeypatch.setattr("app.main.Deliveries.run", told("deliveries"))
    monkeypatch.setattr("app.main.Mailer.run", told("mail"))
    app = create_app(Settings(data=tmp_path / "data", database_url=database_url, payments="sandbox", mail="sandbox"))
    before = asyncio.all_tasks()
    async with app.router.lifespan_context(app):
        await asyncio.sleep(0)
        rounds = [
            "close_for_ever",
            "complete_for_ever",
            "deliveries",
            "give_back_for_ever",
            "lapse_for_ever",
            "mail",
            "reconcile_for_ever",
            "run_for_ever",
        ]
        assert sorted(begun) == [*rounds, "tend_for_ever"]
    assert asyncio.all_tasks() == before
