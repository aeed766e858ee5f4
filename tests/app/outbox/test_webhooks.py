"""Webhooks: everything, in order, at least once, by one sender at a time, signed, and only to where they may lead."""

from __future__ import annotations

import asyncio
import base64
import hmac
import json
import re
import socket
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from app.outbox import delivery, service, store, targets
from app.outbox.delivery import BATCH, GIVE_UP_AFTER_S, LEASE_S, retry_after_s
from app.outbox.signing import secret_of, signature
from app.platform.clock import now_us
from app.platform.errors import Conflict, Invalid, NotFound

from .conftest import Books, Receiver, sending, until

pytestmark = pytest.mark.anyio

HOUSE = Path(__file__).parents[3]


class Killed(BaseException):
    """The process ends here: nothing that comes after it happens."""


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retries come at once, and rounds follow each other closely."""
    monkeypatch.setattr(delivery, "RETRY_FIRST_S", 0.01)
    monkeypatch.setattr(delivery, "ROUND_EVERY_S", 0.001)
    monkeypatch.setattr(delivery, "POLL_S", 0.01)


async def test_everything_booked_arrives_in_order_and_only_once_when_all_is_well(
    books: Books, receiver: Receiver
) -> None:
    await books.book(BATCH * 2 + 50)
    made = await books.add(receiver.url)
    async with sending(books.deliveries()):
        await until(lambda: len(receiver.seqs) >= BATCH * 2 + 50)
        (seq,) = await books.book()
        await until(lambda: receiver.seqs[-1] == seq)
        await until(lambda: _cursor_is(books, made.webhook.id, seq))
    assert receiver.seqs == list(range(1, seq + 1))
    bodies = [json.loads(body) for _, body in receiver.got]
    assert [(it["after"], it["upto"]) for it in bodies[:3]] == [(0, 100), (100, 200), (200, 250)]
    assert {it["webhook"] for it in bodies} == {str(made.webhook.id)}


async def _cursor_is(books: Books, id_: UUID, seq: int) -> bool:
    return (await books.webhook(id_)).cursor == seq


async def test_a_webhook_begins_with_what_is_booked_after_it_was_added(books: Books, receiver: Receiver) -> None:
    await books.book(3)
    await books.add(receiver.url, after=None)
    async with sending(books.deliveries()):
        await books.book(2)
        await until(lambda: len(receiver.seqs) == 2)
    assert receiver.seqs == [4, 5]


async def test_a_batch_that_was_sent_but_not_noted_is_sent_again_and_nothing_is_skipped(
    books: Books, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process dies between the receiver's answer and the cursor."""
    await books.book(30)
    made = await books.add(receiver.url)

    async def dies(*_: Any, **__: Any) -> bool:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(store, "confirm", dies)
        patched.setattr(store, "release", dies)
        sender = books.deliveries()
        with pytest.raises(Killed):
            await sender._serve(made.webhook.id)
    assert receiver.seqs == list(range(1, 31))
    left = await books.webhook(made.webhook.id)
    assert (left.cursor, left.sending_upto) == (0, 30)

    # Another process takes over when the dead one's lease has run out, and not before.
    later = books.deliveries()
    await later._round()
    assert later._senders == {}
    await _expire_lease(books)
    await books.book(BATCH)  # what came meanwhile does not change the batch that was under way
    async with sending(later):
        await until(lambda: receiver.seqs[-1] == BATCH + 30)
    assert receiver.seqs == [*range(1, 31), *range(1, BATCH + 31)]
    (first, body), (second, again) = receiver.got[:2]
    assert body == again
    assert first["comptoir-delivery"] == second["comptoir-delivery"]
    assert len({headers["comptoir-delivery"] for headers, _ in receiver.got}) == len(receiver.got) - 1


async def _expire_lease(books: Books) -> None:
    (one,) = await service.listed(books.context)
    await books.change(one.id, leased_until_us=now_us() - 1)


async def test_two_processes_never_send_at_the_same_time(books: Books, another: Books, receiver: Receiver) -> None:
    busy, most = 0, 0

    async def count() -> None:
        nonlocal busy, most
        busy += 1
        most = max(most, busy)
        await asyncio.sleep(0.002)
        busy -= 1

    receiver.answer = count
    await books.book(BATCH * 3)
    await books.add(receiver.url)
    async with sending(books.deliveries(), another.deliveries()):
        for _ in range(20):
            await books.book(10)
            await another.book(10)
        await until(lambda: len(receiver.seqs) >= BATCH * 3 + 400)
    assert most == 1
    assert receiver.seqs == list(range(1, BATCH * 3 + 401))


async def test_a_lease_is_one_senders_until_it_runs_out(books: Books, receiver: Receiver) -> None:
    await books.book(3)
    made = await books.add(receiver.url)
    mine, theirs, now = uuid4(), uuid4(), now_us()

    async def take(sender: UUID, at_us: int) -> store.Webhook | None:
        async with books.context.engine.begin() as connection:
            return await store.lease(
                connection, made.webhook.id, sender, newest=3, batch=2, now_us=at_us, until_us=at_us + 1000
            )

    first = await take(mine, now)
    assert first is not None
    assert first.sending_upto == 2
    assert await take(theirs, now + 999) is None
    assert await take(mine, now + 999) is not None
    assert await take(theirs, now + 1998) is None
    taken_over = await take(theirs, now + 1999)
    assert taken_over is not None
    async with books.context.engine.begin() as connection:
        assert not await store.confirm(connection, first, mine, now)  # too late: it is no longer mine
        assert await store.confirm(connection, taken_over, theirs, now)
        assert not await store.confirm(connection, taken_over, theirs, now)
    assert (await books.webhook(made.webhook.id)).cursor == 2


async def test_a_receiver_that_was_down_gets_everything_in_order_when_it_is_back(
    books: Books, receiver: Receiver
) -> None:
    receiver.status = 503
    made = await books.add(receiver.url)
    async with sending(books.deliveries()):
        for _ in range(5):
            await books.book(30)
        await until(lambda: len(receiver.got) >= 3)
        failing = await books.webhook(made.webhook.id)
        assert failing.cursor == 0
        assert failing.attempts >= 1
        assert failing.failing_since_us is not None
        assert failing.last_error == "the receiver answered 503"
        assert len({headers["comptoir-delivery"] for headers, _ in receiver.got}) == 1
        receiver.got.clear()
        receiver.status = 200
        await until(lambda: _cursor_is(books, made.webhook.id, 150))
    assert sorted(set(receiver.seqs)) == list(range(1, 151))
    first_seen = list(dict.fromkeys(receiver.seqs))
    assert first_seen == sorted(first_seen)
    well = await books.webhook(made.webhook.id)
    assert (well.attempts, well.failing_since_us, well.last_error) == (0, None, None)


async def test_a_redirect_is_not_followed(books: Books, receiver: Receiver) -> None:
    receiver.status = 307
    made = await books.add(receiver.url)
    await books.book()
    async with sending(books.deliveries()):
        await until(lambda: _fails(books, made.webhook.id))
    assert (await books.webhook(made.webhook.id)).last_error == "the receiver answered 307"


async def _fails(books: Books, id_: UUID) -> bool:
    return (await books.webhook(id_)).failing_since_us is not None


async def test_a_receiver_that_nobody_answers_at_is_a_failure_with_a_reason(books: Books) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        made = await books.add(f"http://127.0.0.1:{taken.getsockname()[1]}/")
        await books.book()
        async with sending(books.deliveries()):
            await until(lambda: _fails(books, made.webhook.id))
    assert (await books.webhook(made.webhook.id)).last_error == "ConnectError: All connection attempts failed"


async def test_after_three_days_of_failures_it_is_switched_off_until_somebody_resumes_it(
    books: Books, receiver: Receiver
) -> None:
    receiver.status = 500
    made = await books.add(receiver.url)
    await books.book(2)
    days_ago_us = now_us() - GIVE_UP_AFTER_S * 1_000_000
    await books.change(made.webhook.id, failing_since_us=days_ago_us, attempts=80)
    async with sending(books.deliveries()):
        await until(lambda: _state_is(books, made.webhook.id, "disabled"))
        sent = len(receiver.got)
        off = await books.webhook(made.webhook.id)
        assert (off.failing_since_us, off.attempts, off.cursor) == (days_ago_us, 81, 0)
        await books.book()
        await asyncio.sleep(0.05)
        assert len(receiver.got) == sent
        receiver.status = 200
        receiver.got.clear()
        on = await service.resume(books.context, made.webhook.id, actor="test")
        assert (on.state, on.failing_since_us, on.last_error) == ("active", None, None)
        await until(lambda: receiver.seqs[-1:] == [3])
    assert receiver.seqs == [1, 2, 3]


async def _state_is(books: Books, id_: UUID, state: str) -> bool:
    return (await books.webhook(id_)).state == state


async def test_a_paused_webhook_gets_nothing_and_later_everything(books: Books, receiver: Receiver) -> None:
    made = await books.add(receiver.url)
    await service.pause(books.context, made.webhook.id, actor="test")
    sender = books.deliveries()
    await books.book(3)
    await sender._round()
    assert sender._senders == {}
    await service.resume(books.context, made.webhook.id, actor="test")
    async with sending(sender):
        await until(lambda: len(receiver.seqs) == 3)


async def test_a_webhook_that_failed_is_left_alone_until_its_time(books: Books, receiver: Receiver) -> None:
    made = await books.add(receiver.url)
    await books.book()
    await books.change(made.webhook.id, next_attempt_at_us=now_us() + 60_000_000)
    sender = books.deliveries()
    await sender._round()
    assert sender._senders == {}
    await sender._serve(made.webhook.id)
    assert receiver.got == []
    await books.change(made.webhook.id, next_attempt_at_us=now_us())
    async with sending(sender):
        await until(lambda: receiver.seqs == [1])


async def test_what_is_deleted_while_it_is_sent_is_gone(books: Books, receiver: Receiver) -> None:
    made = await books.add(receiver.url)

    async def delete() -> None:
        await service.delete(books.context, made.webhook.id, actor="test")

    receiver.answer = delete
    await books.book(BATCH + 1)
    await books.deliveries()._serve(made.webhook.id)
    assert len(receiver.got) == 1
    assert await service.listed(books.context) == []
    with pytest.raises(NotFound):
        await service.pause(books.context, made.webhook.id, actor="test")


async def test_an_ended_process_leaves_no_lease_behind(books: Books, receiver: Receiver) -> None:
    made = await books.add(receiver.url)
    hangs = asyncio.Event()

    async def hang() -> None:
        await hangs.wait()

    receiver.answer = hang
    await books.book()
    async with sending(books.deliveries()):
        await until(lambda: receiver.got)
    hangs.set()
    receiver.answer = None
    async with sending(books.deliveries()):
        await until(lambda: _cursor_is(books, made.webhook.id, 1))
    assert receiver.seqs == [1, 1]


def test_waits_double_from_five_seconds_to_an_hour_and_never_fall_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery, "RETRY_FIRST_S", 5.0)
    for attempts, longest_s in ((1, 5), (2, 10), (5, 80), (10, 2560), (11, 3600), (10_000, 3600)):
        waits = [retry_after_s(attempts) for _ in range(200)]
        assert longest_s / 2 <= min(waits) < max(waits) <= longest_s
    assert LEASE_S > 2 * delivery.ATTEMPT_TIMEOUT_S


# Signatures.


async def test_what_arrives_is_signed_with_the_secret_that_was_shown(books: Books, receiver: Receiver) -> None:
    made = await books.add(receiver.url)
    assert re.fullmatch(r"whsec_[A-Za-z0-9_-]{43}", made.secret)
    assert made.secret not in repr(made)
    await books.book()
    async with sending(books.deliveries()):
        await until(lambda: receiver.got)
    headers, body = receiver.got[0]
    stamp, mark = re.fullmatch(r"t=(\d+),v1=([0-9a-f]{64})", headers["comptoir-signature"]).groups()  # type: ignore[union-attr]
    assert abs(int(stamp) - now_us() // 1_000_000) < 60
    assert hmac.new(made.secret.encode(), f"{stamp}.".encode() + body, sha256).hexdigest() == mark
    assert headers["content-type"] == "application/json"
    assert headers["user-agent"].startswith("Comptoir/")


async def test_a_replaced_secret_signs_beside_the_new_one_only_as_long_as_was_asked(
    books: Books, receiver: Receiver
) -> None:
    made = await books.add(receiver.url)
    new = await service.rotate_secret(books.context, made.webhook.id, 3600, actor="test")
    assert new.secret != made.secret
    await books.book()
    async with sending(books.deliveries()):
        await until(lambda: receiver.got)
        headers, body = receiver.got[0]
        stamp = int(headers["comptoir-signature"].split(",")[0][2:])
        assert headers["comptoir-signature"] == signature([new.secret, made.secret], body, stamp)
        last = await service.rotate_secret(books.context, made.webhook.id, 0, actor="test")
        await books.book()
        await until(lambda: len(receiver.got) == 2)
    headers, body = receiver.got[1]
    stamp = int(headers["comptoir-signature"].split(",")[0][2:])
    assert headers["comptoir-signature"] == signature([last.secret], body, stamp)


def test_secrets_differ_by_key_webhook_and_version() -> None:
    one, other = UUID(int=1), UUID(int=2)
    made = {secret_of(key, of, number) for key in (b"a" * 32, b"b" * 32) for of in (one, other) for number in (1, 2)}
    assert len(made) == 8
    assert all(len(base64.urlsafe_b64decode(it.removeprefix("whsec_") + "=")) == 32 for it in made)


def test_the_receivers_example_in_the_docs_accepts_ours_and_refuses_others() -> None:
    """The very code of docs/following-the-ledger.md."""
    page = (HOUSE / "docs" / "following-the-ledger.md").read_text()
    (code,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    names: dict[str, Any] = {}
    exec(code, names)
    is_genuine = names["is_genuine"]
    body, at_s = b'{"operations":[]}', 1_767_225_600
    header = signature(["whsec_old", "whsec_new"], body, at_s)
    assert is_genuine(body, header, "whsec_new", now=at_s + 10)
    assert is_genuine(body, header, "whsec_old", now=at_s + 10)
    assert not is_genuine(body, header, "whsec_other", now=at_s)
    assert not is_genuine(body + b" ", header, "whsec_new", now=at_s)
    assert not is_genuine(body, header.replace(str(at_s), str(at_s + 1)), "whsec_new", now=at_s)
    assert not is_genuine(body, header, "whsec_new", now=at_s + 301)
    assert not is_genuine(body, "", "whsec_new", now=at_s)
    assert not is_genuine(body, "t=x,v1=y", "whsec_new", now=at_s)


# Where a webhook may lead.


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1",
        "fd00::1",
        "ff02::1",
        "::ffff:10.0.0.1",
        "64:ff9b::a00:1",
        "2002:a00:1::",
    ],
)
async def test_no_webhook_leads_into_the_servers_own_network(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", _answers(address))
    with pytest.raises(targets.TargetRefused):
        await targets.resolve("https://inside.example/", private=False)


@pytest.mark.parametrize("address", ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c", "64:ff9b::5db8:d70e"])
async def test_the_connection_goes_to_the_address_that_was_checked(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", _answers(address))
    target = await targets.resolve("https://books.example:8443/hook?x=1", private=False)
    assert (target.url.host, target.url.port, target.url.raw_path) == (address, 8443, b"/hook?x=1")
    assert (target.host, target.name) == ("books.example:8443", "books.example")


async def test_one_private_address_among_public_ones_is_enough_to_refuse(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", _answers("93.184.215.14", "10.0.0.1"))
    with pytest.raises(targets.TargetRefused):
        await targets.resolve("https://books.example/", private=False)


def _answers(*addresses: str) -> Any:
    async def getaddrinfo(_host: str, port: int, **_: Any) -> list[Any]:
        family = {True: socket.AF_INET6, False: socket.AF_INET}
        return [(family[":" in it], socket.SOCK_STREAM, 6, "", (it, port)) for it in addresses]

    return getaddrinfo


@pytest.mark.parametrize(
    "url",
    [
        "http://books.example/",
        "ftp://books.example/",
        "https:///hook",
        "https://user:secret@books.example/",
        "https://books.example/#part",
        "https://books.example/\n",
        "books.example",
        "https://" + "a" * 2000,
        "https://[::1",
    ],
)
def test_an_address_of_another_kind_is_refused(url: str) -> None:
    with pytest.raises(targets.TargetRefused):
        targets.parse(url, private=False)


async def test_plain_http_leads_to_this_machine_only_even_where_private_addresses_are_allowed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert (await targets.resolve("http://127.0.0.1:1/x", private=True)).url.host == "127.0.0.1"
    assert (await targets.resolve("https://10.0.0.1/x", private=True)).url.host == "10.0.0.1"
    with pytest.raises(targets.TargetRefused):
        await targets.resolve("http://10.0.0.1/x", private=True)
    with pytest.raises(targets.TargetRefused):
        await targets.resolve("http://127.0.0.1/x", private=False)


async def test_a_name_that_turns_private_later_gets_nothing(
    books: Books, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DNS rebinding: public when it was added, loopback when it is sent to."""
    port = int(receiver.url.split(":")[2].split("/")[0])
    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", _answers("93.184.215.14"))
    closed = books.context.settings.model_copy(update={"webhooks_private": False})
    object.__setattr__(books.context, "settings", closed)
    made = await books.add(f"https://books.example:{port}/hook")
    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", _answers("127.0.0.1"))
    await books.book()
    async with sending(books.deliveries()):
        await until(lambda: _fails(books, made.webhook.id))
    assert receiver.got == []
    assert (await books.webhook(made.webhook.id)).last_error == "The webhook's address leads to a private network."


async def test_a_webhook_is_not_added_twice_nor_ahead_of_what_is_booked(books: Books, receiver: Receiver) -> None:
    await books.add(receiver.url)
    with pytest.raises(Conflict):
        await books.add(receiver.url)
    with pytest.raises(Invalid):
        await books.add(f"{receiver.url}/more", after=1)
    with pytest.raises(targets.TargetRefused):
        await books.add("https://nobody.invalid/")
