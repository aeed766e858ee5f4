"""Labels of a batch as a file: for the printer here, or as a table for a print shop."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import Query
from starlette.responses import Response

from app.carddesk.labels import SHEETS, SIZE_MAX, SIZE_MIN, Label, Sheet, labels_pdf, single
from app.cards.batches import Blank
from app.cards.claim_codes import claim_code_of
from app.platform.errors import Invalid

# A code takes about 10 ms to draw, and a server has other work.
LABELS_MAX: Final = 500


@dataclass(frozen=True, slots=True)
class Wanted:
    """`width`, `height`: of one label in millimetres, where the sheet is "single". `skip`: places of the first
    page that are used already. `part`: which 500 labels, from 1."""

    sheet: Annotated[str, Query(max_length=20)] = "l7160"
    width: Annotated[float, Query(ge=SIZE_MIN, le=SIZE_MAX)] = SHEETS["single"].label[0]
    height: Annotated[float, Query(ge=SIZE_MIN, le=SIZE_MAX)] = SHEETS["single"].label[1]
    skip: Annotated[int, Query(ge=0, le=64)] = 0
    part: Annotated[int, Query(ge=1, le=1000)] = 1

    def on(self) -> Sheet:
        """Invalid."""
        if self.sheet not in SHEETS:
            raise Invalid("There is no such sheet of labels.", field="sheet", known=sorted(SHEETS))
        return single(self.width, self.height) if self.sheet == "single" else SHEETS[self.sheet]


def address_of(base_url: str, token: str) -> str:
    return f"{base_url.rstrip('/')}/c/{token}"


def parts(number: int) -> int:
    return -(-number // LABELS_MAX)


async def labels_file(blanks: Sequence[Blank], base_url: str, network: str, wanted: Wanted, key: bytes) -> Response:
    """The PDF. `key`: the server's, which the codes are made from. Invalid."""
    sheet, begin = wanted.on(), (wanted.part - 1) * LABELS_MAX
    chosen = [
        Label(it.label, address_of(base_url, it.token), claim_code_of(key, it.token))
        for it in blanks[begin : begin + LABELS_MAX]
    ]
    if not chosen:
        raise Invalid("The batch has not so many labels.", field="part")
    content = await asyncio.to_thread(labels_pdf, chosen, network, sheet, skip=wanted.skip)
    headers = {"Content-Disposition": 'attachment; filename="labels.pdf"', "Cache-Control": "no-store"}
    return Response(content, media_type="application/pdf", headers=headers)
