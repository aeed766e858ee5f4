"""Cards that carry their offline sales, from terminal to terminal: the real nfcpy before an emulated NTAG 424 DNA."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from app.rules.chips import allowance
from app.rules.chips.keyring import CardKey
from app.rules.ids import uuid7
from app.rules.offline import Refusal
from app.wire import IntentRow
from app.wire.snapshot import SnapshotApplied
from readers.cardauth import ntag424
from readers.cardauth.allowance import carry
from readers.cardauth.encoding import write_ntag424
from readers.cardauth.errors import Exchange
from readers.cardauth.isodep import IsoDep
from readers.drivers import open_driver
from readers.emulator import Card, EmulatedPn532, Ntag424, Torn, UdpCardField
from readers.journal import JournalFailed
from readers.taps import CardSilent, Errands, Reader
from readers.terminal.view import Result
from readers.till import Carrying
from tests.readers.sync.fake_server import STRONG, FakeServer
from tests.readers.till.terminals import Terminal, a_terminal

UID = bytes.fromhex(STRONG)
FACTORY = (bytes(16),) * 5
KEYS = tuple(bytes([10 + number] * 16) for number in range(5))
KEY = CardKey("ntag424", KEYS[1], 1)
Field = UdpCardField | EmulatedPn532
# RATS, selection and two messages of the proof; the same again, what it carries is read, and written.
PROOF, COMMANDS = 4, 10


def exchange_with(card: Card) -> Exchange:
    card.power_on()

    def exchange(frame: bytes) -> bytes:
        answer = card.process(frame)
        if answer is None:
            raise CardSilent("no answer")
        return answer

    return exchange


@pytest.fixture
def card() -> Ntag424:
    """As the desk made it."""
    card = Ntag424(UID)
    write_ntag424(IsoDep(exchange_with(card)).transceive, FACTORY, KEYS, 1, None)
    return card


def owed(card: Card) -> list[tuple[bytes, int, int]]:
    """(terminal, row, minor units)"""
    found: list[allowance.Carried] = []
    carry(KEY, exchange_with(card), found.append)
    return [(it.device, it.sequence, it.minor) for it in found[0].owed]


class Bar:
    """A terminal without network, and its reader."""

    def __init__(self, terminal: Terminal, field: Field) -> None:
        self.it, self.field, self.short = terminal, field, allowance.short_device(terminal.journal.pairing.device)

    async def sell(self, card: Card, quantity: int = 1) -> Result:
        await self.it.ask(quantity)
        self.field.present(card)
        result = await self.result()
        await self.lift()
        return result

    async def result(self) -> Result:
        await self.it.until(lambda: self.it.till.screen().phase in ("paid", "refused"))
        result = self.it.till.screen().result
        assert result is not None
        return result

    async def lift(self) -> None:
        self.field.remove()
        await self.it.until(lambda: not self.it.till.screen().card)

    async def sales(self) -> int:
        return await self.it.journal.count("sale")


@contextlib.asynccontextmanager
async def a_bar(folder: Path, reader_before: Callable[[], Field] = UdpCardField) -> AsyncIterator[Bar]:
    """Its card holds nothing, and may pay 10.00 beyond that."""
    server = FakeServer(slow_s=0.5)
    server.balances[STRONG] = Counter(RAF=0)
    of_raf = {**server.limits.cards["RAF"], "A": (1000, 1000, 10)}
    server.limits = server.limits.model_copy(update={"cards": {**server.limits.cards, "RAF": of_raf}})
    folder.mkdir()
    errands, keys, loop = Errands(), {UID: KEY}, asyncio.get_running_loop()
    with reader_before() as field:
        async with a_terminal(folder, server, deadline_s=0.2, carrying=Carrying(errands, keys)) as terminal:
            await terminal.go_offline()
            reader = Reader(
                lambda presence: open_driver(field.path, presence, keys),
                lambda event: void(loop.call_soon_threadsafe(terminal.till.on_reader, event)),
                errands=errands,
            )
            reader.start()
            try:
                await terminal.until(lambda: errands.served)
                yield Bar(terminal, field)
            finally:
                await asyncio.to_thread(reader.stop)


def void(_: Any) -> None:
    """What a thread is told in return is nobody's business here."""


@pytest.fixture
async def bar(tmp_path: Path) -> AsyncIterator[Bar]:
    async with a_bar(tmp_path / "bar") as bar:
        yield bar


async def test_isolated_terminals_sell_together_what_one_may(tmp_path: Path, bar: Bar, card: Ntag424) -> None:
    async with a_bar(tmp_path / "terrace", partial(EmulatedPn532, baud=None, rf_ms=0)) as terrace:
        assert (await bar.sell(card)).reason is None
        assert (await terrace.sell(card)).reason is None
        assert owed(card) == [(bar.short, bar.it.journal.head, 450), (terrace.short, terrace.it.journal.head, 450)]
        for one in (bar, terrace):
            assert (await one.sell(card)).reason is Refusal.OVER_CARD_LIMIT
        # The bar is back: its rows are in the balance that the terrace knows, and no terminal must clean the card.
        mark = SnapshotApplied(device=bar.it.journal.pairing.device, epoch=1, through=bar.it.journal.head, beyond=())
        terrace.it.server.applied_others = (mark,)
        await terrace.it.go_online()
        await terrace.it.until(lambda: (known := terrace.it.shelf.knowing(STRONG)) and len(known.now.applied) > 1)
        await terrace.it.go_offline()
        assert (await terrace.sell(card)).reason is None
        assert (await bar.sell(card)).reason is Refusal.OVER_CARD_LIMIT


async def test_pulled_away_at_any_command_the_same_sale_takes_it_once(
    bar: Bar, card: Ntag424, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("readers.drivers.nfcpy.EXCHANGE_TIMEOUT_S", 0.05)
    whole = Torn(card, COMMANDS)
    assert (await bar.sell(whole)).reason is None
    assert whole.commands == COMMANDS
    for number, at in enumerate(range(PROOF, COMMANDS), start=2):
        bar.it.server.limits.cards["RAF"]["A"] = (100_000, 100_000, 100)
        assert bar.it.shelf.shop is not None
        bar.it.shelf.shop.limits = bar.it.server.limits.rules()
        torn = Torn(card, at, heard=at > PROOF)
        sale = await bar.it.ask()
        bar.field.present(torn)
        await bar.it.until(lambda: bar.it.till.screen().hint in ("card_left", "remove_card"))
        assert await bar.sales() == number - 1
        await bar.lift()
        assert bar.it.till.screen().hint == "card_left"
        torn.put_back()
        bar.field.present(torn)
        result = await bar.result()
        assert (result.sale, result.reason) == (sale, None)
        await bar.lift()
        assert owed(card) == [(bar.short, bar.it.journal.head, 450 * number)]
        assert await bar.sales() == number


async def test_a_lost_write_is_no_sale_and_the_next_sale_makes_it_good(bar: Bar, card: Ntag424) -> None:
    await bar.it.ask(2)
    bar.field.present(Torn(card, COMMANDS - 1, heard=True))
    await bar.it.until(lambda: bar.it.till.screen().hint in ("card_left", "remove_card"))
    await bar.lift()
    assert [minor for _, _, minor in owed(card)] == [900]
    await bar.it.till.cancel()
    assert (await bar.sell(card)).reason is None
    assert owed(card) == [(bar.short, bar.it.journal.head, 450)]
    assert await bar.sales() == 1


async def test_what_the_server_may_have_booked_is_taken_back_before_a_card_is_asked_anew(
    bar: Bar, card: Ntag424
) -> None:
    server = bar.it.server
    server.balances[STRONG] = Counter(RAF=1000)
    await bar.it.go_online()
    await bar.it.until(lambda: bar.it.shelf.book and bar.it.shelf.book.available(STRONG) == {"RAF": 1000})
    # The answer never comes, and meanwhile the card goes.
    server.fail("/api/v1/sales", "slow")
    asked = await bar.it.ask()
    bar.field.present(Torn(card, PROOF + 1))
    await bar.it.until(lambda: bar.it.till.screen().hint in ("card_left", "remove_card"))
    await bar.lift()
    bar.field.present(card)
    result = await bar.result()
    assert (result.asked, result.reason) == (asked, None)
    assert result.sale != asked
    await bar.it.go_online()
    assert server.standing() == {result.sale: 450}
    assert server.balances[STRONG] == {"RAF": 550}


async def test_a_journal_that_fails_after_the_card_sells_nothing(
    bar: Bar, card: Ntag424, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(head: int, row: Any) -> None:
        raise JournalFailed("disk full")

    with monkeypatch.context() as broken:
        broken.setattr(bar.it.journal, "append_at", fails)
        assert (await bar.sell(card)).reason is Refusal.JOURNAL_FAILED
    assert [minor for _, _, minor in owed(card)] == [450]
    assert (await bar.sell(card, 2)).reason is None
    assert [minor for _, _, minor in owed(card)] == [900]


async def test_the_card_names_the_row_of_its_sale_though_another_comes_between(
    bar: Bar, card: Ntag424, monkeypatch: pytest.MonkeyPatch
) -> None:
    append_at, between = bar.it.journal.append_at, []

    async def later(head: int, row: Any) -> int | None:
        if not between:
            between.append(await bar.it.journal.append(IntentRow(sale=uuid7(), at_us=1)))
        return await append_at(head, row)

    monkeypatch.setattr(bar.it.journal, "append_at", later)
    assert (await bar.sell(card)).reason is None
    assert between
    assert owed(card) == [(bar.short, bar.it.journal.head, 450)]


async def test_cards_that_carry_nothing_pay_within_the_ordinary_limits(tmp_path: Path, bar: Bar) -> None:
    before = Ntag424(UID, KEYS)
    damaged = Ntag424(UID)
    write_ntag424(IsoDep(exchange_with(damaged)).transceive, FACTORY, KEYS, 1, None)
    session = ntag424.authenticate(IsoDep(exchange_with(damaged)).transceive, 1, KEYS[1])
    ntag424.write(session, ntag424.DATA_FILE, bytes(allowance.FILE_BYTES), mode="mac")
    for card in (before, damaged):
        assert (await bar.sell(card)).reason is None
    assert (await bar.sell(before)).reason is Refusal.OVER_CARD_LIMIT
    async with a_bar(tmp_path / "terrace") as terrace:
        assert (await terrace.sell(before)).reason is None


async def test_a_copy_that_takes_the_card_s_place_does_not_pay(bar: Bar, card: Ntag424) -> None:
    swapped = Swapped(card, Ntag424(UID, FACTORY), PROOF)
    result = await bar.sell(swapped)
    assert result.reason is Refusal.UNUSABLE_CARD
    assert await bar.sales() == 0


class Swapped(Torn):
    """From the `at`-th command on it is another card."""

    def __init__(self, card: Card, other: Card, at: int) -> None:
        super().__init__(card, at)
        self._other = other

    def process(self, command: bytes) -> bytes | None:
        if self.commands == self._at:
            self._card, self._at = self._other, None
            self._card.power_on()
        return super().process(command)


async def test_staff_take_the_rest_while_the_card_lies_there(bar: Bar, card: Ntag424) -> None:
    bar.it.server.balances[STRONG] = Counter(RAF=300)
    server = bar.it.server
    server.limits.cards["RAF"]["A"] = (400, 400, 10)
    await bar.it.go_online()
    await bar.it.until(
        lambda: (bar.it.shelf.book.available(STRONG) or {}).get("RAF") == 300 if bar.it.shelf.book else 0
    )
    await bar.it.go_offline()
    await bar.it.ask()
    bar.field.present(card)
    result = await bar.result()
    assert (result.reason, "cash" in result.offers) == (Refusal.OVER_SALE_LIMIT, True)
    await bar.lift()
    await bar.it.till.complete("cash")
    result = await bar.result()
    assert (result.reason, "cash" in result.offers) == (Refusal.CARD_LEFT, True)
    assert await bar.sales() == 0
    bar.field.present(card)
    await bar.it.until(lambda: bar.it.till.screen().card)
    await bar.it.till.complete("cash")
    assert (await bar.result()).reason is None
    assert [minor for _, _, minor in owed(card)] == [300]
