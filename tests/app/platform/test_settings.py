"""Settings come from the environment over a file over defaults."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from app.platform.settings import Settings


@pytest.mark.parametrize(
    ("written", "proxies"),
    [("", ()), ("10.0.0.1", ("10.0.0.1",)), (" 10.0.0.0/8, 2001:db8::/32 ,", ("10.0.0.0/8", "2001:db8::/32"))],
)
def test_trusted_proxies_are_written_with_commas(
    monkeypatch: pytest.MonkeyPatch, written: str, proxies: tuple[str, ...]
) -> None:
    monkeypatch.setenv("COMPTOIR_TRUSTED_PROXIES", written)
    assert Settings().trusted_proxies == proxies


def test_a_proxy_that_is_no_address_is_refused_at_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMPTOIR_TRUSTED_PROXIES", "proxy.example")
    with pytest.raises(ValidationError, match=r"proxy\.example"):
        Settings()


def test_the_environment_goes_over_the_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "comptoir.toml"
    file.write_text('port = 9000\nhost = "0.0.0.0"\ntrusted_proxies = ["10.0.0.1"]\n')
    monkeypatch.setenv("COMPTOIR_SETTINGS", str(file))
    monkeypatch.setenv("COMPTOIR_PORT", "9001")
    settings = Settings()
    assert (settings.port, settings.host, settings.trusted_proxies) == (9001, "0.0.0.0", ("10.0.0.1",))


@pytest.mark.parametrize(
    ("written", "url"),
    [
        (None, "sqlite+aiosqlite:///somewhere/comptoir.sqlite3"),
        ("postgres://marie:x@host/till", "postgresql+asyncpg://marie:x@host/till"),
        ("postgresql+psycopg://host/till", "postgresql+asyncpg://host/till"),
        ("sqlite:////var/till.sqlite3", "sqlite+aiosqlite:////var/till.sqlite3"),
    ],
)
def test_the_database_s_address_may_be_spelled_in_any_usual_way(written: str | None, url: str) -> None:
    assert Settings(data=Path("somewhere"), database_url=written).sqlalchemy_url == url


def test_another_kind_of_database_is_refused() -> None:
    with pytest.raises(ValueError, match="neither postgresql nor sqlite"):
        _ = Settings(database_url="mysql://host/till").sqlalchemy_url
