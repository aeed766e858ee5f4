"""What holds for every test of the terminal."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import structlog
from structlog.dev import ConsoleRenderer, plain_traceback


@pytest.fixture(autouse=True)
def logs_are_plain() -> Iterator[None]:
    """Commands and benches set up the logs of their process, and here many tests share one. And a fault is told
    plainly: drawn with all that it knew it takes seconds, in which the terminal does nothing else."""
    structlog.reset_defaults()
    *first, _drawn = structlog.get_config()["processors"]
    structlog.configure(processors=[*first, ConsoleRenderer(exception_formatter=plain_traceback)])
    yield
    structlog.reset_defaults()
