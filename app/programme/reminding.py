"""What followers of the programme are told, and when: of an event the day before, of its cancellation at once, and of
what is new once a week. Every server process looks; each message is queued once, whoever looks first."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, time, timedelta
from itertools import groupby
from typing import Any, Final
from uuid import NAMESPACE_URL, UUID, uuid5
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from app.mail.service import Letter, queue
from app.platform.clock import now_us
from app.platform.context import Context
from app.platform.errors import NotFound
from app.programme import following
from app.programme.following import Follow
from app.programme.near import Near
from app.programme.places import places
from app.programme.reading import coming_shows
from app.programme.rules import DAY_US, Place, Show, local
from app.venues.service import the_network

_log = structlog.get_logger("comptoir.programme")

LOOK_EVERY_S: Final = 600.0
REMINDER: Final = "programme/reminder_mail"
CANCELLED: Final = "programme/cancelled_mail"
DIGEST: Final = "programme/digest_mail"
# In the forenoon, when people plan their evenings; of the week's news on Thursday, before the weekend.
_HOUR: Final = 10
_WEEKDAY: Final = 3
# As many events as somebody reads in one message.
_LISTED_MAX: Final = 30


async def run_for_ever(context: Context, every_s: float = LOOK_EVERY_S) -> None:
    while True:
        try:
            await look(context)
        except Exception:
            _log.exception("followers could not be told")
        await asyncio.sleep(every_s)


async def look(context: Context) -> int:
    """Everything that is due once: how many messages were queued."""
    now = now_us()
    async with context.engine.begin() as connection:
        await following.forget_unconfirmed(connection)
        try:
            network = await the_network(connection)
        except NotFound:
            return 0
        shows = await coming_shows(connection, now)
        since = await following.announced_since(connection, [it.id for it in shows], now)
        teller = _Teller(context, connection, network.name, now)
        count = 0
        for show in shows:
            if show.state == "cancelled":
                count += await teller.of_event(show, CANCELLED, f"cancelled:{show.id}")
            elif _day_before(show) <= now < show.begins_us:
                count += await teller.of_event(show, REMINDER, f"reminder:{show.id}:{show.begins_us}")
        due = last_digest_us(now, network.settings.zone)
        waiting = await following.followers(connection, "network", "venue", "artist", "near", told_before_us=due)
        around = [it.place for it in (await places(connection)).values()]
        for _, mine in groupby(waiting, lambda it: it.address):
            count += await teller.of_news(list(mine), shows, since, around)
    return count


def last_digest_us(now: int, zone: str) -> int:
    """When news were last due: the last Thursday, 10 h, on the network's clock."""
    here = local(now, zone)
    day = here.date() - timedelta(days=(here.weekday() - _WEEKDAY) % 7)
    at = datetime.combine(day, time(_HOUR), ZoneInfo(zone))
    if at > here:
        at = datetime.combine(day - timedelta(days=7), time(_HOUR), ZoneInfo(zone))
    return int(at.timestamp()) * 1_000_000


def _day_before(show: Show) -> int:
    at = datetime.combine(show.day - timedelta(days=1), time(_HOUR), ZoneInfo(show.place.zone))
    return int(at.timestamp()) * 1_000_000


def news_for(
    mine: Iterable[Follow], shows: Iterable[Show], since: Mapping[UUID, int], around: Sequence[Place]
) -> list[Show]:
    """What is new to them since each of their follows was last told of, the earliest first. `since`: when each event
    was announced; `around`: all venues."""
    found = {
        show.id: show
        for show in shows
        for it in mine
        if show.state != "cancelled" and since[show.id] > it.told_until_us and _is_about(it, show, around)
    }
    return sorted(found.values(), key=lambda it: (it.begins_us, it.slug))


def _is_about(it: Follow, show: Show, around: Sequence[Place]) -> bool:
    match it.kind:
        case "network":
            return True
        case "venue":
            return it.about == str(show.place.id)
        case "artist":
            return any(it.about == str(player.id) for player in show.players)
        case "near":
            near = Near.read(it.about)
            return near is not None and show.place.slug in near.slugs(around)
    return it.about == str(show.id)


class _Teller:
    def __init__(self, context: Context, connection: AsyncConnection, network: str, now: int) -> None:
        self._key, self._base = context.keys.token, context.settings.base_url.rstrip("/")
        self._connection, self._network, self._now = connection, network, now

    async def of_event(self, show: Show, template: str, name: str) -> int:
        followers = await following.followers(self._connection, "event", about=str(show.id))
        for it in followers:
            data = {"show": self._told(show, it.language), **self._around(it)}
            await queue(self._connection, Letter(uuid5(it.id, name), template, it.language, it.address, data))
        return len(followers)

    async def of_news(
        self, mine: list[Follow], shows: Iterable[Show], since: Mapping[UUID, int], around: Sequence[Place]
    ) -> int:
        """One message for all that an address follows; none where nothing is new."""
        ours = [it for it in mine if await following.told(self._connection, it, self._now)]
        news = news_for(ours, shows, since, around)[:_LISTED_MAX]
        if not news:
            return 0
        first = ours[0]
        id_ = uuid5(NAMESPACE_URL, f"comptoir-news:{first.address}:{self._now // DAY_US}")
        data = {"shows": [self._told(it, first.language) for it in news], **self._around(first)}
        await queue(self._connection, Letter(id_, DIGEST, first.language, first.address, data))
        return 1

    def _around(self, it: Follow) -> Mapping[str, Any]:
        return {"network_name": self._network, "unsubscribe": following.link(self._base, self._key, it.id, end=True)}

    def _told(self, show: Show, language: str) -> Mapping[str, Any]:
        return {
            "title": show.title(language),
            "begins_us": show.begins_us,
            "doors_us": show.doors_us,
            "zone": show.place.zone,
            "place": show.place.name,
            "address": show.place.whole_address,
            "players": ", ".join(it.name for it in show.players),
            "url": f"{self._base}/programme/{show.slug}",
        }
