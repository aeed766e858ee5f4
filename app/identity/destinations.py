"""Where to go after signing in: only ever to a page of ours."""

from __future__ import annotations

from urllib.parse import quote, urlsplit

HOME = "/admin"
SIGN_IN = "/sign-in"
SIGN_OUT = "/sign-out"

# As long an address as a page of ours may have: with many filters, it is handed on whole or not at all.
LENGTH_MAX = 2000


def safe_next(asked: str | None) -> str:
    """`asked` if it is an address on this server, else HOME.

    Browsers read a backslash as a slash and drop tabs and line ends, so `/\\evil.example` and `/<tab>/evil.example`
    lead away as well as `//evil.example` does.
    """
    if not asked or len(asked) > LENGTH_MAX or not asked.isprintable() or "\\" in asked:
        return HOME
    if not asked.startswith("/") or asked.startswith("//"):
        return HOME
    path = urlsplit(asked).path
    return HOME if path in {SIGN_IN, SIGN_OUT} else asked


def sign_in_first(asked: str) -> str:
    """The address of the sign-in page that leads on to `asked`."""
    return f"{SIGN_IN}?next={quote(asked, safe='/')}"
