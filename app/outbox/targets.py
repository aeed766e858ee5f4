"""Where a webhook may lead: to the internet, not into the network the server stands in (SSRF).

A name is looked up anew for every attempt, every address it has must be public, and the connection is made to the very
address that was checked: a name that changes its answer in between (DNS rebinding) leads nowhere else.
"""

from __future__ import annotations

import asyncio
import socket
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

import httpx

from app.platform.errors import Invalid

URL_LENGTH_MAX = 2000
LOOK_UP_TIMEOUT_S = 5.0

# RFC 6052: the last 32 bits are an IPv4 address.
_NAT64 = IPv6Network("64:ff9b::/96")


class TargetRefused(Invalid):
    """The address is not one that we send to."""


@dataclass(frozen=True, slots=True)
class Target:
    """`url` names the checked address itself; `host` and `name` are what the Host header and TLS ask for."""

    url: httpx.URL
    host: str
    name: str


def parse(text: str, *, private: bool) -> httpx.URL:
    """The address an admin typed. Raises TargetRefused: neither https nor (where `private` is allowed) http, or with a
    password or a fragment, or too long."""
    if len(text) > URL_LENGTH_MAX or not text.isprintable():
        raise TargetRefused("The webhook's address is too long, or holds signs that no address has.")
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL as error:
        raise TargetRefused("The webhook's address is not a URL.") from error
    if url.scheme != "https" and not (private and url.scheme == "http"):
        raise TargetRefused("A webhook's address begins with https://.")
    if not url.host or url.userinfo or url.fragment:
        raise TargetRefused("A webhook's address has a host, and neither a password nor a fragment.")
    return url


async def resolve(text: str, *, private: bool) -> Target:
    """Look the address up. Raises TargetRefused for one that leads to a private address, unless `private` allows it;
    plain http leads to this machine only. Raises OSError when the name is not known."""
    url = parse(text, private=private)
    port = url.port or (443 if url.scheme == "https" else 80)
    async with asyncio.timeout(LOOK_UP_TIMEOUT_S):
        found = await asyncio.get_running_loop().getaddrinfo(url.host, port, type=socket.SOCK_STREAM)
    addresses = [ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]
    for address in addresses:
        if url.scheme == "http" and not address.is_loopback:
            raise TargetRefused("Plain http leads to this machine only; use https.")
        if not private and not is_public(address):
            raise TargetRefused("The webhook's address leads to a private network.")
    chosen = addresses[0]
    literal = f"[{chosen}]" if chosen.version == 6 else str(chosen)
    return Target(url.copy_with(host=literal), url.netloc.decode("ascii"), url.raw_host.decode("ascii"))


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Whether it is an address of the internet, also where it wraps one of IPv4."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return is_public(address.ipv4_mapped)
        if address in _NAT64:
            return is_public(IPv4Address(int(address) & 0xFFFFFFFF))
        if address.sixtofour is not None or address.teredo is not None:
            return False
    return address.is_global and not address.is_multicast
