"""Every table of the house, gathered."""

from __future__ import annotations

from app.platform.tables import metadata

__all__ = ["metadata"]
