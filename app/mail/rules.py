"""What an address may be, and when a message is tried again. Pure."""

from __future__ import annotations

import re

ADDRESS_MAX = 254

# After how many seconds a message is tried again, and for how long at all: servers that greet strangers with a delay
# (greylisting) take it after minutes, and one that was down over a weekend is back by then.
FIRST_S = 30
LONGEST_S = 3600
GIVEN_UP_US = 3 * 24 * 3600 * 1_000_000
# What was sent is no business of ours for longer than somebody may still ask where it is.
KEPT_US = 30 * 24 * 3600 * 1_000_000

# Addresses as people have them: of RFC 5321 neither quoted names nor bare machines, and nothing that could end a line
# of a header.
_LOCAL = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
_NAME = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_ADDRESS = re.compile(rf"(?P<local>{_LOCAL})@(?:{_NAME}\.)+[A-Za-z][A-Za-z0-9-]*[A-Za-z0-9]")


def address(typed: str) -> str | None:
    """The e-mail address that somebody typed; None for what is none. A domain with accents is told as it travels."""
    local, at, domain = typed.strip().rpartition("@")
    try:
        plain = f"{local}{at}{domain.encode('idna').decode() if not domain.isascii() else domain.lower()}"
    except UnicodeError:
        return None
    fits = len(plain) <= ADDRESS_MAX and len(local) <= 64
    return plain if fits and _ADDRESS.fullmatch(plain) else None


def again_us(since_us: int, attempts: int, now_us: int) -> int | None:
    """When to try again after so many failures in a row: half a minute, a minute, two, up to an hour. None: no more."""
    if now_us - since_us >= GIVEN_UP_US:
        return None
    return now_us + min(FIRST_S << min(attempts - 1, 20), LONGEST_S) * 1_000_000
