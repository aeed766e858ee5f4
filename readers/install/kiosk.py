"""Opens the staff screen full screen once the till answers, and again when the browser ends."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

WAIT_S = 1.0


def command(browser: str, url: str, profile: Path) -> list[str]:
    """The browser's command line. Its profile is in memory: it wears no SD card and remembers no crash."""
    return [
        browser,
        "--kiosk",
        "--noerrdialogs",
        "--no-first-run",
        "--disable-session-crashed-bubble",
        "--disable-features=Translate",
        "--disable-pinch",
        "--overscroll-history-navigation=0",
        "--password-store=basic",
        "--autoplay-policy=no-user-gesture-required",
        "--ozone-platform-hint=auto",
        f"--user-data-dir={profile}",
        url,
    ]


def profile_folder(environment: dict[str, str] | os._Environ[str] = os.environ) -> Path:
    return Path(environment.get("XDG_RUNTIME_DIR") or f"/tmp/comptoir-{os.getuid()}") / "comptoir-kiosk"  # noqa: S108


def answers(port: int) -> bool:
    """Whether the till's pages are there."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def show(
    browser: str,
    port: int,
    *,
    rounds: int | None = None,
    ready: Callable[[int], bool] = answers,
    run: Callable[[Sequence[str]], object] = subprocess.call,
    wait: Callable[[float], None] = time.sleep,
) -> None:
    """For ever, or `rounds` times. A browser that comes up before the till would show an error until somebody comes."""
    profile, shown = profile_folder(), 0
    profile.mkdir(mode=0o700, parents=True, exist_ok=True)
    while rounds is None or shown < rounds:
        while not ready(port):
            wait(WAIT_S)
        run(command(browser, f"http://127.0.0.1:{port}", profile))
        shown += 1
        wait(WAIT_S)
