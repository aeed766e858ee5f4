"""The terminal's own logs: a small file that turns over, and the bundle of it that an admin may ask for.

Nothing in it tells of people: what the program logs names no holder, and whatever looks like a card's number, a code,
a PIN, a token or a key is taken out before a bundle leaves the machine, should a library or a fault of ours have logged
it.
"""

from __future__ import annotations

import gzip
import logging
import logging.handlers
import re
from pathlib import Path

FOLDER = "logs"
FILE = "terminal.log"
# Two files of this size: some evenings. A line is not flushed to the disk by itself, so it wears no SD card.
FILE_BYTES_MAX = 512 * 1024
# Compressed; logs shrink to about a tenth. It is less than a request to the server may have.
BUNDLE_BYTES_MAX = 256 * 1024

_HIDDEN = "(hidden)"
_BY_NAME = r"pin|password|passphrase|token|secret|signature|authorization|cookie|code|pair|key|code_digest|server_key"
_PATTERNS = (
    # name=value and "name": "value", of whatever is a secret by its name.
    (re.compile(rf"(?i)(\b(?:{_BY_NAME})[\"']?\s*[=:]\s*[\"']?)[^\s\"',}}]+"), rf"\g<1>{_HIDDEN}"),
    (re.compile(r"(?i)\bbearer\s+\S+"), f"Bearer {_HIDDEN}"),
    (re.compile(r"\$argon2\S+"), _HIDDEN),
    (re.compile(r"-----BEGIN[^-]*-----.*?(?:-----END[^-]*-----|$)"), _HIDDEN),
    # A pairing code, as app.terminals makes them.
    (re.compile(r"\b[2-9A-HJ-NP-Z]{4}-[2-9A-HJ-NP-Z]{4}\b"), _HIDDEN),
    # A card's number: 4, 7 or 10 bytes in hexadecimal, alone or with separators, in either case.
    (re.compile(r"(?<![0-9A-Za-z-])(?:[0-9A-Fa-f]{20}|[0-9A-Fa-f]{14}|[0-9A-F]{8})(?![0-9A-Za-z-])"), "(card)"),
    (re.compile(r"(?<![0-9A-Za-z:])(?:[0-9A-Fa-f]{2}[: ]){3,9}[0-9A-Fa-f]{2}(?![0-9A-Za-z:])"), "(card)"),
    # Anything long in base64: keys, tokens, signatures.
    (re.compile(r"[A-Za-z0-9+/_=-]{43,}"), _HIDDEN),
    # What people type where an address of theirs is asked for.
    (re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]+"), "(address)"),
)


def redact(line: str) -> str:
    """A line without anything that is a secret or tells of a person. Ids of sales stay: they lead to the ledger."""
    for pattern, instead in _PATTERNS:
        line = pattern.sub(instead, line)
    return line


def keep_logs(data: Path, formatter: logging.Formatter) -> logging.Handler | None:
    """A handler that writes into `data`; None where it can't: a till without logs is better than no till."""
    try:
        folder = data / FOLDER
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        handler = logging.handlers.RotatingFileHandler(
            folder / FILE, maxBytes=FILE_BYTES_MAX, backupCount=1, encoding="utf-8"
        )
    except OSError:
        return None
    handler.setFormatter(formatter)
    return handler


def bundle(data: Path, about: str) -> bytes:
    """gzip of `about` and the newest lines that fit, without secrets, oldest first."""
    lines = [redact(line) for name in (f"{FILE}.1", FILE) for line in _lines(data / FOLDER / name)]
    while True:
        packed = gzip.compress("\n".join([redact(about), *lines, ""]).encode(), mtime=0)
        if len(packed) <= BUNDLE_BYTES_MAX or not lines:
            return packed
        lines = lines[len(lines) // 4 + 1 :]


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
