"""Every table of the house, gathered: the tables of a room stand in its module `tables`, if it has any."""

from __future__ import annotations

import importlib
import pkgutil
from importlib.util import find_spec

import app
from app.platform.tables import metadata

__all__ = ["metadata"]

for _room in pkgutil.iter_modules(app.__path__, "app."):
    if _room.ispkg and find_spec(f"{_room.name}.tables") is not None:
        importlib.import_module(f"{_room.name}.tables")
