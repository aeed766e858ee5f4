"""What a row of the audit log is about: people, venues and whatever else it names, each by the word that names it.

A row names a person or venue by id, wherever that stands in it; an address names venues by their short names too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final
from urllib.parse import parse_qsl

WORD_LENGTH_MAX: Final = 64

_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
# As a venue's short name is spelled. What has no letter is a day, a month or a number.
_SHORT_NAME = re.compile(r"(?=.*[a-z])[a-z0-9][a-z0-9-]*")
# What every address of ours begins with: "/admin/<room>/...", "/api/v1/<room>/...".
_BEGINNINGS = ((2, "admin"), (3, "api"))


def mentioned(actor: str, subject: str, details: str, asked: str = "") -> frozenset[str]:
    """The words of a row. `details`: as JSON; `asked`: the query of the address, if `subject` is one. What is not an
    address names its kind first: "books:raffinerie"."""
    ids = _ID.findall(f"{actor} {subject} {details}".lower())
    return frozenset([*ids, *_of_address(subject, asked)])


def _of_address(subject: str, asked: str) -> Iterable[str]:
    if not subject.startswith("/"):
        return filter(_is_short_name, [subject.partition(":")[2]])
    parts = subject.strip("/").split("/")
    named = next((parts[length:] for length, first in _BEGINNINGS if parts[0] == first), parts[1:])
    # A table's address ends like the file's name.
    words = [part.partition(".")[0] for part in named] + [value for _, value in parse_qsl(asked)]
    return filter(_is_short_name, words)


def _is_short_name(word: str) -> bool:
    return len(word) <= WORD_LENGTH_MAX and _SHORT_NAME.fullmatch(word) is not None
