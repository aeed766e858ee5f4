"""The demo's artists. Their pictures are drawn here, so that nothing is downloaded and nobody's photo is used."""

from __future__ import annotations

import io
import math
import random
from typing import Final

from PIL import Image, ImageDraw, ImageFilter
from sqlalchemy.ext.asyncio import AsyncConnection

from app.artists.pictures import picture_of
from app.artists.service import Artist, add_artist, add_photo, artists
from app.rules.ids import uuid7

_Colour = tuple[int, int, int]

# name, what they play, who they are, links, colours of their picture (ground, and what is drawn on it)
ARTISTS: Final = (
    (
        ("Les Zincs", "Chanson de comptoir", "Bar-room songs"),
        "Deux voix, un accordéon et un lavabo. Les Zincs chantent les cafés où l’on reste trop tard, et ceux qui ont "
        "fermé trop tôt.\n\nIls jouent sans sono, au milieu des tables.",
        "Two voices, an accordion and a wash-basin. Les Zincs sing the cafés where one stays too late, and those that "
        "closed too early.",
        (("Écouter", "https://example.org/les-zincs"), ("Leur site", "https://example.net/zincs")),
        ((125, 29, 77), (242, 182, 50), (247, 243, 236)),
    ),
    (
        ("Mahé Payet", "Maloya électrique", "Electric maloya"),
        "Kayamb, roulèr et guitare saturée : Mahé Payet électrise le maloya des hauts de Saint-Paul.",
        "Kayamb, roulèr and a loud guitar: Mahé Payet electrifies the maloya of the hills above Saint-Paul.",
        (("Écouter", "https://example.org/mahe-payet"),),
        ((29, 90, 134), (143, 220, 166), (247, 243, 236)),
    ),
    (
        ("Bal des Quais", "Bal folk, à danser", "Folk dance band"),
        "Violon, vielle et cornemuse pour des polkas, des scottishs et des gavottes. Les pas s’apprennent sur place.",
        "Fiddle, hurdy-gurdy and pipes for polkas, schottisches and gavottes. The steps are taught on the spot.",
        (),
        ((27, 107, 58), (236, 211, 228), (32, 39, 43)),
    ),
)


async def add_artists(connection: AsyncConnection) -> None:
    """Those that are not there yet."""
    there = {it.name for it in (await artists(connection)).values()}
    for (name, line_fr, line_en), words_fr, words_en, links, colours in ARTISTS:
        if name in there:
            continue
        new = Artist(uuid7(), "", name, line_fr, line_en, words_fr, words_en, links)
        added = await add_artist(connection, "demo", new)
        for number in range(2):
            picture = picture_of(drawn(f"{name} {number}", colours))
            await add_photo(connection, "demo", added.id, picture, "Comptoir")


def drawn(seed: str, colours: tuple[_Colour, _Colour, _Colour]) -> bytes:
    """A poster of circles and waves, the same for the same seed: PNG."""
    chance = random.Random(seed)  # noqa: S311
    wide, high = 1200, 800
    ground, mark, light = colours
    image = Image.new("RGB", (wide, high), ground)
    pen = ImageDraw.Draw(image, "RGBA")
    middle = (wide * chance.uniform(0.3, 0.7), high * chance.uniform(0.35, 0.6))
    for ring in range(9, 0, -1):
        radius = ring * 46
        box = (middle[0] - radius, middle[1] - radius, middle[0] + radius, middle[1] + radius)
        pen.ellipse(box, fill=(*(mark if ring % 2 else light), 26 + 14 * (9 - ring)))
    image = image.filter(ImageFilter.GaussianBlur(1.2))
    pen = ImageDraw.Draw(image, "RGBA")
    for wave in range(7):
        base, tall, turn = high * (0.55 + wave * 0.07), chance.uniform(12, 46), chance.uniform(0, math.tau)
        long = chance.uniform(90, 180)
        line = [(x, base + tall * math.sin(turn + x / long)) for x in range(0, wide + 20, 20)]
        pen.line(line, fill=(*(light if wave % 2 else mark), 200), width=5 + wave, joint="curve")
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()
