"""A device in a few words, from what its browser says of itself."""

from __future__ import annotations

from typing import Final

from app.web import N_, Texts

# The first that is found counts: browsers name those that they are like, after or before themselves.
_BROWSERS: Final = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("CriOS/", "Chrome"),
    ("Safari/", "Safari"),
)
_SYSTEMS: Final = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("CrOS", "ChromeOS"),
    ("Mac OS X", "Mac"),
    ("Linux", "Linux"),
)
_ON: Final = N_("%(browser)s on %(system)s")
_UNKNOWN: Final = N_("Unknown device")


def device(user_agent: str, texts: Texts) -> str:
    """Like "Firefox on Android"; of a program, the name that it gives itself."""
    browser = next((name for mark, name in _BROWSERS if mark in user_agent), "")
    system = next((name for mark, name in _SYSTEMS if mark in user_agent), "")
    if browser and system:
        return texts.gettext(_ON, browser=browser, system=system)
    return browser or system or user_agent.partition("/")[0].strip() or texts.gettext(_UNKNOWN)
