"""A real SMTP server on loopback that takes what it is given, or does what it is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session

from app.mail.carriers import Smtp
from app.platform.settings import Settings


@dataclass
class Server:
    """`rcpt`, `data`: what it answers; `cut`: it has the message and hangs up instead of saying so."""

    port: int = 0
    rcpt: str = "250 OK"
    data: str = "250 OK"
    cut: bool = False
    slow_s: float = 0.0
    got: list[Message] = field(default_factory=list)

    async def handle_RCPT(self, _s: SMTP, _p: Session, envelope: Envelope, to: str, _o: list[str]) -> str:  # noqa: N802
        if self.rcpt.startswith("250"):
            envelope.rcpt_tos.append(to)
        return self.rcpt

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        await asyncio.sleep(self.slow_s)
        if self.data.startswith("250"):
            assert isinstance(envelope.content, bytes)
            self.got.append(message_from_bytes(envelope.content))
        if self.cut:
            transport: Any = server.transport
            transport.abort()
        return self.data

    def carrier(self, timeout_s: float = 5.0, **settings: Any) -> Smtp:
        given = {"smtp_host": "127.0.0.1", "smtp_port": self.port, "smtp_tls": "none", **settings}
        return Smtp(Settings(mail="smtp", mail_from="Le Réseau <bonjour@example.org>", **given), timeout_s)


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    it = Server()
    protocol: Callable[[], SMTP] = lambda: SMTP(it, hostname="mail.test", loop=asyncio.get_running_loop())  # noqa: E731
    listening = await asyncio.get_running_loop().create_server(protocol, "127.0.0.1", 0)
    it.port = listening.sockets[0].getsockname()[1]
    yield it
    listening.close()
    await listening.wait_closed()


@pytest.fixture
def network_settings(network_settings: Settings) -> Settings:
    return network_settings.model_copy(update={"payments": "sandbox", "mail": "sandbox"})
