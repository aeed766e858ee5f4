"""Uploaded pictures, made again by us: what a camera wrote beside the picture (where, when, whose) does not travel on,
and what is no picture at all does not come in."""

from __future__ import annotations

import hashlib
import io
import warnings
from dataclasses import dataclass
from typing import Final

from PIL import Image, ImageOps, UnidentifiedImageError

from app.web import N_

# The kinds that phones and cameras write; each reader that is not needed is one that cannot be attacked.
FORMATS: Final = ("JPEG", "PNG", "WEBP")
UPLOAD_MAX_BYTES: Final = 12 * 1024 * 1024
# A picture that unpacks to more would fill the memory of a small machine.
PIXELS_MAX: Final = 40_000_000
LARGE_PX: Final = 1600
SMALL_PX: Final = 640
LEAST_PX: Final = 200
_QUALITY: Final = 82


class PictureRefused(Exception):
    """What was uploaded is not taken; its text is a message id that says why."""


@dataclass(frozen=True, slots=True)
class Picture:
    """JPEG in two sizes; `width` and `height` are those of the large one. `mark`: its hash."""

    large: bytes
    small: bytes
    width: int
    height: int
    mark: str


def picture_of(uploaded: bytes) -> Picture:
    """Takes about a quarter of a second: call it in a thread. Raises PictureRefused."""
    if len(uploaded) > UPLOAD_MAX_BYTES:
        raise PictureRefused(N_("This picture is too large: 12 MB and 40 megapixels at most."))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(uploaded), formats=FORMATS) as opened:
                return _made(opened)
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError, Warning) as error:
        raise PictureRefused(N_("This is no picture that can be read here: JPEG, PNG or WebP.")) from error


def _made(opened: Image.Image) -> Picture:
    wide, high = opened.size
    if wide * high > PIXELS_MAX:
        raise PictureRefused(N_("This picture is too large: 12 MB and 40 megapixels at most."))
    if min(wide, high) < LEAST_PX:
        raise PictureRefused(N_("This picture is too small: 200 pixels each way at least."))
    # JPEG is read at a fraction of its size where that is enough.
    opened.draft("RGB", (LARGE_PX, LARGE_PX))
    upright = ImageOps.exif_transpose(opened)
    if upright.mode in {"RGBA", "LA", "PA"} or "transparency" in upright.info:
        upright = upright.convert("RGBA")
        paper = Image.new("RGBA", upright.size, "white")
        upright = Image.alpha_composite(paper, upright)
    plain = upright.convert("RGB")
    plain.thumbnail((LARGE_PX, LARGE_PX), Image.Resampling.LANCZOS)
    large = _jpeg(plain)
    width, height = plain.size
    plain.thumbnail((SMALL_PX, SMALL_PX), Image.Resampling.LANCZOS)
    return Picture(large, _jpeg(plain), width, height, hashlib.sha256(large).hexdigest()[:32])


def _jpeg(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "JPEG", quality=_QUALITY, optimize=True, progressive=True, exif=b"")
    return out.getvalue()
