"""Makes the pictures of the README: a person tops up, taps, and sees the balance fall and the claim rise.

python docs/screenshots.py          # needs the extra `dev` and Debian's chromium; writes docs/images/*.png
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from pathlib import Path

from playwright.async_api import Browser, Page, async_playwright

from app.cli.demo.stage import Stage, staged

IMAGES = Path(__file__).parent / "images"
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
PHONE, TILL, DESK = (390, 844), (1024, 600), (1280, 800)


async def _open(browser: Browser, size: tuple[int, int], url: str, language: str = "fr-FR") -> Page:
    context = await browser.new_context(viewport={"width": size[0], "height": size[1]}, locale=language)
    page = await context.new_page()
    await page.goto(url)
    return page


async def _shoot(page: Page, name: str) -> None:
    await page.screenshot(path=IMAGES / f"{name}.png")


async def evening(stage: Stage, browser: Browser) -> None:
    till = stage.tills["raffinerie"]
    holder = await _open(browser, PHONE, stage.cards[0].page)
    await holder.goto(f"{stage.cards[0].page}/top-up")
    await holder.locator("input[name=other]").fill("50,00")
    await _shoot(holder, "top-up")
    await holder.locator("form button[type=submit], form button:not([type])").last.click()
    await holder.wait_for_url("**/sandbox/pay/**")
    await _shoot(holder, "payment")
    await holder.locator("button[value=paid]").click()
    await holder.wait_for_url("**/top-ups/**")
    await _shoot(holder, "credited")

    bar = await _open(browser, TILL, till.url)
    await bar.locator(".key[data-key='1']").wait_for()
    for digit in stage.accounts["raffinerie"].pin:
        await bar.keyboard.press(digit)
    await bar.keyboard.press("Enter")
    await bar.locator(".tile", has_text="Demi").wait_for()
    for name in ("Demi", "Demi", "Samoussas"):
        await bar.locator(".tile", has_text=name).click()
    await bar.wait_for_timeout(300)
    await _shoot(bar, "till")
    await bar.keyboard.press("Control+Enter")
    await bar.wait_for_timeout(600)
    await _shoot(bar, "present-card")
    tray = await _open(browser, DESK, stage.tray)
    await _shoot(tray, "tray")
    await tray.request.post(f"{stage.tray}/api/present", data={"uid": stage.cards[0].uid, "for_s": 2})
    await bar.wait_for_timeout(900)
    await _shoot(bar, "paid")
    await holder.goto(stage.cards[0].page)
    await _shoot(holder, "card")

    admin = await _open(browser, DESK, f"{stage.server}/sign-in?next=/admin")
    await admin.locator("input[name=login]").fill("admin")
    await admin.locator("input[name=password]").fill(stage.accounts["admin"].password)
    await admin.keyboard.press("Enter")
    await admin.wait_for_url(f"{stage.server}/admin")
    await _shoot(admin, "who-owes-whom")
    await admin.goto(f"{stage.server}/admin/reserve")
    await _shoot(admin, "reserve")


async def main() -> None:
    IMAGES.mkdir(exist_ok=True)
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    with tempfile.TemporaryDirectory() as folder:
        async with staged(Path(folder), ["raffinerie"], (0, 0, 0)) as stage, async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
            await evening(stage, browser)
            await browser.close()


if __name__ == "__main__":
    asyncio.run(main())
