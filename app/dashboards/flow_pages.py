"""The picture of Positions as a file: where money was loaded, and where it was spent."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from app.dashboards.drawing.bands import bands
from app.dashboards.files import picture_of
from app.dashboards.sections import day_text
from app.identity.guard import Caller
from app.ledger.service import ledger_of
from app.money import format_amount
from app.platform.errors import NotFound
from app.settlement.flow_picture import flow_picture
from app.settlement.period_pages import HERE, Day, asked_of
from app.settlement.periods import periods
from app.web import texts_of

router = APIRouter(include_in_schema=False)


@router.get(HERE + "/flows.{ending}")
async def flows_file(
    request: Request,
    caller: Caller,
    ending: Literal["svg", "png"],
    first: Day = None,
    last: Day = None,
    money: Annotated[str, Query(max_length=12)] = "",
) -> Response:
    """Of one money and period, for the venues that the reader may see."""
    texts, asked = texts_of(request), await asked_of(request, caller, first, last)
    found = await periods(ledger_of(request), asked.seen.values(), asked.known, asked.first, asked.last)
    matrix = found.matrices.get(money)
    picture = None if matrix is None else flow_picture(matrix.origins, matrix.venues, matrix.amounts)
    if picture is None:
        raise NotFound("Nothing was spent in this period: there is no picture.")
    currency = asked.known[money]
    names: dict[Hashable, str] = {it.id: it.name for it in asked.seen.values()}
    span = f"{day_text(asked.first, texts)} – {day_text(asked.last, texts)}"

    def name(of: Hashable) -> str:
        return names.get(of, texts.gettext("Online or elsewhere"))

    drawing = bands(
        picture,
        f"{texts.gettext('Where it was loaded, where it was spent')}, {span}",
        texts.gettext("Bands from where money was loaded to where it was spent; the table below has the same figures."),
        name,
        lambda amount: format_amount(amount, currency.unit, currency.symbol, texts.language),
    )
    return picture_of(drawing, ending, f"flows-{money}-{asked.first}-{asked.last}")
