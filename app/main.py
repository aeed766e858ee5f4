"""The server's wiring: the one place where rooms meet. `create_app` is what uvicorn runs."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any

import sqlalchemy as sa
from fastapi import Depends, FastAPI
from fastapi.middleware.gzip import GZipMiddleware
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Mount
from starlette.types import ASGIApp

import app.accounting.api
import app.accounting.book_pages
import app.accounting.pages
import app.artists.pages
import app.banking.api
import app.banking.handover_pages
import app.banking.pages
import app.banking.payment_pages
import app.boxoffice.pages
import app.carddesk.anew_pages
import app.carddesk.api
import app.carddesk.batch_pages
import app.carddesk.card_pages
import app.carddesk.import_pages
import app.carddesk.pages
import app.cards.api
import app.cards.pages
import app.cards.places_pages
import app.cards.recovery_pages
import app.dashboards.circulation_pages
import app.dashboards.flow_pages
import app.dashboards.rush_pages
import app.dashboards.today_pages
import app.dashboards.unspent_pages
import app.disputes.pages
import app.disputes.venue_pages
import app.door.api
import app.door.pages
import app.door.rows
import app.eventbooks.pages
import app.eventbooks.rights_pages
import app.eventclosing.api
import app.eventclosing.pages
import app.eventdesk.pages
import app.events.api
import app.exchanges.pages
import app.forwarding.pages
import app.giftbasket.pages
import app.guests.admin_pages
import app.guests.api
import app.guests.guest_pages
import app.guests.pages
import app.holders.counter_pages
import app.holders.limit_pages
import app.holders.moving_pages
import app.holders.pages
import app.holders.parcel_pages
import app.holders.passkey_pages
import app.holders.sign_in_pages
import app.identity.api
import app.identity.pages
import app.identity.second_factor_pages
import app.inbox.pages
import app.issuing.api
import app.issuing.pages
import app.issuing.rows
import app.keyring.api
import app.keyring.pages
import app.lapses.api
import app.lapses.pages
import app.leases.api
import app.leases.rows
import app.ledger.api
import app.mail.pages
import app.mail.sandbox_pages
import app.mail.stop_pages
import app.members.admin_pages
import app.members.api
import app.members.consultation_pages
import app.members.pages
import app.members.stop_pages
import app.moneys.api
import app.moneys.pages
import app.mutual.api
import app.mutual.pages
import app.outbox.api
import app.passes.admin_pages
import app.passes.api
import app.passes.pages
import app.people.api
import app.people.audit_api
import app.people.audit_pages
import app.people.pages
import app.people.password_pages
import app.people.session_pages
import app.people.welcome_pages
import app.privacy.pages
import app.programme.admin_pages
import app.programme.api
import app.programme.file_pages
import app.programme.follow_pages
import app.programme.pages
import app.refunds.admin_pages
import app.refunds.api
import app.refunds.giving_pages
import app.refunds.pages
import app.refunds.reminder_pages
import app.returns.holder_pages
import app.returns.pages
import app.sales.api
import app.sales.closing_pages
import app.sales.receipt_pages
import app.sales.review_pages
import app.sales.rows
import app.sales.tabs.api
import app.sales.training_pages
import app.settlement.api
import app.settlement.bank_api
import app.settlement.bank_pages
import app.settlement.later_api
import app.settlement.later_pages
import app.settlement.operation_pages
import app.settlement.pages
import app.settlement.period_pages
import app.settlement.run_api
import app.settlement.run_pages
import app.settlement.statement_pages
import app.terminals.api
import app.terminals.limits.pages
import app.terminals.pages
import app.ticketcounter.api
import app.ticketcounter.pages
import app.topups.api
import app.topups.pages
import app.topups.rows
import app.topups.webhooks
import app.venues.api
import app.venues.place_pages
import app.venues.product_api
import app.venues.product_pages
import app.venues.selling_pages
from app.boxoffice.service import complete_for_ever
from app.cards.known import Remembered
from app.cards.moving import Moves
from app.events.paying import tend_for_ever
from app.exchanges.service import exchange_for_ever
from app.giftbasket.service import complete_for_ever as complete_vouchers_for_ever
from app.guests.offering import run_for_ever as offer_for_ever
from app.holders.signed_in import HolderNotSignedIn
from app.holders.signed_in import ask_to_sign_in as ask_holder_to_sign_in
from app.identity.guard import guard
from app.identity.thin import FastLane
from app.inbox.daily import run_for_ever as close_gone_for_ever
from app.issuing.due import lapse_for_ever
from app.lapses.daily import run_for_ever
from app.leases.selling import tend_for_ever as see_to_leases_for_ever
from app.ledger.figures.follow import run_for_ever as figure_for_ever
from app.ledger.service import Ledger
from app.mail.carriers import carrier_of
from app.mail.sending import Mailer
from app.members.daily import run_for_ever as see_to_memberships_for_ever
from app.outbox.delivery import Deliveries
from app.outbox.follower import Follower
from app.passes.basket import see_to_passes_for_ever
from app.platform.body_limit import BodyLimit
from app.platform.context import Context
from app.platform.csrf import SameOrigin
from app.platform.errors import Forbidden, NotSignedIn
from app.platform.http_problems import CatchUnexpected, ProblemDetails, install_problems
from app.platform.settings import Settings
from app.platform.shutdown import on_stop_signal
from app.platform.telemetry import RequestLog, configure_logging
from app.privacy.daily import run_for_ever as forget_for_ever
from app.programme.reminding import run_for_ever as remind_for_ever
from app.refunds.daily import run_for_ever as refund_for_ever
from app.returns.onward import send_on_for_ever
from app.returns.service import give_back_for_ever
from app.sales.closings.daily import run_for_ever as close_for_ever
from app.sales.closings.taking_in import handler as closing_handler
from app.sales.deltas import Snapshots
from app.sales.directory import Directory
from app.sales.rows.sale import handler as sale_handler
from app.ticketcounter.service import tend_for_ever as undo_at_counters_for_ever
from app.topups.online import RECONCILE_EVERY_S, Bell, open_provider, reconcile_for_ever
from app.web import Pages, SecurityHeaders, render_error, static_app, texts_of
from app.web.source import SOURCE_URL, source
from app.wire import ClosingRow, Problem, SaleRow

DESCRIPTION = """
Comptoir is a cashless network: one NFC card, several local currencies, many venues.

**Amounts** are integers in minor units: cents of a currency, minutes of a time currency. **Times** are microseconds
since the epoch, UTC. **Ids** of operations are made by whoever asks (UUIDv7) and travel as the sale's own `id` or in
`Idempotency-Key`: the same id with the same content gives the first answer again, with other content it is refused.
**Errors** are `application/problem+json` (RFC 9457); the last part of `type` is stable.
"""

TOKEN_PATHS = ("/c/", "/r/", "/welcome/", "/me/in/", "/follow/", "/me/gift/", "/waiting/", "/invitation/", "/forward/")

# What every operation may answer instead of its result; said once, here.
PROBLEM: dict[str, Any] = {
    "description": "A problem (RFC 9457). The last part of `type` is stable; `detail` is for people.",
    "content": {
        "application/problem+json": {
            "schema": Problem.model_json_schema(),
            "example": {
                "type": "/problems/insufficient-funds",
                "title": "There is not enough on the card",
                "status": 402,
                "detail": "There is not enough on the card.",
            },
        }
    },
}


class Server(FastAPI):
    """FastAPI with the fast lane around it: what is hot passes by all middleware."""

    def build_middleware_stack(self) -> ASGIApp:
        settings: Settings = self.state.settings
        return FastLane(super().build_middleware_stack(), [app.sales.api.hot], settings.body_limit_bytes)


def create_app(settings: Settings | None = None) -> FastAPI:
    """The whole server. Nothing is opened before it starts."""
    settings = settings or Settings()
    api = Server(
        title="Comptoir",
        version=version("comptoir"),
        description=DESCRIPTION,
        license_info={"name": "AGPL-3.0-or-later", "identifier": "AGPL-3.0-or-later"},
        lifespan=_lifespan,
        openapi_url="/api/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
        responses={"4XX": PROBLEM},
        # FastAPI asks before each request whether it should report to OpenTelemetry; our log is our own.
        telemetry={"tracing": False, "metrics": False, "logs": False},
        dependencies=[Depends(guard)],
        middleware=[
            Middleware(RequestLog),
            Middleware(SecurityHeaders, secret_paths=TOKEN_PATHS, framed_paths=(app.programme.pages.EMBED,)),
            Middleware(CatchUnexpected),
            Middleware(BodyLimit, limit_bytes=settings.body_limit_bytes, larger=app.artists.pages.LARGER),
            Middleware(SameOrigin, base_url=settings.base_url, token_paths=TOKEN_PATHS),
            # The highest level takes three times as long for a hundredth of the size.
            Middleware(GZipMiddleware, minimum_size=1000, compresslevel=5),
        ],
    )
    api.state.settings = settings
    # Rooms on one floor do not know each other, and a terminal's journal holds rows of several of them.
    api.state.row_handlers = {**app.sales.rows.HANDLERS, **app.topups.rows.HANDLERS, **app.issuing.rows.HANDLERS}
    api.state.row_handlers = {**api.state.row_handlers, **app.door.rows.HANDLERS, **app.leases.rows.HANDLERS}
    api.state.row_asks = {**app.topups.rows.ASKS, **app.issuing.rows.ASKS}
    api.state.pages = Pages(source_url=SOURCE_URL)
    install_problems(api, _problem_page)
    api.add_exception_handler(NotSignedIn, app.identity.pages.ask_to_sign_in)
    api.add_exception_handler(HolderNotSignedIn, ask_holder_to_sign_in)
    api.add_exception_handler(Forbidden, app.identity.second_factor_pages.ask_second_factor)
    # Routes are tried in their order, and there are hundreds: what holders look at, all at once at times, comes first.
    for router in (
        # Before the card's page, whose address it has: a message of the card is taken first.
        app.keyring.pages.router,
        app.cards.pages.router,
        app.cards.places_pages.router,
        app.boxoffice.pages.router,
        app.returns.holder_pages.router,
        app.exchanges.pages.router,
        app.passes.pages.router,
        app.guests.pages.router,
        app.guests.guest_pages.router,
        app.forwarding.pages.router,
        app.giftbasket.pages.router,
        app.disputes.pages.router,
        app.members.pages.router,
        app.members.consultation_pages.router,
        app.holders.pages.router,
        app.holders.moving_pages.router,
        app.holders.limit_pages.router,
        app.holders.parcel_pages.router,
        app.holders.passkey_pages.router,
        app.holders.sign_in_pages.router,
        app.holders.counter_pages.router,
        app.privacy.pages.router,
        app.identity.api.router,
        app.venues.api.router,
        app.venues.product_api.router,
        app.events.api.router,
        app.leases.api.router,
        app.eventclosing.api.router,
        app.ticketcounter.api.router,
        app.passes.api.router,
        app.guests.api.router,
        app.people.api.router,
        app.people.audit_api.router,
        app.moneys.api.router,
        app.cards.api.router,
        app.carddesk.api.router,
        app.terminals.api.router,
        app.keyring.api.router,
        app.keyring.api.desk,
        app.door.api.router,
        app.leases.api.terminals,
        app.sales.api.hot,
        app.sales.api.router,
        app.sales.tabs.api.router,
        app.topups.api.router,
        app.topups.webhooks.router,
        app.issuing.api.router,
        app.mutual.api.members.router,
        app.mutual.api.exchanges.router,
        app.mutual.api.loans.router,
        app.mutual.api.memberships.router,
        app.lapses.api.router,
        app.settlement.api.router,
        app.settlement.bank_api.router,
        app.settlement.run_api.router,
        app.settlement.later_api.router,
        app.banking.api.router,
        app.refunds.api.router,
        app.accounting.api.router,
        app.ledger.api.router,
        app.outbox.api.router,
        app.identity.pages.router,
        app.identity.second_factor_pages.router,
        app.people.pages.router,
        app.people.audit_pages.router,
        app.people.session_pages.router,
        app.people.password_pages.router,
        app.people.welcome_pages.router,
        app.cards.recovery_pages.router,
        app.carddesk.pages.router,
        app.carddesk.batch_pages.router,
        app.carddesk.anew_pages.router,
        app.carddesk.import_pages.router,
        app.carddesk.card_pages.router,
        app.topups.pages.holder.router,
        app.refunds.pages.router,
        app.refunds.giving_pages.router,
        app.refunds.reminder_pages.router,
        app.topups.pages.counter.router,
        app.issuing.pages.router,
        app.mutual.pages.members.router,
        app.mutual.pages.loans.router,
        app.members.admin_pages.router,
        app.members.api.router,
        app.passes.admin_pages.router,
        app.members.stop_pages.router,
        app.inbox.pages.router,
        app.disputes.venue_pages.router,
        app.mail.pages.router,
        app.mail.stop_pages.router,
        app.sales.closing_pages.router,
        app.sales.review_pages.router,
        app.sales.receipt_pages.router,
        app.sales.training_pages.router,
        app.terminals.pages.router,
        app.terminals.limits.pages.router,
        # Before the products' own: what is no product's id there is one of these.
        app.venues.place_pages.router,
        app.venues.selling_pages.router,
        app.venues.product_pages.router,
        app.artists.pages.router,
        # Files and questions before pages: what is no event's address there is one of these.
        app.programme.file_pages.router,
        app.programme.follow_pages.router,
        app.programme.pages.router,
        app.programme.api.router,
        app.programme.admin_pages.router,
        app.eventbooks.pages.router,
        app.eventbooks.rights_pages.router,
        app.returns.pages.router,
        app.eventdesk.pages.router,
        app.eventclosing.pages.router,
        app.ticketcounter.pages.router,
        app.guests.admin_pages.router,
        app.door.pages.router,
        app.lapses.pages.router,
        app.dashboards.today_pages.router,
        app.dashboards.flow_pages.router,
        app.dashboards.circulation_pages.router,
        app.dashboards.unspent_pages.router,
        app.dashboards.rush_pages.router,
        app.settlement.pages.router,
        app.settlement.period_pages.router,
        app.settlement.operation_pages.router,
        app.banking.pages.router,
        app.refunds.admin_pages.router,
        app.banking.handover_pages.router,
        app.banking.payment_pages.router,
        app.settlement.bank_pages.router,
        app.settlement.later_pages.router,
        app.settlement.statement_pages.router,
        app.settlement.run_pages.router,
        app.accounting.pages.router,
        app.accounting.book_pages.router,
        app.moneys.pages.defining.router,
        app.moneys.pages.reading.router,
    ):
        api.include_router(router)
    if settings.payments == "sandbox":
        api.include_router(app.topups.pages.sandbox.router)
    if settings.mail == "sandbox":
        api.include_router(app.mail.sandbox_pages.router)
    api.router.routes.append(Mount("/static", static_app(), name="static"))
    api.add_api_route("/", home, include_in_schema=False, name="home")
    api.add_api_route(SOURCE_URL, source, include_in_schema=False, name="source")
    api.add_api_route("/healthz", health_live, include_in_schema=False, name="health_live")
    api.add_api_route("/readyz", health_ready, include_in_schema=False, name="health_ready")
    return api


def serve_app() -> FastAPI:
    """What each process of `comptoir serve` runs: the server with its logs."""
    settings = Settings()
    configure_logging(settings.log_level)
    return create_app(settings)


@asynccontextmanager
async def _lifespan(api: FastAPI) -> AsyncIterator[None]:
    settings: Settings = api.state.settings
    context = Context.open(settings)
    ledger = Ledger.open(
        context.engine,
        settings.sqlalchemy_url,
        context.keys.signing,
        queue_limit=settings.queue_limit,
        batch_limit=settings.batch_limit,
    )
    await ledger.start()
    api.state.directory = Directory(ledger)
    api.state.snapshots = Snapshots(context.reader, context.keys.signing)
    api.state.remembered = Remembered()
    # Closings are sealed with the server's key, and sales remember their cards in the directory: both are known now.
    made_here = {ClosingRow: closing_handler(context.keys.signing), SaleRow: sale_handler(api.state.directory)}
    api.state.row_handlers = {**api.state.row_handlers, **made_here}
    api.state.context, api.state.ledger, api.state.provider = context, ledger, open_provider(context)
    api.state.bell = bell = Bell()
    api.state.menu_counts = {}
    api.state.follower = follower = Follower(ledger)
    await follower.start()
    api.state.moves = moves = Moves(follower)
    # What lives as long as the process need not be looked at again: measured, this takes the longest pauses away.
    gc.enable()
    gc.collect()
    gc.freeze()
    # Frozen objects do not count as long-lived, so each look at the oldest would come far too soon.
    gc.set_threshold(50_000, 20, 10)
    provider = api.state.provider
    tasks = [
        asyncio.create_task(Deliveries(context, ledger, follower).run(), name="webhooks"),
        asyncio.create_task(moves.run(), name="moves"),
    ]
    tasks.append(asyncio.create_task(run_for_ever(context, ledger), name="lapses"))
    tasks.append(asyncio.create_task(lapse_for_ever(ledger), name="vouchers"))
    tasks.append(asyncio.create_task(close_for_ever(context), name="closings"))
    tasks.append(asyncio.create_task(close_gone_for_ever(ledger, api.state.menu_counts), name="inbox"))
    tasks.append(asyncio.create_task(forget_for_ever(context.engine), name="forgetting"))
    tasks.append(asyncio.create_task(see_to_memberships_for_ever(context, ledger), name="memberships"))
    tasks += [
        asyncio.create_task(tend_for_ever(ledger), name="tickets"),
        asyncio.create_task(complete_for_ever(ledger), name="orders"),
        asyncio.create_task(offer_for_ever(context), name="waiting"),
        asyncio.create_task(see_to_passes_for_ever(ledger), name="passes"),
        asyncio.create_task(give_back_for_ever(ledger), name="returns"),
        asyncio.create_task(complete_vouchers_for_ever(ledger, context.keys.token), name="giftbasket"),
        asyncio.create_task(send_on_for_ever(ledger, provider), name="onward"),
        asyncio.create_task(exchange_for_ever(ledger), name="exchanges"),
        asyncio.create_task(undo_at_counters_for_ever(ledger), name="ticketcounter"),
        asyncio.create_task(see_to_leases_for_ever(ledger), name="leases"),
    ]
    tasks.append(asyncio.create_task(figure_for_ever(context.engine), name="figures"))
    if (carrier := carrier_of(settings, context.engine)) is not None:
        tasks.append(asyncio.create_task(remind_for_ever(context), name="programme"))
        tasks.append(asyncio.create_task(Mailer(context, carrier, api.state.menu_counts).run(), name="mail"))
    tasks.append(asyncio.create_task(refund_for_ever(ledger, provider, context.keys.token), name="refunds"))
    if provider is not None:
        rounds = reconcile_for_ever(context, ledger, provider, RECONCILE_EVERY_S, bell)
        tasks.append(asyncio.create_task(rounds, name="reconciliation"))
    try:
        with on_stop_signal(follower.leave):
            yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        await follower.stop()
        await ledger.stop()
        if provider is not None:
            await provider.close()
        await context.close()


async def home() -> Response:
    return RedirectResponse("/admin", 303)


async def health_live() -> Response:
    """The process answers."""
    return JSONResponse({"status": "ok"})


async def health_ready(request: Request) -> Response:
    """The process answers, and so does its database."""
    context: Context = request.app.state.context
    async with context.engine.connect() as connection:
        await connection.execute(sa.text("SELECT 1"))
    return JSONResponse({"status": "ok"})


def _problem_page(request: Request, problem: ProblemDetails) -> Response:
    kind, texts = problem.kind, texts_of(request)

    def said(message: str) -> str:
        return texts.gettext(message) if message else ""

    return render_error(
        request,
        kind.status,
        title=said(kind.title),
        money=said(kind.money),
        advice=said(kind.advice),
        reference=problem.incident,
    )


def openapi() -> dict[str, Any]:
    """The API's description, without starting anything."""
    return create_app(Settings()).openapi()
