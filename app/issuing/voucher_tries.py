"""How often somebody may try a voucher's code, at a counter and on holders' pages. Guessing one is hopeless anyway."""

from __future__ import annotations

from app.platform.limits import RateLimit

TRIES = RateLimit("voucher-code", "30/minute")
