"""Who carries messages: an SMTP server, or the sandbox that keeps them to be looked at.

A carrier raises
    Refused      for good: this recipient, or this message
    NotCarried   for now: the server is away, busy or set up wrong; or it is not known whether it has it
"""

from __future__ import annotations

import ssl
from email.message import EmailMessage
from typing import Protocol

import aiosmtplib
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from app.mail.tables import sandbox_mail
from app.platform.clock import now_us
from app.platform.settings import Settings
from app.rules.ids import uuid7

# For each answer of the server.
TIMEOUT_S = 20.0


class Refused(Exception):
    """The text says why, in the server's words."""


class NotCarried(Exception):
    """The text says why, in the server's words."""


class Carrier(Protocol):
    async def carry(self, message: EmailMessage) -> None:
        """To the one address in its To. Raises Refused and NotCarried."""


def carrier_of(settings: Settings, engine: AsyncEngine) -> Carrier | None:
    """The one that the settings name; None where no e-mail is sent."""
    if settings.mail == "sandbox":
        return Sandbox(engine)
    return Smtp(settings) if settings.mail == "smtp" else None


class Smtp:
    """One connection for each message. What a server is told once its `DATA` has ended it may have taken although its
    answer was lost: then the message goes out once more, under the same Message-ID."""

    def __init__(self, settings: Settings, timeout_s: float = TIMEOUT_S) -> None:
        self._settings, self._timeout_s = settings, timeout_s
        self._tls = ssl.create_default_context() if settings.smtp_tls != "none" else None

    async def carry(self, message: EmailMessage) -> None:
        recipient = str(message["To"])
        server = self._server()
        try:
            await server.connect()
            await server.send_message(message, recipients=[recipient])
        except aiosmtplib.SMTPRecipientsRefused as error:
            (refused,) = error.recipients
            raise _by_code(refused.code, refused.message) from None
        except aiosmtplib.SMTPDataError as error:
            raise _by_code(error.code, error.message) from None
        except aiosmtplib.SMTPResponseException as error:
            # Before the message itself: our sign-in or our sender is refused, whatever the message.
            raise NotCarried(_said(error.code, error.message)) from None
        except (aiosmtplib.SMTPException, OSError) as error:
            raise NotCarried(f"{type(error).__name__}: {error}") from None
        finally:
            server.close()

    def _server(self) -> aiosmtplib.SMTP:
        it = self._settings
        return aiosmtplib.SMTP(
            hostname=it.smtp_host,
            port=it.smtp_port,
            username=it.smtp_user or None,
            password=it.smtp_password.get_secret_value() if it.smtp_password is not None else None,
            use_tls=it.smtp_tls == "tls",
            start_tls=it.smtp_tls == "starttls",
            tls_context=self._tls,
            timeout=self._timeout_s,
        )


class Sandbox:
    """Keeps what it is given, as somebody's mailbox would."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def carry(self, message: EmailMessage) -> None:
        text, html = (message.get_body((kind,)) for kind in ("plain", "html"))
        row = {
            "id": uuid7(),
            "message": str(message["Message-ID"]),
            "recipient": str(message["To"]),
            "subject": str(message["Subject"]),
            "text": "" if text is None else text.get_content(),
            "html": "" if html is None else html.get_content(),
            "at_us": now_us(),
        }
        async with self._engine.begin() as connection:
            await connection.execute(sa.insert(sandbox_mail).values(row))


def _by_code(code: int, message: str) -> Refused | NotCarried:
    """RFC 5321, 4.2.1: 5yz is for good, 4yz for now."""
    kind = Refused if code >= 500 else NotCarried
    return kind(_said(code, message))


def _said(code: int, message: str) -> str:
    return f"{code} {message}"
