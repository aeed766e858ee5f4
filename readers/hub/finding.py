"""Hubs of this site by mDNS (RFC 6762, DNS-SD RFC 6763): ours is announced, others' are looked for.

An announcement proves nothing, for anybody on the network can make one. It is only a hint where to knock: at addresses
of networks that we stand on ourselves, for devices that our server's snapshot names, at a few of them at a time. Who
answers there has to open what is sealed for that device, as at an address that was typed (readers.hub.messages).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv4Interface
from uuid import UUID

import structlog
from ifaddr import get_adapters
from zeroconf import Error, IPVersion, ServiceStateChange, Zeroconf
from zeroconf.asyncio import AsyncServiceBrowser, AsyncServiceInfo, AsyncZeroconf

from readers.hub.client import HubClient
from readers.hub.site import Site

TYPE = "_comptoir-hub._tcp.local."
DEVICE = b"device"
LOOK_S = 5.0
RESOLVE_MS = 3000
# A stranger may announce as much as they like: so many are remembered, asked for, and talked with at once.
CANDIDATES_MAX, RESOLVING_MAX, CLIENTS_MAX = 32, 16, 4
# A hub on the same network answers in milliseconds; another place where it may be gets its turn after this.
GIVE_UP_S = 8.0

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Talk:
    url: str
    client: HubClient
    task: asyncio.Task[None]
    since_s: float


class Neighbourhood:
    """`run()` is one task for the life of the agent. `listening`: where our own hub is, if this terminal is one.

    `known`: addresses that are talked with already. `interfaces`: on those with these addresses only.
    """

    def __init__(
        self,
        site: Site,
        listening: tuple[str, int] | None = None,
        *,
        known: Collection[str] = (),
        interfaces: Sequence[str] = (),
    ) -> None:
        self._site = site
        self._listening = listening
        self._known = {url.rstrip("/") for url in known}
        self._interfaces = interfaces
        self._here: frozenset[IPv4Interface] = frozenset()
        # (device, url), the one that waits longest first.
        self._candidates: list[tuple[UUID, str]] = []
        self._resolving: set[asyncio.Task[None]] = set()
        self._talks: dict[UUID, _Talk] = {}
        self._news = asyncio.Event()
        self._calm = True

    async def run(self) -> None:
        """Until cancelled. Whatever becomes of mDNS, nothing else depends on it."""
        talking = asyncio.create_task(self._talk())
        try:
            while True:
                # After a power cut a terminal is up before its network is; and networks change.
                self._here = addresses(self._interfaces)
                if self._here:
                    try:
                        await self._stand(self._here)
                    except (OSError, Error) as error:
                        if self._calm:
                            _log.warning("mdns_away", why=repr(error))
                        self._calm = False
                await asyncio.sleep(LOOK_S)
        finally:
            for task in (talking, *self._resolving, *(it.task for it in self._talks.values())):
                task.cancel()
            await asyncio.wait([talking, *self._resolving, *(it.task for it in self._talks.values())])

    async def _stand(self, here: frozenset[IPv4Interface]) -> None:
        """Announce and look, until our addresses change. OSError, zeroconf.Error."""
        mdns = AsyncZeroconf(interfaces=sorted(str(it.ip) for it in here), ip_version=IPVersion.V4Only)
        try:
            AsyncServiceBrowser(mdns.zeroconf, TYPE, handlers=[self._noticed])
            if self._listening:
                await mdns.async_register_service(announcement(self._site.device, *self._listening, here))
                _log.info("hub_announced", port=self._listening[1])
            self._calm = True
            await self._until_addresses_change(here)
        finally:
            await mdns.async_close()

    async def _until_addresses_change(self, here: frozenset[IPv4Interface]) -> None:
        while True:
            await asyncio.sleep(LOOK_S)
            if addresses(self._interfaces) != here:
                return

    def _noticed(self, zeroconf: Zeroconf, service_type: str, name: str, state_change: ServiceStateChange) -> None:
        """Somebody announced a hub. That one goodbye is said in its name changes nothing: it may be a stranger's."""
        if state_change is ServiceStateChange.Removed or len(self._resolving) >= RESOLVING_MAX:
            return
        task = asyncio.create_task(self._resolve(zeroconf, service_type, name))
        self._resolving.add(task)
        task.add_done_callback(self._resolving.discard)

    async def _resolve(self, zeroconf: Zeroconf, service_type: str, name: str) -> None:
        info = AsyncServiceInfo(service_type, name)
        try:
            told = await info.async_request(zeroconf, RESOLVE_MS)
            device = UUID((info.properties.get(DEVICE) or b"").decode("ascii"))
        except (Error, OSError, ValueError):
            return
        if not told or not info.port or device == self._site.device:
            return
        for text in info.parsed_addresses(IPVersion.V4Only):
            self._offer(device, text, info.port)

    def _offer(self, device: UUID, address: str, port: int) -> None:
        url, one = f"http://{address}:{port}", (device, f"http://{address}:{port}")
        if url in self._known or one in self._candidates or not self._beside_us(address):
            return
        self._candidates.append(one)
        if len(self._candidates) > CANDIDATES_MAX:
            # Whoever is no device of ours goes first, however many there are.
            strange = (it for it in self._candidates if self._site.secret(it[0]) is None)
            idle = (it for it in self._candidates if it[0] not in self._talks)
            self._candidates.remove(next(strange, next(idle, self._candidates[0])))
        self._news.set()

    def _beside_us(self, address: str) -> bool:
        try:
            return any(IPv4Address(address) in it.network for it in self._here)
        except AddressValueError:
            return False

    async def _talk(self) -> None:
        """Keep up a talk with each hub that was found, until cancelled."""
        while True:
            self._news.clear()
            self._end_what_leads_nowhere()
            self._begin()
            with suppress(TimeoutError):
                async with asyncio.timeout(1):
                    await self._news.wait()

    def _end_what_leads_nowhere(self) -> None:
        now = time.monotonic()
        for device, it in list(self._talks.items()):
            waiting = any(one != (device, it.url) for one in self._open())
            if it.task.done() or (waiting and not it.client.talking and now - it.since_s > GIVE_UP_S):
                it.task.cancel()
                del self._talks[device]
                with suppress(ValueError):
                    self._candidates.remove((device, it.url))
                    self._candidates.append((device, it.url))

    def _open(self) -> Iterable[tuple[UUID, str]]:
        """Places to knock at for which a talk could be begun, if another ended."""
        return [it for it in self._candidates if self._site.secret(it[0]) is not None and not self._hears(it[0])]

    def _hears(self, device: UUID) -> bool:
        return device in self._talks and self._talks[device].client.talking

    def _begin(self) -> None:
        for device, url in self._open():
            if device in self._talks or len(self._talks) >= CLIENTS_MAX:
                continue
            _log.info("hub_found", url=url, device=str(device))
            client = HubClient(url, self._site)
            self._talks[device] = _Talk(url, client, asyncio.create_task(client.run()), time.monotonic())


def addresses(only: Sequence[str] = ()) -> frozenset[IPv4Interface]:
    """Our own addresses with their networks; never those of the loopback interface, unless asked for by address."""
    found = (
        IPv4Interface(f"{ip.ip}/{ip.network_prefix}") for adapter in get_adapters() for ip in adapter.ips if ip.is_IPv4
    )
    return frozenset(it for it in found if (str(it.ip) in only if only else not it.is_loopback))


def announcement(device: UUID, host: str, port: int, here: Collection[IPv4Interface]) -> AsyncServiceInfo:
    """What is said of our hub: where it is, and which device. Listening everywhere, it is at each of our addresses."""
    at = [it.ip for it in here] if IPv4Address(host).is_unspecified else [IPv4Address(host)]
    name = f"comptoir-{device.hex[-12:]}"
    return AsyncServiceInfo(
        TYPE,
        f"{name}.{TYPE}",
        port=port,
        addresses=[it.packed for it in at],
        properties={DEVICE: str(device).encode()},
        server=f"{name}.local.",
    )
