"""The picture of Positions as a file: names and amounts at both ends, of the page's own period and money."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from xml.etree import ElementTree as ET

import pytest

from app.dashboards.drawing.bands import SIDE, bands
from app.dashboards.drawing.svg import as_file
from app.platform.clock import now_us
from app.settlement.flow_picture import flow_picture
from tests.support.network import Network

pytestmark = pytest.mark.anyio
SVG = "{http://www.w3.org/2000/svg}"


def test_every_end_has_its_name_and_amount_inside_the_picture() -> None:
    """Fifty venues, most of whose bands are thin."""
    venues = [f"Venue {number}" for number in range(50)]
    amounts = {(origin, venue): 1 + 1000 * (origin == "Venue 0") for origin in venues for venue in venues}
    picture = flow_picture(venues, venues, amounts)
    assert picture is not None
    drawn = ET.fromstring(as_file(bands(picture, "Flows", "Bands", str, lambda minor: f"{minor} c")))
    _, top, width, height = (float(it) for it in drawn.attrib["viewBox"].split())
    texts = drawn.findall(f"{SVG}text")
    for name in venues:
        assert sum(it.text == name for it in texts) == 2
    assert all(top <= float(it.attrib["y"]) <= top + height for it in texts)
    assert width == picture.width + 2 * SIDE
    lines = sorted(float(it.attrib["y"]) for it in texts if it.attrib.get("text-anchor") == "end")
    assert min(b - a for a, b in pairwise(lines)) >= 18, "no line stands on another"


async def test_it_is_taken_away_with_the_page_s_period(network: Network) -> None:
    await network.top_up("awa", 2000)
    for slug, name in (("raffinerie", "Demi"), ("canal", "Café")):
        assert (await (await network.terminal(slug)).sell("awa", {name: 1})).status_code == 201
    today = network.venues["raffinerie"].day_of(now_us())
    path = f"/admin/positions/flows.{{}}?first={today - timedelta(1)}&last={today + timedelta(1)}&money=RAF"
    nadia = await network.person("nadia")
    svg = await nadia.get(path.format("svg"))
    assert (svg.status_code, svg.headers["content-type"]) == (200, "image/svg+xml")
    words = [it.text for it in ET.fromstring(svg.text).iter(f"{SVG}text")]
    assert {"Raffinerie", "Canal"} <= set(words)
    png = await nadia.get(path.format("png"))
    assert png.content.startswith(b"\x89PNG")
    assert (await nadia.get(path.format("png").replace("RAF", "TEMPS"))).status_code == 404
