"""Every table of the house, gathered: those of a room stand in its module `tables`, if it has any."""

from __future__ import annotations

import importlib
from pathlib import Path

import app
from app.platform.tables import metadata

__all__ = ["metadata"]

_HOUSE = Path(app.__path__[0])

for _path in sorted(_HOUSE.rglob("tables.py")):
    importlib.import_module(".".join(("app", *_path.relative_to(_HOUSE).with_suffix("").parts)))
