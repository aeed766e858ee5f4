"""Sending what waits, by one process at a time for each message, under a lease.

A message is marked as sent once its carrier has confirmed it. If the process dies between the two, or the answer is
lost, it is sent again when the lease is over: at least once, and never again once it is marked. The second carries the
same Message-ID, by which many mailboxes show one of the two.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import structlog

from app.mail import service
from app.mail.carriers import Carrier, NotCarried, Refused
from app.mail.service import Letter
from app.platform.clock import now_us
from app.platform.context import Context
from app.platform.settings import Settings
from app.web.dates import local
from app.web.pages import Pages, default_pages

_log = structlog.get_logger("comptoir.mail")

HERE = "/admin/mail"

POLL_S = 2.0
ROUND_MAX = 50
# An attempt may take this long at most; the lease is far above it, and above how far servers' clocks may differ.
ATTEMPT_S = 60.0
LEASE_US = 240 * 1_000_000
TIDY_EVERY_US = 60 * 1_000_000


class Mailer:
    """One per process; `run` until it is cancelled."""

    def __init__(
        self,
        context: Context,
        carrier: Carrier,
        menu_counts: dict[str, Mapping[UUID | None, int]] | None = None,
        pages: Pages | None = None,
    ) -> None:
        self._context, self._carrier = context, carrier
        self._menu_counts = {} if menu_counts is None else menu_counts
        self._pages = pages or default_pages()
        self._me = uuid4()
        self._tidied_us = 0

    async def run(self) -> None:
        while True:
            try:
                await self.round()
                if now_us() - self._tidied_us > TIDY_EVERY_US:
                    await self.tidy()
                    self._tidied_us = now_us()
            except Exception:
                _log.exception("e-mail could not be looked at")
            await asyncio.sleep(POLL_S)

    async def round(self) -> int:
        """Everything that is due once: how many messages were sent."""
        count = 0
        async with self._context.reader.connect() as connection:
            waiting = await service.due(connection, now_us(), ROUND_MAX)
        for id_ in waiting:
            now = now_us()
            async with self._context.engine.begin() as connection:
                letter = await service.lease(connection, id_, self._me, now, now + LEASE_US)
            if letter is not None:
                count += await self._send(letter)
        return count

    async def tidy(self) -> None:
        """Forget what is old, and tell the menu how many messages were given up."""
        async with self._context.engine.begin() as connection:
            await service.forget_old(connection)
            self._menu_counts[HERE] = {None: await service.given_up(connection)}

    async def _send(self, letter: Letter) -> bool:
        error, for_good = "", False
        try:
            opened = replace(letter, data=service.opened(self._context.keys.token, letter))
            message = written(opened, self._context.settings, self._pages)
            async with asyncio.timeout(ATTEMPT_S):
                await self._carrier.carry(message)
        except Refused as refused:
            error, for_good = str(refused), True
        except NotCarried as not_carried:
            error = str(not_carried)
        except TimeoutError:
            error = f"not sent within {ATTEMPT_S:.0f} s"
        except Exception as unexpected:
            # One message that cannot be written keeps no other from being sent.
            _log.exception("a message could not be written", mail=str(letter.id), template=letter.template)
            error = type(unexpected).__name__
        async with self._context.engine.begin() as connection:
            if not error:
                await service.sent(connection, letter, self._me)
                return True
            ended = await service.failed(connection, letter, self._me, error, for_good=for_good)
        # Without the server's words: they may name the recipient.
        _log.warning("a message was not sent", mail=str(letter.id), attempts=letter.attempts + 1, given_up=ended)
        return False


def written(letter: Letter, settings: Settings, pages: Pages) -> EmailMessage:
    """The message as it travels: the first line of its text template is the subject, the rest the text."""
    base_url = settings.base_url.rstrip("/")
    text, html = (
        pages.text(letter.language, f"{letter.template}.{kind}", base_url=base_url, **letter.data)
        for kind in ("txt", "html")
    )
    subject, _, body = text.partition("\n")
    name, sender = parseaddr(settings.sender)
    user, _, domain = sender.rpartition("@")
    message = EmailMessage(SMTP)
    message["Subject"] = subject.strip()
    message["From"] = Address(name, user, domain)
    message["To"] = letter.recipient
    message["Date"] = format_datetime(local(now_us(), "UTC"))
    message["Message-ID"] = f"<{letter.id}@{urlsplit(base_url).hostname or domain}>"
    # Nobody's holiday notice is to answer it (RFC 3834).
    message["Auto-Submitted"] = "auto-generated"
    message["Content-Language"] = letter.language
    if leave := letter.data.get("unsubscribe"):
        # A mailbox's own button ends it with one press (RFC 8058).
        message["List-Unsubscribe"] = f"<{leave}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message.set_content(body.strip() + "\n")
    message.add_alternative(html, subtype="html")
    return message
