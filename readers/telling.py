"""How commands tell: their logs, and why they end."""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path
from typing import NoReturn

import click
import structlog

from readers.health.logs import keep_logs


def listening_at(option: str, text: str) -> tuple[str, int]:
    """The address and port of an option; ends the program if it is none."""
    host, _, port = text.rpartition(":")
    if not (host and port.isdigit() and int(port) < 65536):
        fail(2, f"{option} takes an address and a port, as in 192.168.1.10:8765, and not {text}.")
    return host, int(port)


def fail(status: int, message: str) -> NoReturn:
    click.echo(message, err=True)
    sys.exit(status)


def configure_logs(data: Path | None = None) -> None:
    """JSON lines on stderr for machines, coloured lines for a person at a terminal; libraries from WARNING up.

    With `data` also into a small file there, which an admin may ask for from afar."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    plain = sys.stderr.isatty()
    machine: list[structlog.typing.Processor] = [
        structlog.processors.format_exc_info,
        structlog.processors.JSONRenderer(serializer=json.dumps),
    ]

    def formatter(last: list[structlog.typing.Processor]) -> structlog.stdlib.ProcessorFormatter:
        processors = [structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last]
        return structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=processors)

    shown = logging.StreamHandler(sys.stderr)
    shown.setFormatter(formatter([structlog.dev.ConsoleRenderer()] if plain else machine))
    kept = keep_logs(data, formatter(machine)) if data else None
    logging.basicConfig(handlers=[shown, *([kept] if kept else [])], level=logging.WARNING, force=True)
    logging.getLogger("readers").setLevel(logging.INFO)
    structlog.configure(
        processors=[
            *shared,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
