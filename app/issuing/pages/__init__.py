"""Issuing by hand: hours, contributions, gifts, vouchers, credit lines, and taking back what was spent."""

from __future__ import annotations

from fastapi import APIRouter

from app.issuing.pages import bought, credit_lines, credits, gifts, holder, hub, retirements, vouchers

router = APIRouter(include_in_schema=False)
for _each in (hub, credits, gifts, vouchers, credit_lines, retirements, holder, bought):
    router.include_router(_each.router)
