"""Following the ledger over HTTP: server-sent events, and webhooks. See docs/following-the-ledger.md."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Header, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import HTTPConnection
from starlette.responses import Response, StreamingResponse

from app.identity.guard import Caller
from app.ledger.service import ledger_of
from app.outbox import service
from app.outbox.events import events
from app.outbox.follower import Follower
from app.outbox.store import Webhook
from app.platform.context import context_of
from app.platform.errors import Invalid

router = APIRouter(prefix="/api/v1", tags=["following"])

LARGEST = 2**63 - 1


def follower_of(connection: HTTPConnection) -> Follower:
    """The process's follower, which app.main opens at start."""
    follower = connection.app.state.follower
    if not isinstance(follower, Follower):
        raise TypeError("app.state.follower is not set: app.main does that at start")
    return follower


class NewWebhook(BaseModel):
    """`after`: the last operation that it does not get; 0 for the whole history, left out for what comes from now
    on."""

    model_config = ConfigDict(extra="forbid")

    url: Annotated[str, Field(min_length=1, max_length=2000, examples=["https://books.example/comptoir"])]
    after: Annotated[int | None, Field(ge=0, le=LARGEST)] = None


class Rotation(BaseModel):
    """For `overlap_s` seconds what is sent is signed with both secrets; 0 if the old one is in wrong hands."""

    model_config = ConfigDict(extra="forbid")

    overlap_s: Annotated[int, Field(ge=0, le=service.OVERLAP_MAX_S)] = 24 * 3600


class WebhookShown(BaseModel):
    """`state`: "disabled" when it failed for three days: somebody should look, then resume it. `cursor`: the last
    operation that the receiver has confirmed; `behind`: how many it does not have yet."""

    id: UUID
    url: str
    state: Literal["active", "paused", "disabled"]
    cursor: int
    behind: int
    attempts: int
    failing_since_us: int | None
    next_attempt_at_us: int
    last_error: str | None
    delivered_at_us: int | None
    created_at_us: int
    created_by: str


class WebhookSecret(BaseModel):
    """`secret` is shown this once: keep it where the receiver can read it."""

    webhook: WebhookShown
    secret: Annotated[str, Field(examples=["whsec_q0wJ6o3kGk0m2w9d1vJ6h8s4t2u1x5y7z9A3B5C7D9E"])]


@router.get(
    "/operations/events",
    summary="Operations as server-sent events",
    response_class=StreamingResponse,
    responses={
        200: {
            "description": "A stream without an end",
            "content": {
                "text/event-stream": {
                    "schema": {"type": "string"},
                    "example": 'id: 4711\nevent: operation\ndata: {"seq":4711,"kind":"sale"}\n\n',
                }
            },
        }
    },
)
async def follow_operations(
    request: Request,
    caller: Caller,
    after: Annotated[int | None, Query(ge=0, le=LARGEST, description="begin behind this operation")] = None,
    last_event_id: Annotated[str | None, Header(description="where a stream broke off; counts before `after`")] = None,
) -> Response:
    """Each event's `id` is the operation's `seq`, its data the operation as `/operations/{id}` shows it. Without
    `Last-Event-ID` or `after`, it begins with what is booked from now on. The stream ends now and then; browsers come
    back by themselves, and miss nothing. A venue's admins see what was booked at their venues."""
    follower, newest = follower_of(request), (await ledger_of(request).history.moment()).seq
    start = _start(last_event_id, after, newest)
    if start > newest:
        raise Invalid(f"The newest operation is number {newest}.")
    venues = None if caller.sees_network else caller.venues
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(events(follower, start, venues), media_type="text/event-stream", headers=headers)


@router.get("/webhooks", summary="Webhooks, and how they fare")
async def list_webhooks(request: Request) -> list[WebhookShown]:
    newest = (await ledger_of(request).history.moment()).seq
    return [_shown(it, newest) for it in await service.listed(context_of(request))]


@router.post("/webhooks", status_code=201, summary="Send every booked operation to an address")
async def add_webhook(request: Request, caller: Caller, body: NewWebhook) -> WebhookSecret:
    """The address is https and leads to the internet. What is sent: docs/following-the-ledger.md."""
    made = await service.add(context_of(request), ledger_of(request), body.url, body.after, actor=caller.actor)
    return await _with_secret(request, made)


@router.post("/webhooks/{webhook}/pause", summary="Send nothing until it is resumed")
async def pause_webhook(request: Request, caller: Caller, webhook: UUID) -> WebhookShown:
    return await _now(request, await service.pause(context_of(request), webhook, actor=caller.actor))


@router.post("/webhooks/{webhook}/resume", summary="Send again, from where it stopped")
async def resume_webhook(request: Request, caller: Caller, webhook: UUID) -> WebhookShown:
    return await _now(request, await service.resume(context_of(request), webhook, actor=caller.actor))


@router.post("/webhooks/{webhook}/secret", summary="Replace the secret")
async def rotate_webhook_secret(request: Request, caller: Caller, webhook: UUID, body: Rotation) -> WebhookSecret:
    made = await service.rotate_secret(context_of(request), webhook, body.overlap_s, actor=caller.actor)
    return await _with_secret(request, made)


@router.delete("/webhooks/{webhook}", status_code=204, summary="Send nothing more, and forget it")
async def delete_webhook(request: Request, caller: Caller, webhook: UUID) -> None:
    await service.delete(context_of(request), webhook, actor=caller.actor)


def _start(last_event_id: str | None, after: int | None, newest: int) -> int:
    if last_event_id:
        if not (last_event_id.isascii() and last_event_id.isdigit() and len(last_event_id) < 20):
            raise Invalid("Last-Event-ID is the number of an operation.")
        return int(last_event_id)
    return newest if after is None else after


async def _now(request: Request, it: Webhook) -> WebhookShown:
    return _shown(it, (await ledger_of(request).history.moment()).seq)


async def _with_secret(request: Request, made: service.WithSecret) -> WebhookSecret:
    return WebhookSecret(webhook=await _now(request, made.webhook), secret=made.secret)


def _shown(it: Webhook, newest: int) -> WebhookShown:
    values = {name: getattr(it, name) for name in WebhookShown.model_fields if name != "behind"}
    return WebhookShown(**values, behind=max(0, newest - it.cursor))
