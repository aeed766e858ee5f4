"""Messages are sent once they are meant, tried again while that helps, and given up where everybody sees it."""

from __future__ import annotations

import socket
from dataclasses import replace
from email.message import Message
from typing import Any

import pytest
import sqlalchemy as sa
import structlog

from app.mail import service
from app.mail.carriers import Carrier, Sandbox, Smtp
from app.mail.rules import GIVEN_UP_US, KEPT_US
from app.mail.sending import LEASE_US, Mailer
from app.mail.service import Letter
from app.mail.tables import mail, sandbox_mail
from app.platform.clock import now_us
from app.platform.settings import Settings
from app.rules.ids import uuid7
from app.topups.tables import topup, topup_receipt
from tests.app.mail.conftest import Server
from tests.support.network import Network, both
from tests.support.pages import form_to, led_to, look, send, words

pytestmark = pytest.mark.anyio

DATA = {
    "network_name": "Le <Réseau>",
    "zone": "Europe/Paris",
    "card_label": "A-1",
    "amount": 2000,
    "unit": "cent",
    "symbol": "€",
    "currency": "Rafftou",
    "euro_cents": 2000,
    "at_us": 1_780_000_000_000_000,
    "number": "n",
}


def letter(**changes: Any) -> Letter:
    return replace(Letter(uuid7(), "topups/receipt_mail", "fr", "awa@example.org", DATA), **changes)


async def queued(network: Network, *letters: Letter) -> None:
    async with network.context.engine.begin() as connection:
        for it in letters:
            await service.queue(connection, it)


async def rows(network: Network) -> list[Any]:
    async with network.context.reader.connect() as connection:
        return list(await connection.execute(sa.select(mail).order_by(mail.c.created_at_us, mail.c.id)))


async def change(network: Network, **values: Any) -> None:
    async with network.context.engine.begin() as connection:
        await connection.execute(sa.update(mail).values(values))


def part(message: Message, kind: str) -> str:
    (found,) = [it for it in message.walk() if it.get_content_type() == kind]
    content = found.get_payload(decode=True)
    assert isinstance(content, bytes)
    return content.decode()


@both
async def test_a_message_goes_out_once_in_its_language_and_never_again(network: Network, server: Server) -> None:
    first, second = letter(), letter(language="en")
    await queued(network, first, second)
    await queued(network, first)
    mailers = [Mailer(network.context, server.carrier()) for _ in range(2)]
    assert [await it.round() for it in mailers] == [2, 0]
    french, english = sorted(server.got, key=lambda it: str(it["Content-Language"]), reverse=True)
    assert french["Message-ID"] == f"<{first.id}@server.test>"
    assert french["To"] == "awa@example.org"
    text = part(french, "text/plain").replace("\N{NO-BREAK SPACE}", " ")
    assert "Crédité : 20,00 € (Rafftou)" in text
    assert "Le <Réseau>" in text, "a text is no page: nothing is escaped"
    assert "Le &lt;Réseau&gt;" in part(french, "text/html")
    assert "Credited: €20.00 (Rafftou)" in part(english, "text/plain")
    assert [it.status for it in await rows(network)] == ["sent", "sent"]
    with pytest.raises(sa.exc.DBAPIError, match="not sent again"):
        await change(network, status="waiting", next_at_us=0, ended_at_us=None)


async def test_what_was_undone_is_not_told(network: Network, server: Server) -> None:
    async with network.context.engine.connect() as connection:
        await service.queue(connection, letter())
        await connection.rollback()
    assert await Mailer(network.context, server.carrier()).round() == 0


async def test_a_refused_recipient_is_given_up_at_once_shown_and_sent_again_by_hand(
    network: Network, server: Server
) -> None:
    await queued(network, letter())
    server.rcpt = "550 5.1.1 no such mailbox"
    mailer = Mailer(network.context, server.carrier(), counts := {})
    assert await mailer.round() == 0
    (row,) = await rows(network)
    assert (row.status, row.attempts, row.last_error) == ("failed", 1, "550 5.1.1 no such mailbox")
    await mailer.tidy()
    assert counts["/admin/mail"] == {None: 1}
    admin = await network.person("nadia")
    page = await look(admin, "/admin/mail")
    assert "awa@example.org Abandonné 550 5.1.1 no such mailbox" in words(page)
    server.rcpt = "250 OK"
    led_to(await send(admin, form_to(page, f"/admin/mail/{row.id}/again")))
    assert await mailer.round() == 1
    assert "awa@example.org Envoyé" in words(await look(admin, "/admin/mail"))
    assert (await send(admin, form_to(page, f"/admin/mail/{row.id}/again"))).status_code == 409
    await mailer.tidy()
    assert counts["/admin/mail"] == {None: 0}


@pytest.mark.parametrize("way", ["rcpt", "data"])
async def test_what_is_refused_for_now_is_tried_again_later_and_given_up_in_the_end(
    network: Network, server: Server, way: str
) -> None:
    await queued(network, letter())
    setattr(server, way, "451 4.7.1 come back later")
    mailer = Mailer(network.context, server.carrier())
    waits = []
    for _ in range(3):
        await mailer.round()
        (row,) = await rows(network)
        assert row.status == "waiting"
        waits.append(round((row.next_at_us - now_us()) / 1e6, -1))
        assert await mailer.round() == 0, "not before its turn"
        await change(network, next_at_us=now_us())
    assert waits == [30, 60, 120]
    await change(network, waiting_since_us=now_us() - GIVEN_UP_US)
    await mailer.round()
    (row,) = await rows(network)
    assert (row.status, row.last_error) == ("failed", "451 4.7.1 come back later")
    assert server.got == []


async def test_a_line_cut_after_the_message_sends_it_twice_under_one_id(network: Network, server: Server) -> None:
    """Nobody can know whether a server that hangs up instead of answering has the message: rather twice than never."""
    await queued(network, letter())
    server.cut = True
    mailer = Mailer(network.context, server.carrier())
    assert await mailer.round() == 0
    server.cut = False
    await change(network, next_at_us=now_us())
    assert await mailer.round() == 1
    assert len(server.got) == 2
    assert len({it["Message-ID"] for it in server.got}) == 1


async def test_a_slow_server_is_left_and_one_that_is_away_costs_one_try_each(network: Network, server: Server) -> None:
    await queued(network, letter())
    server.slow_s = 1.0
    assert await Mailer(network.context, server.carrier(timeout_s=0.1)).round() == 0
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        server.port = nobody.getsockname()[1]
        await change(network, next_at_us=now_us())
        assert await Mailer(network.context, server.carrier()).round() == 0
    (row,) = await rows(network)
    assert (row.status, row.attempts) == ("waiting", 2)


async def test_a_process_that_died_while_sending_is_taken_over_when_its_lease_is_over(
    network: Network, server: Server
) -> None:
    it = letter()
    await queued(network, it)
    now = now_us()
    async with network.context.engine.begin() as connection:
        assert await service.lease(connection, it.id, uuid7(), now, now + LEASE_US) is not None
    mailer = Mailer(network.context, server.carrier())
    assert await mailer.round() == 0
    await change(network, leased_until_us=now - 1)
    assert await mailer.round() == 1


async def test_a_message_that_cannot_be_written_keeps_no_other(network: Network, server: Server) -> None:
    await queued(network, letter(data={}), letter())
    assert await Mailer(network.context, server.carrier()).round() == 1
    assert [it.status for it in await rows(network)] == ["waiting", "sent"]


async def test_neither_password_nor_recipient_is_logged(network: Network, server: Server) -> None:
    await queued(network, letter())
    carrier = server.carrier(smtp_user="comptoir", smtp_password="geheim-123")
    with structlog.testing.capture_logs() as logged:
        assert await Mailer(network.context, carrier).round() == 0, "this server offers no sign-in"
    (row,) = await rows(network)
    for said in (str(logged), row.last_error, repr(carrier._settings)):
        assert "geheim-123" not in said
        assert "awa@" not in said


async def test_addresses_are_forgotten(network: Network) -> None:
    carrier: Carrier = Sandbox(network.context.engine)
    mailer = Mailer(network.context, carrier)
    await queued(network, letter())
    await mailer.round()
    await mailer.tidy()
    assert [it.recipient for it in await rows(network)] == ["awa@example.org"]
    await change(network, ended_at_us=now_us() - KEPT_US - 1)
    await mailer.tidy()
    assert [(it.recipient, it.data, it.status) for it in await rows(network)] == [(None, None, "sent")]


@both
async def test_whoever_asks_gets_the_receipt_of_a_top_up_once(network: Network) -> None:
    address = f"/c/{network.cards['awa'].token}/top-up"
    form = form_to(await look(network.client, address), address)
    wrong = await send(network.client, form, other="12,50", email="awa at example.org")
    assert wrong.status_code == 422
    assert "Écrivez une adresse comme awa@example.org" in words(wrong)
    assert 'value="awa at example.org"' in wrong.text
    assert 'value="12,50"' in wrong.text
    form = form_to(wrong, address)
    first = led_to(await send(network.client, form, other="12,50", email="autre@example.org"))
    pay = led_to(await send(network.client, form, other="12,50", email="awa@example.org"))
    assert pay == first, "the address corrected by the back button: the same payment"
    state = pay.replace("/sandbox/pay/", "")
    async with network.context.reader.connect() as connection:
        (id_,) = (await connection.execute(sa.select(topup.c.id).where(topup.c.reference == state))).scalars()
    here = f"/c/{network.cards['awa'].token}/top-ups/{id_}"
    assert led_to(await send(network.client, form_to(await look(network.client, here), address))) == pay
    mailer = Mailer(network.context, Sandbox(network.context.engine))
    assert await mailer.round() == 0, "nothing is told before it is paid"
    back = led_to(await send(network.client, form_to(await look(network.client, pay), pay), act="paid"))
    for _ in range(3):
        await look(network.client, back)
    assert await mailer.round() == 1
    assert await mailer.round() == 0
    (box,) = (await look(network.client, "/sandbox/mail"),)
    assert "12,50 € sur votre carte À awa@example.org" in words(box)
    assert "autre@example.org" not in box.text
    async with network.context.reader.connect() as connection:
        (id_,) = (await connection.execute(sa.select(sandbox_mail.c.id))).scalars()
    assert "12,50" in (await look(network.client, f"/sandbox/mail/{id_}")).text


async def test_an_address_that_was_taken_out_again_gets_nothing(network: Network) -> None:
    address = f"/c/{network.cards['awa'].token}/top-up"
    form = form_to(await look(network.client, address), address)
    await send(network.client, form, email="awa@example.org")
    await send(network.client, form, email="")
    async with network.context.reader.connect() as connection:
        assert (await connection.execute(sa.select(topup_receipt))).all() == []


def test_settings_say_what_is_missing() -> None:
    with pytest.raises(ValueError, match="COMPTOIR_SMTP_HOST and COMPTOIR_MAIL_FROM"):
        Settings(mail="smtp")
    given: dict[str, Any] = {"mail": "smtp", "smtp_host": "mail.example.org", "mail_from": "a@example.org"}
    with pytest.raises(ValueError, match="on this machine only"):
        Settings(**given, smtp_tls="none")
    with pytest.raises(ValueError, match="go together"):
        Settings(**given, smtp_user="a")
    with pytest.raises(ValueError, match="no e-mail address"):
        Settings(**{**given, "mail_from": "comptoir"})
    assert Smtp(Settings(**given))._server().hostname == "mail.example.org"
