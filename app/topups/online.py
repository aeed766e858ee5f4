"""Online top-ups for the pages and the API: the provider in use, one way to settle, and the reconciliation."""

from __future__ import annotations

import asyncio
from uuid import UUID

import structlog
from starlette.requests import HTTPConnection

from app.currencies.service import currencies
from app.ledger.service import Ledger, ledger_of
from app.platform.context import Context, context_of
from app.platform.errors import NotFound
from app.topups import chargebacks, service
from app.topups.provider import Provider
from app.topups.sandbox import Sandbox
from app.topups.service import Topup
from app.venues.service import the_network

_log = structlog.get_logger("comptoir.topups")

# A holder who closed the browser after paying sees the money within this time, even if the provider's notice is lost.
RECONCILE_EVERY_S = 30.0


def open_provider(context: Context) -> Provider | None:
    """The provider that the settings name; None where there is no online top-up."""
    if context.settings.payments == "sandbox":
        return Sandbox(context.engine, context.settings.base_url, context.keys.token)
    return None


def provider_of(request: HTTPConnection) -> Provider:
    """Raises NotFound where online top-up is switched off."""
    provider: Provider | None = request.app.state.provider
    if provider is None:
        raise NotFound("There is no online top-up here: top up at a counter.")
    return provider


def near(request: HTTPConnection, url: str) -> str:
    """`url` as a path where it leads to this server itself, under whatever name the browser knows us by.

    A form may end at our own origin only (form-action), and a phone may have reached us by another name than base_url.
    """
    base_url = context_of(request).settings.base_url.rstrip("/")
    return url.removeprefix(base_url) if url.startswith(f"{base_url}/") else url


async def settle(request: HTTPConnection, id_: UUID, *, again: bool = False) -> Topup:
    """Ask the provider about a top-up, and credit it if it was paid. `again`: whatever it had said before."""
    context = context_of(request)
    async with context.reader.connect() as connection:
        known, network = await currencies(connection), await the_network(connection)
    zone = network.settings.zone
    return await service.settle(context.engine, ledger_of(request), provider_of(request), known, zone, id_, again=again)


async def settle_reference(request: HTTPConnection, provider: str, reference: str) -> Topup:
    """What a notice is about: the payment, and whether it was taken back."""
    context = context_of(request)
    found = await service.by_reference(context.engine, provider, reference)
    settled = await settle(request, found.id, again=True)
    await take_disputes(context, ledger_of(request), provider_of(request), reference)
    return settled


async def take_disputes(context: Context, ledger: Ledger, provider: Provider, payment: str | None = None) -> int:
    """Ask the provider what it took back, and act on it; `payment`: of this one alone. How many we know."""
    async with context.reader.connect() as connection:
        known, network = await currencies(connection), await the_network(connection)
    told = [it for it in await provider.disputes() if payment in {None, it.payment}]
    return await chargebacks.take_in(ledger, known, network.settings.zone, provider.name, told)


async def reconcile_for_ever(
    context: Context, ledger: Ledger, provider: Provider, every_s: float = RECONCILE_EVERY_S
) -> None:
    """Settle what is pending, again and again, until cancelled. What goes wrong is logged and tried the next time."""
    while True:
        try:
            await reconcile(context, ledger, provider)
        except Exception:
            _log.exception("reconciliation of top-ups failed")
        await asyncio.sleep(every_s)


async def reconcile(context: Context, ledger: Ledger, provider: Provider) -> int:
    """One round: how many top-ups were settled. A server without a network has none."""
    async with context.reader.connect() as connection:
        known = await currencies(connection)
        if not known:
            return 0
        network = await the_network(connection)
    settled = await service.settle_pending(context.engine, ledger, provider, known, network.settings.zone)
    await take_disputes(context, ledger, provider)
    return settled
