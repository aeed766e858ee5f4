"""Issuing, for programs: hours, contributions, gifts, vouchers, credit lines, and taking back what was spent."""

from __future__ import annotations

from fastapi import APIRouter

from app.issuing.api import credit_lines, credits, gifts, retirements, vouchers

router = APIRouter(prefix="/api/v1", tags=["issuing"])
for _each in (credits, gifts, vouchers, credit_lines, retirements):
    router.include_router(_each.router)
