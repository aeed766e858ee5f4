"""How often one may try to sign in, by page and by API together."""

from __future__ import annotations

from app.platform.limits import RateLimit

PER_ADDRESS = RateLimit("sign-in-address", "20/minute")
PER_LOGIN = RateLimit("sign-in-login", "5/minute")
