"""Artists of the network: told by venues' admins, with photos that are made again by us."""

from __future__ import annotations

import io
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from app.artists.pictures import LARGE_PX, PictureRefused, picture_of
from app.artists.rules import links_of, slug_of, typed_links
from tests.support.network import Network, both
from tests.support.pages import form_to, led_to, look, send, words

pytestmark = pytest.mark.anyio

HERE = "/admin/artists"
TYPED = {
    "name": "Éloïse & les Zincs",
    "line_fr": "Chanson de comptoir",
    "words_fr": "Deux voix, un accordéon.\n\nDepuis 2019.",
    "links": "Écouter https://example.org/album\nhttps://www.example.net/zincs",
    "shown": "yes",
}


@pytest.fixture
def database_kind() -> str:
    """Where it makes a difference, a test is marked as one for both databases."""
    return "sqlite"


def drawn(wide: int, high: int, kind: str = "JPEG", exif: Image.Exif | None = None) -> bytes:
    image, out = Image.new("RGB", (wide, high), (125, 29, 77)), io.BytesIO()
    image.paste((242, 182, 50), (0, 0, wide // 2, high // 2))
    image.save(out, kind, **({"exif": exif} if exif else {}))
    return out.getvalue()


@both
async def test_an_artist_comes_with_a_photo_that_everybody_sees(network: Network) -> None:
    marie = await network.person("marie")
    page = led_to(await send(marie, form_to(await look(marie, f"{HERE}/new"), f"{HERE}/new"), **TYPED))
    form = form_to(await look(marie, page), f"{page}/photos")
    photo = {"photo": ("IMG_001.jpg", drawn(2400, 1200), "image/jpeg")}
    sent = await marie.post(form.action, data={**form.fields, "credit": "Awa D."}, files=photo)
    assert sent.status_code == 303
    (small,) = re.findall(r'src="(/photos/[^"]+)"', (await look(marie, page)).text)
    anybody = network.client
    answer = await anybody.get(small.replace("/small-", "/large-"))
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/jpeg")
    assert "immutable" in answer.headers["cache-control"]
    assert Image.open(io.BytesIO(answer.content)).size == (1600, 800)
    again = await anybody.get(small, headers={"If-None-Match": (await anybody.get(small)).headers["etag"]})
    assert again.status_code == 304
    assert (await anybody.get(small[:-8] + "0000.jpg")).status_code == 404
    remove = form_to(await look(marie, page), f"{page}/photos/{small.split('/')[2]}")
    assert (await send(marie, remove, act="remove")).status_code == 303
    assert "/photos/0" not in (await look(marie, page)).text
    # An artist is the network's: another venue's admin may mend what is said of them.
    yann = await network.person("yann")
    led_to(await send(yann, form_to(await look(yann, page), page), **{**TYPED, "line_fr": "Valse"}))
    assert "Valse" in words(await look(yann, HERE))


async def test_what_does_not_fit_is_said(network: Network) -> None:
    marie = await network.person("marie")
    form = form_to(await look(marie, f"{HERE}/new"), f"{HERE}/new")
    wrong = await send(marie, form, **{**TYPED, "name": " ", "links": "javascript:alert(1)"})
    assert wrong.status_code == 422
    assert "Écrivez un nom" in words(wrong)
    assert "javascript:alert(1)" in words(wrong)
    page = led_to(await send(marie, form, **TYPED))
    photos = form_to(await look(marie, page), f"{page}/photos")
    sent = await marie.post(photos.action, data=photos.fields, files={"photo": ("a.svg", b"<svg/>", "image/svg+xml")})
    assert sent.status_code == 422
    # As large as a telephone's photo may be; other addresses keep the usual limit.
    huge = {"photo": ("a.jpg", b"x" * 2_000_000, "image/jpeg")}
    assert (await marie.post(photos.action, data=photos.fields, files=huge)).status_code == 422
    assert (await marie.post("/admin/products/x", data=form.fields, files=huge)).status_code == 413


def test_a_picture_is_made_upright_and_without_what_the_camera_wrote() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # on its side
    exif[0x010F] = "A camera of Awa's"
    picture = picture_of(drawn(3000, 2000, exif=exif))
    assert (picture.width, picture.height) == (1067, LARGE_PX)
    made = Image.open(io.BytesIO(picture.large))
    assert not made.getexif()
    assert b"camera" not in picture.large
    assert max(Image.open(io.BytesIO(picture.small)).size) == 640


@pytest.mark.parametrize("bad", [b"", b"GIF89a", b"\xff\xd8\xff\xe0 cut", drawn(400, 400, "GIF"), drawn(90, 400)])
def test_what_is_no_picture_does_not_come_in(bad: bytes) -> None:
    with pytest.raises(PictureRefused):
        picture_of(bad)


def test_a_picture_that_unpacks_to_far_more_is_not_unpacked() -> None:
    out = io.BytesIO()
    Image.new("1", (9000, 9000)).save(out, "PNG")
    assert len(out.getvalue()) < 100_000
    with pytest.raises(PictureRefused):
        picture_of(out.getvalue())


@given(st.text(max_size=80), st.sets(st.sampled_from(["artiste", "artiste-2", "a"])))
@settings(max_examples=60, deadline=None)
def test_every_name_becomes_an_address_of_its_own(name: str, taken: set[str]) -> None:
    slug = slug_of(name, taken)
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", slug)
    assert slug not in taken


def test_links_are_read_as_they_are_typed() -> None:
    links, wrong = links_of("Écouter : https://example.org/a\n\nhttp://www.example.net\nnot one\ndata:text/html,x")
    assert links == [("Écouter", "https://example.org/a"), ("example.net", "http://www.example.net")]
    assert wrong == ["not one", "data:text/html,x"]
    assert links_of(typed_links(links)) == (links, [])
