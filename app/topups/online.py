"""Online top-ups for the pages and the API: the provider in use, one way to settle, and the reconciliation."""

from __future__ import annotations

import asyncio
import time
from uuid import UUID

import structlog
from starlette.requests import HTTPConnection

from app.currencies.service import currencies
from app.ledger.service import Ledger, ledger_of
from app.platform.clock import now_us
from app.platform.context import Context, context_of
from app.platform.errors import NotFound
from app.topups import chargebacks, notices, receipts, service, strays
from app.topups.mollie import Mollie
from app.topups.provider import Provider
from app.topups.sandbox import Sandbox
from app.topups.service import Topup
from app.topups.stripe import Stripe
from app.venues.service import the_network

_log = structlog.get_logger("comptoir.topups")

# Top-ups have their own turns (app.topups.rules.ask_again_us); this is how often somebody looks whose it is.
RECONCILE_EVERY_S = 15.0
# Without a notice, how long it takes at most until a payment that was taken back is known.
DISPUTES_EVERY_S = 600.0


# How often all that was paid to the provider is gone through, and from when: a payment page is open for a day. The
# first time after a start goes further back, for the data may be those of a backup.
LISTED_EVERY_S = 3600.0
LISTED_SINCE_US = 26 * 3600 * 1_000_000
LISTED_FIRST_US = 8 * 24 * 3600 * 1_000_000


class Bell:
    """Wakes the reconciliation before its time. `disputes`: it is to ask for what was taken back, too."""

    def __init__(self) -> None:
        self._rung = asyncio.Event()
        self.disputes = True

    def ring(self, *, disputes: bool = False) -> None:
        self.disputes = self.disputes or disputes
        self._rung.set()

    async def wait(self, longest_s: float) -> None:
        try:
            await asyncio.wait_for(self._rung.wait(), longest_s)
        except TimeoutError:
            return
        self._rung.clear()


def open_provider(context: Context) -> Provider | None:
    """The provider that the settings name; None where there is no online top-up."""
    settings = context.settings
    if settings.payments == "sandbox":
        return Sandbox(context.engine, settings.base_url, context.keys.token)
    if settings.payments == "stripe":
        secrets = settings.stripe_webhook_secrets
        return Stripe.open(settings.stripe_url, settings.payment_key, secrets, settings.base_url)
    if settings.payments == "mollie":
        return Mollie.open(settings.mollie_url, settings.payment_key, settings.base_url)
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
    await take_disputes(context, ledger_of(request), provider_of(request), settled)
    return settled


async def take_disputes(context: Context, ledger: Ledger, provider: Provider, of: Topup | None = None) -> int:
    """Ask the provider what it took back, and act on it; `of`: of this one alone. How many we know."""
    async with context.reader.connect() as connection:
        known, network = await currencies(connection), await the_network(connection)
    told = [it for it in await provider.disputes() if of is None or it.payment in {of.reference, str(of.id)}]
    return await chargebacks.take_in(ledger, known, network.settings.zone, provider.name, told)


async def reconcile_for_ever(
    context: Context,
    ledger: Ledger,
    provider: Provider,
    every_s: float = RECONCILE_EVERY_S,
    bell: Bell | None = None,
) -> None:
    """Settle what is pending, again and again, until cancelled. What goes wrong is logged and tried the next time."""
    bell, asked_s, listed_s = bell or Bell(), 0.0, 0.0
    since_us: int | None = now_us() - LISTED_FIRST_US
    while True:
        late = time.monotonic() - asked_s > DISPUTES_EVERY_S
        disputes, bell.disputes = bell.disputes or late, False
        if since_us is None and time.monotonic() - listed_s > LISTED_EVERY_S:
            since_us = now_us() - LISTED_SINCE_US
        try:
            await reconcile(context, ledger, provider, disputes=disputes, since_us=since_us)
            asked_s = time.monotonic() if disputes else asked_s
            listed_s = time.monotonic() if since_us is not None else listed_s
            since_us = None
        except Exception:
            bell.disputes = bell.disputes or disputes
            _log.exception("reconciliation of top-ups failed")
        await bell.wait(every_s)


async def reconcile(
    context: Context,
    ledger: Ledger,
    provider: Provider,
    *,
    disputes: bool = True,
    due_us: int | None = None,
    since_us: int | None = None,
) -> int:
    """One round: how many top-ups were settled. A server without a network has none. `due_us`: those whose turn it is
    by then; now by default. `since_us`: from when to go through all that was paid to the provider, if at all."""
    async with context.reader.connect() as connection:
        known = await currencies(connection)
        if not known:
            return 0
        network = await the_network(connection)
    zone = network.settings.zone
    if since_us is not None:
        async with context.reader.connect() as connection:
            oldest_us = await strays.oldest_us(connection)
        # What somebody has still to give back was paid before it was found.
        open_us = since_us if oldest_us is None else oldest_us - LISTED_FIRST_US
        await strays.look(context.engine, provider, min(since_us, open_us))
    settled = await service.settle_pending(context.engine, ledger, provider, known, zone, due_us)
    if disputes:
        await take_disputes(context, ledger, provider)
        await notices.forget_old(context.engine)
        await receipts.forget_old(context.engine)
    return settled
