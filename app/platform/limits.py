"""Rate limits, per process and in memory: with several API processes the true limit is that many times higher.

SIGN_IN = RateLimit("sign-in", "20/minute")
@router.post("/sign-in", dependencies=[Depends(SIGN_IN)])       # per client address
limit.check(request, key=login)                                # or per anything else
"""

from __future__ import annotations

import math
import time
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from limits import parse
from starlette.requests import HTTPConnection, Request

from app.platform.context import context_of
from app.platform.errors import TooManyRequests

_KEY_LENGTH_MAX = 200


class RateLimit:
    """`rate` is how many requests in which window, such as "5/minute"; every key has its own count under `name`."""

    def __init__(self, name: str, rate: str) -> None:
        self._name = name
        self._item = parse(rate)

    async def __call__(self, request: Request) -> None:
        """As a FastAPI dependency: counts by the client's address."""
        self.check(request, client_address(request))

    def check(self, connection: HTTPConnection, key: str) -> None:
        """Counts one request for `key`. Raises TooManyRequests with the seconds until there is room again."""
        limiter = context_of(connection).limiter
        identifiers = (self._name, key[:_KEY_LENGTH_MAX])
        if not limiter.hit(self._item, *identifiers):
            reset_s = limiter.get_window_stats(self._item, *identifiers).reset_time
            raise TooManyRequests(max(1, math.ceil(reset_s - time.time())))


def client_address(connection: HTTPConnection) -> str:
    """Whom to count a request for: an IPv4 address, or the /64 network of an IPv6 one (a household's share).

    X-Forwarded-For is read from the right, and only as far as the proxies in settings vouch for it.
    """
    proxies = _networks(context_of(connection).settings.trusted_proxies)
    address = _parse(connection.client.host if connection.client else "")
    forwarded = ",".join(connection.headers.getlist("x-forwarded-for")).split(",")
    while address is not None and forwarded and any(address in proxy for proxy in proxies):
        previous = _parse(forwarded.pop())
        if previous is None:
            break
        address = previous
    if isinstance(address, IPv6Address):
        return str(IPv6Network((address, 64), strict=False))
    return str(address or "unknown")


def _parse(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text.strip().strip("[]"))
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        return address.ipv4_mapped
    return address


@lru_cache(maxsize=8)
def _networks(proxies: tuple[str, ...]) -> tuple[IPv4Network | IPv6Network, ...]:
    return tuple(ip_network(proxy, strict=False) for proxy in proxies)
