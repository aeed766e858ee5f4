"""Holders with accounts: their phones, and what came into their mailboxes."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import httpx
import pytest
import sqlalchemy as sa

from app.cards.claim_codes import claim_code_of
from app.holders.tables import holder_account
from app.mail.carriers import Sandbox
from app.mail.sending import Mailer
from app.mail.tables import sandbox_mail
from app.platform.settings import Settings
from tests.support.network import Network, _client
from tests.support.pages import form_to, led_to, look, send


@pytest.fixture(params=["sqlite"])
def database_kind(request: pytest.FixtureRequest) -> str:
    """Those that race ask for both."""
    return str(request.param)


@pytest.fixture
def network_settings(network_settings: Settings) -> Settings:
    return network_settings.model_copy(update={"payments": "sandbox", "mail": "sandbox"})


class Phone:
    """A phone on which somebody has an account, or will have."""

    def __init__(self, network: Network, client: httpx.AsyncClient, email: str) -> None:
        self.network, self.client, self.email = network, client, email

    async def ask(self) -> str:
        """Ask for a link, and find it in the mailbox: a path of ours."""
        page = await look(self.client, "/me/sign-in")
        answer = await send(self.client, form_to(page, "/me/sign-in"), email=self.email)
        assert answer.status_code == 200, answer.text
        return await self.link()

    async def link(self) -> str:
        await Mailer(self.network.context, Sandbox(self.network.context.engine)).round()
        query = sa.select(sandbox_mail.c.text).where(sandbox_mail.c.recipient == self.email.lower())
        async with self.network.context.reader.connect() as connection:
            texts = (await connection.execute(query.order_by(sandbox_mail.c.at_us.desc()))).scalars().all()
        return next(found[0] for it in texts if (found := re.findall(r"/me/in/\S+", it)))

    async def sign_in(self) -> str:
        """Where it led."""
        link = await self.ask()
        return led_to(await self.client.post(link))

    async def keep(self, name: str, code: str | None = None) -> httpx.Response:
        """Claim one of the network's cards."""
        card = self.network.cards[name]
        page = await look(self.client, f"/c/{card.token}/keep")
        right = claim_code_of(self.network.context.keys.token, card.token)
        return await send(self.client, form_to(page, f"/c/{card.token}/keep"), code=right if code is None else code)

    async def form(self, path: str, action: str, **typed: str) -> httpx.Response:
        return await send(self.client, form_to(await look(self.client, path), action), **typed)

    async def account(self) -> UUID:
        query = sa.select(holder_account.c.id).where(holder_account.c.email == self.email.lower())
        async with self.network.context.reader.connect() as connection:
            found: UUID = (await connection.execute(query)).scalar_one()
        return found


@pytest.fixture
async def phones(network: Network) -> AsyncIterator[Any]:
    """phones("awa@example.org"): another phone each time."""
    clients: list[httpx.AsyncClient] = []

    def another(email: str = "awa@example.org") -> Phone:
        clients.append(_client(network.app))
        return Phone(network, clients[-1], email)

    yield another
    for client in clients:
        await client.aclose()
