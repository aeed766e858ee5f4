"""The public programme: what people, search engines, calendars and feed readers find."""

from __future__ import annotations

import io
import json
import re
import zipfile
from datetime import datetime
from xml.etree import ElementTree as ET

import dateutil.parser
import httpx
import pypdfium2
import pytest

from app.platform.clock import now_us
from tests.app.programme.conftest import DAY_US, HOUR_US, Programme
from tests.support.network import both
from tests.support.pages import form_to, led_to, look, send, words

pytestmark = pytest.mark.anyio


def data_of(answer: httpx.Response) -> dict[str, object]:
    (block,) = re.findall(r'<script type="application/ld\+json">(.*?)</script>', answer.text, re.DOTALL)
    found: dict[str, object] = json.loads(block)
    return found


@both
async def test_coming_events_by_day_and_by_venue(programme: Programme) -> None:
    anybody = programme.network.client
    await programme.event("bal", in_us=2 * DAY_US)
    await programme.event("quai", "canal", in_us=4 * DAY_US, status="cancelled")
    await programme.event("secret", status="draft")
    await programme.event("hier", in_us=-DAY_US)
    page = await look(anybody, "/programme")
    assert page.status_code == 200
    said = words(page)
    assert "Soirée bal" in said
    assert "Annulé" in said
    assert "10,00 €" in said
    assert "secret" not in said
    assert "hier" not in said
    assert said.index("Soirée bal") < said.index("Soirée quai")
    here = words(await look(anybody, "/programme?venue=canal"))
    assert "Soirée quai" in here
    assert "Soirée bal" not in here
    assert (await look(anybody, "/programme/secret")).status_code == 404
    assert (await look(anybody, "/programme?venue=nowhere")).status_code == 404
    venue = words(await look(anybody, "/venues/raffinerie"))
    assert "Soirée bal" in venue
    assert "Soirée hier" in venue
    artist = words(await look(anybody, "/artists/les-zincs"))
    assert "Dates passées (1)" in artist
    assert "Deux voix." in artist


async def test_a_page_is_kept_for_a_minute_and_not_sent_twice(programme: Programme) -> None:
    anybody = programme.network.client
    await programme.event("bal")
    page = await look(anybody, "/programme")
    assert page.headers["cache-control"].startswith("public, max-age=60")
    again = await anybody.get("/programme", headers={"If-None-Match": page.headers["etag"], "Accept-Language": "fr"})
    assert (again.status_code, again.content) == (304, b"")
    chosen = await anybody.get("/programme?lang=en")
    assert chosen.headers["cache-control"].startswith("private")
    assert chosen.headers["set-cookie"]


async def test_what_search_engines_read(programme: Programme) -> None:
    anybody = programme.network.client
    await programme.event("bal", words="Danse </script><b>folle</b> & douce.", ends_us=3 * HOUR_US)
    page = await look(anybody, "/programme/bal")
    found = data_of(page)
    assert found["@type"] == "Event"
    assert found["eventStatus"] == "https://schema.org/EventScheduled"
    assert found["description"] == "Danse </script><b>folle</b> & douce."
    starts = datetime.fromisoformat(str(found["startDate"]))
    assert starts.utcoffset() == datetime.fromisoformat("2026-01-01T00:00:00+04:00").utcoffset()
    assert found["location"]["name"] == programme.network.venues["raffinerie"].name  # type: ignore[index]
    (offer,) = found["offers"]  # type: ignore[misc]
    assert (offer["price"], offer["priceCurrency"], offer["availability"]) == (  # type: ignore[index]
        "10.00",
        "EUR",
        "https://schema.org/InStock",
    )
    assert found["performer"][0]["name"] == "Les Zincs"  # type: ignore[index]
    assert '<link rel="canonical" href="http://server.test/programme/bal?lang=fr">' in page.text
    assert set(re.findall(r'hreflang="([^"]+)" href="http', page.text)) == {"fr", "en", "x-default"}
    assert re.search(r'<meta name="description" content="[^"]+Les Zincs', page.text)
    assert "noindex" not in page.text
    assert "<b>folle" not in page.text
    assert 'href="/programme/bal/buy"' in page.text
    assert "Ouvrez la page de votre carte" in words(await look(anybody, "/programme/bal/buy"))
    await programme.event("non", status="cancelled")
    assert data_of(await look(anybody, "/programme/non"))["eventStatus"] == "https://schema.org/EventCancelled"
    robots = (await anybody.get("/robots.txt")).text
    assert "Disallow: /\n" in robots
    assert "Allow: /programme" in robots
    sitemap = ET.fromstring((await anybody.get("/sitemap.xml")).content)
    urls = {it.text for it in sitemap.iter("{http://www.sitemaps.org/schemas/sitemap/0.9}loc")}
    assert {f"http://server.test{it}" for it in ("/programme/bal", "/venues/canal", "/artists/les-zincs")} <= urls


async def test_the_programme_in_a_calendar(programme: Programme) -> None:
    """Unfolded and read by hand, and its times by dateutil: nothing of the library that wrote it."""
    anybody = programme.network.client
    id_ = await programme.event("bal", words="Une ligne; deux, trois\nquatre " + "é" * 90)
    await programme.event("non", "canal", status="cancelled")
    answer = await anybody.get("/programme.ics")
    assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
    assert all(len(line) <= 75 for line in answer.content.split(b"\r\n"))
    lines = answer.text.replace("\r\n ", "").split("\r\n")
    assert lines[0] == "BEGIN:VCALENDAR"
    events = answer.text.replace("\r\n ", "").split("BEGIN:VEVENT")[1:]
    bal, non = (
        {line.partition(":")[0]: line.partition(":")[2] for line in it.split("\r\n") if ":" in line}
        for it in sorted(events, key=lambda it: "SUMMARY:Soirée bal" not in it)
    )
    assert bal["UID"] == f"{id_}@server.test"
    assert bal["STATUS"] == "CONFIRMED"
    assert non["STATUS"] == "CANCELLED"
    assert "\\n" in bal["DESCRIPTION"]
    assert "\\;" in bal["DESCRIPTION"]
    assert "DTSTART;TZID=Indian/Reunion" in bal
    assert "DTSTART;TZID=Europe/Paris" in non
    assert {line for line in lines if line.startswith("TZID:")} == {"TZID:Indian/Reunion", "TZID:Europe/Paris"}
    shown = data_of(await look(anybody, "/programme/bal"))["startDate"]
    assert dateutil.parser.parse(bal["DTSTART;TZID=Indian/Reunion"]).isoformat() + "+04:00" == shown
    for one in ("/venues/canal.ics", "/programme/non.ics"):
        assert (await anybody.get(one)).text.count("BEGIN:VEVENT") == 1


async def test_the_programme_as_a_feed(programme: Programme) -> None:
    anybody = programme.network.client
    id_ = await programme.event("bal", words="<i>Une</i> soirée")
    await programme.event("quai", "canal")
    feed = ET.fromstring((await anybody.get("/programme.atom?venue=raffinerie")).content)
    atom = "{http://www.w3.org/2005/Atom}"
    assert feed.tag == f"{atom}feed"
    assert all(feed.find(f"{atom}{it}") is not None for it in ("id", "title", "updated", "author"))
    (entry,) = feed.findall(f"{atom}entry")
    assert entry.findtext(f"{atom}id") == f"urn:uuid:{id_}"
    assert entry.findtext(f"{atom}content") == "<i>Une</i> soirée"
    updated = datetime.fromisoformat(entry.findtext(f"{atom}updated") or "")
    assert abs(updated.timestamp() - now_us() / 1e6) < 60


async def test_others_show_it_inside_their_pages_and_read_it_by_program(programme: Programme) -> None:
    anybody = programme.network.client
    await programme.event("bal")
    embed = await look(anybody, "/programme/embed?venue=raffinerie")
    assert "frame-ancestors *" in embed.headers["content-security-policy"]
    assert "x-frame-options" not in embed.headers
    assert "Soirée bal" in words(embed)
    assert "<form" not in embed.text
    assert "set-cookie" not in embed.headers
    page = await look(anybody, "/programme")
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
    assert page.headers["x-frame-options"] == "DENY"
    answer = await anybody.get("/api/v1/programme")
    assert answer.headers["access-control-allow-origin"] == "*"
    (shown,) = answer.json()
    assert shown["prices"][0]["euro_cents"] == 1000
    assert shown["artists"][0]["url"] == "http://server.test/artists/les-zincs"


async def test_an_artist_s_press_kit(programme: Programme) -> None:
    anybody = programme.network.client
    await programme.event("bal")
    kit = zipfile.ZipFile(io.BytesIO((await anybody.get("/artists/les-zincs/press-kit.zip")).content))
    assert kit.namelist() == ["les-zincs.pdf", "les-zincs.txt"]
    assert "https://example.org/z" in kit.read("les-zincs.txt").decode()
    page = pypdfium2.PdfDocument(kit.read("les-zincs.pdf"))[0].get_textpage().get_text_range()
    assert "Les Zincs" in page
    assert "Soirée bal" in page


async def test_a_venue_presents_itself(programme: Programme) -> None:
    marie = await programme.network.person("marie")
    told = words(await look(marie, "/admin/programme"))
    assert '<iframe src="http://server.test/programme/embed?venue=raffinerie"' in told
    at = f"/admin/programme/venues/{programme.network.venues['raffinerie'].id}"
    typed = {"words_fr": "Une ancienne sucrerie.", "links": "Le site https://example.org"}
    assert led_to(await send(marie, form_to(await look(marie, at), at), **typed)) == "/admin/programme"
    page = await look(programme.network.client, "/venues/raffinerie")
    assert "Une ancienne sucrerie." in words(page)
    assert 'href="https://example.org"' in page.text
    yann = await programme.network.person("yann")
    assert (await look(yann, at)).status_code == 403
