"""What holds for every test of the terminal."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import structlog


@pytest.fixture(autouse=True)
def logs_are_as_they_were() -> Iterator[None]:
    """Commands and benches set up the logs of their process, and here many tests share one."""
    before = structlog.get_config()
    yield
    structlog.configure(**before)
