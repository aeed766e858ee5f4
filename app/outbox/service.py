"""Webhooks as admins keep them: added, paused, resumed, deleted, their secret replaced. Each act leaves its record."""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID

import sqlalchemy as sa

from app.identity.audit import audit
from app.ledger.service import Ledger
from app.outbox import store, targets
from app.outbox.signing import secret_of
from app.outbox.store import Webhook
from app.platform.clock import now_us
from app.platform.context import Context
from app.platform.errors import Conflict, Invalid, NotFound
from app.rules.ids import uuid7

WEBHOOKS_MAX = 50
OVERLAP_MAX_S = 7 * 24 * 3600


@dataclass(frozen=True, slots=True)
class WithSecret:
    """`secret` is shown this once."""

    webhook: Webhook
    secret: str = field(repr=False)


async def listed(context: Context) -> list[Webhook]:
    async with context.reader.connect() as connection:
        return await store.all_of(connection)


async def add(context: Context, ledger: Ledger, url: str, after: int | None, *, actor: str) -> WithSecret:
    """A webhook that gets everything after operation number `after`; None: only what is booked from now on.

    Raises TargetRefused, Invalid (a number that is not booked yet), Conflict (the address is taken, or too many).
    """
    newest = (await ledger.history.moment()).seq
    if after is not None and after > newest:
        raise Invalid(f"The newest operation is number {newest}.")
    try:
        await targets.resolve(url, private=context.settings.webhooks_private)
    except OSError as error:
        raise targets.TargetRefused("The webhook's host is not known.") from error
    now, start = now_us(), newest if after is None else after
    row = Webhook(uuid7(), url, "active", 1, 0, start, None, 0, None, 0, None, None, now, actor)
    try:
        async with context.engine.begin() as connection:
            if len(await store.all_of(connection)) >= WEBHOOKS_MAX:
                raise Conflict(f"A network has at most {WEBHOOKS_MAX} webhooks.")
            await store.insert(connection, row)
            await audit(connection, actor, "webhook.add", f"webhook:{row.id}", url=url, after=start)
    except sa.exc.IntegrityError as error:
        raise Conflict("There is a webhook for this address already.") from error
    return WithSecret(row, secret_of(context.keys.token, row.id, 1))


async def pause(context: Context, id_: UUID, *, actor: str) -> Webhook:
    """What is booked meanwhile waits for it."""
    return await _change(context, id_, "webhook.pause", actor, state="paused")


async def resume(context: Context, id_: UUID, *, actor: str) -> Webhook:
    """Send again, at once, from where it stopped."""
    fresh = {"attempts": 0, "failing_since_us": None, "next_attempt_at_us": 0, "last_error": None}
    return await _change(context, id_, "webhook.resume", actor, state="active", **fresh)


async def rotate_secret(context: Context, id_: UUID, overlap_s: int, *, actor: str) -> WithSecret:
    """A new secret. For `overlap_s` seconds what is sent is signed with the old one too."""
    changed = await _change(
        context,
        id_,
        "webhook.rotate-secret",
        actor,
        secret_version=store.next_version(),
        old_secret_until_us=now_us() + overlap_s * 1_000_000,
    )
    return WithSecret(changed, secret_of(context.keys.token, id_, changed.secret_version))


async def delete(context: Context, id_: UUID, *, actor: str) -> None:
    async with context.engine.begin() as connection:
        if not await store.delete(connection, id_):
            raise NotFound("There is no such webhook.")
        await audit(connection, actor, "webhook.delete", f"webhook:{id_}")


async def _change(context: Context, id_: UUID, action: str, actor: str, **values: object) -> Webhook:
    async with context.engine.begin() as connection:
        changed = await store.change(connection, id_, **values)
        if changed is None:
            raise NotFound("There is no such webhook.")
        await audit(connection, actor, action, f"webhook:{id_}", url=changed.url)
        return changed
