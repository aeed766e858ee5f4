"""Bring a database to the newest revision; and tell at which it stands."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config

import migrations


def configuration(url: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    config.attributes["url"] = url
    return config


def upgrade(url: str, revision: str = "head") -> None:
    """Run what is missing. Safe to call from several processes at once, and when nothing is missing."""
    command.upgrade(configuration(url), revision)
