"""Every page that a holder comes to, looked at by axe (https://github.com/dequelabs/axe-core): no violations."""

from __future__ import annotations

from urllib.parse import urljoin, urlsplit

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, BrowserContext, Page

from tests.support.network import PASSWORD, Network

pytestmark = pytest.mark.browser

PATIENCE_MS = 20_000
PAGES_MAX = 60
# What leaves the holder's pages, or is no page.
ELSEWHERE = ("/source", "/static", "/api", "/sandbox")
HOLDERS = (*ELSEWHERE, "/admin")
ADMINS = (*ELSEWHERE, "/c/")
NO_PAGE = (".svg", ".json", ".ics", ".xml", ".csv", ".zip", ".pdf", ".jpg", ".png", ".atom")


async def violations(page: Page) -> list[str]:
    found = (await Axe().run(page)).response["violations"]
    return [
        f"{it['id']}: {node['html'][:160]} ({node['failureSummary'][:200]})" for it in found for node in it["nodes"]
    ]


async def links_of(page: Page, base: str, others: tuple[str, ...]) -> list[str]:
    """Where its links lead, without their queries; not what begins with `others`."""
    found = []
    for link in await page.eval_on_selector_all("a[href]", "all => all.map(it => it.getAttribute('href'))"):
        parts = urlsplit(urljoin(page.url, link))
        ours = f"{parts.scheme}://{parts.netloc}" == base
        if ours and not parts.path.startswith(others) and not parts.path.endswith(NO_PAGE) and parts.path != "/":
            found.append(parts.path)
    return found


async def walked(
    context: BrowserContext, base: str, starts: list[str], others: tuple[str, ...], *, further: bool = True
) -> tuple[list[str], set[str]]:
    """What is wrong, and the pages that were seen: these, and `further` along their links."""
    page, waiting, seen, wrong = await context.new_page(), list(starts), set[str](), list[str]()
    page.set_default_timeout(PATIENCE_MS)
    while waiting and len(seen) < PAGES_MAX:
        path = waiting.pop(0)
        if path in seen:
            continue
        seen.add(path)
        answer = await page.goto(base + path)
        assert answer is not None, path
        assert answer.status < 500, path
        wrong += [f"{path} {it}" for it in await violations(page)]
        if further:
            waiting += await links_of(page, base, others)
    return wrong, seen


@pytest.mark.parametrize(("language", "scheme"), [("fr-FR", "light"), ("en-GB", "dark")])
async def test_holders_pages(chromium: Browser, served_network: Network, language: str, scheme: str) -> None:
    await served_network.top_up("awa", 3000)
    bar = await served_network.terminal("raffinerie")
    await bar.sell("awa", {"Demi": 2})
    context = await chromium.new_context(
        viewport={"width": 390, "height": 844},
        locale=language,
        color_scheme=scheme,  # type: ignore[arg-type]
        reduced_motion="reduce",
    )
    starts = [f"/c/{served_network.cards['awa'].token}", "/lost", "/me", "/places", "/privacy", "/c/nobody"]
    wrong, seen = await walked(context, served_network.settings.base_url, starts, HOLDERS)
    await context.close()
    assert not wrong, "\n".join(wrong)
    assert {"/top-up", "/places"} <= {path.removeprefix(starts[0]) for path in seen}


async def test_admins_pages(chromium: Browser, served_network: Network) -> None:
    await served_network.top_up("awa", 3000)
    bar = await served_network.terminal("raffinerie")
    await bar.sell("awa", {"Demi": 2})
    await served_network.hired("nadia")
    context = await chromium.new_context(viewport={"width": 1280, "height": 800}, locale="fr-FR")
    page = await context.new_page()
    await page.goto(f"{served_network.settings.base_url}/admin")
    await page.get_by_label("Identifiant").fill("nadia")
    await page.get_by_label("Mot de passe").fill(PASSWORD)
    await page.get_by_role("button", name="Se connecter").click()
    await page.get_by_role("navigation").first.wait_for()
    menu = [it for it in await links_of(page, served_network.settings.base_url, ADMINS) if it.startswith("/admin")]
    wrong, seen = await walked(context, served_network.settings.base_url, menu, ADMINS, further=False)
    await context.close()
    assert not wrong, "\n".join(wrong)
    assert len(seen) > 20


async def test_what_is_wrong_is_found(chromium: Browser) -> None:
    page = await chromium.new_page()
    await page.set_content(
        "<html lang=fr><title>t</title><main><h1>t</h1><img src=x><p style='color:#eee'>gris</p></main>"
    )
    found = await violations(page)
    await page.close()
    assert {it.partition(":")[0] for it in found} >= {"image-alt", "color-contrast"}
