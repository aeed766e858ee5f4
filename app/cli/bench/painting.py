"""How soon a phone on a slow line sees a page: the largest paint of first visits, in a real Chromium.

The line is simulated by the browser itself: slow 4G, 1.6 Mbit/s each way and 150 ms there and back.
"""

from __future__ import annotations

import shutil
import statistics
from typing import Final

BITS_PER_S: Final = 1_600_000
LATENCY_MS: Final = 150
VISITS: Final = 9
# Entries come after the paint that they tell of; the page is quiet by then.
SETTLED_MS: Final = 500

_LARGEST = """() => new Promise((told) => {
  new PerformanceObserver((list) => told(list.getEntries().at(-1).startTime))
    .observe({ type: "largest-contentful-paint", buffered: true });
})"""


def largest_paint_ms(address: str, visits: int = VISITS) -> float:
    """The median of first visits, each with a browser that has nothing of us. RuntimeError without a Chromium."""
    try:
        from playwright.sync_api import sync_playwright  # noqa: PLC0415
    except ImportError as error:
        raise RuntimeError("playwright is not installed: pip install 'comptoir[dev]'") from error
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        raise RuntimeError("no Chromium is installed")
    found = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        for _ in range(visits):
            context = browser.new_context(viewport={"width": 390, "height": 844}, device_scale_factor=2, locale="fr-FR")
            page = context.new_page()
            line = context.new_cdp_session(page)
            line.send("Network.enable")
            rate = BITS_PER_S / 8
            conditions = {"offline": False, "latency": LATENCY_MS, "downloadThroughput": rate, "uploadThroughput": rate}
            line.send("Network.emulateNetworkConditions", conditions)
            page.goto(address, wait_until="load")
            page.wait_for_timeout(SETTLED_MS)
            found.append(float(page.evaluate(_LARGEST)))
            context.close()
        browser.close()
    return statistics.median(found)
